"""How true each tensor of the int8 model is to the float model, and where two runs of one model part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.metrics import sqnr_db
from edgekit.tflite.graph import Graph, Op, Tensor
from edgekit.tflite.known_differences import likely_cause
from edgekit.tflite.tap import Tapped, split

# An int8 tensor whose range is used well has 35 dB and more; below this one something is wrong with its range.
POOR_SQNR_DB = 20.0
# A drop from the inputs of one operator to its output that rounding alone does not explain.
_SUDDEN_DROP_DB = 10.0
_CLIPPED_SHARE = 0.01
_USED_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Divergence:
    """The first tensor in which two runs of one model differ.

    Attributes:
        op_index, operator: who computed it.
        tensor: its name.
        largest_step: largest difference, in steps of the quantized value.
        differing: fraction of its elements that differ.
        cause: the likely one.
    """

    op_index: int
    operator: str
    tensor: str
    largest_step: int
    differing: float
    cause: str


@dataclass(frozen=True, slots=True)
class LayerFidelity:
    """One tensor of the int8 model beside its float twin.

    Attributes:
        op_index, operator: who computed it.
        tensor: its name.
        sqnr_db: signal to quantization noise over all samples; None where float and int8 are equal or all zero.
        saturated: fraction of the float values that lie outside of what the int8 tensor can hold.
        used: fraction of the int8 range that the float values span.
        cause: of a poor ratio, or "" where there is none.
    """

    op_index: int
    operator: str
    tensor: str
    sqnr_db: float | None
    saturated: float
    used: float
    cause: str


def first_divergence(
    tapped: Tapped, first: Sequence[bytes], second: Sequence[bytes], *, ours: bool
) -> Divergence | None:
    """Find where two runs of a tapped model part.

    Args:
        tapped: the model.
        first, second: per sample the bytes of all outputs.
        ours: True where one of the runs is EdgeKit's own engine, which has to be equal to the bit.

    Returns:
        The first tensor, in execution order, that differs in any sample; None where all are equal.
    """
    pairs = [(split(tapped.tensors, a), split(tapped.tensors, b)) for a, b in zip(first, second, strict=True)]
    for position, tensor in enumerate(tapped.tensors):
        steps = np.stack([_steps(a[position], b[position]) for a, b in pairs])
        if steps.any():
            op = _producer(tapped.graph, tensor)
            cause = f"the aot kernel of {op.kind} is wrong here: report the model" if ours else likely_cause(op.kind)
            share = float(np.count_nonzero(steps)) / steps.size
            return Divergence(op.index, op.kind, tensor.name, int(steps.max()), share, cause)
    return None


def layer_fidelity(
    tapped: Tapped, outputs: Sequence[bytes], floats: Mapping[str, NDArray[np.float32]]
) -> tuple[LayerFidelity, ...]:
    """Compare each activation with the float model's tensor of the same name.

    Args:
        tapped: the int8 model.
        outputs: per sample the bytes of all its outputs.
        floats: tensor name -> float values, shape (n, *tensor).

    Returns:
        One entry for each activation that has a twin of the same size, in execution order.
    """
    runs = [split(tapped.tensors, output) for output in outputs]
    found: list[LayerFidelity] = []
    ratios: dict[int, float] = {}
    for position, tensor in enumerate(tapped.tensors):
        reference = floats.get(tensor.name)
        if reference is None or tensor.quant is None or reference[0].size != tensor.elements:
            continue
        real = _real(tensor, np.stack([run[position] for run in runs])).reshape(len(runs), -1)
        entry = _entry(tapped.graph, tensor, reference.reshape(len(runs), -1), real, ratios)
        if entry.sqnr_db is not None:
            ratios[tensor.index] = entry.sqnr_db
        found.append(entry)
    return tuple(found)


def _entry(
    graph: Graph, tensor: Tensor, reference: NDArray[np.float32], real: NDArray[np.float32], ratios: dict[int, float]
) -> LayerFidelity:
    op = _producer(graph, tensor)
    ratio = sqnr_db(reference, real)
    low, high = _range(tensor)
    step = (high - low) / 255
    clipped = float(np.mean((reference > high + step) | (reference < low - step)))
    used = float((min(reference.max(), high) - max(reference.min(), low)) / (high - low))
    before = [ratios[index] for index in op.inputs if index in ratios]
    cause = _cause(ratio, min(before, default=None), clipped, used)
    return LayerFidelity(op.index, op.kind, tensor.name, ratio, clipped, max(used, 0.0), cause)


def _cause(ratio: float | None, before: float | None, clipped: float, used: float) -> str:
    if ratio is None:
        return ""
    sudden = before is not None and before - ratio > _SUDDEN_DROP_DB
    if ratio >= POOR_SQNR_DB and not sudden:
        return ""
    if clipped > _CLIPPED_SHARE:
        return f"{clipped:.1%} of the float values lie outside of the int8 range: calibrate with samples like these"
    if used < _USED_SHARE:
        return f"only {used:.1%} of the int8 range is used: an outlier or a huge constant in calibration widens it"
    if not sudden and before is not None:
        return "inherited: its inputs are as poor"
    return "rounding inside the operator: one scale serves values of very different size; try int16 activations here"


def _range(tensor: Tensor) -> tuple[float, float]:
    assert tensor.quant is not None
    limits = np.iinfo(tensor.dtype)
    scale, zero_point = tensor.quant.scale[0], tensor.quant.zero_point[0]
    return scale * (int(limits.min) - zero_point), scale * (int(limits.max) - zero_point)


def _real(tensor: Tensor, values: NDArray[Any]) -> NDArray[np.float32]:
    assert tensor.quant is not None
    steps = values.astype(np.int64) - tensor.quant.zero_point[0]
    return (steps * tensor.quant.scale[0]).astype(np.float32)


def _steps(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.int64]:
    return np.abs(first.astype(np.int64) - second.astype(np.int64))


def _producer(graph: Graph, tensor: Tensor) -> Op:
    return next(op for op in graph.ops if tensor.index in op.outputs)
