"""A kernel that is inlined with all of its constants known compiles without a warning for every core."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "kernels"))
from cases import CASES

from edgekit import targets, toolchains
from edgekit.engine.emit_aot import emit
from edgekit.engine.options import EngineOptions
from edgekit.errors import ToolMissingError
from edgekit.tflite import graph

pytestmark = pytest.mark.emulated


def _in_whole_blocks(operator: str) -> graph.Graph:
    """A model whose output channels come in fours, so that no channel is left for the loop behind the blocks."""
    made = (graph.parse(CASES[operator](np.random.default_rng(seed)).flatbuffer) for seed in range(99))
    return next(model for model in made if model.tensors[model.outputs[0]].shape[-1] % 4 == 0)


@pytest.mark.parametrize("name", [name for name in targets.names() if name != "host"])
@pytest.mark.parametrize("operator", ["conv_2d", "depthwise_conv_2d"])
def test_no_warning(operator: str, name: str, tmp_path: Path) -> None:
    target = targets.load(name)
    sources = emit(_in_whole_blocks(operator), "model_of_one_layer", options=EngineOptions(target.features))
    try:
        assert toolchains.load(target.toolchain).compile(sources, target, tmp_path).elf.is_file()
    except ToolMissingError as error:
        pytest.skip(error.what)
