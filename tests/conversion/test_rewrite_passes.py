"""Each pass on a model of its own, written by hand: the same meaning before and after, for every byte."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand
from matrix import run_here

from edgekit.tflite import interpreters, proof
from edgekit.tflite.graph import Graph, parse
from edgekit.tflite.interpreters import Interpreter
from edgekit.tflite.rewrite import rewrite

pytestmark = pytest.mark.skipif(
    not interpreters.available(Interpreter.TFLM), reason="TFLM's interpreter has no wheel for this platform"
)
BYTES = np.arange(-128, 128, dtype=np.int8)
REFERENCE, LITERT, TFLM = Interpreter.LITERT_REFERENCE, Interpreter.LITERT, Interpreter.TFLM
SHAPE = (1, 16, 16)


def ran(flatbuffer: bytes, interpreter: Interpreter, values: np.ndarray = BYTES) -> np.ndarray:
    (output,) = run_here(flatbuffer, (values.tobytes(),), interpreter).outputs
    return np.frombuffer(output, np.int8).astype(np.int64)


def rewritten(flatbuffer: bytes, *passes: str) -> Graph:
    result = rewrite(flatbuffer)
    assert {name for name, _ in result.changes} == set(passes)
    graph = parse(result.flatbuffer)
    assert proof.float_tensors(graph) == ()
    return graph


def kinds(graph: Graph) -> list[str]:
    return [op.kind for op in graph.ops]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(("kind", "low", "high"), [("RELU6", 0, 6), ("RELU_N1_TO_1", -1, 1), ("RELU_0_TO_1", 0, 1)])
def test_clamp_gives_the_bits_of_the_reference_kernel_also_in_tflm(kind: str, low: int, high: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    model = ModelByHand()
    before = float(rng.uniform(0.01, 0.1)), int(rng.integers(-60, 60))
    # Both kinds of output: one whose range ends where the clamp does, and one that reaches further.
    exact = (high - low) / 255, -128 - round(255 * low / (high - low))
    after = exact if seed % 2 else (float(rng.uniform(0.03, 0.09)), int(rng.integers(-90, 0)))
    source, target = model.tensor(SHAPE, *before), model.tensor(SHAPE, *after)
    flatbuffer = model.pack(kind, [source], target, None, [source])
    graph = rewritten(flatbuffer, "stand_alone_clamps")
    assert kind not in kinds(graph)
    expected = np.clip(before[0] * (BYTES.astype(np.int64) - before[1]), low, high) / after[0] + after[1]
    for interpreter in (REFERENCE, TFLM):
        outputs = ran(graph.flatbuffer, interpreter)
        # Two roundings in fixed point, as the kernel does it.
        assert np.abs(outputs - np.clip(expected, -128, 127)).max() < 1
        if kind == "RELU6":
            assert (outputs == ran(flatbuffer, REFERENCE)).all()


def test_relu6_of_tflm_is_wrong_where_the_scale_changes() -> None:
    """What the pass is for; when this fails TFLM has been repaired."""
    model = ModelByHand()
    source, target = model.tensor(SHAPE, 0.1, 0), model.tensor(SHAPE, 6 / 255, -128)
    flatbuffer = model.pack("RELU6", [source], target, None, [source])
    assert np.abs(ran(flatbuffer, TFLM) - ran(flatbuffer, REFERENCE)).max() > 50


def test_relu6_whose_scale_stays_is_left_alone() -> None:
    model = ModelByHand()
    source, target = model.tensor(SHAPE, 0.05, -128), model.tensor(SHAPE, 0.05, -128)
    flatbuffer = model.pack("RELU6", [source], target, None, [source])
    assert rewrite(flatbuffer).flatbuffer == flatbuffer
    assert (ran(flatbuffer, TFLM) == ran(flatbuffer, REFERENCE)).all()


def island(kind: str, before: tuple[float, int], after: tuple[float, int], more: tuple[str, ...] = ()) -> bytes:
    """int8, DEQUANTIZE, one or more float operators of one input, QUANTIZE, int8."""
    model = ModelByHand()
    source = model.tensor(SHAPE, *before)
    chain = [model.tensor(SHAPE, dtype="float32") for _ in range(2 + len(more))]
    for tensor in chain:
        model.tensors[tensor].quantization = None
    target = model.tensor(SHAPE, *after)
    ops: list[tuple[str, list[int], int, Any]] = [("DEQUANTIZE", [source], chain[0], schema.DequantizeOptionsT())]
    ops += [(one, [a], b, None) for one, a, b in zip((kind, *more), chain, chain[1:], strict=False)]
    ops.append(("QUANTIZE", [chain[-1]], target, schema.QuantizeOptionsT()))
    return model.pack_chain(ops, [source])


@pytest.mark.parametrize("kind", ["ELU", "NEG", "SQUARE", "ABS", "LOGISTIC", "TANH"])
def test_island_of_one_operator_becomes_integer(kind: str) -> None:
    after = (1 / 256, -128) if kind == "LOGISTIC" else (1 / 128, 0) if kind == "TANH" else (0.03, -20)
    flatbuffer = island(kind, (0.03, 10), after)
    graph = rewritten(flatbuffer, "native_islands")
    assert len(graph.ops) == 1
    expected = ran(flatbuffer, LITERT)
    for interpreter in (LITERT, TFLM):
        assert np.abs(ran(graph.flatbuffer, interpreter) - expected).max() <= 1


@pytest.mark.parametrize(
    ("kinds_of_chain", "function", "after"),
    [
        (("EXP",), np.exp, (0.05, -128)),
        (("NEG", "EXP", "SQRT"), lambda x: np.sqrt(np.exp(-x)), (0.03, -120)),
        (("SIN", "SQUARE"), lambda x: np.sin(x) ** 2, (1 / 255, -128)),
    ],
)
def test_chain_becomes_the_exactly_rounded_table(kinds_of_chain: tuple[str, ...], function: Any, after: Any) -> None:
    before = (0.03, 5)
    flatbuffer = island(kinds_of_chain[0], before, after, kinds_of_chain[1:])
    graph = rewritten(flatbuffer, "lookup_tables")
    assert kinds(graph) == ["CAST", "ADD", "GATHER"]
    steps = function(np.float64(np.float32(before[0])) * (BYTES.astype(np.float64) - before[1])) / np.float32(after[0])
    expected = np.clip(np.trunc(steps + np.copysign(0.5, steps)) + after[1], -128, 127)
    for interpreter in (REFERENCE, LITERT, TFLM):
        assert (ran(graph.flatbuffer, interpreter) == expected).all()


def test_table_ends_where_another_operator_reads_and_shares_its_indices() -> None:
    """exp(x) and exp(exp(x)) of one tensor, both read outside of the chain."""
    model = ModelByHand()
    source = model.tensor(SHAPE, 0.01, 0)
    once, twice = model.tensor(SHAPE, 0.02, -128), model.tensor(SHAPE, 0.2, -128)
    ops = [("EXP", [source], once, None), ("EXP", [once], twice, None)]
    flatbuffer = model.pack_chain(ops, [source], [once, twice])
    graph = rewritten(flatbuffer, "lookup_tables")
    assert kinds(graph) == ["CAST", "ADD", "GATHER", "GATHER"]
    real = 0.01 * BYTES.astype(np.float64)
    expected = [np.exp(real) / 0.02 - 128, np.exp(np.exp(real)) / 0.2 - 128]
    outputs = ran(graph.flatbuffer, TFLM)
    for values, wanted in zip((outputs[:256], outputs[256:]), expected, strict=True):
        assert np.abs(values - np.clip(wanted, -128, 127)).max() <= 0.51


def test_split_island_keeps_each_output_scale() -> None:
    model = ModelByHand()
    source = model.tensor((1, 256), 0.03, 10)
    axis = model.tensor((), dtype="int32", data=np.array(1, np.int32))
    real = [model.tensor(shape, dtype="float32") for shape in ((1, 256), (1, 128), (1, 128))]
    for tensor in (axis, *real):
        model.tensors[tensor].quantization = None
    ends = [model.tensor((1, 128), 0.02, -3), model.tensor((1, 128), 0.05, 7)]
    split = schema.SplitOptionsT()
    split.numSplits = 2
    ops: list[Any] = [("DEQUANTIZE", [source], real[0], None), ("SPLIT", [axis, real[0]], real[1:], split)]
    ops += [("QUANTIZE", [a], b, None) for a, b in zip(real[1:], ends, strict=True)]
    flatbuffer = model.pack_chain(ops, [source], ends)
    graph = rewritten(flatbuffer, "native_islands")
    assert kinds(graph) == ["SPLIT", "QUANTIZE", "QUANTIZE"]
    assert np.abs(ran(graph.flatbuffer, TFLM) - ran(flatbuffer, LITERT)).max() <= 1


@pytest.mark.parametrize("multiples", [(1, 2, 3), (1, 1, 1), (1, 4, 1)])
def test_tile_moves_the_same_bytes(multiples: tuple[int, ...]) -> None:
    model = ModelByHand()
    source = model.tensor(SHAPE, 0.1, 3)
    times = model.tensor((3,), dtype="int32", data=np.array(multiples, np.int32))
    target = model.tensor(tuple(np.multiply(SHAPE, multiples)), 0.1, 3)
    flatbuffer = model.pack("TILE", [source, times], target, None, [source])
    graph = rewritten(flatbuffer, "tile")
    assert (ran(graph.flatbuffer, TFLM) == ran(flatbuffer, LITERT)).all()


def test_reversal_into_another_scale_means_the_same() -> None:
    model = ModelByHand()
    source, target = model.tensor(SHAPE, 0.02, 10), model.tensor(SHAPE, 0.03, -5)
    axis = model.tensor((1,), dtype="int32", data=np.array([1], np.int32))
    model.tensors[axis].quantization = None
    flatbuffer = model.pack("REVERSE_V2", [source, axis], target, None, [source])
    graph = rewritten(flatbuffer, "equal_scales")
    assert kinds(graph) == ["QUANTIZE", "REVERSE_V2"]
    real = 0.02 * (BYTES.reshape(16, 16)[::-1].reshape(-1).astype(np.float64) - 10)
    assert np.abs(0.03 * (ran(graph.flatbuffer, TFLM) + 5) - real).max() <= 0.016
    assert np.abs(0.03 * (ran(flatbuffer, TFLM) + 5) - real).max() > 0.5, "the file was not wrong before"


def lookup(condition: str, rows: int = 40) -> tuple[bytes, np.ndarray]:
    """Embedding as the converter writes it, its ids cast to float and back: table[i < 0 ? i + rows : i]."""
    model = ModelByHand()
    table = np.random.default_rng(0).integers(-128, 128, (rows, 4), np.int8)
    ids, real, whole = (model.tensor((1, 8), dtype=dtype) for dtype in ("int32", "float32", "int32"))
    zero, count = (model.tensor((), dtype="int32", data=np.array(value, np.int32)) for value in (0, rows))
    below, wrapped, chosen = (model.tensor((1, 8), dtype=dtype) for dtype in ("bool", "int32", "int32"))
    for tensor in range(len(model.tensors)):
        model.tensors[tensor].quantization = None
    weights, target = model.tensor((rows, 4), 0.1, 0, data=table), model.tensor((1, 8, 4), 0.1, 0)
    casts = [schema.CastOptionsT(), schema.CastOptionsT()]
    casts[0].inDataType, casts[0].outDataType = schema.TensorType.INT32, schema.TensorType.FLOAT32
    casts[1].inDataType, casts[1].outDataType = schema.TensorType.FLOAT32, schema.TensorType.INT32
    ops: list[Any] = [
        ("CAST", [ids], real, casts[0]),
        ("CAST", [real], whole, casts[1]),
        (condition, [whole, zero], below, None),
        ("ADD", [whole, count], wrapped, schema.AddOptionsT()),
        ("SELECT", [below, wrapped, whole], chosen, None),
        ("GATHER", [weights, chosen], target, schema.GatherOptionsT()),
    ]
    return model.pack_chain(ops, [ids]), table


def test_embedding_reads_its_ids_directly() -> None:
    flatbuffer, table = lookup("LESS")
    graph = rewritten(flatbuffer, "wrapped_indices", "cast_pairs")
    assert kinds(graph) == ["GATHER"]
    ids = np.array([0, 39, 5, 7, 7, 1, 20, 38], np.int32)
    for interpreter in (LITERT, TFLM):
        assert (ran(graph.flatbuffer, interpreter, ids) == table[ids].reshape(-1)).all()


def test_another_select_in_front_of_a_table_is_no_wrap() -> None:
    flatbuffer, _ = lookup("GREATER")
    assert "wrapped_indices" not in dict(rewrite(flatbuffer).changes)


def test_lstm_state_takes_the_scale_of_the_output() -> None:
    from edgekit.tflite.rewrite import lstm_scales

    model = ModelByHand()
    output, state = model.tensor((1, 4, 8), 0.01, 3), model.tensor((1, 8), 0.02, 0, is_variable=True)
    cell = model.tensor((1, 8), 2**-14, 0, dtype="int16", is_variable=True)
    source = model.tensor((1, 4, 8), 0.05, 0)
    weights = [model.tensor((8, 8), 0.01, data=np.zeros((8, 8), np.int8)) for _ in range(8)]
    bias = [model.tensor((8,), 1e-4, dtype="int32", data=np.zeros(8, np.int32)) for _ in range(4)]
    model.intermediates = [model.tensor((1, 8), 0.03, 5) for _ in range(5)]
    inputs = [source, *weights, -1, -1, -1, *bias, -1, -1, state, cell, -1, -1, -1, -1]
    flatbuffer = model.pack(
        "UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, output, schema.UnidirectionalSequenceLSTMOptionsT(), [source]
    )
    unpacked = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
    assert lstm_scales.apply(unpacked) == 2 and lstm_scales.apply(unpacked) == 0
    for index in (state, model.intermediates[4]):
        quantization = unpacked.subgraphs[0].tensors[index].quantization
        assert (quantization.scale[0], quantization.zeroPoint[0]) == (np.float32(0.01), 3)
