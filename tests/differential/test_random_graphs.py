"""Random graphs of int8 operators: the aot engine gives TFLM's bytes, LiteRT's reference kernels give them too.

`--graphs N` judges N graphs, `--first-graph SEED` starts at another seed; each failure names the seed that makes it
again.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import aot_on_host
import judges
import numpy as np
import pytest
from growers import Grower
from random_graphs import available, random_graph

from edgekit.engine import ops
from edgekit.engine.program import program
from edgekit.tflite import graph

SAMPLES = 2
AT_ONCE = 25

# Where LiteRT's reference kernels are known to give other bytes than TFLM, why, and the largest step of one operator.
LITERT_DIFFERS = {
    "FULLY_CONNECTED": ("LiteRT rounds once when it requantizes, TFLM twice", 1),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "first_seed" in metafunc.fixturenames:
        first, count = (metafunc.config.getoption(name) for name in ("--first-graph", "--graphs"))
        metafunc.parametrize("first_seed", range(first, first + count, AT_ONCE))


def test_every_grower_is_an_operator() -> None:
    made: dict[str, Grower] = available()
    assert {name.upper() for name in made} <= set(ops.names())
    assert len(made) > 10


def test_engine_and_judges_agree(first_seed: int, tmp_path: Path) -> None:
    seeds = range(first_seed, first_seed + AT_ONCE)
    made = [program(graph.parse(random_graph(seed))) for seed in seeds]
    inputs = [_inputs(one.graph, seed) for seed, one in zip(seeds, made, strict=True)]
    results = aot_on_host.run(made, inputs, tmp_path)
    for seed, one, samples, outputs in zip(seeds, made, inputs, results, strict=True):
        kinds = {op.kind for op in one.graph.ops}
        truth = outputs
        if importlib.util.find_spec("tflite_micro") is not None:
            truth = judges.tflm(one.graph, samples)
            assert outputs == truth, f"seed {seed}, {sorted(kinds)}: aot differs from TFLM"
        if not kinds & set(LITERT_DIFFERS):
            reference = judges.litert_reference(one.graph, samples)
            assert reference == truth, f"seed {seed}, {sorted(kinds)}: LiteRT's reference kernels differ from TFLM"


@pytest.mark.parametrize("kind", sorted(LITERT_DIFFERS))
def test_listed_differences_are_no_larger(kind: str) -> None:
    """The list is honest both ways: the operator does differ somewhere, and never by more."""
    if importlib.util.find_spec("tflite_micro") is None:
        pytest.skip("TFLM's interpreter has no wheel for this platform")
    from cases import CASES

    steps = []
    for seed in range(60):
        rng = np.random.default_rng([seed, 9])
        one = graph.parse(CASES[kind.lower()](rng).flatbuffer)
        samples = _inputs(one, seed)
        pairs = zip(judges.tflm(one, samples), judges.litert_reference(one, samples), strict=True)
        steps += [int(np.abs(_int16(a) - _int16(b)).max()) for a, b in pairs]
    assert 0 < max(steps) <= LITERT_DIFFERS[kind][1]


def _inputs(one: graph.Graph, seed: int) -> tuple[bytes, ...]:
    rng = np.random.default_rng([seed, 5])
    size = sum(one.tensors[index].size_bytes for index in one.inputs)
    return tuple(rng.integers(-128, 128, size, dtype=np.int8).tobytes() for _ in range(SAMPLES))


def _int16(data: bytes) -> np.ndarray:
    return np.frombuffer(data, np.int8).astype(np.int16)
