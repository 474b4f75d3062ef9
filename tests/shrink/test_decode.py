"""TFLM's DECODE: the two forms of weights, what TFLM makes of them, and what the guard says of damaged ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import judges
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from nets import Ints, Net, ints, packed

from edgekit.engine import emit_aot, emit_tflm
from edgekit.errors import ModelError
from edgekit.tflite import decode, flatbuffer, graph, guard
from edgekit.tflite.decode import encode, expand, forms
from edgekit.tflite.graph import Graph
from edgekit.tflite.shrink.inputs import random_inputs


def _sparse(random: np.random.Generator, *shape: int) -> Ints:
    return ints(random, *shape) * (random.random(shape) < 0.15)


def _clustered(random: np.random.Generator, *shape: int) -> Ints:
    return random.choice(np.arange(-6, 5) * 9, shape)


def _net(weights: Callable[..., Ints]) -> Net:
    """Three kinds of layers; the weights of each get smaller in one of the forms."""
    random = np.random.default_rng(7)
    net = Net((1, 6, 6, 8))
    net.conv(weights(random, 40, 3, 3, 8), ints(random, 40))
    net.depthwise(weights(random, 1, 7, 7, 40), ints(random, 40))
    net.average()
    net.reshape(1, 40)
    net.dense(weights(random, 50, 40), ints(random, 50, limit=3000))
    return net


def _encoded(tree: Any) -> Any:
    assert encode.apply(tree) == 3
    return tree


def _tables(encoded: Graph) -> list[Any]:
    """The second inputs of the DECODEs."""
    return [encoded.tensors[op.inputs[1]].data for op in encoded.ops if op.kind == decode.KIND]


@pytest.mark.parametrize("axis", [None, 0, 2])
@pytest.mark.parametrize("values", [1, 2, 3, 5, 11, 30, 60, 120])
def test_both_forms_give_the_weights_back(values: int, axis: int | None) -> None:
    weights = np.random.default_rng(1).integers(0, values, (5, 7, 3)).astype(np.int8) - 2
    table = forms.look_up(weights, axis)
    assert table is not None
    for form in (table, forms.pruned(weights, 3)):
        zero_point = 3 if form.form is forms.Form.PRUNED else 0
        made = forms.decoded(
            form.codes, form.ancillary, shape=weights.shape, dtype="int8", zero_point=zero_point, axis=axis
        )
        assert (made == weights).all()


def test_too_many_values_have_no_table() -> None:
    assert forms.look_up(np.arange(-65, 65, dtype=np.int8), None) is None


def test_indices_of_long_tensors_are_packed_in_pieces() -> None:
    weights = np.random.default_rng(1).integers(0, 6, 3 * (1 << 20) // 2 + 5).astype(np.int8)
    form = forms.look_up(weights, None)
    assert form is not None and len(form.codes) == -(-len(weights) * 3 // 8)
    assert (forms.unpacked(form.codes, 3, len(weights)) == weights).all()


@pytest.mark.parametrize("weights", [_sparse, _clustered])
def test_tflm_gives_the_same_bits(weights: Callable[..., Ints]) -> None:
    dense, encoded = packed(_net(weights).tree()), packed(_encoded(_net(weights).tree()))
    wanted = forms.Form.PRUNED if weights is _sparse else forms.Form.LOOK_UP
    assert [int(table[forms.FORM]) for table in _tables(encoded)] == [wanted] * 3
    assert len(encoded.flatbuffer) < len(dense.flatbuffer) - 2000
    samples = random_inputs(dense, 20)
    expected = judges.tflm(dense, samples)
    assert len(set(expected)) > 10
    assert judges.tflm(encoded, samples) == expected


@pytest.mark.parametrize("values", [2, 4, 8, 16, 32, 64, 120])
def test_tflm_reads_indices_of_every_width(values: int) -> None:
    random = np.random.default_rng(3)
    net = Net((1, 4, 4, 13))
    # 117 weights a channel: channels begin within a byte, and within TFLM's blocks of 16 and 32.
    net.conv(random.integers(0, values, (48, 3, 3, 13)) - values // 2, ints(random, 48))
    net.reshape(1, 16 * 48)
    net.dense(random.integers(0, values, (8, 16 * 48)) - values // 2, ints(random, 8))
    dense, tree = packed(net.tree()), net.tree()
    assert encode.apply(tree) >= 1
    encoded = packed(tree)
    widths = {int(table[forms.BITS]) for table in _tables(encoded)}
    assert (values - 1).bit_length() in widths
    samples = random_inputs(dense, 8)
    assert judges.tflm(encoded, samples) == judges.tflm(dense, samples)


def test_weights_of_two_layers_are_decoded_for_each() -> None:
    random = np.random.default_rng(2)
    net = Net((1, 60))
    weights, bias = _sparse(random, 60, 60), ints(random, 60)
    net.dense(weights, bias)
    net.dense(weights, bias)
    shared = net.ops[0][1][1]
    net.ops[1][1][1] = shared
    dense, tree = packed(net.tree()), net.tree()
    assert encode.apply(tree) == 1
    encoded = packed(tree)
    assert [op.kind == decode.KIND for op in encoded.ops] == [True, False, True, False]
    samples = random_inputs(dense, 8)
    assert judges.tflm(encoded, samples) == judges.tflm(dense, samples)


def test_a_table_of_words_is_decoded_and_asked_for_its_rows_alone() -> None:
    random = np.random.default_rng(2)
    net = Net((1, 3))
    ids = net.model.tensor((1, 3), None, dtype="int32")
    table = net.model.tensor((20, 60), 0.02, data=_sparse(random, 20, 60).astype(np.int8))
    rows = net.model.tensor((1, 3, 60), 0.02)
    net.ops.append(("GATHER", [table, ids], rows, schema.GatherOptionsT()))
    net.start, net.last, net.shape = ids, rows, (1, 3, 60)
    net.reshape(1, 180)
    net.dense(_sparse(random, 8, 180), ints(random, 8))
    dense, tree = packed(net.tree()), net.tree()
    assert encode.apply(tree) == 2
    encoded = packed(tree)
    samples = random_inputs(encoded, 12)
    assert samples == random_inputs(dense, 12)
    assert max(np.frombuffer(b"".join(samples), np.int32)) == 19
    assert judges.tflm(encoded, samples) == judges.tflm(dense, samples)


def test_weights_that_would_grow_stay() -> None:
    random = np.random.default_rng(2)
    net = Net((1, 40))
    net.dense(ints(random, 40, 40), ints(random, 40))
    net.dense(_sparse(random, 8, 40), ints(random, 8))
    tree = net.tree()
    assert encode.apply(tree) == 0
    assert packed(tree).flatbuffer == packed(net.tree()).flatbuffer


@pytest.mark.parametrize("weights", [_sparse, _clustered])
def test_expanded_is_the_dense_model(weights: Callable[..., Ints]) -> None:
    dense, encoded = packed(_net(weights).tree()), packed(_encoded(_net(weights).tree()))
    assert expand.expanded(encoded.flatbuffer) == dense.flatbuffer
    assert expand.expanded(dense.flatbuffer) is dense.flatbuffer
    folded = expand.folded(encoded)
    assert folded.sha256 == encoded.sha256
    assert [op.index for op in folded.ops] == list(range(len(dense.ops)))


def test_aot_and_the_resolver_of_tflm() -> None:
    dense, encoded = packed(_net(_sparse).tree()), packed(_encoded(_net(_sparse).tree()))
    one, other = (emit_aot.emit(each, "net") for each in (dense, encoded))
    assert one.weights_bytes == other.weights_bytes
    assert other.model_sha256 == encoded.sha256
    header = next(
        text for path, text in emit_tflm.emit(encoded, "net", arena_bytes=1).files.items() if "ops" in str(path)
    )
    assert "MicroMutableOpResolver<6>" in header and "resolver.AddDecode()" in header


def test_only_tflm_runs_it() -> None:
    encoded = packed(_encoded(_net(_sparse).tree()))
    with pytest.raises(ModelError, match="DECODE, which no other interpreter has"):
        guard.check(encoded.flatbuffer, runner="litert_reference")


def test_one_zero_point_for_all_channels_is_for_tflm_alone() -> None:
    tree = flatbuffer.unpack(packed(_net(_sparse).tree()).flatbuffer)
    for tensor in tree.subgraphs[0].tensors:
        if tensor.quantization is not None and len(tensor.quantization.zeroPoint) > 1:
            tensor.quantization.zeroPoint = np.zeros(1, np.int64)
    shortened, dense = packed(tree), packed(_net(_sparse).tree())
    assert [tensor.quant for tensor in shortened.tensors] == [tensor.quant for tensor in dense.tensors]
    samples = random_inputs(dense, 4)
    assert judges.tflm(shortened, samples) == judges.tflm(dense, samples)
    with pytest.raises(ModelError, match="only TensorFlow Lite Micro takes that"):
        guard.check(shortened.flatbuffer, runner="litert_reference")


def _set(place: int, value: int) -> Callable[[Any, Any], None]:
    def change(_: Any, ancillary: Any) -> None:
        ancillary.data[place] = value

    return change


def _cut(which: int) -> Callable[[Any, Any], None]:
    """One byte less, in the tensor's shape too."""

    def change(*buffers: Any) -> None:
        buffers[which].data = buffers[which].data[:-1]

    return change


