"""Which layers of a teacher and a student should be alike."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from edgekit.compress.students.imitation import tensor_of
from edgekit.compress.students.student import Block, last_features, repeated_blocks
from edgekit.errors import UsageError

Pairs = tuple[tuple[str, str], ...]


def feature_pairs(teacher: keras.Model, student: keras.Model, known: Sequence[tuple[str, str]]) -> Pairs:
    """Pair layers whose outputs should be alike: the same places, though perhaps not the same width.

    Args:
        teacher, student: functional models.
        known: pairs of a derived student. Without any, the ends of repeated blocks are paired by how far through the
            model they are; a model without such blocks has one end, where its last layer with weights reads.

    Returns:
        (teacher's layer, student's layer); empty where none fits.
    """
    ends = [tuple(_blocks(model)) or last_features(model) for model in (teacher, student)]
    pairs = tuple(known) or _by_depth(*ends)
    return tuple(pair for pair in pairs if _places(teacher, pair[0]) == _places(student, pair[1]) is not None)


def attention_pairs(teacher: keras.Model, student: keras.Model, known: Sequence[tuple[str, str]]) -> Pairs:
    """Pair what tells where the models look: MultiHeadAttention layers in paired blocks, else paired feature maps.

    Args:
        teacher, student, known: as for `feature_pairs`.

    Returns:
        (teacher's layer, student's layer); empty where none fits.
    """
    pairs = feature_pairs(teacher, student, known)
    blocks = _blocks(teacher), {**_blocks(teacher), **_blocks(student)}
    inside = [
        (_attention(teacher, blocks[0].get(first)), _attention(student, blocks[1].get(second)))
        for first, second in pairs
    ]
    scored = tuple((first, second) for first, second in inside if first and second)
    return scored or tuple(pair for pair in pairs if len(_places(teacher, pair[0]) or ()) >= 2)


def _blocks(model: keras.Model) -> dict[str, Block]:
    return {block.end: block for run in repeated_blocks(model) for block in run}


def _by_depth(first: Sequence[str], second: Sequence[str]) -> Pairs:
    """Pair each of the shorter list with the one that stands as far along in the longer."""
    count = min(len(first), len(second))
    return tuple(
        (first[-(-(index + 1) * len(first) // count) - 1], second[-(-(index + 1) * len(second) // count) - 1])
        for index in range(count)
    )


def _places(model: keras.Model, name: str) -> tuple[int, ...] | None:
    """Return the axes between batch and channels of a layer's output; None where they are not known."""
    try:
        places = tuple(tensor_of(model, name).shape[1:-1])
    # A layer that is called more than once has no output of its own.
    except UsageError:
        return None
    return None if None in places else places


def _attention(model: keras.Model, block: Block | None) -> str | None:
    """Return the first MultiHeadAttention of a block; None where there is none."""
    for name in block.layers if block is not None else ():
        if any(layer.name == name and isinstance(layer, keras.layers.MultiHeadAttention) for layer in model.layers):
            return name
    return None
