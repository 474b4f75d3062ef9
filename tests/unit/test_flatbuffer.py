"""The flatbuffer layer: what it writes is small, aligned, the same every time, and says what it was given."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from tiny_models import dense_int8

from edgekit.errors import ModelError
from edgekit.tflite import flatbuffer, graph

_WEIGHTS = np.arange(-21, 21).reshape(3, 14)
_DENSE = dense_int8(weights=_WEIGHTS, bias=np.arange(3))


def _buffer_offsets(data: bytes) -> dict[int, int]:
    """Buffer -> where its bytes start in the file."""
    model = schema.Model.GetRootAs(data, 0)
    buffers = [model.Buffers(index) for index in range(model.BuffersLength())]
    return {
        index: buffer._tab.Vector(buffer._tab.Offset(4)) for index, buffer in enumerate(buffers) if buffer.DataLength()
    }


def test_what_was_packed_is_what_was_unpacked() -> None:
    before, after = graph.parse(_DENSE), graph.parse(flatbuffer.pack(flatbuffer.unpack(_DENSE)))
    assert after.ops == before.ops
    assert [tensor.name for tensor in after.tensors] == [tensor.name for tensor in before.tensors]
    assert [tensor.quant for tensor in after.tensors] == [tensor.quant for tensor in before.tensors]
    np.testing.assert_array_equal(after.tensors[1].data, _WEIGHTS)
    np.testing.assert_array_equal(after.tensors[2].data, np.arange(3))


def test_every_buffer_starts_at_a_multiple_of_16_and_bytes_are_the_same_every_time() -> None:
    packed = flatbuffer.pack(flatbuffer.unpack(_DENSE))
    offsets = _buffer_offsets(packed)
    assert len(offsets) == 2
    assert all(offset % 16 == 0 for offset in offsets.values())
    assert flatbuffer.pack(flatbuffer.unpack(packed)) == packed


def test_equal_vectors_strings_and_tables_are_written_once() -> None:
    model = flatbuffer.unpack(_DENSE)
    single = len(flatbuffer.pack(model))
    tensor, buffer = model.subgraphs[0].tensors[1], model.buffers[1]
    again = schema.TensorT()
    vars(again).update({**vars(tensor), "shape": np.array(tensor.shape), "buffer": len(model.buffers)})
    copy = schema.BufferT()
    copy.data = np.array(buffer.data)
    model.subgraphs[0].tensors.append(again)
    model.buffers.append(copy)
    # One more table for the tensor (28 bytes at most) and two offsets; weights, shape, name and scale are shared.
    assert len(flatbuffer.pack(model)) - single <= 48


def test_lists_and_wide_integers_come_out_with_the_schemas_types() -> None:
    model = flatbuffer.unpack(_DENSE)
    model.subgraphs[0].tensors[0].shape = np.array([1, 14], np.int64)
    model.subgraphs[0].operators[0].inputs = [0, 1, 2]
    model.subgraphs[0].tensors[0].quantization.scale = np.array([0.5])
    model.buffers[2].data = np.arange(3, dtype=np.int32).tobytes()
    parsed = graph.parse(flatbuffer.pack(model))
    assert parsed.tensors[0].shape == (1, 14)
    assert parsed.tensors[0].quant == graph.Quant((0.5,), (0,), None)
    assert parsed.ops[0].inputs == (0, 1, 2)


def test_unused_parts_go_and_the_rest_is_numbered_anew() -> None:
    model = flatbuffer.unpack(_DENSE)
    subgraph = model.subgraphs[0]
    # A dead copy of the operator in front, with tensors, a buffer and a code of its own.
    dead = [schema.TensorT(), schema.TensorT()]
    for tensor, template in zip(dead, (subgraph.tensors[1], subgraph.tensors[3]), strict=True):
        vars(tensor).update(vars(template))
    dead[0].buffer = len(model.buffers)
    model.buffers.append(schema.BufferT())
    model.buffers[-1].data = np.ones(42, np.uint8)
    subgraph.tensors[:] = dead + subgraph.tensors
    live, gone = subgraph.operators[0], schema.OperatorT()
    vars(gone).update(vars(live))
    gone.inputs, gone.outputs, gone.opcodeIndex = [2, 0, 4], [1], 1
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CONV_2D
    model.operatorCodes.append(code)
    live.inputs, live.outputs = [2, 3, 4], [5]
    subgraph.operators, subgraph.inputs, subgraph.outputs = [gone, live], [2], [5]
    signature, entry = schema.SignatureDefT(), schema.TensorMapT()
    entry.name, entry.tensorIndex = "y", 5
    signature.signatureKey, signature.inputs, signature.outputs = "serving_default", [], [entry]
    model.signatureDefs = [signature]

    assert flatbuffer.remove_unused(model) == 5
    assert flatbuffer.remove_unused(model) == 0
    assert model.signatureDefs[0].outputs[0].tensorIndex == 3
    np.testing.assert_array_equal(graph.parse(flatbuffer.pack(model)).tensors[1].data, _WEIGHTS)
    assert graph.parse(flatbuffer.pack(model)).ops == graph.parse(_DENSE).ops


@pytest.mark.parametrize("data", [b"", b"TFL3" * 8, _DENSE[:60], b"\xff" * 4 + _DENSE[4:]])
def test_what_is_no_model_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError):
        flatbuffer.unpack(data)
