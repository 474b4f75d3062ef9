"""The memory plan of a model: where the arena holds what, what makes its peak, and what would lower it."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit import pipeline, targets
from edgekit.build_options import BuildOptions
from edgekit.engine.options import EngineOptions, Optimize
from edgekit.errors import ModelError
from edgekit.model_source import resolve
from edgekit.progress import Progress, silent
from edgekit.tflite.shrink import ShrinkOptions

if TYPE_CHECKING:
    from edgekit.engine.memory.occupancy import Block
    from edgekit.engine.program import Program
    from edgekit.report.plan import Alternative, Edit, PlanReport
    from edgekit.tflite.graph import Graph

# Of the tensors that make the peak, so many are tried with half their channels.
_LARGEST = 4


def plan_model(
    model: Path,
    *,
    target: str | None = None,
    options: BuildOptions | None = None,
    edits: bool = True,
    progress: Progress = silent,
) -> PlanReport:
    """Plan a model as `edgekit build` would, and look at the plan.

    Args:
        model: whatever `edgekit build` takes.
        target: its features choose kernels, which need work memory of their own; None takes the portable ones.
        options: the aim, a bound on the arena; data and compression where the model has to be converted.
        edits: also plan edited models. Each edited model is built and planned; nothing is estimated.
        progress: told what happens.

    Raises:
        UsageError: a name or an option is wrong.
        ModelError: the model is damaged or has an operator that engine aot cannot run; no plan fits the bound.
    """
    from edgekit.engine.memory.occupancy import occupancy
    from edgekit.engine.program import program
    from edgekit.report.arena_map import bands
    from edgekit.report.plan import PlanReport
    from edgekit.tflite.macs import macs

    options = options or BuildOptions()
    engine = options.for_engine(targets.load(target) if target is not None else None)
    line = pipeline.start(resolve(model), options, progress)
    graph = _graph(line, options)
    progress("plan")
    made = program(graph, engine)
    found = occupancy(made)
    free = dataclasses.replace(engine, max_ram_bytes=None)
    return PlanReport(
        name=line.source.name,
        sha256=graph.sha256,
        target=target,
        macs=macs(graph),
        made=made,
        occupancy=found,
        bands=bands(made),
        alternatives=_alternatives(graph, free),
        edits=_edits(made if made.options == free else program(graph, free), progress) if edits else (),
    )


def _graph(line: pipeline.Pipeline, options: BuildOptions) -> Graph:
    from edgekit.tflite import proof
    from edgekit.tflite.graph import parse
    from edgekit.tflite.shrink.chain import named

    flatbuffer = line.convert().flatbuffer
    if not options.shrink:
        graph = parse(flatbuffer)
    else:
        shrunk = line.shrink(flatbuffer, ShrinkOptions(), pipeline.SHRINK_SAMPLES)
        graph = named(parse(shrunk.flatbuffer), shrunk.tensor_names)
    proof.require_full_integer(graph)
    return graph


def _alternatives(graph: Graph, options: EngineOptions) -> tuple[Alternative, ...]:
    """The plans for each aim, and the smallest with the input streamed, where the model allows that."""
    from edgekit.engine.program import program

    found = [_alternative(program(graph, dataclasses.replace(options, optimize=aim))) for aim in Optimize]
    if not options.stream_input:
        streamed = dataclasses.replace(options, optimize=Optimize.RAM, stream_input=True)
        with contextlib.suppress(ModelError):
            found.append(_alternative(program(graph, streamed)))
    return tuple(found)


def _alternative(made: Program) -> Alternative:
    from edgekit.engine.emit_aot import weights_bytes
    from edgekit.engine.schedule import flash_bytes_read
    from edgekit.report.plan import Alternative

    return Alternative(
        optimize=made.options.optimize.value,
        stream_input=made.options.stream_input,
        arena_bytes=made.memory.arena_bytes,
        weights_bytes=weights_bytes(made),
        flash_bytes_read=flash_bytes_read(made.graph, made.schedule, made.lowered),
        steps=len(made.schedule.steps),
    )


def _edits(made: Program, progress: Progress) -> tuple[Edit, ...]:
    """Build and plan edited models; those that need less RAM than the program, best first."""
    from edgekit.engine.memory.occupancy import occupancy
    from edgekit.engine.program import program
    from edgekit.report.plan import Edit
    from edgekit.tflite.macs import macs

    found: dict[str, Edit] = {}
    for what, edit in _candidates(made.graph, occupancy(made).at_peak):
        progress(f"plan edits: {what}")
        edited = edit()
        if edited is None:
            continue
        try:
            arena = program(edited, made.options).memory.arena_bytes
        except ModelError:
            continue
        saved = made.memory.arena_bytes - arena
        if saved > 0 and edited.sha256 not in found:
            found[edited.sha256] = Edit(what, arena, saved, macs(edited))
    return tuple(sorted(found.values(), key=lambda edit: edit.arena_bytes))


def _candidates(graph: Graph, at_peak: tuple[Block, ...]) -> Iterator[tuple[str, Callable[[], Graph | None]]]:
    from edgekit.tflite import edit

    by_name = {tensor.name: tensor.index for tensor in graph.tensors if tensor.data is None}
    makers = {output: op for op in graph.ops for output in op.outputs}
    tensors = [by_name[block.name] for block in at_peak if block.kind == "tensor" and block.name in by_name]
    for index in tensors[:_LARGEST]:
        if index in makers:
            channels = graph.tensors[index].shape[-1]
            where = f"operator {makers[index].index} {makers[index].kind}"
            what = f"half the channels ({channels} → {channels // 2}) of {where}, and of what is tied to them"
            yield what, partial(edit.with_half_the_channels, graph, index)
    first = next((op for op in graph.ops if op.inputs and op.inputs[0] in graph.inputs), None)
    if first is not None:
        what = f"stride 2 in the first layer, operator {first.index} {first.kind}"
        yield what, partial(edit.with_a_first_stride_of_two, graph)
    shape = graph.tensors[graph.inputs[0]].shape
    if len(shape) == 4:
        height, width = shape[1:3]
        what = f"an input frame of half the size ({height}x{width} → {height // 2}x{width // 2})"
        yield what, partial(edit.with_half_the_frame, graph)
