"""What the converter can silently get wrong: refused where the file is useless, told where it may only be poor."""

from __future__ import annotations

import re
from collections.abc import Sequence

from edgekit.errors import ModelError
from edgekit.tflite import proof
from edgekit.tflite.conversion_metric import MetricResult
from edgekit.tflite.graph import Graph

Layers = Sequence[tuple[str, str]]
GOOD_SQNR_DB = 28.0
# A float32 mask constant in the ranges gives scales of 1e35, and an int8 model that computes nothing.
_LARGEST_SCALE = 1e6
_VARIABLE_OPS = {"VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE"}
_SATURATED_SHARE = 0.05
# Softmax, sigmoid and the like end where int8's range ends.
_BOUNDED = {"SOFTMAX", "LOGISTIC", "TANH", "HARD_SWISH", "RELU", "RELU6"}
_SQNR_GAP_DB = 1.0


def check_converted(graph: Graph, weight_elements: int, layers: Layers = ()) -> None:
    """Refuse a conversion that cannot be right.

    Args:
        graph: its result, rewritten and read back.
        weight_elements: number of weights (kernels, tables) that the model has.
        layers: (name, class) of the model's layers, to name one.

    Raises:
        ModelError: weights missing, float left, not integers in and out, not batch 1, or scales without sense.
    """
    kinds = sorted({op.kind for op in graph.ops} & _VARIABLE_OPS)
    stored = sum(tensor.elements for tensor in graph.tensors if tensor.data is not None)
    if kinds or stored < weight_elements // 2:
        raise ModelError(
            f"the converter lost weights: {stored:,} constants are left of {weight_elements:,} weights"
            + (f", with {', '.join(kinds)} in their place" if kinds else ""),
            hint="save the model with its weights, and convert again",
        )
    try:
        proof.require_full_integer(graph)
    except ModelError as error:
        layer = named_layer(" ".join(proof.float_tensors(graph)), layers)
        raise ModelError(f"{layer}: {error.what}" if layer else error.what, hint=error.hint) from error
    for what, indices in (("input", graph.inputs), ("output", graph.outputs)):
        for tensor in (graph.tensors[index] for index in indices):
            if tensor.dtype not in ("int8", "int16", "int32") or not tensor.shape or tensor.shape[0] != 1:
                raise ModelError(
                    f"{what} {tensor.name!r} is {tensor.dtype} {list(tensor.shape)}, expected integers with batch 1",
                    hint="convert a model whose inputs and outputs are plain numbers with the batch as first axis",
                )
    for tensor in graph.tensors:
        if tensor.quant is not None and max(tensor.quant.scale) > _LARGEST_SCALE:
            layer = named_layer(tensor.name, layers)
            raise ModelError(
                f"{layer + ': ' if layer else ''}tensor {tensor.name!r} has scale {max(tensor.quant.scale):.3g}, so "
                "int8 resolves nothing of it",
                hint="a mask with a huge constant does this: use a small one (-12), or bound the layer's output",
            )


def named_layer(text: str, layers: Layers) -> str | None:
    """Find the layer that a message of the converter or a tensor's name speaks of.

    Args:
        text: with operator names such as ``sequential_1/conv3d_1/convolution``.
        layers: (name, class) of the model's layers.

    Returns:
        "layer 'conv3d' (Conv3D)", the innermost layer of the first such name; None where none is named.

    Example:
        >>> named_layer("float at: model_1/conv3d_1/convolution", [("conv3d", "Conv3D"), ("dense", "Dense")])
        "layer 'conv3d' (Conv3D)"
    """
    classes = dict(layers)
    for name in re.findall(r"[\w.-]+(?:/[\w.-]+)+", text):
        for part in reversed(name.split("/")):
            # The scope of a second call of a layer gets a number.
            for known in (re.sub(r"_\d+$", "", part), part):
                if known in classes:
                    return f"layer {known!r} ({classes[known]})"
    return None


def findings(graph: Graph, metric: MetricResult | None) -> tuple[str, ...]:
    """Return what the user should know of a conversion that was not refused, one sentence each."""
    said = []
    states = sum(tensor.is_variable for tensor in graph.tensors)
    if states:
        said.append(
            f"the model keeps {states} states from one inference to the next: reset it before each independent sequence"
        )
    if metric is None:
        return tuple(said)
    if metric.constant:
        said.append(f"all {metric.samples} samples gave the same output: the model computes nothing in int8")
    poor = [
        f"{db:.1f} dB ({who})"
        for db, who in ((metric.sqnr_db, metric.interpreter), (metric.litert_sqnr_db, "LiteRT"))
        if db is not None and db < GOOD_SQNR_DB
    ]
    if poor and graph.tensors[graph.outputs[0]].dtype == "int8":
        said.append(
            f"int8 is far from float: {', '.join(poor)}, expected {GOOD_SQNR_DB:.0f} dB and more; "
            "`edgekit verify` shows the layer, more representative data often helps"
        )
    if _differ(metric.sqnr_db, metric.litert_sqnr_db):
        said.append("TFLM and LiteRT are not equally close to float: `edgekit verify` shows where they part")
    last = {op.kind for op in graph.ops if graph.outputs[0] in op.outputs}
    if metric.saturated is not None and metric.saturated > _SATURATED_SHARE and not last & _BOUNDED:
        said.append(
            f"{metric.saturated:.0%} of the output values are at an end of int8's range: the calibration data does not "
            "cover what these samples give"
        )
    return tuple(said)


def _differ(first: float | None, second: float | None) -> bool:
    if first is None or second is None:
        return False
    return abs(first - second) > _SQNR_GAP_DB and min(first, second) < GOOD_SQNR_DB
