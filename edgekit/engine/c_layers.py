"""Each layer of a program as C: its constants, its settings, and one function named after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from edgekit.engine import c_text, schedule
from edgekit.engine.lowered import Constant, row_bytes, row_shape
from edgekit.engine.naming import c_comment
from edgekit.engine.program import Program
from edgekit.tflite.graph import Graph, Op, Tensor

_LINE = 110


def layers(made: Program) -> list[str]:
    """Return the constant tensors that layers read, then the layers, in the order in which they run."""
    constants = schedule.constant_inputs(made.graph, made.lowered)
    return [*(_constant_input(made.graph.tensors[index]) for index in constants), *_layers(made)]


def shape_text(tensor: Tensor) -> str:
    """Return a shape in words.

    Example:
        >>> from edgekit.tflite.graph import Tensor
        >>> shape_text(Tensor(0, "x", (1, 28, 28, 1), "int8", None, None))
        '1x28x28x1'
    """
    return "x".join(str(size) for size in tensor.shape) or "scalar"


def _describe(graph: Graph, op: Op) -> str:
    """The operator, the first tensor that it computes from, and its first output."""
    inputs = [index for index in op.inputs if index >= 0]
    computed = [index for index in inputs if graph.tensors[index].data is None]
    ends = [graph.tensors[index] for index in (*(computed or inputs)[:1], *op.outputs[:1])]
    arrow = " -> ".join(shape_text(tensor) for tensor in ends)
    # What a converter fuses has the names of all its parts; the first one is that of the output.
    name = graph.tensors[op.outputs[0]].name.partition(";")[0]
    return f"{op.index}: {op.kind} {arrow}, {c_comment(name)}"


def _constant_input(tensor: Tensor) -> str:
    assert tensor.data is not None
    constant = Constant("", tensor.data.reshape(-1), f"{shape_text(tensor)}, {c_comment(tensor.name)}")
    return c_text.array(f"tensor_{tensor.index}", constant)


def _layers(made: Program) -> list[str]:
    items = [(index, item) for index, item in enumerate(made.lowered) if item.kernel]
    parts = Counter(item.op for _, item in items)
    seen: Counter[int] = Counter()
    texts = []
    for index, item in items:
        seen[item.op] += 1
        part = f", part {seen[item.op]} of {parts[item.op]}" if parts[item.op] > 1 else ""
        description = f"{_describe(made.graph, made.graph.ops[item.op])}{part}"
        texts.append(_layer(made, index, description))
    return texts


def _layer(made: Program, index: int, description: str) -> str:
    item = made.lowered[index]
    kernel = item.kernel.replace(".", "_")
    arrays = [c_text.array(f"{item.name}_{constant.name}", constant) for constant in item.constants]
    settings = [
        f"static const ek_{kernel}_layer {item.name}_settings = {{",
        *c_text.initializer(item.fields, item.name),
        "};",
        "",
    ]
    roles = (("input", item.inputs), ("output", (item.output,)), ("state", item.states))
    operands = [operand for role, tensors in roles for operand in _operands(role, tensors)]
    arguments = [f"&{item.name}_settings", *(name for name, _ in operands)]
    if item.scratch_bytes is not None:
        # A kernel that needs no work memory here may still have code that writes there: compilers refuse NULL.
        place = made.memory.scratch.get(index)
        arguments.append("(int8_t *)arena" if place is None else f"(int8_t *)(arena + {place[0]})")
    function = [
        f"static void {item.name}(uint8_t *arena, int32_t row_begin, int32_t row_end) {{",
        *(f"  const ek_rows {name} = {rows_text(made, tensor)}" for name, tensor in operands),
        *_call(f"ek_{kernel}", [*arguments, "row_begin", "row_end"]),
        "}",
        "",
    ]
    return "\n".join([f"/* {description} */", *arrays, *settings, *function])


def _operands(role: str, tensors: Sequence[int]) -> list[tuple[str, int]]:
    """(name, tensor) of the operands of one role; several are numbered from 0."""
    several = len(tensors) > 1
    return [(f"{role}_{number}" if several else role, tensor) for number, tensor in enumerate(tensors)]


def rows_text(made: Program, index: int) -> str:
    """Return the C that says where the rows of a tensor lie, with its shape beside it."""
    tensor = made.graph.tensors[index]
    count, size = row_shape(tensor)[0], row_bytes(tensor)
    if tensor.data is not None:
        return f"ek_rows_in_flash(tensor_{index}, {size}, {count}); /* {shape_text(tensor)} */"
    ring = min(made.schedule.ring_rows.get(index, count), count)
    kept = f", {ring} of its {count} rows" if ring < count else ""
    return f"ek_rows_at(arena, {made.memory.offsets[index]}, {size}, {ring}); /* {shape_text(tensor)}{kept} */"


def _call(function: str, arguments: Sequence[str]) -> list[str]:
    """The lines of a call, broken where they would become too long."""
    lines = [f"  {function}("]
    margin = " " * len(lines[0])
    for argument in arguments:
        piece = f"{argument}, "
        if len(lines[-1]) + len(piece) > _LINE:
            lines[-1] = lines[-1].rstrip()
            lines.append(margin)
        lines[-1] += piece
    lines[-1] = lines[-1].removesuffix(", ") + ");"
    return lines
