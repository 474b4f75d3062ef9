"""A student of the same graph with fewer channels everywhere, those that weigh the most."""

from __future__ import annotations

from collections.abc import Mapping

import keras

from edgekit.compress.channels.channels import Call, Cut, Rule
from edgekit.compress.channels.groups import Graph
from edgekit.compress.channels.importance import magnitudes
from edgekit.compress.channels.rebuild import rebuild
from edgekit.compress.channels.selection import Limits, drop, widths
from edgekit.compress.students.student import Student, repeated_blocks
from edgekit.errors import ModelError

# Even, for kernels that take two or four values at a time; and so that each head keeps some channels.
_LIMITS = Limits(multiple_of=2, minimum=4)


def narrower(model: keras.Model, width: float) -> Student:
    """Cut every width of a model but those of its inputs and outputs, and keep the most important channels.

    Unlike `prune_channels`, which keeps what it cannot remove exactly, this goes through layer normalization and
    attention too: a student is trained anyway.

    Args:
        model: functional or Sequential; never changed.
        width: share of the channels that stays, between 0 and 1; rounded to even numbers, at least 4.

    Returns:
        The student, its weights cut out of the model's; ends of repeated blocks are paired with themselves.

    Raises:
        ModelError: a subclassed model, or nothing that could be narrower.

    Example:
        >>> stack = [keras.Input((8,)), keras.layers.Dense(16), keras.layers.Dense(2)]
        >>> [layer.units for layer in narrower(keras.Sequential(stack), 0.5).model.layers]
        [8, 2]
    """
    graph = Graph(model, rules=RULES)
    groups = widths(graph, magnitudes(graph, "l2"))
    dropped = drop(groups, {group.layers: len(group.roots) * width for group in groups}, _LIMITS)
    if not dropped:
        raise ModelError(
            f"model {model.name!r} has no width that could be cut to {width:g}",
            hint="lower width, or give the student as a .keras file",
        )
    pairs = tuple((block.end, block.end) for run in repeated_blocks(model) for block in run)
    return Student(rebuild(model, graph, dropped), pairs, f"width {width:g}")


def layer_norm(call: Call) -> Cut:
    """LayerNormalization over the channels: its vectors follow them, its statistics change."""
    if tuple(_listed(call.layer.axis)) not in ((-1,), (len(call.output_shape) - 1,)):
        return call.freeze("it normalizes an axis that is not the last")
    return Cut(call.ids, weights={name: {-1: call.ids} for name in ("gamma", "beta")})


def rms_norm(call: Call) -> Cut:
    """RMSNormalization over the channels."""
    if tuple(_listed(call.layer.axis)) not in ((-1,), (len(call.output_shape) - 1,)):
        return call.freeze("it normalizes an axis that is not the last")
    return Cut(call.ids, weights={"scale": {-1: call.ids}})


def attention(call: Call) -> Cut:
    """MultiHeadAttention: all heads stay; each loses the same channels of its keys and of its values."""
    layer = call.layer
    query, value, key = (*call.inputs, call.inputs[-1])[:3]
    if len(call.inputs) > 3 or layer.get_config()["output_shape"] is not None:
        return call.freeze("attention with a mask from the graph, or with an output shape of its own")
    keys = call.channels.fresh(layer.key_dim)
    # One width for both, as Keras has it by default; values of a width of their own keep it.
    value_dim = layer.get_config()["value_dim"]
    values = keys if value_dim == layer.key_dim else call.channels.frozen(value_dim, "values of a width of their own")
    return Cut(
        query,
        weights={
            "query/kernel": {-3: query, -1: keys},
            "query/bias": {-1: keys},
            "key/kernel": {-3: key, -1: keys},
            "key/bias": {-1: keys},
            "value/kernel": {-3: value, -1: values},
            "value/bias": {-1: values},
            "attention_output/kernel": {-2: values, -1: query},
            "attention_output/bias": {-1: query},
        },
        sizes={"key_dim": keys, "value_dim": values},
        made=keys,
    )


RULES: Mapping[str, Rule] = {
    "LayerNormalization": layer_norm,
    "RMSNormalization": rms_norm,
    "MultiHeadAttention": attention,
}


def _listed(axis: int | list[int] | tuple[int, ...]) -> list[int]:
    return [axis] if isinstance(axis, int) else list(axis)
