"""Emit the aot engine's C: one file pair a model, with constant shapes, a static plan and only the kernels it needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from edgekit.engine import c_inference, c_integrity, c_layers, c_prune, c_text, schedule
from edgekit.engine.aot_binding import binding
from edgekit.engine.aot_header import header, title
from edgekit.engine.naming import c_string
from edgekit.engine.options import PORTABLE, EngineOptions
from edgekit.engine.program import Program, program
from edgekit.engine.types import Sources
from edgekit.tflite.graph import Graph


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
        weights_bytes=weights_bytes(made),
        flash_bytes_read=schedule.flash_bytes_read(graph, made.schedule, made.lowered),
        input_bytes=sum(graph.tensors[index].size_bytes for index in graph.inputs),
        output_bytes=sum(graph.tensors[index].size_bytes for index in graph.outputs),
        optimize=made.options.optimize.value,
    )


def weights_bytes(made: Program) -> int:
    """Return the bytes of all constants of a program as stored."""
    inputs = schedule.constant_inputs(made.graph, made.lowered)
    return sum(constant.values.nbytes for item in made.lowered for constant in item.constants) + sum(
        made.graph.tensors[index].size_bytes for index in inputs
    )


def _source(made: Program, stem: str, labels: Sequence[str]) -> str:
    kernels = dict.fromkeys(item.kernel for item in made.lowered if item.kernel)
    layers = "\n".join(c_layers.layers(made))
    inference = "\n".join(c_inference.functions(made, stem))
    parts = [
        title(made, stem),
        f'#include "{stem}.h"\n\n#include <stdint.h>\n#include <string.h>\n',
        "/* ---- Kernels ---- */\n",
        *c_prune.pruned(c_text.kernel_texts(("rows", *kernels), made.options.features), layers + inference),
        "/* ---- Layers ---- */\n",
        layers,
        "/* ---- Inference ---- */\n",
        inference,
        "/* ---- Integrity ---- */\n",
        c_integrity.function(made, stem),
    ]
    if labels:
        names = ",\n".join(f"  {c_string(label)}" for label in labels)
        parts.append(f"const char *const {stem}_labels[{len(labels)}] = {{\n{names},\n}};\n")
    return "\n".join(parts)
