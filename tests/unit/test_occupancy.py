"""The map of the arena over time: what lies where, when, and what makes the peak."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit.engine.memory.occupancy import occupancy
from edgekit.engine.options import EngineOptions, Optimize
from edgekit.engine.plan import live_peak_bytes
from edgekit.engine.program import program
from edgekit.tflite import graph

MODEL = Path(__file__).parents[2] / "models" / "digits" / "model.tflite"


@pytest.mark.parametrize("optimize", [Optimize.SPEED, Optimize.RAM])
def test_peak_is_made_of_its_blocks(optimize: Optimize) -> None:
    made = program(graph.read(MODEL), EngineOptions(optimize=optimize))
    shown = occupancy(made)
    assert len(shown.live_bytes) == len(made.schedule.steps)
    assert shown.live_bytes[shown.peak_step] == max(shown.live_bytes) == sum(one.peak_bytes for one in shown.at_peak)
    assert max(shown.live_bytes) <= live_peak_bytes(made.graph, made.lowered, made.schedule) <= shown.arena_bytes
    assert all(one.offset >= 0 and one.offset + one.bytes <= shown.arena_bytes for one in shown.blocks)
    assert all(one.first_step <= shown.peak_step <= one.last_step for one in shown.at_peak)
    names = {one.name for one in shown.blocks}
    assert {made.graph.tensors[index].name for index in (*made.graph.inputs, *made.graph.outputs)} <= names
