"""What every layer that multiplies activations by constant weights has: checks, folded biases, multipliers, a clamp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import Constant, activation_range, scale_of, zero_point_of
from edgekit.engine.multiplier import quantize_multiplier
from edgekit.engine.ops._checks import largest_sum, quantization_fault, sums_fault
from edgekit.engine.ops._fixed_point import clamped, requantize
from edgekit.tflite.graph import Graph, Op, Tensor

# Which axis of the weights counts output channels.
_CHANNEL_AXIS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3, "FULLY_CONNECTED": 0, "TRANSPOSE_CONV": 0}
_BIAS_TYPES = {"int8": ("int32",), "int16": ("int64", "int32")}
# TFLM reads their bias as int64 wherever activations are int16.
_ALWAYS_WIDE = ("DEPTHWISE_CONV_2D", "TRANSPOSE_CONV")
_INT32 = 2


@dataclass(frozen=True, slots=True)
class Linear:
    """The tensors of such a layer.

    Attributes:
        op: the layer.
        input, weights, output: its tensors.
        bias: None where there is none.
    """

    op: Op
    input: Tensor
    weights: Tensor
    bias: Tensor | None
    output: Tensor

    @property
    def channels(self) -> int:
        """Output channels."""
        return self.weights.shape[_CHANNEL_AXIS[self.op.kind]]

    @property
    def is_wide(self) -> bool:
        """Whether accumulators have 64 bits, as with int16 activations unless the bias has 32."""
        if self.input.dtype != "int16" or self.op.kind in _ALWAYS_WIDE:
            return self.input.dtype == "int16"
        if self.bias is None:
            return int(self.op.options.get("quantizedBiasType", 0)) != _INT32
        return self.bias.dtype == "int64"

    @property
    def kernel_suffix(self) -> str:
        """``s8``, also where the file has weights of 4 bits; ``s16`` for int16 activations."""
        return "s16" if self.input.dtype == "int16" else "s8"


def linear(graph: Graph, op: Op) -> Linear:
    """Return the layer's tensors by name; channels without weights have a factor that all kernels take."""
    activations, bias = (2, 3) if op.kind == "TRANSPOSE_CONV" else (0, 2)
    has_bias = len(op.inputs) > bias and op.inputs[bias] >= 0
    return _settled(
        Linear(
            op,
            graph.tensors[op.inputs[activations]],
            graph.tensors[op.inputs[1]],
            graph.tensors[op.inputs[bias]] if has_bias else None,
            graph.tensors[op.outputs[0]],
        )
    )


def _settled(layer: Linear) -> Linear:
    """Say the constant that a channel without weights puts out by a small bias and a factor of 1/4.

    Pruned channels keep any factor and any bias, often such as no fast kernel holds: one of them would make its whole
    layer slow. Four times a number by 1/4 is that number, by each way of rounding.
    """
    if not _may_settle(layer):
        return layer
    quant, bias = layer.weights.quant, None if layer.bias is None else layer.bias.data
    assert quant is not None and layer.weights.data is not None
    factors = np.array(_factors(layer))
    beyond = (factors < 2.0**-22) | (factors >= 0.5)
    if bias is not None:
        beyond |= np.abs(bias.reshape(-1).astype(np.int64)) >= 2**29
    by_channel = np.moveaxis(layer.weights.data, _CHANNEL_AXIS[layer.op.kind], 0).reshape(layer.channels, -1)
    settled = [int(channel) for channel in np.flatnonzero(beyond) if not by_channel[channel].any()]
    if not settled:
        return layer
    scale = list(quant.scale)
    codes = None if bias is None else bias.reshape(-1).copy()
    for channel in settled:
        scale[channel] = scale_of(layer.output) / 4 / scale_of(layer.input)
        if codes is not None:
            # Beyond 255 any zero point leaves it at the end of int8.
            put_out = requantize(int(codes[channel]), *quantize_multiplier(float(factors[channel])))
            codes[channel] = 4 * clamped(put_out, -256, 255)
    weights = replace(layer.weights, quant=replace(quant, scale=tuple(scale)))
    settled_bias = None if layer.bias is None else replace(layer.bias, data=codes)
    return replace(layer, weights=weights, bias=settled_bias)


