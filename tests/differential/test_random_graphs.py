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
from edgekit.tflite.known_differences import DIFFERENCES, LITERT_LACKS

SAMPLES = 2
AT_ONCE = 25

# In a graph of several operators one difference grows: such graphs are held against TFLM alone.
_OTHER_THAN_TFLM = {difference.operator for difference in DIFFERENCES} | set(LITERT_LACKS)


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
        if not kinds & _OTHER_THAN_TFLM:
            reference = judges.litert_reference(one.graph, samples)
            assert reference == truth, f"seed {seed}, {sorted(kinds)}: LiteRT's reference kernels differ from TFLM"


def _inputs(one: graph.Graph, seed: int) -> tuple[bytes, ...]:
    rng = np.random.default_rng([seed, 5])
    size = sum(one.tensors[index].size_bytes for index in one.inputs)
    return tuple(rng.integers(-128, 128, size, dtype=np.int8).tobytes() for _ in range(SAMPLES))
