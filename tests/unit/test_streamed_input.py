"""A model that takes its input row by row, from build to bench."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "kernels"))
sys.path.insert(0, str(Path(__file__).parents[1] / "shrink"))
from nets import Net, ints, packed

from edgekit import cli
from edgekit.bench import BenchOptions, bench
from edgekit.build import build
from edgekit.build_options import BuildOptions
from edgekit.errors import UsageError


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two convolutions and an average of 24x24 pixels."""
    random, net = np.random.default_rng(4), Net((1, 24, 24, 3))
    net.conv(ints(random, 8, 3, 3, 3, limit=40), ints(random, 8), stride=2)
    net.conv(ints(random, 4, 3, 3, 8, limit=40), ints(random, 4), stride=2)
    path = tmp_path_factory.mktemp("streamed") / "camera.tflite"
    path.write_bytes(packed(net.tree()).flatbuffer)
    return path


@pytest.mark.parametrize("optimize", ["ram", "balanced"])
def test_rows_from_the_application_give_the_same_outputs(model: Path, optimize: str, tmp_path: Path) -> None:
    options = BuildOptions(optimize=optimize, stream_input=True, shrink=False)
    report = build(model, "host", out=tmp_path / "built", options=options)
    whole = build(model, "host", out=tmp_path / "whole", options=BuildOptions(optimize=optimize, shrink=False))
    assert report.ram.arena_bytes < whole.ram.arena_bytes
    # The harness keeps what the host sent: 24 x 24 x 3 bytes that an application with a camera does not need.
    assert report.ram.static_bytes - whole.ram.static_bytes >= 24 * 24 * 3
    assert any("row by row" in note for note in report.notes)
    measured = bench(tmp_path / "built", options=BenchOptions(runs=4))
    assert measured.match and measured.compared == 4 and measured.optimize == optimize


def test_it_is_refused_where_it_cannot_be(tmp_path: Path, capsys: pytest.CaptureFixture[str], model: Path) -> None:
    random, net = np.random.default_rng(5), Net((1, 12))
    net.dense(ints(random, 4, 12), ints(random, 4))
    path = tmp_path / "dense.tflite"
    path.write_bytes(packed(net.tree()).flatbuffer)
    with pytest.raises(SystemExit) as ended:
        cli.main(["build", str(path), "--target", "host", "--no-shrink", "--stream-input", "--json"])
    assert ended.value.code == 3
    assert "has one row" in json.loads(capsys.readouterr().out)["error"]["what"]
    with pytest.raises(UsageError, match="engine tflm"):
        build(model, "host", options=BuildOptions(engine="tflm", stream_input=True))
