"""Students made from a model: every second of its repeated blocks."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from edgekit.compress.channels.groups import functional
from edgekit.compress.layers.model_copy import own_classes
from edgekit.errors import ModelError

# What differs between two blocks that compute the same.
_INCIDENTAL = ("name", "seed", "registered_name", "build_config", "build_input_shape", "shared_object_id")


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a model through which everything passes: one tensor enters, one of the same shape leaves.

    Attributes:
        layers: names, in the model's order.
        entry: name of the layer whose output it takes.
        end: name of the layer whose output it gives.
    """

    layers: tuple[str, ...]
    entry: str
    end: str


@dataclass(frozen=True, slots=True, eq=False)
class Student:
    """A derived model and which of its layers stands for which of the original.

    Attributes:
        model: not compiled; its weights are the original's.
        pairs: (layer of the original, layer of the student) whose outputs should be alike, in the model's order.
        summary: how it was made, a few words.
    """

    model: keras.Model
    pairs: tuple[tuple[str, str], ...]
    summary: str


def repeated_blocks(model: keras.Model) -> list[tuple[Block, ...]]:
    """Find the blocks that a model repeats: same layers, same configuration, same shapes, one behind the other.

    The model is cut wherever a single tensor leads from all that is before to all that comes after, so a block may be
    a residual block with its addition, a transformer block, or one layer of a plain stack. Of all ways to read the
    pieces as repetitions, the one that covers the most pieces is taken, and of these the one with the shortest block.

    Args:
        model: functional or Sequential; nested models count as one layer.

    Returns:
        Runs of at least two equal blocks with weights, in the model's order.

    Raises:
        ModelError: a subclassed model, whose graph is not known.
    """
    pieces = _pieces(model)
    signatures = [piece.signature for piece in pieces]
    runs = []
    for first, period, count in _runs(signatures, 0, len(pieces)):
        starts = range(first, first + period * count, period)
        blocks = tuple(_joined(pieces[start : start + period]) for start in starts)
        if any(model.get_layer(name).weights for name in blocks[0].layers if name in _layer_names(model)):
            runs.append(blocks)
    return runs


def half_layers(model: keras.Model) -> Student:
    """Drop every second block of each run of repeated blocks; what stays keeps names and weights.

    Args:
        model: functional or Sequential; never changed.

    Returns:
        The student. A block that stays is to do the work of the one dropped behind it too, so it is paired with
        that one's output (Sun et al. 2019, "Patient Knowledge Distillation", arXiv:1908.09355, section 3.2, "skip").

    Raises:
        ModelError: the model repeats no block, or is a subclassed model.

    Example:
        >>> stack = [keras.Input((4,))] + [keras.layers.Dense(4, name=f"dense_{i}") for i in range(4)]
        >>> [layer.name for layer in half_layers(keras.Sequential(stack)).model.layers]
        ['dense_0', 'dense_2']
    """
    runs = repeated_blocks(model)
    if not runs:
        raise ModelError(
            f"model {model.name!r} repeats no block, so half of its layers cannot be left out",
            hint='give the student as a .keras file, or choose student = "narrower"',
        )
    dropped = [block for run in runs for block in run[1::2]]
    pairs = [(run[min(index + 1, len(run) - 1)].end, run[index].end) for run in runs for index in range(0, len(run), 2)]
    total = sum(len(run) for run in runs)
    smaller = _without(model, dropped)
    return Student(smaller, tuple(pairs), f"{total - len(dropped)} of {total} repeated blocks")


def last_features(model: keras.Model) -> tuple[str, ...]:
    """Return the name of the layer whose output the last layer with weights reads; empty where that is the input."""
    layers = _layer_names(model)
    for piece in reversed(_pieces(model)):
        if any(model.get_layer(name).weights for name in piece.layers if name in layers):
            inputs = {tensor._keras_history.operation.name for tensor in functional(model).inputs}
            return () if piece.entry in inputs else (piece.entry,)
    return ()


@dataclass(frozen=True, slots=True)
class _Piece:
    """A shortest part between two single tensors: its layers, the layer before it, and what it computes."""

    layers: tuple[str, ...]
    entry: str
    signature: str


