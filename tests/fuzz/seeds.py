"""Sound models that the campaign damages: one-operator models of all kinds and types, and whole networks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cases
import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand

from edgekit.tflite import flatbuffer
from edgekit.tflite.decode import encode

_REPOSITORY = Path(__file__).resolve().parents[2]
_SEEDS_A_CASE = 2
_UNARY = (
    "ABS CEIL COS ELU EXP FLOOR GELU HARD_SWISH L2_NORMALIZATION LEAKY_RELU LOG LOGISTIC LOG_SOFTMAX NEG RELU RELU6 "
    "RELU_0_TO_1 RELU_N1_TO_1 ROUND RSQRT SIGN SIN SQRT SQUARE TANH ZEROS_LIKE"
).split()
_BINARY = (
    "DIV EQUAL FLOOR_DIV FLOOR_MOD GREATER GREATER_EQUAL LESS LESS_EQUAL MAXIMUM MINIMUM MUL NOT_EQUAL POW PRELU "
    "SQUARED_DIFFERENCE SUB"
).split()
_REDUCTIONS = "SUM MEAN REDUCE_MAX REDUCE_MIN REDUCE_PROD".split()
# Scale and zero point of outputs that LiteRT wants so and not otherwise.
_GIVEN = {
    ("LOGISTIC", "int8"): (1 / 256, -128),
    ("LOGISTIC", "int16"): (1 / 32768, 0),
    ("TANH", "int8"): (1 / 128, 0),
    ("TANH", "int16"): (1 / 32768, 0),
    ("L2_NORMALIZATION", "int8"): (1 / 128, 0),
    ("LOG_SOFTMAX", "int8"): (16 / 256, 127),
}
# Of the values, the cell state and the biases.
_LSTM_TYPES = (("float32", "float32", "float32"), ("int8", "int16", "int32"), ("int16", "int16", "int64"))
_OPTIONS = {
    "GELU": schema.GeluOptionsT,
    "L2_NORMALIZATION": schema.L2NormOptionsT,
    "LEAKY_RELU": schema.LeakyReluOptionsT,
    "MUL": schema.MulOptionsT,
    "SUB": schema.SubOptionsT,
    "DIV": schema.DivOptionsT,
}


def seeds() -> dict[str, bytes]:
    """Return all seed models by name, the same on every machine with the same checkout."""
    found: dict[str, bytes] = {}
    for name, make in cases.CASES.items():
        for number in range(_SEEDS_A_CASE):
            model = make(np.random.default_rng(number)).flatbuffer
            found[f"{name}/{number}"] = model
            if number == 0 and "int4" not in name:
                found[f"{name}/float"] = float_twin(model)
    found.update(_by_hand())
    for path in sorted(_REPOSITORY.glob("models/*/model.tflite")):
        found[path.parent.name] = path.read_bytes()
    for path in sorted(_REPOSITORY.parent.glob("shared/models/*.tflite")):
        found[path.stem] = path.read_bytes()
    return found


def packed(model: Any) -> bytes:
    """Return the flatbuffer of a ModelT."""
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def float_twin(flatbuffer: bytes) -> bytes:
    """Return the same model with real numbers where it has quantized ones."""
    model = schema.ModelT.InitFromPackedBuf(flatbuffer, 0)
    integers = {
        schema.TensorType.INT8: np.int8,
        schema.TensorType.INT16: np.int16,
        schema.TensorType.UINT8: np.uint8,
    }
    biases = {schema.TensorType.INT32: np.int32, schema.TensorType.INT64: np.int64}
    wide = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM"}
    names = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
    if any(names[code.builtinCode] in wide for code in model.operatorCodes):
        first = min(4, len(model.subgraphs[0].tensors))
        for tensor in model.subgraphs[0].tensors[:first]:
            is_list = tensor.type == schema.TensorType.INT32 and len(tensor.shape) == 1 and tensor.shape[0] == 4
            if tensor.type in biases and not is_list:
                _retype(model, tensor, biases[tensor.type])
    for tensor in model.subgraphs[0].tensors:
        if tensor.type in integers:
            _retype(model, tensor, integers[tensor.type])
    return packed(model)


def _retype(model: Any, tensor: Any, dtype: Any) -> None:
    tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None
    data = model.buffers[tensor.buffer].data
    if data is not None and len(data):
        values = np.frombuffer(bytes(bytearray(data)), dtype).astype(np.float32) / 64
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        model.buffers.append(buffer)
        tensor.buffer = len(model.buffers) - 1


def _by_hand() -> Iterator[tuple[str, bytes]]:
    for dtype in ("int8", "float32", "int16", "int32"):
        for kind in _UNARY:
            model = ModelByHand()
            low = -128 if kind in ("RSQRT", "SQRT", "LOG") and dtype == "int8" else 0
            source = model.tensor((1, 4, 6), 0.05, low, dtype=dtype)
            scale, zero_point = _GIVEN.get((kind, dtype), (0.05, 0))
            output = model.tensor((1, 4, 6), scale, zero_point, dtype=dtype)
            yield f"{kind}/{dtype}", model.pack(kind, [source], output, _options(kind), [source])
        for kind in _BINARY:
            model = ModelByHand()
            first, second = model.tensor((1, 4, 6), 0.05, dtype=dtype), model.tensor((1, 1, 6), 0.07, dtype=dtype)
            is_comparison = any(word in kind for word in ("EQUAL", "GREATER", "LESS"))
            output = model.tensor((1, 4, 6), 0.1, dtype="bool" if is_comparison else dtype)
            yield f"{kind}/{dtype}", model.pack(kind, [first, second], output, _options(kind), [first, second])
        for kind in _REDUCTIONS:
            model = ModelByHand()
            source, output = model.tensor((1, 4, 6), 0.05, dtype=dtype), model.tensor((1, 6), 0.05, dtype=dtype)
            axes = model.tensor((1,), dtype="int32", data=np.array([1], np.int32))
            yield f"{kind}/{dtype}", model.pack(kind, [source, axes], output, schema.ReducerOptionsT(), [source])
        yield from _choices(dtype)
    yield from _recurrent()
    yield from _decoded()


def _decoded() -> Iterator[tuple[str, bytes]]:
    """Weights that TFLM decodes, with a scale for each channel: pruned ones, and such of few values."""
    random = np.random.default_rng(0)
    sparse = random.integers(-127, 128, (24, 64)) * (random.random((24, 64)) < 0.1)
    for form, weights in (("pruned", sparse), ("look-up", random.choice([-70, -9, 0, 3, 44], (24, 64)))):
        model = ModelByHand()
        source, output = model.tensor((1, 64), 0.05), model.tensor((1, 24), 0.5)
        stored = model.tensor(weights.shape, np.full(24, 0.02), data=weights.astype(np.int8))
        options = schema.FullyConnectedOptionsT()
        made = flatbuffer.unpack(model.pack("FULLY_CONNECTED", [source, stored, -1], output, options, [source]))
        assert encode.apply(made) == 1
        flatbuffer.remove_unused(made)
        yield f"DECODE/{form}", flatbuffer.pack(made)


def _options(kind: str) -> Any | None:
    return _OPTIONS[kind]() if kind in _OPTIONS else None


def _choices(dtype: str) -> Iterator[tuple[str, bytes]]:
    """Operators that choose by index."""
    model = ModelByHand()
    source, output = model.tensor((5, 6), 0.05, dtype=dtype), model.tensor((2, 6), 0.05, dtype=dtype)
    rows = model.tensor((2,), dtype="int32", data=np.array([4, 0], np.int32))
    yield f"GATHER/{dtype}", model.pack("GATHER", [source, rows], output, schema.GatherOptionsT(), [source])
    model = ModelByHand()
    source, output = model.tensor((5, 6), 0.05, dtype=dtype), model.tensor((2, 6), 0.05, dtype=dtype)
    rows = model.tensor((2,), dtype="int32")
    yield f"GATHER/late/{dtype}", model.pack("GATHER", [source, rows], output, schema.GatherOptionsT(), [source, rows])
    model = ModelByHand()
    source, output = model.tensor((5, 6), 0.05, dtype=dtype), model.tensor((2,), 0.05, dtype=dtype)
    rows = model.tensor((2, 2), dtype="int32", data=np.array([[4, 0], [1, 5]], np.int32))
    yield f"GATHER_ND/{dtype}", model.pack("GATHER_ND", [source, rows], output, None, [source])
    model = ModelByHand()
    first, second = model.tensor((2, 3, 4), 0.05, dtype=dtype), model.tensor((2, 4, 5), 0.05, dtype=dtype)
    output = model.tensor((2, 3, 5), 0.05, dtype=dtype)
    options = schema.BatchMatMulOptionsT()
    yield f"BATCH_MATMUL/{dtype}", model.pack("BATCH_MATMUL", [first, second], output, options, [first, second])
    for kind in ("ARG_MAX", "ARG_MIN"):
        model = ModelByHand()
        source, output = model.tensor((2, 6), 0.05, dtype=dtype), model.tensor((2,), dtype="int32")
        axis = model.tensor((1,), dtype="int32", data=np.array([1], np.int32))
        made = schema.ArgMaxOptionsT() if kind == "ARG_MAX" else schema.ArgMinOptionsT()
        made.outputType = schema.TensorType.INT32
        yield f"{kind}/{dtype}", model.pack(kind, [source, axis], output, made, [source])
    model = ModelByHand()
    source, output = model.tensor((2, 6), 0.05, dtype=dtype), model.tensor((2, 6), 0.05, dtype=dtype)
    axis = model.tensor((1,), dtype="int32", data=np.array([1], np.int32))
    yield f"CUMSUM/{dtype}", model.pack("CUMSUM", [source, axis], output, schema.CumsumOptionsT(), [source])
    for kind in ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"):
        model = ModelByHand()
        source, output = model.tensor((1, 3, 4, 2), 0.05, dtype=dtype), model.tensor((1, 6, 8, 2), 0.05, dtype=dtype)
        size = model.tensor((2,), dtype="int32", data=np.array([6, 8], np.int32))
        is_linear = kind == "RESIZE_BILINEAR"
        made_too = schema.ResizeBilinearOptionsT() if is_linear else schema.ResizeNearestNeighborOptionsT()
        yield f"{kind}/{dtype}", model.pack(kind, [source, size], output, made_too, [source])
    model = ModelByHand()
    source, update = model.tensor((4, 6), 0.05, dtype=dtype), model.tensor((2, 3), 0.05, dtype=dtype)
    start = model.tensor((2,), dtype="int32", data=np.array([1, 2], np.int32))
    output = model.tensor((4, 6), 0.05, dtype=dtype)
    kind = "DYNAMIC_UPDATE_SLICE"
    yield f"{kind}/{dtype}", model.pack(kind, [source, update, start], output, None, [source, update])
    model = ModelByHand()
    condition = model.tensor((4, 6), dtype="bool")
    first, second, output = (model.tensor((4, 6), 0.05, dtype=dtype) for _ in range(3))
    inputs = [condition, first, second]
    yield f"SELECT_V2/{dtype}", model.pack("SELECT_V2", inputs, output, None, inputs)
    for source_type, target_type in ((dtype, "int8"), (dtype, "float32")):
        model = ModelByHand()
        source, output = model.tensor((4, 6), 0.05, dtype=source_type), model.tensor((4, 6), 0.07, dtype=target_type)
        yield f"CAST/{dtype}/{target_type}", model.pack("CAST", [source], output, None, [source])
        if target_type != source_type:
            kind = "DEQUANTIZE" if target_type == "float32" else "QUANTIZE"
            yield f"{kind}/{dtype}/{target_type}", model.pack(kind, [source], output, None, [source])
    model = ModelByHand()
    rows, output = model.tensor((3,), dtype="int32"), model.tensor((3, 4), 0.05, dtype=dtype)
    table = model.tensor((8, 4), 0.05, dtype=dtype, data=np.ones((8, 4), dtype))
    yield f"EMBEDDING_LOOKUP/{dtype}", model.pack("EMBEDDING_LOOKUP", [rows, table], output, None, [rows])


def _recurrent() -> Iterator[tuple[str, bytes]]:
    """The fused LSTM of 3 steps, 4 inputs and 5 cells; SVDF of 4 inputs, 6 filters and a memory of 3."""
    for dtype, wide, bias in (
        ("float32", "float32", "float32"),
        ("int8", "int16", "int32"),
        ("int16", "int16", "int64"),
    ):
        weight = "float32" if dtype == "float32" else "int8"
        model = ModelByHand()
        source = model.tensor((1, 3, 4), 0.05, dtype=dtype)
        inputs = [source]
        for columns in (4, 4, 4, 4, 5, 5, 5, 5):
            inputs.append(model.tensor((5, columns), 0.01, dtype=weight, data=np.ones((5, columns), weight)))
        inputs += [-1, -1, -1]
        for _ in range(4):
            inputs.append(model.tensor((5,), 0.0005, dtype=bias, data=np.ones(5, bias)))
        inputs += [-1, -1]
        inputs.append(model.tensor((1, 5), 1 / 128, dtype=dtype, is_variable=True))
        inputs.append(model.tensor((1, 5), 2**-11, dtype=wide, is_variable=True))
        inputs += [-1, -1, -1, -1]
        output = model.tensor((1, 3, 5), 1 / 128, dtype=dtype)
        options = schema.UnidirectionalSequenceLSTMOptionsT()
        options.fusedActivationFunction = schema.ActivationFunctionType.TANH
        kind = "UNIDIRECTIONAL_SEQUENCE_LSTM"
        plain = schema.ModelT.InitFromPackedBuf(model.pack(kind, inputs, output, options, [source]), 0)
        if dtype != "float32":
            for _ in range(5):
                model.tensor((), 1 / 128, dtype=dtype)
            plain = schema.ModelT.InitFromPackedBuf(model.pack(kind, inputs, output, options, [source]), 0)
            plain.subgraphs[0].operators[0].intermediates = list(range(output + 1, output + 6))
        yield f"{kind}/{dtype}", packed(plain)
    for dtype, wide in (("float32", "float32"), ("int8", "int16"), ("int8", "int8")):
        model = ModelByHand()
        source, output = model.tensor((1, 4), 0.05, dtype=dtype), model.tensor((1, 3), 0.05, dtype=dtype)
        features = model.tensor((6, 4), 0.01, dtype=dtype, data=np.ones((6, 4), dtype))
        times = model.tensor((6, 3), 0.01, dtype=wide, data=np.ones((6, 3), wide))
        bias_type = "float32" if dtype == "float32" else "int32"
        bias = model.tensor((3,), 0.001, dtype=bias_type, data=np.ones(3, bias_type))
        state = model.tensor((1, 18), 0.01, dtype=wide, is_variable=True)
        options_of_svdf = schema.SVDFOptionsT()
        options_of_svdf.rank = 2
        inputs = [source, features, times, bias, state]
        yield f"SVDF/{dtype}/{wide}", model.pack("SVDF", inputs, output, options_of_svdf, [source])
