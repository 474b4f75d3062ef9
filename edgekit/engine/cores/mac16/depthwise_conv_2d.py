"""DEPTHWISE_CONV_2D on the LX6. Twins: firmware/engine/depthwise_conv_2d_lanes_s8.mac16.h and, for weights that stay
int8, depthwise_conv_2d_narrow_s8.mac16.h."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.cores.mac16._channels import channels, output_fields
from edgekit.engine.lowered import Constant, Lowered, zero_point_of
from edgekit.engine.ops import _linear
from edgekit.engine.ops._convolution import rows_read, window_fields
from edgekit.engine.ops._linear import Linear
from edgekit.tflite.graph import Graph, Op

_LONGEST_RUN = 24
_SIDE = 3
_TAPS = _SIDE * _SIDE
_PLANES = 2


def lower(graph: Graph, op: Op, *, wide_weights: bool) -> Lowered | None:
    """Lower a depthwise convolution of 3 x 3; see `edgekit.engine.cores.CoreModule.lower`."""
    layer = _linear.linear(graph, op)
    weights = layer.weights.data
    assert weights is not None
    if layer.kernel_suffix != "s8" or not suits(layer):
        return None
    by_channel = weights.reshape(_TAPS, -1).T
    constants = channels(layer, by_channel, compact=not wide_weights)
    if constants is None:
        return None
    taps = taps_of(weights)
    narrow = Constant("weights", taps.reshape(-1), f"({len(taps)}, {_TAPS})")
    settings, scratch_bytes = lanes(layer)
    return Lowered(
        kernel=f"depthwise_conv_2d_{'lanes' if wide_weights else 'narrow'}_s8.mac16",
        fields={"weights": "weights", "lanes": settings},
        constants=(_wide(taps) if wide_weights else narrow, constants),
        inputs=(op.inputs[0],),
        output=op.outputs[0],
        scratch_bytes=scratch_bytes,
        rows_read=(rows_read(layer, _SIDE),),
    )


def lanes(layer: Linear) -> tuple[dict[str, Any], int]:
    """Return the fields of `ek_lanes_mac16` and the bytes of scratch memory."""
    fields = window_fields(layer, (_SIDE, _SIDE))
    stride, output_columns = int(fields["stride_columns"]), layer.output.shape[2]
    run = -(-output_columns // -(-output_columns // _LONGEST_RUN))  # as equal as they can be
    padding = zero_point_of(layer.input) + 128
    settings = {
        "channels": "channels",
        "to": output_fields(layer),
        "input_rows": fields["input_rows"],
        "input_columns": fields["input_columns"],
        "output_columns": output_columns,
        "stride": stride,
        "pad_top": fields["pad_top"],
        "pad_left": fields["pad_left"],
        "padding": padding << 16 | padding,
        "run": run,
    }
    return settings, _PLANES * _SIDE * ((run - 1) * stride + _SIDE) * 4


def taps_of(weights: NDArray[Any]) -> NDArray[Any]:
    """Return weights, shape (1, 3, 3, channels), as (channels, 9): the window's columns, as its activations lie."""
    taps: NDArray[Any] = weights[0].transpose(2, 1, 0).reshape(-1, _TAPS)
    return taps


def suits(layer: Linear) -> bool:
    """Whether each channel sees itself through a plain window of 3 x 3."""
    options = layer.op.options
    return (
        layer.kernel_suffix == "s8"
        and layer.input.data is None  # a constant of bytes need not be aligned
        and layer.weights.shape == (1, _SIDE, _SIDE, layer.input.shape[3])
        and options["strideH"] == options["strideW"]
        and options["dilationHFactor"] == options["dilationWFactor"] == 1
    )


def _wide(taps: NDArray[Any]) -> Constant:
    """Two int16 a word."""
    pairs = np.pad(taps, ((0, 0), (0, _TAPS % 2))).astype("<i2").reshape(-1).view("<i4")
    return Constant("weights", pairs, f"({len(taps)}, {_TAPS // 2 + 1}), two int16 a word")
