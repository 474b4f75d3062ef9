"""Layers at their limits, by every kernel that some core has, equal TFLM's bytes under the sanitizers.

`--layers N` judges N layers, `--first-layer SEED` starts at another seed; each failure names the seed.
"""

from __future__ import annotations

from pathlib import Path

import aot_on_host
import judges
import numpy as np
import pytest
from layer_cases import LayerCase, layer_case
from placements import scattered

from edgekit import targets
from edgekit.engine.options import EngineOptions, Optimize
from edgekit.engine.program import Program, program
from edgekit.tflite import graph

AT_ONCE = 40
OPTIONS = [EngineOptions()] + [
    EngineOptions(features, optimize)
    for features in sorted({targets.load(name).features for name in targets.names()})
    for optimize in (Optimize.BALANCED, Optimize.SPEED)
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "first_seed" in metafunc.fixturenames:
        first, count = (metafunc.config.getoption(name) for name in ("--first-layer", "--layers"))
        metafunc.parametrize("first_seed", range(first, first + count, AT_ONCE))


def test_every_variant_equals_tflm(first_seed: int, tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro", reason="TFLM's wheel is the judge")
    cases = [layer_case(seed) for seed in range(first_seed, first_seed + AT_ONCE)]
    graphs = [graph.parse(case.flatbuffer) for case in cases]
    truths = [judges.tflm(parsed, case.samples) for parsed, case in zip(graphs, cases, strict=True)]
    seen: set[tuple[int, str]] = set()
    for options in OPTIONS:
        fresh = []
        for place, parsed in enumerate(graphs):
            made = program(parsed, options)
            if (place, text := aot_on_host.identity(made)) not in seen:
                seen.add((place, text))
                fresh.append((place, made))
        _judge(fresh, cases, truths, tmp_path, options)


def _judge(
    fresh: list[tuple[int, Program]],
    cases: list[LayerCase],
    truths: list[tuple[bytes, ...]],
    folder: Path,
    options: EngineOptions,
) -> None:
    places = [place for place, _ in fresh]
    variants = [scattered(made, np.random.default_rng([place, 12])) if place % 4 else made for place, made in fresh]
    results = aot_on_host.run(variants, [cases[place].samples for place in places], folder)
    wrong = [
        f"{cases[place].name}: {made.lowered[0].kernel} differs from TFLM, {options}"
        for (place, made), outputs in zip(fresh, results, strict=True)
        if outputs != truths[place]
    ]
    assert not wrong, "\n".join(wrong)