def _more_bits(codes: Any, _: Any) -> None:
    codes.data[0] |= 0xFF


@pytest.mark.parametrize(
    ("weights", "change", "said"),
    [
        (_sparse, _set(forms.FORM, 1), "asks for form 1"),
        (_sparse, _set(forms.VERSION, 2), "versions"),
        (_sparse, _set(forms.FORM_VERSION, 0), "versions"),
        (_sparse, _cut(0), "a bit an element"),
        (_sparse, _cut(1), "values, .* are stored"),
        (_sparse, _more_bits, "values, .* are stored"),
        (_clustered, _set(forms.BITS, 0), "indices of 0 bits"),
        (_clustered, _set(forms.BITS, 5), "5 bits an element"),
        (_clustered, _set(forms.TABLE_LENGTH, 200), "tables of 200 values"),
        (_clustered, _set(forms.TABLE_LENGTH, 9), "have an index 1. into tables of 9"),
        (_clustered, _set(forms.TABLE_LENGTH, 16), "values, .* are stored"),
        (_clustered, _cut(0), "4 bits an element"),
        (_clustered, _cut(1), "values, .* are stored"),
    ],
)
def test_damaged_weights_are_refused(
    weights: Callable[..., Ints], change: Callable[[Any, Any], None], said: str
) -> None:
    tree = flatbuffer.unpack(packed(_encoded(_net(weights).tree())).flatbuffer)
    subgraph = tree.subgraphs[0]
    operator = next(each for each in subgraph.operators if len(each.inputs) == 2 and len(each.outputs) == 1)
    tensors = [subgraph.tensors[index] for index in operator.inputs]
    buffers = [tree.buffers[each.buffer] for each in tensors]
    for buffer in buffers:
        buffer.data = np.array(buffer.data)
    change(*buffers)
    for tensor, buffer in zip(tensors, buffers, strict=True):
        tensor.shape = [len(buffer.data)]
    with pytest.raises(ModelError, match=said):
        graph.parse(flatbuffer.pack(tree))
