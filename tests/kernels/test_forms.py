"""Weights stored small give the judge's bytes: every form by every kernel that some core has, under the sanitizers.

`--layers N` judges N / 4 layers, `--first-layer SEED` starts at another seed; each failure names the seed.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import aot_on_host
import judges
import numpy as np
import pytest
from form_cases import form_case
from layer_cases import LayerCase
from placements import scattered

from edgekit import targets
from edgekit.engine import forms
from edgekit.engine.options import EngineOptions, Optimize
from edgekit.engine.program import Program, program
from edgekit.tflite import graph

AT_ONCE = 15
PROGRAMS = 60  # compiled at once
FEATURES = sorted({(), *(targets.load(name).features for name in targets.names())})


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "first_seed" in metafunc.fixturenames:
        first, count = (metafunc.config.getoption(name) for name in ("--first-layer", "--layers"))
        # Each is compiled in several forms for each set of features: a quarter of the layers takes as long.
        metafunc.parametrize("first_seed", range(first, first + count // 4, AT_ONCE))


def test_every_form_equals_tflm(first_seed: int, tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro", reason="TFLM's wheel is the judge")
    cases = [form_case(seed) for seed in range(first_seed, first_seed + AT_ONCE)]
    graphs = [graph.parse(case.flatbuffer) for case in cases]
    truths = [judges.tflm(parsed, case.samples) for parsed, case in zip(graphs, cases, strict=True)]
    seen: set[tuple[int, str]] = set()
    wrong = []
    for features in FEATURES:
        # Together only programs of one core: headers have variants.
        fresh: list[tuple[int, Program]] = []
        for optimize, (place, parsed) in itertools.product((Optimize.FLASH, Optimize.SPEED), enumerate(graphs)):
            options = EngineOptions(features, optimize)
            names = {made.form for made in forms.candidates(parsed, parsed.ops[0], options)}
            for form in sorted(names):
                made = program(parsed, EngineOptions(features, optimize, form=form))
                if (place, text := aot_on_host.identity(made)) not in seen:
                    seen.add((place, text))
                    fresh.append((place, made))
        for start in range(0, len(fresh), PROGRAMS):
            part = fresh[start : start + PROGRAMS]
            folder = tmp_path / f"{'-'.join(features)}-{start}"
            folder.mkdir()
            wrong += _differing(part, cases, truths, folder)
    assert not wrong, "\n".join(wrong)


def _differing(
    programs: list[tuple[int, Program]], cases: list[LayerCase], truths: list[tuple[bytes, ...]], folder: Path
) -> list[str]:
    """Return what is wrong, of programs and the places of their cases."""
    variants = [scattered(made, np.random.default_rng([place, 12])) if place % 4 else made for place, made in programs]
    results = aot_on_host.run(variants, [cases[place].samples for place, _ in programs], folder)
    return [
        f"{cases[place].name}: {made.lowered[0].kernel} ({made.lowered[0].form}) differs from TFLM, {made.options}"
        for (place, made), outputs in zip(programs, results, strict=True)
        if outputs != truths[place]
    ]
