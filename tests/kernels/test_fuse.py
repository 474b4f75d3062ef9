"""CAST, ADD and GATHER become one table, and only where they mean one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import aot_on_host
import judges
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand

from edgekit.engine.program import Program, program
from edgekit.errors import UnsupportedOpError
from edgekit.tflite import graph
from edgekit.tflite.graph import Quant

SHAPE = (1, 4, 4, 3)
pytest.importorskip("tflite_micro", reason="TFLM's wheel is the judge")


def _gather(model: ModelByHand, rng: np.random.Generator, indices: int, rows: int = 256) -> tuple[str, list[int], int]:
    values = rng.integers(-128, 128, rows, dtype=np.int8)
    table = model.tensor((rows,), 0.1, 3, data=values)
    return "GATHER", [table, indices], model.tensor(SHAPE, 0.1, 3)


def _model(
    *, tables: int = 1, offset: int = 128, rows: int = 256, shown: str = "", constant_first: bool = False
) -> bytes:
    """Tables of one input; `shown` names an intermediate that is an output of the model too."""
    rng, model = np.random.default_rng(1), ModelByHand()
    source = model.tensor(SHAPE, 0.05, -7)
    codes = model.tensor(SHAPE, None, dtype="int32")
    indices = model.tensor(SHAPE, None, dtype="int32")
    added = model.tensor((), None, dtype="int32", data=np.array(offset, np.int32))
    pair = [added, codes] if constant_first else [codes, added]
    gathers = [_gather(model, rng, indices, rows) for _ in range(tables)]
    ops = [
        ("CAST", [source], codes, schema.CastOptionsT()),
        ("ADD", pair, indices, schema.AddOptionsT()),
        *((*gather, schema.GatherOptionsT()) for gather in gathers),
    ]
    more = {"": [], "codes": [codes], "indices": [indices]}[shown]
    return model.pack_chain(ops, [source], [*(gather[2] for gather in gathers), *more])


def _run(flatbuffer: bytes, folder: Path, codes: tuple[int, int] = (-128, 128)) -> Program:
    """Compare with TFLM; return the program."""
    rng, made = np.random.default_rng(2), program(graph.parse(flatbuffer))
    samples = tuple(rng.integers(*codes, SHAPE, dtype=np.int8).tobytes() for _ in range(4))
    assert aot_on_host.run([made], [samples], folder)[0] == judges.tflm(made.graph, samples)
    return made


@pytest.mark.parametrize("tables", [1, 2])
@pytest.mark.parametrize("constant_first", [False, True])
def test_tables_leave_no_indices(tables: int, constant_first: bool, tmp_path: Path) -> None:
    made = _run(_model(tables=tables, constant_first=constant_first), tmp_path)
    assert [item.kernel for item in made.lowered] == ["table_s8"] * tables
    bytes_each = int(np.prod(SHAPE))
    assert made.memory.arena_bytes <= (tables + 1) * bytes_each


def test_indices_that_are_read_elsewhere_stay(tmp_path: Path) -> None:
    made = _run(_model(shown="codes"), tmp_path)
    assert [item.kernel for item in made.lowered] == ["cast", "table_s8"]
    made = _run(_model(shown="indices"), tmp_path)
    assert [item.kernel for item in made.lowered] == ["cast", "sum_s32", "table_s8"]


def test_a_table_that_some_codes_miss_stays_a_gather(tmp_path: Path) -> None:
    made = _run(_model(offset=100, rows=200), tmp_path, codes=(-100, 100))
    assert [item.kernel for item in made.lowered] == ["cast", "sum_s32", "gather"]


def test_an_activation_of_the_indices_is_not_lost() -> None:
    """The addition cannot run in this form, so the chain is no table and the user hears of it."""
    parsed = graph.parse(_model())
    add = dataclasses.replace(parsed.ops[1], options={**parsed.ops[1].options, "fusedActivationFunction": 3})
    with pytest.raises(UnsupportedOpError, match="fused activation 3 of int32"):
        program(dataclasses.replace(parsed, ops=(parsed.ops[0], add, *parsed.ops[2:])))


def test_a_table_of_another_scale_is_refused() -> None:
    parsed = graph.parse(_model())
    output = parsed.tensors[parsed.outputs[0]]
    scaled = dataclasses.replace(output, quant=Quant((0.2,), (3,), None))
    tensors = tuple(scaled if tensor is output else tensor for tensor in parsed.tensors)
    with pytest.raises(UnsupportedOpError, match="other scales"):
        program(dataclasses.replace(parsed, tensors=tensors))


def test_a_longer_table_is_cut_to_what_is_read(tmp_path: Path) -> None:
    made = _run(_model(offset=130, rows=300), tmp_path)
    assert [item.constants[0].values.nbytes for item in made.lowered] == [256]
