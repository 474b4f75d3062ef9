"""What a layer costs on a core: instructions from a few numbers of it, and the code of its kernel.

`<features>.toml`, written by `make costs`, has a line for each kernel that was measured: what each of the numbers of
`Work` adds to the instructions of one inference, fitted to layers that ran on an emulated core.
"""

from __future__ import annotations

import functools
import tomllib
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

from edgekit.engine import packings
from edgekit.engine.lowered import Lowered, row_shape
from edgekit.tflite.graph import Graph
from edgekit.tflite.macs import op_macs

KINDS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
"""The operators whose kernels are measured."""

_FEWEST_LAYERS = 10


@dataclass(frozen=True, slots=True)
class Work:
    """The numbers of a layer that its instructions follow.

    Attributes:
        call: 1.
        row: rows of work.
        line: rows of work times output channels.
        pixel: output pixels or vectors.
        output: elements of the output.
        strip: rows of windows that are copied for the pixels.
        copied: activations in those.
        read: activations that pixels read where they lie.
        product: multiplications.
        entry: stored weights, or blocks of them, that are taken up, see `Lowered.entries`; of packed weights those that
            are not 0.
        byte: of packed weights that are unpacked.
    """

    call: int
    row: int
    line: int
    pixel: int
    output: int
    strip: int
    copied: int
    read: int
    product: int
    entry: int
    byte: int


@dataclass(frozen=True, slots=True)
class KernelCost:
    """What a kernel takes.

    Attributes:
        each: instructions for each of the numbers of `Work`, in their order.
        code_bytes: of the kernel and what only it needs, by the compiler that was measured.
        error: of the predicted instructions, relative: root mean square over the layers measured.
        layers: how many were measured.
    """

    each: tuple[float, ...]
    code_bytes: int
    error: float
    layers: int

    def instructions(self, work: Work) -> int:
        """Return what one inference of a layer takes."""
        return round(sum((cost * count for cost, count in zip(self.each, astuple(work), strict=True)), 0.0))


def file_stem(features: tuple[str, ...]) -> str:
    """Return the name of the file of a set of features.

    Example:
        >>> file_stem(("mve", "dsp")), file_stem(())
        ('mve-dsp', 'portable')
    """
    return "-".join(features) or "portable"


@functools.cache
def kernels(features: tuple[str, ...]) -> dict[str, KernelCost]:
    """Return what is known of the kernels on cores with these features, by the kernels' names; empty: nothing."""
    path = Path(__file__).with_name(f"{file_stem(features)}.toml")
    if not path.is_file():
        return {}
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    return {
        name: KernelCost(
            tuple(float(line.get(field, 0)) for field in Work.__dataclass_fields__),
            line["code"],
            line["error"],
            line["layers"],
        )
        for name, line in found["kernels"].items()
    }


def work(graph: Graph, lowered: Lowered) -> Work:
    """Return the numbers of a layer of one of `KINDS`."""
    op = graph.ops[lowered.op]
    output, weights = graph.tensors[lowered.output], graph.tensors[op.inputs[1]]
    channels = weights.shape[3] if op.kind == "DEPTHWISE_CONV_2D" else weights.shape[0]
    rows = lowered.work_rows or row_shape(output)[0]
    macs = op_macs(graph, op)
    pixels = output.elements // channels
    strips = pixels * weights.shape[1] if op.kind == "CONV_2D" and weights.shape[1:3] != (1, 1) else 0
    packed, nonzero = 0, lowered.entries
    if lowered.form in packings.names():
        assert weights.data is not None
        times = lowered.entries // weights.elements
        nonzero = times * int(np.count_nonzero(weights.data))
        packed = times * sum(one.values.nbytes for one in lowered.constants if one.name in ("codes", "values"))
    return Work(
        call=1,
        row=rows,
        line=rows * channels,
        pixel=pixels,
        output=output.elements,
        strip=strips,
        copied=macs // channels if strips else 0,
        read=0 if strips else macs // channels,
        product=macs if lowered.products is None else lowered.products,
        entry=nonzero,
        byte=packed,
    )


def instructions(graph: Graph, lowered: Lowered, features: tuple[str, ...]) -> int | None:
    """Return the instructions that one inference of a layer is predicted to take.

    Args:
        graph: the model.
        lowered: the layer, with its place in the model.
        features: of the core.

    Returns:
        None where the kernel was not measured on such a core, or with too few layers.
    """
    cost = kernels(features).get(lowered.kernel)
    # Fewer layers than that fit any costs, and say nothing of other layers; dense weights are only the bar.
    if cost is not None and lowered.form != "dense" and cost.layers < _FEWEST_LAYERS:
        return None
    if cost is None or graph.ops[lowered.op].kind not in KINDS:
        return None
    return cost.instructions(work(graph, lowered))
