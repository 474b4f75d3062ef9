"""Proof that a flatbuffer is fully integer, and that two interpreters agree on what it computes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.errors import ModelError, UntrustworthyError
from edgekit.tflite.decode.expand import expanded
from edgekit.tflite.graph import Graph
from edgekit.tflite.interpreters import Interpreter, Run, available, run

# LiteRT's reference kernels are 1 to 3 steps off TFLM's where they round otherwise, up to 5 behind an RSQRT;
# wrong kernels are off by 100 and more.
LARGEST_TRUSTED_STEP = 8


@dataclass(frozen=True, slots=True)
class Proof:
    """What the judges said.

    Attributes:
        float_tensors: names of float tensors that an operator reads or writes; empty in every proof.
        judges: names with versions of the interpreters that ran, the one that counts first.
        samples: number of inputs compared.
        equal: the judges gave the same bytes on every sample; None where only one judge ran.
        largest_step: largest difference in steps of the quantized output; None where only one judge ran.
        outputs: per input the output bytes of the first judge: TFLM where it is installed, else LiteRT.
        tflm_arena_bytes: arena that TFLM used on this host; None without TFLM.
    """

    float_tensors: tuple[str, ...]
    judges: tuple[str, ...]
    samples: int
    equal: bool | None
    largest_step: int | None
    outputs: tuple[bytes, ...]
    tflm_arena_bytes: int | None


def float_tensors(graph: Graph) -> tuple[str, ...]:
    """Return the names of the float tensors at any operator's or the model's inputs and outputs.

    Float tensors that no operator reads (the LSTM's placeholders) cost nothing and are left out.
    """
    used = {index for op in graph.ops for index in (*op.inputs, *op.outputs) if index >= 0}
    used.update(graph.inputs, graph.outputs)
    return tuple(graph.tensors[index].name for index in sorted(used) if _is_float(graph, index))


def _is_float(graph: Graph, index: int) -> bool:
    return index >= 0 and graph.tensors[index].dtype.startswith("float")


def require_full_integer(graph: Graph) -> None:
    """Refuse a model in which an operator reads or writes float.

    Raises:
        ModelError: names the first float tensors and the operators at them.
    """
    names = float_tensors(graph)
    if not names:
        return
    # A converter told to keep float at the ends leaves one on either side; the message below names them.
    if any(_is_float(graph, index) for index in graph.inputs) and len(names) > 2:
        raise ModelError(
            f"a float model came where an int8 one was wanted: {len(names)} float tensors, also the input",
            hint="give the Keras model with representative data, and EdgeKit converts it to int8",
        )
    shown = ", ".join(repr(name) for name in names[:3]) + (", ..." if len(names) > 3 else "")
    kinds = {op.kind for op in graph.ops if any(_is_float(graph, index) for index in (*op.inputs, *op.outputs))}
    at = ", ".join(sorted(kinds))
    raise ModelError(
        f"{len(names)} float tensors are left in the model (expected none): {shown}, at {at}",
        hint="replace the layer that the names point to by one with an int8 form (e.g. ReLU for ELU)",
    )


def prove(graph: Graph, inputs: tuple[bytes, ...]) -> Proof:
    """Check that a model is fully integer and let two interpreters judge it.

    Args:
        graph: the model.
        inputs: per sample the bytes of all input tensors; at least one.

    Returns:
        The proof, with the outputs of the judge that counts.

    Raises:
        ModelError: a float tensor is left, or a judge refused the model or crashed.
        UntrustworthyError: the judges differ by more than `LARGEST_TRUSTED_STEP` steps.
    """
    require_full_integer(graph)
    if not inputs:
        raise ValueError("a proof needs at least one sample")
    kind, reference = _litert(graph.flatbuffer, inputs)
    named_reference = f"{kind.label} {reference.version}"
    if not available(Interpreter.TFLM):
        return Proof((), (named_reference,), len(inputs), None, None, reference.outputs, None)
    micro = run(graph.flatbuffer, inputs, Interpreter.TFLM)
    named_micro = f"{Interpreter.TFLM.label} {micro.version}"
    steps = [largest_step(graph, ours, theirs) for ours, theirs in zip(micro.outputs, reference.outputs, strict=True)]
    largest = max(steps)
    if largest > LARGEST_TRUSTED_STEP:
        raise UntrustworthyError(
            f"{named_micro} and {named_reference} differ by {largest} steps on sample "
            f"{steps.index(largest)}, expected at most {LARGEST_TRUSTED_STEP}",
            hint="one has a wrong kernel (TFLM's stand-alone RELU6 is known): replace that layer, or fuse it",
        )
    equal = micro.outputs == reference.outputs
    judges = (named_micro, named_reference)
    return Proof((), judges, len(inputs), equal, largest, micro.outputs, micro.arena_bytes)


def _litert(flatbuffer: bytes, inputs: tuple[bytes, ...]) -> tuple[Interpreter, Run]:
    """LiteRT's reference kernels; where they lack an operator (ELU), its optimized ones. Neither has TFLM's DECODE."""
    flatbuffer = expanded(flatbuffer)
    try:
        return Interpreter.LITERT_REFERENCE, run(flatbuffer, inputs, Interpreter.LITERT_REFERENCE)
    except ModelError as refused:
        if "refused the model" not in refused.what:
            raise
        try:
            return Interpreter.LITERT, run(flatbuffer, inputs, Interpreter.LITERT)
        except ModelError:
            raise refused from None


def largest_step(graph: Graph, first: bytes, second: bytes) -> int:
    """Return the largest difference between two outputs of one model, in steps of the quantized value.

    Args:
        graph: the model; its output tensors say how to read the bytes.
        first: bytes of all output tensors.
        second: the same, from another interpreter or device.
    """
    largest, offset = 0, 0
    for index in graph.outputs:
        tensor = graph.tensors[index]
        one, other = (
            np.frombuffer(content, tensor.dtype, tensor.elements, offset).astype(np.int64)
            for content in (first, second)
        )
        largest = max(largest, int(np.abs(one - other).max()))
        offset += tensor.size_bytes
    return largest