def _may_settle(layer: Linear) -> bool:
    """Whether weights and bias are constants of int8 activations, with a factor for each channel that has a meaning."""
    bias, quant = layer.bias, layer.weights.quant
    for tensor in (layer.input, layer.output):
        if tensor.dtype != "int8" or tensor.quant is None or len(tensor.quant.scale) != 1 or not scale_of(tensor) > 0:
            return False
    if layer.weights.data is None or quant is None or len(quant.scale) != layer.channels or any(quant.zero_point):
        return False
    if bias is not None and (bias.data is None or bias.dtype != "int32" or bias.elements != layer.channels):
        return False
    return all(0 <= factor < 2.0**30 for factor in _factors(layer))


def activations_are_int8_or_int16(graph: Graph, op: Op) -> str | None:
    """int8 activations, or int16 ones with zero point 0, of one type and with one scale per tensor"""
    layer = linear(graph, op)
    for tensor in (layer.input, layer.output):
        if tensor.dtype not in _BIAS_TYPES or tensor.dtype != layer.input.dtype:
            return f"tensor {tensor.name!r} is {tensor.dtype}"
        fault = quantization_fault(tensor)
        if fault is not None:
            return fault
    return None


def weights_are_constant(graph: Graph, op: Op) -> str | None:
    """constant int8 weights (int4 too with int8 activations) with zero point 0, one scale or one a channel"""
    layer = linear(graph, op)
    weights, allowed = layer.weights, ("int8", "int4") if layer.input.dtype == "int8" else ("int8",)
    if weights.data is None or weights.dtype not in allowed or weights.quant is None:
        return f"{weights.dtype} weights{' that are computed' if weights.data is None else ''}"
    if any(_zero_points(layer)):
        return "weights with a zero point"
    return None if len(weights.quant.scale) in (1, layer.channels) else f"{len(weights.quant.scale)} scales of weights"


def is_int8_or_int4(layer: Linear) -> bool:
    """Whether activations are int8 and weights, of int8 or int4, a constant without a zero point."""
    quant = layer.weights.quant
    is_constant = layer.weights.data is not None and quant is not None and not any(quant.zero_point)
    return is_constant and layer.kernel_suffix == "s8"


def bias_is_constant(graph: Graph, op: Op) -> str | None:
    """a constant bias or none: int32; with int16 activations int64, or int32 in CONV_2D and FULLY_CONNECTED"""
    layer = linear(graph, op)
    if layer.bias is None:
        return None
    allowed = _BIAS_TYPES[layer.input.dtype][: 1 if op.kind in _ALWAYS_WIDE else None]
    if layer.bias.data is None or layer.bias.dtype not in allowed or layer.bias.elements != layer.channels:
        return f"a bias of {layer.bias.elements} {layer.bias.dtype}{' that is computed' * (layer.bias.data is None)}"
    return None


def factors_are_in_range(graph: Graph, op: Op) -> str | None:
    """input scale times weight scale below 2^30 times the output scale, with int16 activations below 2^7 times"""
    layer = linear(graph, op)
    limit = 2.0**7 if layer.is_wide else 2.0**30
    largest = max(_factors(layer))
    return None if largest < limit else f"{largest:g} times"


def sums_fit(graph: Graph, op: Op) -> str | None:
    """int8 activations with weights and biases whose sums int32 holds"""
    layer = linear(graph, op)
    if layer.input.dtype != "int8":
        return None
    bias = None if layer.bias is None else layer.bias.data
    if layer.weights.data is None or any(_zero_points(layer)):
        # Computed weights, or such with a zero point, less that of at most 128: each product reaches 255 * 256.
        return sums_fault(np.full((layer.channels, layer.weights.shape[-1]), 255), bias)
    by_channel = np.moveaxis(layer.weights.data, _CHANNEL_AXIS[op.kind], 0).reshape(layer.channels, -1)
    return sums_fault(by_channel, bias)


def _zero_points(layer: Linear) -> tuple[int, ...]:
    return () if layer.weights.quant is None else layer.weights.quant.zero_point


CHECKS = (activations_are_int8_or_int16, weights_are_constant, bias_is_constant, factors_are_in_range, sums_fit)


