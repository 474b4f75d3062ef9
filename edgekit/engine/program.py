"""A model lowered, scheduled and planned: all that the emitter writes down."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from edgekit.engine import fuse, schedule
from edgekit.engine.forms.choice import Choice, choices, with_choices
from edgekit.engine.lowered import Lowered
from edgekit.engine.memory.choose import choose
from edgekit.engine.options import PORTABLE, EngineOptions, Optimize
from edgekit.engine.plan import plan
from edgekit.engine.stream import require_streamable
from edgekit.engine.types import STREAMED, MemoryPlan, Schedule
from edgekit.errors import ModelError
from edgekit.tflite.decode.expand import folded
from edgekit.tflite.graph import Graph


@dataclass(frozen=True, slots=True)
class Program:
    """A lowered, scheduled and planned model.

    Attributes:
        graph: the model.
        lowered: the layers, in the order of the model's operators.
        schedule: what is computed when.
        memory: where it lies.
        options: what it was compiled for.
        choices: the form of each layer whose weights a form may hold.
    """

    graph: Graph
    lowered: tuple[Lowered, ...]
    schedule: Schedule
    memory: MemoryPlan
    options: EngineOptions = PORTABLE
    choices: tuple[Choice, ...] = ()

    @property
    def states(self) -> tuple[int, ...]:
        """Variable tensors that are read or updated, each once."""
        return schedule.states(self.graph, self.lowered)


def program(graph: Graph, options: EngineOptions = PORTABLE) -> Program:
    """Lower, schedule and plan a model; weights that TFLM would decode are constants in it.

    Raises:
        UnsupportedOpError: an operator that aot cannot run.
        ModelError: an input or output is no integer activation, or the input shall be streamed and cannot.
        ArenaBoundError: the arena cannot be as small as the options say.
    """
    graph = folded(graph)
    for index in (*graph.inputs, *graph.outputs):
        tensor = graph.tensors[index]
        quantized = tensor.dtype in ("int8", "int16") and tensor.quant is not None
        if tensor.data is not None or not (quantized or tensor.dtype in ("int32", "bool")):
            raise ModelError(
                f"model input or output {tensor.name!r} is {tensor.dtype}, expected int8 or int16 with "
                "a scale, or int32",
                hint="convert with EdgeKit from the Keras model: `edgekit convert model.keras --data samples.npz`",
            )
    dense = fuse.lower(graph, options)
    if options.stream_input:
        require_streamable(graph, dense)
    chosen = choices(graph, dense, options)
    if options.form is not None or all(choice.stored is choice.dense for choice in chosen):
        return _stored(graph, dense, options, chosen)
    return _no_larger(graph, dense, options, chosen)


def _stored(graph: Graph, dense: Sequence[Lowered], options: EngineOptions, chosen: tuple[Choice, ...]) -> Program:
    lowered = with_choices(dense, chosen)
    return Program(graph, lowered, *choose(graph, lowered, options), options, chosen)


def _no_larger(graph: Graph, dense: tuple[Lowered, ...], options: EngineOptions, chosen: tuple[Choice, ...]) -> Program:
    """Keep the forms if the arena is no larger than with dense weights; where flash matters most, a bound counts alone.

    Where it is larger, work memory is bounded: by what the plan of dense weights leaves free while a layer runs, then
    by what a layer with dense weights has.
    """
    if options.optimize is Optimize.FLASH and options.max_ram_bytes is None:
        return _stored(graph, dense, options, chosen)
    usual = with_choices(dense, [dataclasses.replace(choice, stored=choice.dense) for choice in chosen])
    plain = Program(graph, usual, *choose(graph, usual, options), options, chosen)
    own = {item.op: item.scratch_bytes or 0 for item in usual}
    for limits in (_free(plain), own):
        tried = choices(graph, dense, options, limits)
        lowered = with_choices(dense, tried)
        # In the same order: how often constants may be read again depends on their size, and the order on that.
        memory = plan(graph, lowered, plain.schedule)
        if memory.arena_bytes <= plain.memory.arena_bytes:
            return Program(graph, lowered, plain.schedule, memory, options, tried)
    return dataclasses.replace(plain, choices=choices(graph, dense, options, dict.fromkeys(own, -1)))


def _free(plain: Program) -> dict[int, int]:
    """The bytes that no tensor needs while a layer runs, by operator; its own where that is more."""
    found: dict[int, int] = {}
    for place, step in enumerate(plain.schedule.steps):
        if step.layer != STREAMED:
            item, live = plain.lowered[step.layer], plain.memory.live
            taken = sum(
                plain.graph.tensors[index].size_bytes for index, (first, last) in live.items() if first <= place <= last
            )
            free = max(plain.memory.arena_bytes - taken, item.scratch_bytes or 0)
            found[item.op] = min(found.get(item.op, free), free)
    return found