def _pieces(model: keras.Model) -> list[_Piece]:
    """Cut a model at every tensor that alone leads on."""
    if functional(model) is None:
        raise ModelError(
            f"model {model.name!r} is a subclassed model: which layer feeds which is not known",
            hint="build it with the functional API (keras.Model(inputs, outputs)) or as keras.Sequential",
        )
    config = functional(model).get_config()
    entries: list[Any] = config["layers"]
    number = {_name(entry): index for index, entry in enumerate(entries)}
    last_use = dict.fromkeys(range(len(entries)), -1)
    for index, entry in enumerate(entries):
        for history in _histories(entry["inbound_nodes"]):
            last_use[number[history[0]]] = index
    for name, *_ in _output_histories(config["output_layers"]):
        last_use[number[name]] = len(entries)
    cuts, live = [], -1
    for index in range(len(entries)):
        if live <= index:
            cuts.append(index)
        live = max(live, last_use[index])
    return [
        _Piece(
            tuple(_name(entry) for entry in entries[before + 1 : cut + 1]),
            _name(entries[before]),
            _signature(model, entries[before : cut + 1]),
        )
        for before, cut in itertools.pairwise(cuts)
    ]


def _signature(model: keras.Model, entries: Sequence[Any]) -> str:
    """Describe what a piece computes, without names; `entries[0]` is the layer before it."""
    number = {_name(entry): index for index, entry in enumerate(entries)}
    layers = _layer_names(model)
    described: list[Any] = []
    for entry in entries[1:]:
        name = _name(entry)
        # Called more than once: it belongs to several places, so it is like no other.
        own = name if len(entry["inbound_nodes"]) != 1 else ""
        weights = [list(weight.shape) for weight in model.get_layer(name).weights] if name in layers else []
        described.append([own, entry["class_name"], _plain(entry["config"], {}), weights])
        described.append(_plain(entry["inbound_nodes"], number))
    return json.dumps(described, default=str)


def _plain(value: Any, number: dict[str, int]) -> Any:
    """Drop what is incidental; name layers by their place in the piece."""
    if isinstance(value, dict):
        if "keras_history" in value:
            name, _, tensor = value["keras_history"]
            return [number.get(name, name), tensor, value.get("shape")]
        return {key: _plain(item, number) for key, item in value.items() if key not in _INCIDENTAL}
    if isinstance(value, list | tuple):
        return [_plain(item, number) for item in value]
    return value


def _runs(signatures: Sequence[str], low: int, high: int) -> list[tuple[int, int, int]]:
    """Find repetitions in `signatures[low:high]`: (first, period, count), count >= 2, in order."""
    best = (0, 0, 0)
    for period in range(1, (high - low) // 2 + 1):
        for first in range(low, high - 2 * period + 1):
            count = 1
            block = signatures[first : first + period]
            while signatures[first + count * period : min(first + (count + 1) * period, high)] == block:
                count += 1
            if count > 1:
                # The most pieces, then the shortest block, then the first place.
                best = max(best, (count * period, -period, -first))
    if best[0] == 0:
        return []
    covered, period, first = best[0], -best[1], -best[2]
    here = (first, period, covered // period)
    return [*_runs(signatures, low, first), here, *_runs(signatures, first + covered, high)]


def _joined(pieces: Sequence[_Piece]) -> Block:
    layers = tuple(name for piece in pieces for name in piece.layers)
    return Block(layers, pieces[0].entry, layers[-1])


def _without(model: keras.Model, blocks: Sequence[Block]) -> keras.Model:
    """Build a model anew without some blocks: what read a block's output reads its input."""
    config = copy.deepcopy(model.get_config())
    gone = {name for block in blocks for name in block.layers}
    bridges = {block.end: block.entry for block in blocks}
    config["layers"] = [entry for entry in config["layers"] if _name(entry) not in gone]
    for entry in config["layers"]:
        for history in _histories(entry.get("inbound_nodes", [])):
            history[0] = bridges.get(history[0], history[0])
    for history in _output_histories(config.get("output_layers", [])):
        history[0] = bridges.get(history[0], history[0])
    with own_classes(model):
        smaller = type(model).from_config(config)
    for layer in smaller.layers:
        layer.set_weights(model.get_layer(layer.name).get_weights())
    return smaller


def _name(entry: Any) -> str:
    return str(entry.get("name") or entry["config"]["name"])


def _layer_names(model: keras.Model) -> set[str]:
    return {layer.name for layer in model.layers}


def _histories(value: Any) -> Iterator[list[Any]]:
    """Yield (layer, call, output) of every tensor that a description of calls holds; the lists can be written to."""
    if isinstance(value, dict):
        if "keras_history" in value:
            value["keras_history"] = list(value["keras_history"])
            yield value["keras_history"]
            return
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            yield from _histories(item)


def _output_histories(value: Any) -> Iterator[list[Any]]:
    """Yield (layer, call, output) of every output; a single one stands there without a list around it."""
    if isinstance(value, dict):
        value = list(value.values())
    if len(value) == 3 and isinstance(value[0], str):
        yield value
        return
    for item in value:
        yield from _output_histories(item)
