"""Random graphs of int8 operators: the aot engine gives TFLM's bytes, LiteRT's reference kernels give them too.

Each graph is compiled as plain C, then for other cores and plans: for a few of them, or with `--every-plan` for all.
`--graphs N` judges N graphs of each kind, `--first-graph SEED` starts at another seed; each failure names the seed that
makes it again.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path

import aot_on_host
import judges
import numpy as np
import pytest
from chains import random_chain
from growers import Grower
from random_graphs import available, random_graph

from edgekit import targets
from edgekit.engine import ops
from edgekit.engine.options import EngineOptions, Optimize
from edgekit.engine.program import Program, program
from edgekit.tflite import graph
from edgekit.tflite.known_differences import DIFFERENCES, LITERT_LACKS

SAMPLES = 2
AT_ONCE = 25
# How many of the other options are tried with the graphs of one test.
SOME = 2
OPTIONS = [
    EngineOptions(features, optimize)
    for features in sorted({targets.load(name).features for name in targets.names()} | {()})
    for optimize in Optimize
]

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


@pytest.mark.parametrize("make", [random_graph, random_chain])
def test_engine_and_judges_agree(
    make: Callable[[int], bytes], first_seed: int, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    seeds = range(first_seed, first_seed + AT_ONCE)
    graphs = [graph.parse(make(seed)) for seed in seeds]
    inputs = [_inputs(one, seed) for seed, one in zip(seeds, graphs, strict=True)]
    programs = [program(one) for one in graphs]
    truths = aot_on_host.run(programs, inputs, tmp_path)
    _compare_with_judges(seeds, programs, inputs, truths)
    seen = {aot_on_host.identity(one) for one in programs}
    order = np.random.default_rng([first_seed, 14]).permutation(len(OPTIONS))
    for options in [OPTIONS[place] for place in order][: None if pytestconfig.getoption("--every-plan") else SOME]:
        others = {place: program(one, options) for place, one in enumerate(graphs)}
        fresh = {place: one for place, one in others.items() if aot_on_host.identity(one) not in seen}
        seen |= {aot_on_host.identity(one) for one in fresh.values()}
        results = aot_on_host.run(list(fresh.values()), [inputs[place] for place in fresh], tmp_path)
        wrong = [seeds[place] for place, outputs in zip(fresh, results, strict=True) if outputs != truths[place]]
        assert not wrong, f"{make.__name__}, seeds {wrong}: other bytes with {options}"


def _compare_with_judges(
    seeds: Sequence[int], programs: list[Program], inputs: list[tuple[bytes, ...]], results: list[tuple[bytes, ...]]
) -> None:
    for seed, one, samples, outputs in zip(seeds, programs, inputs, results, strict=True):
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
