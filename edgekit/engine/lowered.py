"""What lowering an operator gives: a kernel, its constants, and the numbers that go with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import UnsupportedOpError
from edgekit.tflite.graph import Graph, Op, Tensor

# A check returns None when it is satisfied, else what came instead. Its docstring is what was expected.
Check = Callable[[Graph, Op], str | None]


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """An array that a kernel reads from flash.

    Attributes:
        name: what it is, e.g. ``weights``; the emitter puts the layer in front.
        values: one-dimensional, an integer type.
        shape: in words, for the comment beside it.
    """

    name: str
    values: NDArray[Any]
    shape: str


@dataclass(frozen=True, slots=True)
class RowsRead:
    """Which rows of an input a kernel reads for row y of its output: [y * step - before, y * step - before + count).

    Rows outside of the input are not read. Row by row, in ascending order, is how a kernel works that says so: once
    row y of the output is written it reads nothing in front of what row y + 1 needs.
    """

    step: int = 1
    before: int = 0
    count: int = 1

    def span(self, begin: int, end: int, rows: int) -> tuple[int, int]:
        """Return the rows of an input of `rows` rows that output rows [begin, end) need.

        Example:
            >>> RowsRead(step=2, before=1, count=3).span(0, 2, 10)
            (0, 4)
        """
        first, last = begin * self.step - self.before, (end - 1) * self.step - self.before + self.count
        return min(max(first, 0), rows), max(min(last, rows), 0)


@dataclass(frozen=True, slots=True, eq=False)
class Lowered:
    """One operator, or one part of it, ready to be emitted.

    Attributes:
        kernel: stem of its header in `firmware/engine/`, e.g. ``conv_2d_s8`` or, for one feature of cores,
            ``conv_2d_s8.dsp``, whose names in C say ``conv_2d_s8_dsp``; "" where the output only renames the input.
        fields: settings of the kernel in the order of its struct; a str names a constant, a tuple is an array,
            None is NULL.
        constants: what `fields` name.
        inputs: tensors in the order of the kernel's arguments. A kernel does not see whether one is an activation in
            the arena or a constant in flash.
        output: tensor index. Parts of one operator may share it, each writing other elements.
        scratch_bytes: work memory; None where the kernel takes none.
        op: position of the operator in `Graph.ops`; set by `edgekit.engine.ops.lower`.
        name: C name of the layer, e.g. ``layer_3_conv_2d``, ``layer_5_split_1``; set there too.
        states: variable tensors that the kernel reads and updates, passed behind the output.
        rows_read: for each input; None, and every input beyond, is needed whole for every row.
        work_rows: how many rows of work the kernel has, if not those of its output: one that adds up the rows of its
            input is called with rows of the input and writes the output with the last of them.
        keeps_scratch: the scratch memory holds something from the first row of work to the last.
        form: in which the weights are stored: "dense", or a form of `edgekit.engine.forms`.
        products: multiplications of an activation and a weight in one inference; None: all that the operator has.
        entries: stored weights, or blocks of them, that are taken up or unpacked in one inference, each as often as it
            is; what a cost is told by beside `products`. 0 for dense weights.
    """

    kernel: str
    fields: Mapping[str, Any]
    constants: tuple[Constant, ...]
    inputs: tuple[int, ...]
    output: int
    scratch_bytes: int | None = None
    op: int = -1
    name: str = ""
    states: tuple[int, ...] = ()
    rows_read: tuple[RowsRead | None, ...] = ()
    work_rows: int | None = None
    keeps_scratch: bool = False
    form: str = "dense"
    products: int | None = None
    entries: int = 0


def require(checks: tuple[Check, ...], graph: Graph, op: Op) -> None:
    """Run an operator's checks.

    Raises:
        UnsupportedOpError: the first that fails; names operator, tensor, what was expected and what came.
    """
    for check in checks:
        came = check(graph, op)
        if came is not None:
            expected = (check.__doc__ or check.__name__).strip().splitlines()[0].rstrip(".")
            output = graph.tensors[op.outputs[0]].name if op.outputs else ""
            raise UnsupportedOpError(
                f"operator {op.index} {op.kind} ({output!r}): {came}; expected: {expected}",
                hint="change this layer, or run the model with `--engine tflm`",
            )


def row_shape(tensor: Tensor) -> tuple[int, int]:
    """Return (rows, elements a row) of a tensor.

    An image (1, height, width, channels) or a sequence (1, time, channels) has a row for each index of its second
    dimension; a matrix (n, channels) one for each of its first.
    """
    shape = tensor.shape
    matrix_rows = shape[0] if len(shape) > 1 else 1
    rows = shape[1] if len(shape) >= 3 and shape[0] == 1 else matrix_rows
    return rows, tensor.elements // rows


def row_bytes(tensor: Tensor) -> int:
    """Return the bytes of one row, as `row_shape` counts rows."""
    return tensor.size_bytes // row_shape(tensor)[0]


def same_rows(graph: Graph, source: int, output: int) -> RowsRead | None:
    """Return how an operator reads that needs row y of a tensor for row y of its output; None with other rows."""
    rows = [row_shape(graph.tensors[index])[0] for index in (source, output)]
    return RowsRead() if rows[0] == rows[1] else None


def activations_are_int8(graph: Graph, op: Op) -> str | None:
    """int8 activations with one scale per tensor"""
    names = [index for index in op.inputs if index >= 0 and graph.tensors[index].data is None]
    for index in (*names, *op.outputs):
        tensor = graph.tensors[index]
        if tensor.dtype != "int8":
            return f"tensor {tensor.name!r} is {tensor.dtype}"
        if tensor.quant is None or tensor.quant.axis is not None or len(tensor.quant.scale) != 1:
            return f"tensor {tensor.name!r} has no single scale"
    return None


def images_of_batch_one(graph: Graph, op: Op) -> str | None:
    """images of shape (1, height, width, channels) in and out"""
    for index in (op.inputs[0], op.outputs[0]):
        shape = graph.tensors[index].shape
        if len(shape) != 4 or shape[0] != 1:
            return f"shape {list(shape)}"
    return None


def has_fused_activation(graph: Graph, op: Op) -> str | None:  # noqa: ARG001
    """a fused activation of NONE, RELU, RELU_N1_TO_1 or RELU6"""
    number = int(op.options.get("fusedActivationFunction", 0))
    return None if number in (0, 1, 2, 3) else f"fused activation {number}"


def scale_of(tensor: Tensor) -> float:
    """Return the single scale of an activation that passed `activations_are_int8`."""
    assert tensor.quant is not None
    return tensor.quant.scale[0]


def zero_point_of(tensor: Tensor) -> int:
    """Return the single zero point of an activation that passed `activations_are_int8`."""
    assert tensor.quant is not None
    return tensor.quant.zero_point[0]


def code_of(real: float, tensor: Tensor) -> int:
    """Return the code of a real number, which may lie outside of the type: TFLite divides in float32, rounds halves
    away from zero."""
    ratio = float(np.float32(max(-(2.0**31), min(2.0**31, real / scale_of(tensor)))))
    return zero_point_of(tensor) + (int(ratio + 0.5) if ratio >= 0 else -int(-ratio + 0.5))


def activation_range(op: Op, output: Tensor) -> tuple[int, int]:
    """Return the range [low, high] of int8 or int16 that the fused activation leaves.

    Source:
        TFLite 8-bit quantization specification; the clamp lies in the quantized domain of the output.
    """
    limits = {0: (None, None), 1: (0.0, None), 2: (-1.0, 1.0), 3: (0.0, 6.0)}
    low, high = limits[int(op.options.get("fusedActivationFunction", 0))]
    lowest, highest = (-32768, 32767) if output.dtype == "int16" else (-128, 127)
    return (
        lowest if low is None else max(lowest, code_of(low, output)),
        highest if high is None else min(highest, code_of(high, output)),
    )
