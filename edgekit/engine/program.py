"""A model lowered, scheduled and planned: all that the emitter writes down."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.engine import forms, fuse, schedule
from edgekit.engine.lowered import Lowered
from edgekit.engine.memory.choose import choose
from edgekit.engine.options import PORTABLE, EngineOptions
from edgekit.engine.stream import require_streamable
from edgekit.engine.types import MemoryPlan, Schedule
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
    """

    graph: Graph
    lowered: tuple[Lowered, ...]
    schedule: Schedule
    memory: MemoryPlan
    options: EngineOptions = PORTABLE

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
    lowered = forms.choose(graph, fuse.lower(graph, options), options)
    if options.stream_input:
        require_streamable(graph, lowered)
    return Program(graph, lowered, *choose(graph, lowered, options), options)
