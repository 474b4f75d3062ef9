"""Identities, duplicates, records, names, tied weights: what goes, and what only looks as if it could."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from nets import Net, assert_equal_bits, ints, packed

from edgekit.tflite import flatbuffer
from edgekit.tflite.shrink import Names, duplicates, identity, names, quantization, tied_weights


def _pads(net: Net, rows: int) -> None:
    amounts = net.model.tensor((4, 2), dtype="int32", data=np.array([[0, 0], [0, rows], [0, 0], [0, 0]], np.int32))
    shape = (1, net.shape[1] + rows, *net.shape[2:])
    net.op("PAD", [net.last, amounts], shape, schema.PadOptionsT())


def _transposes(net: Net, *order: int) -> None:
    wanted = net.model.tensor((4,), dtype="int32", data=np.array(order, np.int32))
    net.op("TRANSPOSE", [net.last, wanted], tuple(net.shape[i] for i in order), schema.TransposeOptionsT())


def _multiplies(net: Net, code: int) -> None:
    # Scale 1/127: code 127 is 1.
    factor = net.model.tensor((1,), 1 / 127, data=np.array([code], np.int8))
    net.op("MUL", [net.last, factor], net.shape, schema.MulOptionsT())


def _adds(net: Net, code: int) -> None:
    summand = net.model.tensor((1,), 0.5, 3, data=np.array([code], np.int8))
    net.op("ADD", [net.last, summand], net.shape, schema.AddOptionsT())


def _quantizes(net: Net, scale: float) -> None:
    before = net.last
    net.op("QUANTIZE", [before], net.shape, schema.QuantizeOptionsT())
    net.model.tensors[net.last].quantization.scale[:] = scale


def _pools(net: Net, size: int) -> None:
    options = schema.Pool2DOptionsT()
    options.padding = 0
    options.filterHeight = options.filterWidth = size
    options.strideH = options.strideW = 1
    net.op("MAX_POOL_2D", [net.last], net.shape, options)


@pytest.mark.parametrize(
    ("add", "removed"),
    [
        (lambda net: _pads(net, 0), 1),
        (lambda net: _pads(net, 2), 0),
        (lambda net: _transposes(net, 0, 1, 2, 3), 1),
        (lambda net: _transposes(net, 0, 2, 1, 3), 0),
        (lambda net: _multiplies(net, 127), 1),
        (lambda net: _multiplies(net, 126), 0),
        (lambda net: _adds(net, 3), 1),
        (lambda net: _adds(net, 4), 0),
        (lambda net: _quantizes(net, 0.05), 1),
        (lambda net: _quantizes(net, 0.06), 0),
        (lambda net: _pools(net, 1), 1),
        (lambda net: _pools(net, 2), 0),
        (lambda net: net.reshape(1, 4, 4, 3), 1),
        (lambda net: net.op("CONCATENATION", [net.last], net.shape, schema.ConcatenationOptionsT()), 1),
        (lambda net: (net.reshape(1, 8, 6), net.reshape(1, 4, 4, 3)), 2),
        (lambda net: [_multiplies(net, 127), _quantizes(net, 0.05), _adds(net, 3), _pools(net, 1)], 4),
    ],
)
@pytest.mark.parametrize("at_the_end", [False, True])
def test_only_what_changes_nothing_goes(add: Callable[[Net], Any], removed: int, at_the_end: bool) -> None:
    random = np.random.default_rng(1)
    net = Net((1, 4, 4, 2))
    net.conv(ints(random, 3, 3, 3, 2), ints(random, 3, limit=500))
    add(net)
    if not at_the_end:
        net.conv(ints(random, 2, 1, 1, 3), ints(random, 2, limit=500))
    before, tree = packed(net.tree()), net.tree()
    assert identity.apply(tree) == removed
    after = packed(tree)
    assert len(before.ops) - len(after.ops) == removed
    assert [after.tensors[index].name for index in after.outputs] == [
        before.tensors[index].name for index in before.outputs
    ]
    assert_equal_bits(before, after)


def test_an_identity_between_both_ends_of_a_model_stays() -> None:
    net = Net((1, 4, 4, 2))
    net.reshape(1, 4, 4, 2)
    assert identity.apply(net.tree()) == 0


def test_equal_buffers_and_constants_become_one() -> None:
    random = np.random.default_rng(2)
    weights, bias = ints(random, 3, 3, 3, 3), ints(random, 3, limit=500)
    net = Net((1, 5, 5, 3))
    for _ in range(3):
        net.conv(weights, bias)
    before, tree = packed(net.tree()), net.tree()
    assert duplicates.apply(tree) == 8
    after = packed(tree)
    assert len(before.tensors) - len(after.tensors) == 4
    assert len(flatbuffer.unpack(after.flatbuffer).buffers) == 3
    assert_equal_bits(before, after)


def test_equal_bytes_of_another_scale_share_a_buffer_and_stay_two_constants() -> None:
    random = np.random.default_rng(3)
    net = Net((1, 5, 5, 3))
    weights, bias = ints(random, 3, 3, 3, 3), ints(random, 3, limit=500)
    net.conv(weights, bias)
    net.conv(weights, bias)
    net.model.tensors[net.ops[1][1][1]].quantization.scale[:] *= 0.5
    tree = net.tree()
    duplicates.apply(tree)
    assert len({operator.inputs[1] for operator in tree.subgraphs[0].operators}) == 2
    assert_equal_bits(packed(net.tree()), packed(tree))


def test_records_of_a_convolutions_bias_go_and_those_of_a_dense_layer_stay() -> None:
    random = np.random.default_rng(4)
    net = Net((1, 3, 3, 2))
    net.conv(ints(random, 4, 3, 3, 2), ints(random, 4, limit=500))
    net.average()
    net.reshape(1, 4)
    net.dense(ints(random, 3, 4), ints(random, 3, limit=500))
    net.model.tensors[net.start].quantization.min = [0.0]
    net.model.tensors[net.start].quantization.max = [12.75]
    before, tree = packed(net.tree()), net.tree()
    assert quantization.apply(tree) == 2
    after = packed(tree)
    conv, _, _, dense = after.ops
    assert after.tensors[conv.inputs[2]].quant is None
    assert after.tensors[dense.inputs[2]].quant == before.tensors[before.ops[3].inputs[2]].quant
    assert after.tensors[after.inputs[0]].quant == before.tensors[before.inputs[0]].quant
    assert tree.subgraphs[0].tensors[0].quantization.min is None
    assert_equal_bits(before, after)
    tree = net.tree()
    quantization.apply(tree, keep_bias_records=True)
    assert packed(tree).tensors[conv.inputs[2]].quant is not None


def _noted(net: Net) -> Any:
    tree = net.tree()
    tree.description, tree.subgraphs[0].name, tree.metadata = "converted", "main", []
    for name in ("min_runtime_version", "TFLITE_METADATA"):
        note = schema.MetadataT()
        note.name, note.buffer = name, len(tree.buffers)
        tree.metadata.append(note)
        tree.buffers.append(schema.BufferT())
        tree.buffers[-1].data = np.frombuffer(name.encode(), np.uint8)
    signature, entry = schema.SignatureDefT(), schema.TensorMapT()
    entry.name, entry.tensorIndex = "y", net.last
    signature.signatureKey, signature.inputs, signature.outputs = "serving_default", [], [entry]
    tree.signatureDefs = [signature]
    return tree


def test_names_stay_as_asked_for() -> None:
    random = np.random.default_rng(5)
    net = Net((1, 3, 3, 2))
    net.conv(ints(random, 4, 3, 3, 2), ints(random, 4, limit=500))
    net.conv(ints(random, 2, 1, 1, 4), ints(random, 2, limit=500))
    ends = {net.start, net.last}
    for wanted, keep_signatures, left in ((Names.ALL, False, 7), (Names.ENDS, False, 2), (Names.NONE, True, 0)):
        tree = _noted(net)
        names.apply(tree, wanted, keep_signatures=keep_signatures)
        named = {index for index, tensor in enumerate(tree.subgraphs[0].tensors) if tensor.name}
        assert len(named) == left
        assert wanted is not Names.ENDS or named == ends
        assert [note.name for note in tree.metadata] == ["TFLITE_METADATA"], "phones read it"
        assert bool(tree.signatureDefs) is (keep_signatures or wanted is Names.ALL)
        assert (tree.description is not None) is (wanted is Names.ALL)
        assert_equal_bits(packed(net.tree()), packed(tree), 4)


def test_tied_weights_are_found_and_the_table_takes_the_dense_layers_bytes() -> None:
    random = np.random.default_rng(6)
    real = random.normal(0, 1, (32, 8))
    net = Net((1, 4))
    net.model.tensors[net.start].type = schema.TensorType.INT32
    net.model.tensors[net.start].quantization = None
    low, high = real.min(), real.max()
    scale = (high - low) / 255
    codes = np.clip(np.round(real / scale) + round(-128 - low / scale), -128, 127).astype(np.int8)
    table = net.model.tensor((32, 8), scale, round(-128 - low / scale), data=codes)
    looked_up = net.model.tensor((1, 4, 8), scale, round(-128 - low / scale))
    net.ops.append(("GATHER", [table, net.start], looked_up, schema.GatherOptionsT()))
    net.last, net.shape = looked_up, (1, 4, 8)
    net.reshape(4, 8)
    net.model.tensors[net.last].quantization = net.model.tensors[looked_up].quantization
    symmetric = np.abs(real).max() / 127
    weights = net.model.tensor((32, 8), symmetric, data=np.round(real / symmetric).astype(np.int8))
    net.op("FULLY_CONNECTED", [net.last, weights, -1], (4, 32), schema.FullyConnectedOptionsT())
    tree = net.tree()
    size = len(flatbuffer.pack(net.tree()))
    assert tied_weights.apply(tree) == 1
    gather = packed(tree).ops[0]
    assert packed(tree).tensors[gather.inputs[0]].quant.scale == pytest.approx((symmetric,))
    assert size - len(packed(tree).flatbuffer) >= 32 * 8
    # Other numbers are not tied.
    net.model.buffers[net.model.tensors[weights].buffer].data = (
        net.model.buffers[net.model.tensors[weights].buffer].data[::-1].copy()
    )
    assert tied_weights.apply(net.tree()) == 0