def bias_constant(layer: Linear, rows: NDArray[Any]) -> Constant:
    """Return the bias with the input zero point folded in.

    sum((x - zero_point) * w) + bias = sum(x * w) + (bias - zero_point * sum(w)); the kernel computes only sum(x * w).

    Args:
        layer: the layer.
        rows: int8 weights, shape (output_channels, depth).
    """
    bias = np.zeros(rows.shape[0], np.int64) if layer.bias is None else layer.bias.data
    assert bias is not None
    folded = bias.astype(np.int64).reshape(-1) - zero_point_of(layer.input) * rows.sum(axis=1, dtype=np.int64)
    dtype = np.int64 if layer.input.dtype == "int16" else np.int32
    return Constant("bias", folded.astype(dtype), f"({rows.shape[0]})")


def plain_bias(layer: Linear) -> Constant:
    """Return the bias as it is, of a layer that has one."""
    assert layer.bias is not None and layer.bias.data is not None
    return Constant("bias", layer.bias.data.reshape(-1), f"({layer.channels})")


def _factors(layer: Linear) -> list[float]:
    """What each accumulator is scaled by; one factor where there is one scale of weights."""
    assert layer.weights.quant is not None
    input_scale, scales = scale_of(layer.input), layer.weights.quant.scale
    # In double, as TFLM does it; LiteRT multiplies the two scales of some per-tensor layers in float32.
    return [input_scale * scale / scale_of(layer.output) for scale in scales]


def multiplier_constants(layer: Linear, *, spread: bool = False) -> tuple[Constant, Constant, int]:
    """Return multipliers, shifts, and 1 where there is one for each channel.

    Args:
        layer: the layer.
        spread: give each channel its own, even where one would do for all.
    """
    pairs = [quantize_multiplier(factor) for factor in _factors(layer)]
    if layer.is_wide:
        pairs = [wide_multiplier(*pair) for pair in pairs]
    if spread and len(pairs) == 1:
        pairs *= layer.channels
    per_channel = int(len(pairs) == layer.channels and layer.channels > 1)
    multiplier = Constant("multiplier", np.array([pair[0] for pair in pairs], np.int32), f"({len(pairs)})")
    shift = Constant("shift", np.array([pair[1] for pair in pairs], np.int8), f"({len(pairs)})")
    return multiplier, shift, per_channel


def scales_down(layer: Linear) -> bool:
    """Whether `ek_scale` of requantize.h serves: int8 activations, sums below 2^30, right shifts of 1..22."""
    if layer.input.dtype != "int8" or layer.weights.data is None:
        return False
    by_channel = np.moveaxis(layer.weights.data, _CHANNEL_AXIS[layer.op.kind], 0).reshape(layer.channels, -1)
    shifts = [quantize_multiplier(factor)[1] for factor in _factors(layer)]
    bias = None if layer.bias is None else layer.bias.data
    return all(-22 <= shift <= -1 for shift in shifts) and largest_sum(by_channel, bias) < 2**30


CHANNEL_FIELDS: Mapping[str, str] = {"weights": "weights", "bias": "bias", "multiplier": "multiplier", "shift": "shift"}


def channel_constants(layer: Linear, weights: Constant, rows: NDArray[Any]) -> tuple[Constant, ...]:
    """Return what CHANNEL_FIELDS name, for kernels with a bias, a multiplier and a shift for each channel.

    Args:
        layer: the layer.
        weights: as the kernel wants them.
        rows: the same as int8, shape (output_channels, depth).
    """
    multiplier, shift, _ = multiplier_constants(layer, spread=True)
    return weights, bias_constant(layer, rows), multiplier, shift


def wide_multiplier(multiplier: int, shift: int) -> tuple[int, int]:
    """Return the 15 bits of a multiplier, and the shift to the right, by which TFLite scales an int64 accumulator.

    Example:
        >>> wide_multiplier(1 << 30, 0)
        (16384, 15)
    """
    return min((multiplier + (1 << 15)) >> 16, 0x7FFF), 15 - shift


def output_fields(layer: Linear) -> Mapping[str, int]:
    """Return zero point (only of int8) and clamp of the output."""
    low, high = activation_range(layer.op, layer.output)
    clamp = {"activation_min": low, "activation_max": high}
    return clamp if layer.input.dtype == "int16" else {"output_zero_point": zero_point_of(layer.output), **clamp}
