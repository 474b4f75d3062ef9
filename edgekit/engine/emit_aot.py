"""Emit the aot engine's C: one file pair a model, with constant shapes, a static plan and only the kernels it needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from edgekit.engine import c_text, schedule
from edgekit.engine.aot_header import binding, header, title
from edgekit.engine.lowered import Constant, row_bytes, row_shape
from edgekit.engine.naming import c_comment, c_string
from edgekit.engine.options import PORTABLE, EngineOptions
from edgekit.engine.program import Program, program
from edgekit.engine.types import Sources
from edgekit.tflite.graph import Graph, Op, Tensor


def emit(graph: Graph, stem: str, *, options: EngineOptions = PORTABLE, labels: tuple[str, ...] = ()) -> Sources:
    """Emit `<stem>.c`, `<stem>.h` and the harness binding `ek_model.h`.

    Args:
        graph: a full-integer model.
        stem: C identifier from `c_identifier`.
        options: what it is compiled for.
        labels: class names in the order of the outputs.

    Returns:
        The sources; the same graph gives the same bytes.

    Raises:
        UnsupportedOpError: an operator that aot cannot run.
        ModelError: an input or output is no integer activation.
    """
    return emit_program(program(graph, options), stem, labels=labels)


def emit_program(made: Program, stem: str, *, labels: tuple[str, ...] = ()) -> Sources:
    """Emit a program, whose schedule and plan may have been chosen by the caller; see `emit`."""
    graph = made.graph
    files = {
        PurePosixPath(f"{stem}.c"): _source(made, stem, labels),
        PurePosixPath(f"{stem}.h"): header(made, stem, labels),
        PurePosixPath("ek_model.h"): binding(made, stem),
    }
    return Sources(
        stem=stem,
        files=files,
        engine="aot",
        model_sha256=graph.sha256,
        arena_bytes=made.memory.arena_bytes,
        weights_bytes=sum(constant.values.nbytes for item in made.lowered for constant in item.constants)
        + sum(graph.tensors[index].size_bytes for index in schedule.constant_inputs(graph, made.lowered)),
        flash_bytes_read=schedule.flash_bytes_read(graph, made.schedule, made.lowered),
        input_bytes=sum(graph.tensors[index].size_bytes for index in graph.inputs),
        output_bytes=sum(graph.tensors[index].size_bytes for index in graph.outputs),
        optimize=made.options.optimize.value,
    )


def _describe(graph: Graph, op: Op) -> str:
    """The operator, the first tensor that it computes from, and its first output."""
    inputs = [index for index in op.inputs if index >= 0]
    computed = [index for index in inputs if graph.tensors[index].data is None]
    shapes = [graph.tensors[index].shape for index in (*(computed or inputs)[:1], *op.outputs[:1])]
    arrow = " -> ".join("x".join(str(size) for size in shape) or "scalar" for shape in shapes)
    return f"{op.index}: {op.kind} {arrow}, {c_comment(graph.tensors[op.outputs[0]].name)}"


def _source(made: Program, stem: str, labels: Sequence[str]) -> str:
    kernels = dict.fromkeys(item.kernel for item in made.lowered if item.kernel)
    parts = [
        title(made, stem),
        f'#include "{stem}.h"\n\n#include <stdint.h>\n#include <string.h>\n',
        "/* ---- Kernels ---- */\n",
        *c_text.kernel_texts(("rows", *kernels), made.options.features),
        "/* ---- Layers ---- */\n",
        *(_constant_input(made.graph.tensors[index]) for index in schedule.constant_inputs(made.graph, made.lowered)),
        *_layers(made),
        "/* ---- Inference ---- */\n",
        *([_reset(made, stem)] if made.states else []),
        _invoke(made, stem),
    ]
    if labels:
        names = ",\n".join(f"  {c_string(label)}" for label in labels)
        parts.append(f"const char *const {stem}_labels[{len(labels)}] = {{\n{names},\n}};\n")
    return "\n".join(parts)


def _constant_input(tensor: Tensor) -> str:
    assert tensor.data is not None
    shape = "x".join(str(size) for size in tensor.shape) or "scalar"
    constant = Constant("", tensor.data.reshape(-1), f"{shape}, {c_comment(tensor.name)}")
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
    """Constants, settings and function of one layer."""
    item = made.lowered[index]
    kernel = item.kernel.replace(".", "_")
    arrays = [c_text.array(f"{item.name}_{constant.name}", constant) for constant in item.constants]
    settings = [
        f"static const ek_{kernel}_layer {item.name}_settings = {{",
        *c_text.initializer(item.fields, item.name),
        "};",
        "",
    ]
    function = [
        f"static void {item.name}(uint8_t *arena, int32_t row_begin, int32_t row_end) {{",
        *_call(f"ek_{kernel}", _arguments(made, index)),
        "}",
        "",
    ]
    return "\n".join([f"/* {description} */", *arrays, *settings, *function])


def _arguments(made: Program, index: int) -> list[str]:
    item = made.lowered[index]
    tensors = (*item.inputs, item.output, *item.states)
    arguments = [f"&{item.name}_settings", *(_rows(made, tensor) for tensor in tensors)]
    if item.scratch_bytes is not None:
        place = made.memory.scratch.get(index)
        arguments.append("NULL" if place is None else f"(int8_t *)arena + {place[0]}")
    return [*arguments, "row_begin", "row_end"]


def _rows(made: Program, index: int) -> str:
    tensor = made.graph.tensors[index]
    count, size = row_shape(tensor)[0], row_bytes(tensor)
    if tensor.data is not None:
        return f"ek_rows_in_flash(tensor_{index}, {size}, {count})"
    ring = min(made.schedule.ring_rows.get(index, count), count)
    return f"ek_rows_at(arena, {made.memory.offsets[index]}, {size}, {ring})"


def _call(function: str, arguments: Sequence[str]) -> list[str]:
    """The lines of a call, broken where they would become too long."""
    lines = [f"  {function}("]
    for argument in arguments:
        piece = f"{argument}, "
        if len(lines[-1]) + len(piece) > 108:
            lines[-1] = lines[-1].rstrip()
            lines.append("      ")
        lines[-1] += piece
    lines[-1] = lines[-1].removesuffix(", ") + ");"
    return lines


def _reset(made: Program, stem: str) -> str:
    lines = [f"void {stem}_reset(uint8_t *arena) {{"]
    for index in made.states:
        tensor = made.graph.tensors[index]
        zero = tensor.quant.zero_point[0] if tensor.quant is not None and tensor.dtype == "int8" else 0
        lines.append(f"  memset(arena + {made.memory.offsets[index]}, {zero}, {tensor.size_bytes});")
    return "\n".join([*lines, "}", ""])


def _invoke(made: Program, stem: str) -> str:
    lines = [f"void {stem}_invoke(uint8_t *arena) {{"]
    if not made.schedule.steps:
        lines.append("  (void)arena; /* the model only renames its input */")
    lines += [
        f"  {made.lowered[step.layer].name}(arena, {step.row_begin}, {step.row_end});" for step in made.schedule.steps
    ]
    return "\n".join([*lines, "}", ""])
