"""A form is never chosen where it makes the whole worse in what was asked for: weights with any share of zeros.

Instructions are counted on the emulated core, bytes are those of the firmware. `--layers N` judges N / 60 models,
`--first-layer SEED` starts at another one; each failure names the seed.
"""

from __future__ import annotations

import dataclasses
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "kernels"))
from cost_layers import model, overlaid

from edgekit import targets, toolchains
from edgekit.engine import fuse
from edgekit.engine.emit_aot import emit_program
from edgekit.engine.forms.choice import choices, with_choices
from edgekit.engine.lowered import Lowered
from edgekit.engine.options import EngineOptions, Optimize
from edgekit.errors import ToolMissingError
from edgekit.layer_profile import counted
from edgekit.targets import Target
from edgekit.tflite.graph import Graph

pytestmark = pytest.mark.emulated

AT_ONCE = 60
LAYERS = {"CONV_2D": 6, "DEPTHWISE_CONV_2D": 2, "FULLY_CONNECTED": 4}
AIMS = (Optimize.SPEED, Optimize.BALANCED, Optimize.FLASH)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        first, count = (metafunc.config.getoption(name) for name in ("--first-layer", "--layers"))
        metafunc.parametrize("seed", range(first, first + max(1, count // AT_ONCE)))


@pytest.mark.parametrize("core", ["cortex-m4", "esp32", "esp32c3"])
def test_what_was_asked_for_is_never_worse_than_with_dense_weights(core: str, seed: int, tmp_path: Path) -> None:
    target = targets.load(core)
    assert target.emulator is not None
    if shutil.which(target.emulator.command) is None:
        pytest.skip(f"{target.emulator.command} is not installed: apt-get install {target.emulator.package}")
    made = model(seed, LAYERS, ("single", "blocks"), (0.0, 0.99))
    taken = {(aim, form): _layers(made, target, aim, form) for aim in AIMS for form in ("dense", None)}
    try:
        instructions = _instructions(made, target, taken)
        dense = _flash_bytes(made, target, taken[Optimize.FLASH, "dense"], tmp_path)
        flash = {aim: _flash_bytes(made, target, taken[aim, None], tmp_path) for aim in AIMS[1:]}
    except ToolMissingError as error:
        pytest.skip(error.what)
    told = f"seed {seed}: instructions {instructions}, bytes {flash}, dense {dense}"
    for aim in (Optimize.SPEED, Optimize.BALANCED):
        assert instructions[aim, None] <= instructions[aim, "dense"], told
    assert max(flash.values()) <= dense, told


def _layers(made: Graph, target: Target, aim: Optimize, form: str | None) -> tuple[Lowered, ...]:
    options = EngineOptions(target.features, aim, form=form)
    dense = fuse.lower(made, options)
    return with_choices(dense, choices(made, dense, options))


Taken = dict[tuple[Optimize, str | None], tuple[Lowered, ...]]


def _instructions(made: Graph, target: Target, taken: Taken) -> dict[tuple[Optimize, str | None], int]:
    """Instructions of all layers, as each plan stores their weights: counted in one firmware."""
    several: list[Lowered] = []
    names: dict[tuple[Optimize, str | None], list[str]] = {}
    for key, layers in taken.items():
        names[key] = []
        for item in layers:
            same = next((one for one in several if one.op == item.op and _same(one, item)), None)
            if same is None:
                same = dataclasses.replace(item, name=f"{item.name}_{len(several)}")
                several.append(same)
            names[key].append(same.name)
    source = emit_program(overlaid(made, tuple(several), target.features), "layers")
    _, found = counted(source, target, bytes(source.input_bytes))
    return {key: sum(found[name].instructions for name in each) for key, each in names.items()}


def _same(one: Lowered, other: Lowered) -> bool:
    sizes = [[constant.values.nbytes for constant in item.constants] for item in (one, other)]
    return one.kernel == other.kernel and sizes[0] == sizes[1] and one.scratch_bytes == other.scratch_bytes


def _flash_bytes(made: Graph, target: Target, layers: tuple[Lowered, ...], folder: Path) -> int:
    source = emit_program(overlaid(made, layers, target.features), "layers")
    firmware = toolchains.load(target.toolchain).compile(source, target, folder)
    return firmware.weights_bytes + firmware.kernels_bytes
