"""SVDF. Twin: firmware/engine/svdf_s8.h."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import Constant, Lowered, scale_of, zero_point_of
from edgekit.engine.multiplier import quantize_multiplier
from edgekit.tflite.graph import Graph, Op, Tensor

_INPUT, _FEATURE_WEIGHTS, _TIME_WEIGHTS, _BIAS, _STATE = range(5)
# What each input must be: type, whether it is constant.
_FORMS = {
    _INPUT: ("int8", False),
    _FEATURE_WEIGHTS: ("int8", True),
    _TIME_WEIGHTS: ("int16", True),
    _BIAS: ("int32", True),
    _STATE: ("int16", False),
}


def tensors_have_their_types(graph: Graph, op: Op) -> str | None:
    """int8 input, output and constant feature weights; int16 state and constant time weights; constant int32 bias"""
    if len(op.inputs) != len(_FORMS) or min(op.inputs) < 0:
        return f"{sum(index >= 0 for index in op.inputs)} inputs"
    wanted = [(graph.tensors[op.inputs[place]], *form) for place, form in _FORMS.items()]
    for tensor, dtype, is_constant in (*wanted, (graph.tensors[op.outputs[0]], "int8", False)):
        if tensor.dtype != dtype or (tensor.data is not None) != is_constant:
            return f"tensor {tensor.name!r} is {'computed' if tensor.data is None else 'constant'} {tensor.dtype}"
        if tensor.quant is None or len(tensor.quant.scale) != 1:
            return f"tensor {tensor.name!r} has no single scale"
    state = graph.tensors[op.inputs[_STATE]]
    return None if state.is_variable else f"state {state.name!r} is no variable"


def zero_points_are_zero(graph: Graph, op: Op) -> str | None:
    """zero point 0 for weights and state"""
    tensors = (graph.tensors[op.inputs[place]] for place in (_FEATURE_WEIGHTS, _TIME_WEIGHTS, _STATE))
    return next((f"tensor {tensor.name!r} has another" for tensor in tensors if zero_point_of(tensor)), None)


def shapes_fit(graph: Graph, op: Op) -> str | None:
    """weights (units * rank, depth) and (units * rank, memory), and a state for each of them"""
    source, features, times, bias, state = (graph.tensors[index].shape for index in op.inputs)
    output, rank = graph.tensors[op.outputs[0]].shape, int(op.options["rank"])
    units = output[-1]
    expected = [(units * rank, source[-1]), (units * rank, times[-1]), (units,), (source[0], units * rank * times[-1])]
    fit = len(source) == 2 and output == (source[0], units) and [features, times, bias, state] == expected
    return None if fit else f"shapes {', '.join(str(list(shape)) for shape in (features, times, bias, state))}"


def factors_are_in_range(graph: Graph, op: Op) -> str | None:
    """scales whose products are below 2^30 times the scale of what they give"""
    return None if max(_factors(graph, op)) < 2.0**30 else f"factors {_factors(graph, op)}"


CHECKS = (tensors_have_their_types, zero_points_are_zero, shapes_fit, factors_are_in_range)


def lower(graph: Graph, op: Op) -> Lowered:
    """Lower one SVDF; its state stays in the arena from one inference to the next until it is reset."""
    source, features, times, bias, _ = (graph.tensors[index] for index in op.inputs)
    output = graph.tensors[op.outputs[0]]
    weights = _values(features)
    folded = -zero_point_of(source) * weights.astype(np.int64).sum(axis=1)
    (feature_multiplier, feature_shift), (output_multiplier, output_shift) = map(
        quantize_multiplier, _factors(graph, op)
    )
    filters, memory = times.shape
    return Lowered(
        kernel="svdf_s8",
        fields={
            "feature_weights": "feature_weights",
            "feature_bias": "feature_bias",
            "time_weights": "time_weights",
            "bias": "bias",
            "feature_multiplier": feature_multiplier,
            "feature_shift": feature_shift,
            "output_multiplier": output_multiplier,
            "output_shift": output_shift,
            "output_zero_point": zero_point_of(output),
            "depth": source.shape[1],
            "memory": memory,
            "rank": int(op.options["rank"]),
            "units": output.shape[1],
        },
        constants=(
            Constant("feature_weights", weights.reshape(-1), f"({filters}, {source.shape[1]})"),
            Constant("feature_bias", folded.astype(np.int32), f"({filters})"),
            Constant("time_weights", _values(times).reshape(-1), f"({filters}, {memory})"),
            Constant("bias", _values(bias), f"({output.shape[1]})"),
        ),
        inputs=(op.inputs[_INPUT],),
        output=op.outputs[0],
        states=(op.inputs[_STATE],),
    )


def _values(tensor: Tensor) -> NDArray[np.generic]:
    assert tensor.data is not None
    return tensor.data


def _factors(graph: Graph, op: Op) -> tuple[float, float]:
    """From features to the state, from the weighed state to the output.

    In double, as TFLM does it; LiteRT multiplies and divides in float32.
    """
    source, features, times, _, state = (scale_of(graph.tensors[index]) for index in op.inputs)
    return source * features / state, state * times / scale_of(graph.tensors[op.outputs[0]])
