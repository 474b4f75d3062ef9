"""Each row of the conversion matrix: no float, TFLM runs it, true to float Keras, and the same bytes from `aot`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import aot_on_host
import pytest
from matrix import Converted, run_here

from edgekit.engine.program import program
from edgekit.tflite import interpreters, proof
from edgekit.tflite.interpreters import Interpreter
from edgekit.tflite.quantize import quantize_input

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not interpreters.available(Interpreter.TFLM), reason="TFLM's interpreter has no wheel for this platform"
    ),
]

_AOT_SAMPLES = 8
# The index of the largest score: equal, not near.
_INTEGER_OUTPUTS = {"arg_max"}


def _rows() -> list[str]:
    """The public functions of matrix_rows.py, which cannot be imported here: it loads TensorFlow."""
    tree = ast.parse((Path(__file__).parent / "matrix_rows.py").read_text(encoding="utf-8"))
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    return [name for name in names if name[0] != "_" and name[:5] != "write"]


@pytest.fixture(scope="session", params=_rows())
def row(request: pytest.FixtureRequest, converted: Callable[[str], Converted]) -> tuple[str, Converted]:
    return request.param, converted(request.param)


def test_all_integer_and_true_to_float(row: tuple[str, Converted]) -> None:
    name, result = row
    assert proof.float_tensors(result.graph) == ()
    assert not {op.kind for op in result.graph.ops} & {"DEQUANTIZE", "WHILE", "TILE", "SELECT", "GELU"}
    if name in _INTEGER_OUTPUTS:
        return
    assert result.sqnr_db is not None and result.litert_sqnr_db is not None
    assert min(result.sqnr_db, result.litert_sqnr_db) >= 28, (
        f"TFLM {result.sqnr_db:.1f}, LiteRT {result.litert_sqnr_db:.1f}"
    )


def test_aot_equals_tflm(row: tuple[str, Converted], tmp_path: Path) -> None:
    _, result = row
    inputs = quantize_input(result.graph, result.x[:_AOT_SAMPLES])
    (outputs,) = aot_on_host.run([program(result.graph)], [inputs], tmp_path)
    assert outputs == run_here(result.graph.flatbuffer, inputs, Interpreter.TFLM).outputs
