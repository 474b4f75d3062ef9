"""The planner lets rows overlap where they do not meet, and its independent check sees a wrong plan."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from edgekit.engine.options import EngineOptions, Optimize
from edgekit.engine.plan import live_peak_bytes, plan, verify
from edgekit.engine.program import Program, program
from edgekit.engine.schedule import flash_bytes_read, layer_by_layer
from edgekit.engine.types import Schedule, Step
from edgekit.tflite import graph

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "models"
# Bytes of the arena at most on a Cortex-M4: layer by layer, rows streamed, rows streamed from the input on.
ARENAS = {
    "image_classification": (37_000, 18_000, 18_000),
    "visual_wake_words": (40_000, 34_000, 16_000),
    "keyword_spotting": (10_000, 6_000, 6_000),
    "anomaly_detection": (1_000, 1_000, 1_000),
}
# In the balanced plan a run of pixels shares each weight that is widened: it takes some work memory more.
WIDENED = {
    **{name: sizes[0] for name, sizes in ARENAS.items()},
    "image_classification": 38_000,
    "keyword_spotting": 11_000,
}
# Its input is a vector: nothing to stream.
_ONE_ROW = "anomaly_detection"


def _digits() -> Program:
    return program(graph.read(ROOT / "models" / "digits" / "model.tflite"))


@pytest.mark.parametrize("optimize", [Optimize.SPEED, Optimize.BALANCED, Optimize.RAM])
@pytest.mark.parametrize(
    ("name", "stream_input"),
    [(name, stream) for name in sorted(ARENAS) for stream in (False, True) if not stream or name != _ONE_ROW],
)
def test_arena_of_a_known_model(name: str, optimize: Optimize, stream_input: bool) -> None:
    path = SHARED / f"{name}_int8.tflite"
    if not path.exists():
        pytest.skip("the MLPerf Tiny models are not beside this checkout (../shared/models)")
    made = program(graph.read(path), EngineOptions(("dsp",), optimize, stream_input=stream_input))
    layers, rows, streamed = ARENAS[name]
    by_rows = streamed if stream_input else rows
    most = {Optimize.RAM: by_rows, Optimize.SPEED: layers, Optimize.BALANCED: WIDENED[name]}[optimize]
    assert live_peak_bytes(made.graph, made.lowered, made.schedule) <= made.memory.arena_bytes <= most
    if optimize is not Optimize.RAM:
        stored = flash_bytes_read(made.graph, layer_by_layer(made.graph, made.lowered), made.lowered)
        assert flash_bytes_read(made.graph, made.schedule, made.lowered) <= 4 * stored


def _fails(made: Program, match: str) -> None:
    with pytest.raises(AssertionError, match=match):
        verify(made.graph, made.lowered, made.schedule, made.memory)


def test_overlap_is_seen() -> None:
    made = _digits()
    first = made.lowered[made.schedule.steps[0].layer]
    wrong = dict(made.memory.offsets) | {first.inputs[0]: made.memory.offsets[first.output]}
    _fails(dataclasses.replace(made, memory=dataclasses.replace(made.memory, offsets=wrong)), "overlapped")


def test_scratch_memory_on_a_tensor_is_seen() -> None:
    made = _digits()
    layer, (_, size) = next(iter(made.memory.scratch.items()))
    wrong = dict(made.memory.scratch) | {layer: (made.memory.offsets[made.lowered[layer].inputs[0]], size)}
    _fails(dataclasses.replace(made, memory=dataclasses.replace(made.memory, scratch=wrong)), "overlapped")


def test_an_arena_too_small_is_seen() -> None:
    made = _digits()
    _fails(
        dataclasses.replace(made, memory=dataclasses.replace(made.memory, arena_bytes=made.memory.arena_bytes - 32)),
        "outside of the arena|scratch",
    )


def test_rows_that_are_missing_or_out_of_order_are_seen() -> None:
    made = _digits()
    steps = made.schedule.steps
    for wrong in (steps[:-1], (*steps, steps[-1]), (*steps[1:], steps[0])):
        _fails(dataclasses.replace(made, schedule=Schedule(wrong, {})), "computes rows|are read before")


def test_a_ring_that_keeps_too_few_rows_is_seen() -> None:
    made = _digits()
    _fails(dataclasses.replace(made, schedule=Schedule(made.schedule.steps, {made.lowered[0].output: 1})), "overlapped")


def test_an_output_follows_its_dying_input() -> None:
    """The first convolution of digits: rows of the input die as rows of the output are written."""
    made = _digits()
    steps = [step for step in made.schedule.steps if step.layer == 0]
    rows = steps[0].row_end
    by_rows = [Step(0, row, row + 1) for row in range(rows)]
    schedule = Schedule((*by_rows, *made.schedule.steps[1:]), {})
    assert plan(made.graph, made.lowered, schedule).arena_bytes == made.memory.arena_bytes
