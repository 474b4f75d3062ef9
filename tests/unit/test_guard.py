"""What the guard refuses, and that it says where."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from tiny_models import dense_int8

from edgekit.engine import ops
from edgekit.errors import ModelError
from edgekit.tflite import decode, graph, guard, tflm_operators
from edgekit.tflite.guard import layout, structure
from edgekit.tflite.guard.rules import rules

SOUND = dense_int8(weights=np.array([[1, 0], [0, 2], [-1, 1]]), bias=np.array([0, 0, 10]))
MODELS = Path(__file__).resolve().parents[2] / "models"


def packed(model: Any) -> bytes:
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def damaged(change: Callable[[Any], None]) -> bytes:
    """SOUND, one fully connected layer of 2 inputs and 3 units, after a change to its ModelT."""
    model = schema.ModelT.InitFromPackedBuf(SOUND, 0)
    change(model)
    return packed(model)


def tensor(model: Any, index: int) -> Any:
    return model.subgraphs[0].tensors[index]


def operator(model: Any) -> Any:
    return model.subgraphs[0].operators[0]


def _tensors_of(position: int) -> int:
    return int(operator(schema.ModelT.InitFromPackedBuf(SOUND, 0)).inputs[position])


WEIGHTS = _tensors_of(1)
BIAS = _tensors_of(2)


@pytest.mark.parametrize("path", sorted(MODELS.glob("*/model.tflite")), ids=lambda path: path.parent.name)
def test_sound_models_pass_quickly(path: Path) -> None:
    flatbuffer = path.read_bytes()
    guard.check(flatbuffer, runner="tflm")
    started = time.process_time()
    guard.check(flatbuffer, runner="tflm")
    assert time.process_time() - started < 0.1


def test_reference_models_pass_within_a_tenth_of_a_second(shared_models: Path) -> None:
    for path in sorted(shared_models.glob("*.tflite")):
        flatbuffer = path.read_bytes()
        guard.check(flatbuffer)
        seconds = []
        for _ in range(3):
            started = time.process_time()
            guard.check(flatbuffer)
            seconds.append(time.process_time() - started)
        assert min(seconds) < 0.1, path.name


CHANGES: dict[str, tuple[Callable[[Any], None], str]] = {
    "version": (lambda m: setattr(m, "version", 2), "the model: version is 2, expected 3"),
    "two subgraphs": (lambda m: m.subgraphs.append(m.subgraphs[0]), "the model: subgraphs has 2 entries"),
    "no operators": (lambda m: setattr(m.subgraphs[0], "operators", []), "the model: operators is empty"),
    "no outputs": (lambda m: setattr(m.subgraphs[0], "outputs", []), "the model: outputs is empty"),
    "output outside": (lambda m: setattr(m.subgraphs[0], "outputs", [99]), "the model: outputs names tensor 99"),
    "input is a constant": (lambda m: setattr(m.subgraphs[0], "inputs", [WEIGHTS]), r"tensor \d+ \(.*\): inputs of"),
    "operator code": (lambda m: setattr(operator(m), "opcodeIndex", 7), "operator 0: opcodeIndex is 7"),
    "unknown kind": (
        lambda m: setattr(m.operatorCodes[0], "builtinCode", 5000),
        "operator 0: builtinCode is 5000, which the schema does not know",
    ),
    "operator version": (
        lambda m: setattr(m.operatorCodes[0], "version", 0),
        r"operator 0 \(FULLY_CONNECTED\): version is 0",
    ),
    "operator input outside": (
        lambda m: setattr(operator(m), "inputs", [0, 1000, 2]),
        r"operator 0 \(FULLY_CONNECTED\): inputs names tensor 1000",
    ),
    "weights left out": (
        lambda m: setattr(operator(m), "inputs", [operator(m).inputs[0], -1, -1]),
        r"operator 0 \(FULLY_CONNECTED\), writes tensor .*: inputs leaves out input 1",
    ),
    "reads its own output": (
        lambda m: setattr(operator(m), "inputs", [operator(m).outputs[0], WEIGHTS, BIAS]),
        "inputs read tensor .* nothing has written yet",
    ),
    "writes a constant": (lambda m: setattr(operator(m), "outputs", [WEIGHTS]), "outputs write what is written"),
    "options missing": (
        lambda m: (setattr(operator(m), "builtinOptions", None), setattr(operator(m), "builtinOptionsType", 0)),
        r"operator 0 \(FULLY_CONNECTED\).*: builtinOptions is missing",
    ),
    "other options": (
        lambda m: (
            setattr(operator(m), "builtinOptions", schema.Conv2DOptionsT()),
            setattr(operator(m), "builtinOptionsType", schema.BuiltinOptions.Conv2DOptions),
        ),
        "builtinOptionsType is Conv2DOptions, expected FullyConnectedOptions",
    ),
    "activation": (
        lambda m: setattr(operator(m).builtinOptions, "fusedActivationFunction", 17),
        "fusedActivationFunction is 17",
    ),
    "type": (lambda m: setattr(tensor(m, WEIGHTS), "type", 99), rf"tensor {WEIGHTS} \(.*\): type is 99"),
    "shape of 0": (lambda m: setattr(tensor(m, WEIGHTS), "shape", [0, 2]), rf"tensor {WEIGHTS} .*: shape \[0, 2\]"),
    "shape without measure": (lambda m: setattr(tensor(m, WEIGHTS), "shape", [1 << 20] * 3), "2.31 elements and more"),
    "rank": (lambda m: setattr(tensor(m, WEIGHTS), "shape", [1] * 9), "shape has 9 dimensions"),
    "data": (lambda m: setattr(tensor(m, WEIGHTS), "shape", [3, 3]), "buffer has 6 bytes of data, expected 9"),
    "buffer": (lambda m: setattr(tensor(m, WEIGHTS), "buffer", 77), "buffer is 77"),
    "scale of 0": (
        lambda m: setattr(tensor(m, WEIGHTS).quantization, "scale", [0.0]),
        rf"tensor {WEIGHTS} .*: quantization.scale is 0.0",
    ),
    "scale that is none": (
        lambda m: setattr(tensor(m, WEIGHTS).quantization, "scale", [float("nan")]),
        "quantization.scale is nan",
    ),
    "zero point": (
        lambda m: setattr(tensor(m, WEIGHTS).quantization, "zeroPoint", [300]),
        r"quantization.zeroPoint is 300, expected -128\.\.127 for int8",
    ),
    "zero points": (
        lambda m: setattr(tensor(m, WEIGHTS).quantization, "zeroPoint", [1, 2, 3, 4]),
        "quantization.zeroPoint has 4 entries",
    ),
    "axis": (
        lambda m: setattr(tensor(m, WEIGHTS).quantization, "quantizedDimension", 5),
        "quantization.quantizedDimension is 5",
    ),
    "bias": (
        lambda m: setattr(tensor(m, BIAS), "type", schema.TensorType.FLOAT32),
        rf"type of tensor {BIAS} .* is float32, expected int32",
    ),
    "sparse": (
        lambda m: setattr(tensor(m, WEIGHTS), "sparsity", schema.SparsityParametersT()),
        rf"tensor {WEIGHTS} .*: sparsity is set",
    ),
    "variable with data": (lambda m: setattr(tensor(m, WEIGHTS), "isVariable", True), "isVariable is set"),
    "signature": (lambda m: setattr(m, "signatureDefs", [_signature(44)]), "signature 0 .*: inputs name tensor 44"),
    "metadata": (lambda m: setattr(m, "metadata", [_metadata(44)]), "metadata 0 .*: buffer is 44"),
    "data outside of the file": (lambda m: setattr(m.buffers[1], "offset", 1 << 40), "buffer 1: offset is 1,099"),
    "data in buffer 0": (
        lambda m: setattr(m.buffers[0], "data", np.zeros(3, np.uint8)),
        "buffer 0: data has 3 bytes",
    ),
}


def _signature(index: int) -> Any:
    made, entry = schema.SignatureDefT(), schema.TensorMapT()
    entry.name, entry.tensorIndex = b"x", index
    made.signatureKey, made.inputs, made.outputs, made.subgraphIndex = b"serving_default", [entry], [], 0
    return made


def _metadata(buffer: int) -> Any:
    made = schema.MetadataT()
    made.name, made.buffer = b"min_runtime_version", buffer
    return made


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_refusals_name_the_place_and_the_field(name: str) -> None:
    change, words = CHANGES[name]
    with pytest.raises(ModelError, match=words) as caught:
        guard.check(damaged(change))
    assert caught.value.hint


def test_names_of_a_file_are_escaped_and_cut() -> None:
    def change(model: Any) -> None:
        tensor(model, WEIGHTS).name = b"\x1b[2J\n" + b"x" * 1000
        tensor(model, WEIGHTS).shape = [0]

    with pytest.raises(ModelError) as caught:
        guard.check(damaged(change))
    assert "\x1b" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("length", [0, 4, 8, 15, 16, 40, len(SOUND) // 2, len(SOUND) - 1])
def test_truncated_files_are_refused(length: int) -> None:
    with pytest.raises(ModelError):
        guard.check(SOUND[:length])


def test_every_cut_and_every_changed_byte_ends_in_an_answer() -> None:
    for at in range(0, len(SOUND), 3):
        for content in (SOUND[:at], SOUND[:at] + b"\xff" + SOUND[at + 1 :], SOUND[:at] + b"\x80" + SOUND[at + 1 :]):
            try:
                guard.check(content, runner="tflm")
            except ModelError as error:
                assert ":" in error.what


def _leading_to_one(count: int, data_bytes: int) -> bytes:
    """A small file in which `count` buffers are all the same one, of `data_bytes` bytes."""
    model = schema.ModelT.InitFromPackedBuf(SOUND, 0)
    shared = schema.BufferT()
    shared.data = np.zeros(data_bytes, np.uint8)
    model.buffers = [shared] + [schema.BufferT()] * count
    content = bytearray(packed(model))
    view = schema.Model.GetRootAs(content, 0)
    first, vector = view.Buffers(0)._tab.Pos, view._tab.Vector(view._tab.Offset(12))
    for index in range(1, count + 1):
        place = vector + 4 * index
        # Offsets lead forward only; what lies behind cannot be led to.
        struct.pack_into("<I", content, place, max(0, first - place))
    return bytes(content)


@pytest.mark.parametrize(("count", "data_bytes"), [(200, 1 << 20), (120_000, 4)])
def test_a_file_that_unfolds_to_many_times_its_size_is_refused(count: int, data_bytes: int) -> None:
    flatbuffer = _leading_to_one(count, data_bytes)
    started = time.process_time()
    with pytest.raises(ModelError, match=r"shared so often|more than 100,000 parts"):
        structure.verify(flatbuffer)
    assert time.process_time() - started < 2


def test_a_file_beyond_measure_is_not_even_read(tmp_path: Path) -> None:
    path = tmp_path / "large.tflite"
    path.write_bytes(SOUND)
    with path.open("r+b") as stream:
        stream.truncate(40 << 30)
    started = time.process_time()
    with pytest.raises(ModelError, match=r"its size is 42,949,672,960 bytes, expected 805,306,368 at most"):
        graph.read(path)
    assert time.process_time() - started < 1


def test_the_layout_is_that_of_the_schema() -> None:
    """Every field that the object API knows is one of the layout, and the other way round."""
    todo, seen = ["Model"], set()
    while todo:
        table = todo.pop()
        if table in seen:
            continue
        seen.add(table)
        fields = layout.fields(table)
        assert {field.name for field in fields} == set(vars(getattr(schema, f"{table}T")())), table
        slots = [field.slot for field in fields]
        # Slots that are no longer used leave holes.
        assert slots == sorted(set(slots)), table
        for field in fields:
            if field.form is layout.Form.UNION:
                todo += layout.union_tables(field.table).values()
            elif field.table:
                todo.append(field.table)
    assert len(seen) > 100


def test_every_rule_is_of_an_operator_of_the_schema() -> None:
    assert set(rules()) - {decode.KIND} <= set(vars(schema.BuiltinOperator))
    assert len(rules()) > 100


def test_whatever_an_engine_runs_has_a_rule() -> None:
    assert set(ops.names()) <= set(rules())
    assert set(tflm_operators.TYPES) <= set(rules())


def test_a_report_may_read_what_no_interpreter_may_run() -> None:
    def change(model: Any) -> None:
        model.operatorCodes[0].builtinCode = model.operatorCodes[0].deprecatedBuiltinCode = (
            schema.BuiltinOperator.CUSTOM
        )
        model.operatorCodes[0].customCode = b"Mystery"
        operator(model).builtinOptions, operator(model).builtinOptionsType = None, 0

    guard.check(damaged(change))
    with pytest.raises(ModelError, match=r"operator 0 \(CUSTOM:Mystery\).*cannot check"):
        guard.check(damaged(change), runner="tflm")
