"""`edgekit plan`: what it draws and says is what the plan holds."""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "kernels"))
sys.path.insert(0, str(Path(__file__).parents[1] / "shrink"))
from nets import Net, ints, packed

from edgekit import cli
from edgekit.report import arena_map
from edgekit.report.arena_map import Band, Piece


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A convolution of 16x16 pixels, and a second behind it."""
    random, net = np.random.default_rng(1), Net((1, 16, 16, 2))
    net.conv(ints(random, 8, 3, 3, 2), ints(random, 8))
    net.conv(ints(random, 4, 3, 3, 8), ints(random, 4), stride=2)
    net.average()
    path = tmp_path_factory.mktemp("plan") / "pair.tflite"
    path.write_bytes(packed(net.tree()).flatbuffer)
    return path


def _plan(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        cli.main(["plan", *arguments])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_json_is_the_plan(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = json.loads(_plan(str(model), "--no-shrink", "--json", capsys=capsys))
    assert said["optimize"] == "balanced" and said["target"] is None
    assert said["peak"]["live_bytes"] == max(step["live_bytes"] for step in said["steps"]) <= said["arena_bytes"]
    assert sum(block["bytes"] for block in said["peak"]["blocks"]) == said["peak"]["live_bytes"]
    plans = {plan["optimize"]: plan["arena_bytes"] for plan in said["plans"] if not plan["stream_input"]}
    assert said["plans"][-1]["stream_input"] and said["plans"][-1]["arena_bytes"] < plans["ram"]
    assert plans["balanced"] == said["arena_bytes"] > plans["ram"]
    assert [edit["what"].split(",")[0] for edit in said["edits"]] != []
    assert all(edit["saved_bytes"] == said["arena_bytes"] - edit["arena_bytes"] > 0 for edit in said["edits"])


def test_text_shows_map_peak_plans_and_edits(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = _plan(str(model), "--no-shrink", "--target", "cortex-m4", "--optimize", "speed", capsys=capsys)
    assert "pair for cortex-m4, speed plan: arena" in said and "\x1b" not in said
    rows = re.findall(r"^ +[\d,]+ ([A-Z·]{40,})$", said, flags=re.MULTILINE)
    assert len(rows) == 20 and {"A", "B", "C"} <= set("".join(rows))
    assert "▲ peak" in said and "half the channels (8 → 4)" in said and "stride 2 in the first layer" in said


def test_svg_is_drawn_to_scale(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "map.svg"
    said = _plan(str(model), "--no-shrink", "--no-edits", "--optimize", "ram", "--svg", str(path), capsys=capsys)
    assert "edits" not in said
    root = ElementTree.fromstring(path.read_text())
    shapes = [shape for shape in root.iter("{http://www.w3.org/2000/svg}path") if shape.find("*") is not None]
    titles = [shape.findtext("{http://www.w3.org/2000/svg}title") or "" for shape in shapes]
    assert any(title.startswith("tensor_0: 512 B") for title in titles)
    numbers = [float(number) for shape in shapes for number in re.findall(r"[\d.]+", shape.get("d") or "")]
    assert min(numbers) >= 56 and max(numbers) <= 84 + 1000


def test_more_than_the_model_needs_is_no_error_and_too_little_is_one(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "arena" in _plan(str(model), "--no-shrink", "--no-edits", "--max-ram", "1MiB", capsys=capsys)
    with pytest.raises(SystemExit) as ended:
        cli.main(["plan", str(model), "--no-shrink", "--max-ram", "64"])
    assert ended.value.code == 1
    assert "64" in capsys.readouterr().err


def test_a_cell_shows_what_fills_most_of_it() -> None:
    low = Band("low", "tensor", 1, 1, (Piece(0, 2, 0, 60),))
    high = Band("high", "scratch", 1, 1, (Piece(1, 2, 60, 40),))
    assert arena_map.grid([low, high], steps=2, arena_bytes=100, columns=4, rows=2) == ["AABB", "AAAA"]
    assert arena_map.grid([high], steps=2, arena_bytes=100, columns=2, rows=2) == ["·A", "··"]
    assert (low.bytes, high.area) == (60, 40)


def test_a_crowd_shares_a_letter() -> None:
    crowd = [Band(str(size), "tensor", 1, 1, (Piece(0, 1, 0, size),)) for size in range(1, 60)]
    letters = arena_map.letters(crowd)
    assert letters[0] == arena_map.OTHERS and len(set(letters.values())) == len(arena_map.LETTERS) + 1
