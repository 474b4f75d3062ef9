"""Layers at their limits on the emulated core that a kernel is for; many of them in one firmware.

`--layers N` judges N layers on each core, `--first-layer SEED` starts at another seed; each failure names the seed.
"""

from __future__ import annotations

import dataclasses
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "kernels"))
import aot_on_core
import judges
from form_cases import form_case
from layer_cases import layer_case
from placements import scattered

from edgekit import targets
from edgekit.engine import costs, forms
from edgekit.engine.options import EngineOptions, Optimize
from edgekit.engine.program import program
from edgekit.errors import ToolMissingError
from edgekit.tflite import graph
from edgekit.tflite.graph import Graph

pytestmark = pytest.mark.emulated

AT_ONCE = 60
FORMS_EACH = 2  # of so many layers one more, whose weights some form can hold
# Of targets whose cores have the same features the first is taken: in this order, then by name.
_FIRST = ("cortex-m4", "esp32", "esp32c3")


def _cores() -> list[str]:
    """One emulated target for each set of features."""
    chosen: dict[tuple[str, ...], str] = {}
    for name in sorted(targets.names(), key=lambda name: (name not in _FIRST, name)):
        target = targets.load(name)
        if target.emulator is not None and target.emulator.kind == "qemu":
            chosen.setdefault(target.features, name)
    return sorted(chosen.values())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "first_seed" in metafunc.fixturenames:
        first, count = (metafunc.config.getoption(name) for name in ("--first-layer", "--layers"))
        metafunc.parametrize("first_seed", range(first, first + count, AT_ONCE))


@pytest.mark.parametrize("core", _cores())
def test_every_layer_equals_tflm_on_the_core(core: str, first_seed: int, tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro", reason="TFLM's wheel is the judge")
    target = targets.load(core)
    assert target.emulator is not None
    if shutil.which(target.emulator.command) is None:
        pytest.skip(f"{target.emulator.command} is not installed: apt-get install {target.emulator.package}")
    seeds = range(first_seed, first_seed + AT_ONCE)
    cases = [*map(layer_case, seeds), *map(form_case, seeds[::FORMS_EACH])]
    graphs = [graph.parse(case.flatbuffer) for case in cases]
    programs = []
    for seed, parsed in enumerate(graphs, start=first_seed):
        rng = np.random.default_rng([seed, 13])
        # Balanced programs use fewer kernels of their own: widened weights are what most of them live from.
        optimize = Optimize.BALANCED if rng.integers(3) == 0 else Optimize.SPEED
        options = EngineOptions(target.features, optimize)
        made = program(parsed, dataclasses.replace(options, form=_form(parsed, options, rng)))
        programs.append(scattered(made, rng) if rng.integers(2) else made)
    truths = [judges.tflm(parsed, case.samples) for parsed, case in zip(graphs, cases, strict=True)]
    samples = [case.samples for case in cases]
    try:
        faults = aot_on_core.differing(core, programs, samples, truths, tmp_path)
    except ToolMissingError as error:
        pytest.skip(error.what)
    said = [f"{cases[place].name}: {programs[place].lowered[0].kernel} {fault}" for place, fault in faults]
    assert not said, "\n".join(said)


def _form(parsed: Graph, options: EngineOptions, rng: np.random.Generator) -> str:
    """Any form that the weights of the one layer can have on this core."""
    op = parsed.ops[0]
    taken = {"dense"} if op.kind not in costs.KINDS else {one.form for one in forms.candidates(parsed, op, options)}
    return str(rng.choice(sorted(taken or {"dense"})))
