"""The planner meets its bound, and its independent check sees a wrong plan."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from edgekit.engine.plan import live_peak_bytes, verify
from edgekit.engine.program import program
from edgekit.tflite import graph

SHARED = Path(__file__).parents[2].parent / "shared" / "models"
PEAKS = {
    "image_classification": 49_152,
    "visual_wake_words": 55_296,
    "keyword_spotting": 16_000,
    "anomaly_detection": 768,
}


@pytest.mark.parametrize("name", sorted(PEAKS))
def test_arena_stays_near_the_live_peak(name: str) -> None:
    path = SHARED / f"{name}_int8.tflite"
    if not path.exists():
        pytest.skip("the MLPerf Tiny models are not beside this checkout (../shared/models)")
    made = program(graph.read(path))
    assert live_peak_bytes(made.graph, made.lowered, made.schedule) == PEAKS[name]
    assert made.memory.arena_bytes <= PEAKS[name] + 2048


def test_overlap_is_seen() -> None:
    made = program(graph.read(Path(__file__).parents[2] / "models" / "digits" / "model.tflite"))
    first = made.lowered[made.schedule.steps[0].layer]
    wrong = dict(made.memory.offsets) | {first.inputs[0]: made.memory.offsets[first.output]}
    with pytest.raises(AssertionError, match="overlaps"):
        verify(made.graph, made.lowered, made.schedule, dataclasses.replace(made.memory, offsets=wrong))
