"""Every plan of a model gives the same bits: layer by layer, rows streamed, and within a bound on the arena."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import aot_on_host
import judges
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand

from edgekit.engine.options import EngineOptions, Optimize
from edgekit.engine.plan import plan
from edgekit.engine.program import Program, program
from edgekit.engine.types import Schedule, Step
from edgekit.errors import ArenaBoundError
from edgekit.tflite import graph

MODELS = Path(__file__).parents[2] / "models"
RAM = EngineOptions(optimize=Optimize.RAM)


def _samples(made: Program, count: int) -> tuple[bytes, ...]:
    size = made.graph.tensors[made.graph.inputs[0]].size_bytes
    rng = np.random.default_rng(4)
    return tuple(rng.integers(-128, 128, size, dtype=np.int8).tobytes() for _ in range(count))


@pytest.mark.parametrize("name", ["digits", "keyword-small", "tiny-mobilenet"])
def test_plans_of_a_model_agree(name: str, tmp_path: Path) -> None:
    parsed = graph.read(MODELS / name / "model.tflite")
    layers, ram = program(parsed), program(parsed, RAM)
    bound = (layers.memory.arena_bytes + ram.memory.arena_bytes) // 2
    bounded = program(parsed, EngineOptions(max_ram_bytes=bound))
    assert ram.memory.arena_bytes < layers.memory.arena_bytes and bounded.memory.arena_bytes <= bound
    assert len(layers.schedule.steps) <= len(bounded.schedule.steps) <= len(ram.schedule.steps)
    assert ram.schedule.ring_rows
    made = [layers, ram, bounded]
    first, *others = aot_on_host.run(made, [_samples(layers, 2)] * len(made), tmp_path)
    assert others == [first] * 2


def test_a_bound_that_nothing_fits_is_told_with_what_would() -> None:
    parsed = graph.read(MODELS / "digits" / "model.tflite")
    with pytest.raises(ArenaBoundError, match=r"may take 100 B, the smallest plan found needs \d+ B") as caught:
        program(parsed, EngineOptions(max_ram_bytes=100))
    assert program(parsed, EngineOptions(max_ram_bytes=caught.value.needed_bytes)).memory.arena_bytes <= (
        caught.value.needed_bytes
    )


def _image(model: ModelByHand, scale: float = 0.05, zero_point: int = -7) -> int:
    return model.tensor((1, 7, 5, 6), scale, zero_point)


def _axes(model: ModelByHand, *axes: int) -> int:
    return model.tensor((len(axes),), dtype="int32", data=np.array(axes, np.int32))


def _pool(padding: int, activation: int, size: tuple[int, int]) -> bytes:
    model = ModelByHand()
    source, output = _image(model), model.tensor((1, 1, 1, 6), 0.05, -7)
    pool = schema.Pool2DOptionsT()
    pool.padding, pool.fusedActivationFunction = padding, activation
    pool.filterHeight, pool.filterWidth = size
    pool.strideH, pool.strideW = size
    return model.pack_chain([("AVERAGE_POOL_2D", [source], output, pool)], [source])


def _reduction(kind: str, shape: tuple[int, ...], axes: tuple[int, ...], after: tuple[int, ...]) -> bytes:
    model = ModelByHand()
    source, output = model.tensor(shape, 0.05, -7), model.tensor(after, 0.031, 11)
    options = schema.ReducerOptionsT()
    options.keepDims = len(after) == len(shape)
    return model.pack_chain([(kind, [source, _axes(model, *axes)], output, options)], [source])


WHOLE = {
    "pool": _pool(schema.Padding.VALID, 0, (7, 5)),
    "pool, RELU6": _pool(schema.Padding.VALID, 3, (7, 5)),
    "pool, larger window": _pool(schema.Padding.SAME, 0, (7, 5)),
    "mean": _reduction("MEAN", (1, 7, 5, 6), (1, 2), (1, 6)),
    "mean, dimensions kept": _reduction("MEAN", (1, 7, 5, 6), (2, 1), (1, 1, 1, 6)),
    "mean of a sequence": _reduction("MEAN", (1, 40, 3), (1,), (1, 3)),
    "sum": _reduction("SUM", (1, 7, 5, 6), (1, 2), (1, 6)),
}


@pytest.mark.parametrize("name", WHOLE)
def test_sums_of_rows_equal_sums_of_images(name: str, tmp_path: Path) -> None:
    """The kernels that add up rows, called for all rows at once and in blocks."""
    pytest.importorskip("tflite_micro", reason="TFLM's wheel is the judge")
    parsed = graph.parse(WHOLE[name])
    usual, by_rows = program(parsed), program(parsed, RAM)
    assert by_rows.lowered[0].work_rows and not usual.lowered[0].work_rows
    samples = (*_samples(usual, 3), b"\x7f" * len(_samples(usual, 1)[0]), b"\x80" * len(_samples(usual, 1)[0]))
    made = [usual, by_rows, _in_blocks(by_rows, 1), _in_blocks(by_rows, 3)]
    truth = judges.tflm(parsed, samples)
    assert aot_on_host.run(made, [samples] * len(made), tmp_path) == [truth] * len(made)


def _in_blocks(made: Program, size: int) -> Program:
    rows = made.lowered[0].work_rows or 0
    schedule = Schedule(tuple(Step(0, row, min(row + size, rows)) for row in range(0, rows, size)), {})
    memory = plan(made.graph, made.lowered, schedule)
    return dataclasses.replace(made, schedule=schedule, memory=memory)
