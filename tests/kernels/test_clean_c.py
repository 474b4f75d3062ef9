"""All kernels in one file, without a warning: GCC and Clang, as C99 and as C++17, and the compilers of the cores."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import aot_on_host
import numpy as np
import pytest
from cases import CASES
from form_cases import form_case
from layer_cases import layer_case

from edgekit import targets
from edgekit.engine import c_prune, forms
from edgekit.engine.emit_aot import emit_program
from edgekit.engine.options import EngineOptions, Optimize
from edgekit.engine.program import Program, program
from edgekit.tflite import graph

LAYERS, FORM_LAYERS = 40, 24
WARNINGS = ("-fsyntax-only", "-Wall", "-Wextra", "-Wconversion", "-Werror")
FEATURES = sorted({targets.load(name).features for name in targets.names()})
C99, CPP17 = ("-std=c99", "-pedantic"), ("-std=c++17", "-x", "c++")
COMPILERS = {"gcc": C99, "g++": CPP17, "clang": C99, "clang++": CPP17}

CROSS = {
    "arm_gcc": ("arm-none-eabi-gcc", ("-mthumb",)),
    "riscv_gcc": ("riscv64-unknown-elf-gcc", ("--specs=picolibc.specs", "-march=rv32imc_zicsr", "-mabi=ilp32")),
    "xtensa_gcc": ("xtensa-lx106-elf-gcc", ()),
}


@pytest.fixture(scope="module", params=FEATURES, ids="+".join)
def all_kernels(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with many layers and what they use, for one set of features; their headers in a file that it includes."""
    models = [CASES[name](np.random.default_rng(0)).flatbuffer for name in CASES]
    models += [layer_case(seed).flatbuffer for seed in range(LAYERS)]
    options = [EngineOptions(request.param, optimize) for optimize in (Optimize.SPEED, Optimize.BALANCED)]
    programs = [program(graph.parse(model), options[place % 2]) for place, model in enumerate(models)]
    programs += _in_every_form(request.param)
    headers, parts = [], []
    for index, made in enumerate(programs):
        stem = f"case_{index}"
        emitted = emit_program(made, stem).files
        headers.append(emitted[PurePosixPath(f"{stem}.h")])
        parts.append(aot_on_host.layers(emitted[PurePosixPath(f"{stem}.c")], stem))
    path = tmp_path_factory.mktemp("clean") / "all.c"
    path.with_name("headers.h").write_text("\n".join(headers))
    user = "\n".join(parts)
    kernels = "\n".join(c_prune.pruned(aot_on_host.kernels(programs), user))
    path.write_text(f'#include "headers.h"\n#include <string.h>\n{kernels}\n{user}')
    return path


def _in_every_form(features: tuple[str, ...]) -> Iterator[Program]:
    """Layers whose weights are stored in the forms that hold them, each kernel once."""
    seen: set[tuple[str, ...]] = set()
    for seed, optimize in itertools.product(range(FORM_LAYERS), (Optimize.FLASH, Optimize.SPEED)):
        model = graph.parse(form_case(seed).flatbuffer)
        for form in {made.form for made in forms.candidates(model, model.ops[0], EngineOptions(features, optimize))}:
            made = program(model, EngineOptions(features, optimize, form=form))
            kernels = tuple(item.kernel for item in made.lowered)
            if kernels not in seen:
                seen.add(kernels)
                yield made


@pytest.mark.parametrize("compiler", COMPILERS)
def test_no_warning_on_this_computer(compiler: str, all_kernels: Path) -> None:
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    _compile([compiler, *COMPILERS[compiler]], all_kernels)


def test_no_warning_on_the_core(all_kernels: Path, request: pytest.FixtureRequest) -> None:
    """As C++ too: what a core's intrinsics and assembly stand behind is not seen on this computer."""
    features = request.node.callspec.params["all_kernels"]
    target = next(item for item in map(targets.load, targets.names()) if item.features == features)
    if target.toolchain == "host_cc":
        pytest.skip("the core is this computer")
    command, flags = CROSS[target.toolchain]
    if shutil.which(command) is None:
        pytest.skip(f"{command} is not installed")
    for language in (C99, (*CPP17, "-fno-exceptions")):
        _compile([command, *flags, *target.flags, *language], all_kernels)


def _compile(command: list[str], path: Path) -> None:
    done = subprocess.run([*command, *WARNINGS, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr[:3000]}"
