"""`edgekit check`: what is said of sound models, float ones, islands, damaged and hostile files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from click.testing import CliRunner
from tiny_models import dense_int8

from edgekit import child_process
from edgekit.cli._root import root
from edgekit.engine.program import program
from edgekit.errors import ModelError
from edgekit.report.check import check
from edgekit.tflite import graph, interpreters
from edgekit.tflite.interpreters import Interpreter

SOUND = dense_int8(weights=np.array([[1, 0], [0, 2], [-1, 1]]), bias=np.array([0, 0, 10]))


def _write(path: Path, flatbuffer: bytes) -> Path:
    path.write_bytes(flatbuffer)
    return path


def _unary(kind: str, dtype: int = schema.TensorType.INT8, out_scale: float = 0.05) -> bytes:
    """A model of one operator with one input of shape (1, 8)."""
    model, subgraph, operator, code = schema.ModelT(), schema.SubGraphT(), schema.OperatorT(), schema.OperatorCodeT()
    code.builtinCode = getattr(schema.BuiltinOperator, kind)
    code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 1
    subgraph.tensors = []
    for index, scale in enumerate((0.05, out_scale)):
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type = f"layer_{index}".encode(), [1, 8], dtype
        if dtype != schema.TensorType.FLOAT32:
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [0]
        subgraph.tensors.append(tensor)
    operator.inputs, operator.outputs = [0], [1]
    subgraph.inputs, subgraph.outputs, subgraph.operators = [0], [1], [operator]
    model.version, model.subgraphs, model.operatorCodes, model.buffers = 3, [subgraph], [code], [schema.BufferT()]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def test_a_sound_model_runs_in_both_engines_and_the_arena_is_that_of_the_build(tmp_path: Path) -> None:
    found = check(_write(tmp_path / "m.tflite", SOUND))
    assert [(engine.engine, engine.runs) for engine in found.engines] == [("aot", True), ("tflm", True)]
    assert found.engines[0].arena_bytes == program(graph.parse(SOUND)).memory.arena_bytes
    assert all(operator.is_fine for operator in found.operators)
    assert not found.is_refused


def test_a_float_model_is_told_to_be_converted(tmp_path: Path) -> None:
    found = check(_write(tmp_path / "m.tflite", _unary("ABS", schema.TensorType.FLOAT32)))
    operator = found.operators[0]
    assert operator.is_float
    assert operator.tflm is None
    assert operator.aot is not None
    assert "representative data" in (operator.cure or "")
    assert not found.is_refused, "TFLM runs it"


def test_an_operator_that_no_engine_runs(tmp_path: Path) -> None:
    found = check(_write(tmp_path / "m.tflite", _unary("COS")))
    operator = found.operators[0]
    assert (operator.operator, operator.types, operator.shape) == ("COS", "int8 → int8", (1, 8))
    assert operator.tflm == "TFLM has no int8 form, only float32"
    assert operator.cure is not None
    # One byte in, one byte out: rewriting makes a table of it.
    assert found.is_refused == (not found.rewrites)


def test_where_tflm_is_wrong_it_is_said(tmp_path: Path) -> None:
    same = check(_write(tmp_path / "same.tflite", _unary("RELU6")))
    other = check(_write(tmp_path / "other.tflite", _unary("RELU6", out_scale=0.02)))
    assert same.operators[0].caution is None
    assert "RELU6" in (other.operators[0].caution or "")
    assert "rewrite" in (other.operators[0].cure or "")


@pytest.mark.parametrize(("classes", "is_told"), [(511, False), (512, True)])
def test_a_softmax_over_many_classes(classes: int, is_told: bool, tmp_path: Path) -> None:
    model = schema.ModelT.InitFromPackedBuf(_unary("SOFTMAX", out_scale=1 / 256), 0)
    subgraph = model.subgraphs[0]
    for tensor in subgraph.tensors:
        tensor.shape = [1, classes]
    subgraph.tensors[1].quantization.zeroPoint = [-128]
    subgraph.operators[0].builtinOptions = schema.SoftmaxOptionsT()
    subgraph.operators[0].builtinOptions.beta = 1.0
    subgraph.operators[0].builtinOptionsType = schema.BuiltinOptions.SoftmaxOptions
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    flatbuffer = bytes(builder.Output())
    found = check(_write(tmp_path / "m.tflite", flatbuffer))
    assert found.engines[1].runs
    assert (found.operators[0].caution is not None) == is_told
    if not is_told:
        interpreters.run(flatbuffer, (bytes(classes),), Interpreter.TFLM)
        return
    with pytest.raises(ModelError, match="SIGABRT"):
        interpreters.run(flatbuffer, (bytes(classes),), Interpreter.TFLM)


def _run(*arguments: str) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(root, ["check", *arguments, "--json"])
    return done.exit_code, json.loads(done.stdout) if done.stdout else {}


def test_exit_codes_and_json(tmp_path: Path) -> None:
    code, answer = _run(str(_write(tmp_path / "m.tflite", SOUND)))
    assert code == 0
    assert answer["refused"] is False
    assert {"index", "operator", "version", "types", "shape", "aot", "tflm", "cure"} <= set(answer["operators"][0])
    table = CliRunner().invoke(root, ["check", str(tmp_path / "m.tflite")])
    assert table.exit_code == 0
    assert "FULLY_CONNECTED v" in table.stdout
    with pytest.raises(ModelError, match="shape"):
        damaged = schema.ModelT.InitFromPackedBuf(SOUND, 0)
        damaged.subgraphs[0].tensors[0].shape = [0, 2]
        builder = flatbuffers.Builder(1024)
        builder.Finish(damaged.Pack(builder), file_identifier=b"TFL3")
        check(_write(tmp_path / "bad.tflite", bytes(builder.Output())))


def test_keras_models_are_looked_at_without_tensorflow(repository: Path) -> None:
    code, answer = _run(str(repository / "models" / "digits"))
    assert code == 0
    assert answer["engines"] == []
    assert "edgekit convert" in answer["note"]


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    _write(tmp_path / "m.tflite", SOUND)
    lines = "import sys; from pathlib import Path; from edgekit.report.check import check; check(Path(sys.argv[1]))"
    command = [sys.executable, "-P", "-c", f"{lines}; print(*sys.modules)", str(tmp_path / "m.tflite")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=child_process.child_environment())
    assert not {"tensorflow", "keras"} & set(done.stdout.split())
