"""`edgekit verify` on models of the project: every stage runs, and a bad calibration is found in one command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from edgekit import verify as verify_module
from edgekit.build import BuildOptions
from edgekit.cli._root import root
from edgekit.report.verification import MICROCONTROLLERS, PHONES
from edgekit.verify import VerifyOptions, verify

FOLDER = Path(__file__).parents[2] / "models" / "digits"


def test_a_flatbuffer_goes_through_every_stage_that_is_here() -> None:
    found = verify(FOLDER / "model.tflite", "host", options=VerifyOptions(samples=3))
    by_name = {stage.name: stage for stage in found.stages}
    assert by_name["aot on the host"].equal, by_name["aot on the host"]
    assert found.trusted
    assert by_name["LiteRT reference kernels"].counts_for == MICROCONTROLLERS
    assert by_name["LiteRT with XNNPACK"].counts_for == PHONES
    assert all(stage.skipped or stage.equal is not None for stage in found.stages[2:])
    older = by_name["tflite-runtime"]
    assert older.equal is not None or "is not installed" in older.skipped
    assert found.stages[0].skipped
    assert not found.layers


def test_a_wrong_engine_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The device answers one byte wrong: the verdict, the place and the exit code say so."""
    honest = verify_module.collect

    def flipped(*arguments: object) -> tuple[bytes, ...]:
        return tuple(bytes([output[0] ^ 1]) + output[1:] for output in honest(*arguments))  # type: ignore[arg-type]

    monkeypatch.setattr(verify_module, "collect", flipped)
    result = CliRunner().invoke(
        root, ["verify", str(FOLDER / "model.tflite"), "--target", "host", "--samples", "2", "--json"]
    )
    assert result.exit_code == 7
    document = json.loads(result.stdout)
    assert document["trusted"] is False
    wrong = [stage for stage in document["stages"] if stage["divergence"]]
    assert wrong[-1]["name"] == "aot on the host"
    assert wrong[-1]["divergence"]["op_index"] == 0


@pytest.mark.slow
def test_a_bad_calibration_is_found_in_one_command(tmp_path: Path) -> None:
    with np.load(FOLDER / "data.npz") as archive:
        arrays = dict(archive)
    arrays["x_train"] = (arrays["x_train"] * 0.15).astype(arrays["x_train"].dtype)
    np.savez(tmp_path / "bad.npz", **arrays)
    options = VerifyOptions(BuildOptions(data=tmp_path / "bad.npz"), samples=4)
    found = verify(FOLDER / "model.keras", "host", options=options)
    assert found.compared_layers[0] >= 5
    first = found.suspects[0]
    assert (first.op_index, first.operator) == (0, "CONV_2D")
    assert "outside of the int8 range" in first.cause
    assert found.trusted, "the quantization is poor, the engine is right"
