"""How layers with weights follow channels: one small function a kind, and the table that names them.

A layer is looked up by its exact class: a subclass may compute something else.
"""

from __future__ import annotations

import numpy as np

from edgekit.compress.channels.channels import Call, Cut, Ids, Rule, positions


def dense(call: Call) -> Cut:
    """Dense: every unit is a channel."""
    made = call.channels.fresh(call.layer.units)
    return Cut(
        made,
        weights={"kernel": {-2: call.ids, -1: made}, "bias": {-1: made}},
        sizes={"units": made},
        reads={"kernel": -2},
        made=made,
    )


def einsum_dense(call: Call) -> Cut:
    """EinsumDense that is a Dense in other words: it sums over the last input axis and makes the last output axis."""
    inputs, _, rest = call.layer.equation.replace("...", "").partition(",")
    kernel, _, outputs = rest.partition("->")
    is_dense = len(kernel) == 2 and kernel == inputs[-1:] + outputs[-1:] and inputs[:-1] == outputs[:-1]
    # A bias may differ from place to place too, as that of learned positions does.
    if not is_dense or (call.layer.bias_axes or outputs)[-1] != outputs[-1]:
        return call.freeze(f"EinsumDense with equation {call.layer.equation!r} is not a plain Dense")
    made = call.channels.fresh(call.output_shape[-1] or 1)
    return Cut(
        made,
        weights={"kernel": {-2: call.ids, -1: made}, "bias": {-1: made}},
        sizes={"output_shape": made},
        reads={"kernel": -2},
        made=made,
    )


def conv(call: Call) -> Cut:
    """Conv1D, 2D, 3D: every filter is a channel; grouped ones lose the same channels in every group."""
    layer, ids, groups = call.layer, call.ids, call.layer.groups
    if groups > 1 and len(ids) == groups:
        # One input channel a group: a depthwise convolution by another name.
        output = np.repeat(ids, layer.filters // groups)
        return Cut(
            output,
            weights={"kernel": {-1: output}, "bias": {-1: output}},
            sizes={"filters": output, "groups": ids},
        )
    made = call.channels.fresh(layer.filters)
    if groups > 1:
        _unite_rows(call, ids.reshape(groups, -1))
        _unite_rows(call, made.reshape(groups, -1))
    return Cut(
        made,
        weights={"kernel": {-2: ids[: len(ids) // groups], -1: made}, "bias": {-1: made}},
        sizes={"filters": made},
        reads={"kernel": -2},
        made=made,
    )


def conv_transpose(call: Call) -> Cut:
    """Conv1D, 2D, 3DTranspose: the kernel holds output channels before input channels."""
    made = call.channels.fresh(call.layer.filters)
    return Cut(
        made,
        weights={"kernel": {-1: call.ids, -2: made}, "bias": {-1: made}},
        sizes={"filters": made},
        reads={"kernel": -1},
        made=made,
        positions=positions(call.input_shapes[0]),
    )


def depthwise_conv(call: Call) -> Cut:
    """DepthwiseConv1D, 2D: every input channel gives `depth_multiplier` output channels, side by side."""
    output = np.repeat(call.ids, call.layer.depth_multiplier)
    return Cut(output, weights={"kernel": {-2: call.ids}, "bias": {-1: output}})


def separable_conv(call: Call) -> Cut:
    """SeparableConv1D, 2D: a depthwise convolution, then a pointwise one."""
    made = call.channels.fresh(call.layer.filters)
    between = np.repeat(call.ids, call.layer.depth_multiplier)
    return Cut(
        made,
        weights={
            "depthwise_kernel": {-2: call.ids},
            "pointwise_kernel": {-2: between, -1: made},
            "bias": {-1: made},
        },
        sizes={"filters": made},
        reads={"pointwise_kernel": -2},
        made=made,
    )


def embedding(call: Call) -> Cut:
    """Embedding: every column of the table is a channel; the tokens are none."""
    made = call.channels.fresh(call.layer.output_dim)
    call.channels.freeze(call.ids, "it counts tokens")
    return Cut(made, weights={"embeddings": {-1: made}}, sizes={"output_dim": made}, made=made, positions=0)


def recurrent(call: Call) -> Cut:
    """SimpleRNN, LSTM, GRU: a unit goes with its columns in every gate and its row in the recurrent kernel."""
    layer = call.layer
    if len(call.inputs) > 1 or layer.return_state or layer.stateful:
        return call.freeze("a recurrent layer whose state is taken out or put in")
    made = call.channels.fresh(layer.units)
    gates: Ids = np.tile(made, {"SimpleRNN": 1, "GRU": 3, "LSTM": 4}[type(layer).__name__])
    return Cut(
        made,
        weights={
            "kernel": {-2: call.ids, -1: gates},
            "recurrent_kernel": {-2: made, -1: gates},
            "bias": {-1: gates},
        },
        sizes={"units": made},
        reads={"kernel": -2},
        made=made,
        positions=positions(call.input_shapes[0]),
    )


def batch_norm(call: Call) -> Cut:
    """BatchNormalization: every vector follows the channels."""
    if call.layer.axis not in (-1, len(call.output_shape) - 1):
        return call.freeze("it normalizes an axis that is not the last")
    vectors = ("gamma", "beta", "moving_mean", "moving_variance")
    return Cut(call.ids, weights={name: {-1: call.ids} for name in vectors})


def normalization(call: Call) -> Cut:
    """Normalization: mean and variance follow the channels, the count of samples is a single number."""
    layer = call.layer
    if layer.input_mean is not None or tuple(layer._keep_axis) not in ((), (len(call.output_shape) - 1,)):
        return call.freeze("its mean and variance are given, or taken over another axis")
    if not layer._keep_axis:
        return Cut(call.ids, weights={name: {} for name in ("mean", "variance", "count")})
    return Cut(call.ids, weights={"mean": {-1: call.ids}, "variance": {-1: call.ids}, "count": {}})


def prelu(call: Call) -> Cut:
    """PReLU: a slope a channel, whatever it shares over positions."""
    shared = call.layer.shared_axes or ()
    if len(call.output_shape) - 1 in shared:
        return Cut(call.ids, weights={"alpha": {}})
    return Cut(call.ids, weights={"alpha": {-1: call.ids}})


def statistics(call: Call) -> Cut:
    """Layers that take statistics over channels: without a channel, all others would change."""
    return call.freeze(f"{type(call.layer).__name__} takes statistics over its channels")


def _unite_rows(call: Call, rows: Ids) -> None:
    for row in rows[1:]:
        call.channels.unite(rows[0], row)


WEIGHTED: dict[str, Rule] = {
    "Dense": dense,
    "EinsumDense": einsum_dense,
    **dict.fromkeys(("Conv1D", "Conv2D", "Conv3D"), conv),
    **dict.fromkeys(("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"), conv_transpose),
    **dict.fromkeys(("DepthwiseConv1D", "DepthwiseConv2D"), depthwise_conv),
    **dict.fromkeys(("SeparableConv1D", "SeparableConv2D"), separable_conv),
    "Embedding": embedding,
    **dict.fromkeys(("SimpleRNN", "LSTM", "GRU"), recurrent),
    "BatchNormalization": batch_norm,
    "Normalization": normalization,
    "PReLU": prelu,
    **dict.fromkeys(("LayerNormalization", "RMSNormalization", "GroupNormalization", "UnitNormalization"), statistics),
}
