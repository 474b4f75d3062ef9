"""What passes int32, or no factor can say, is refused; what just fits runs under the sanitizers as the judge does."""

from __future__ import annotations

from pathlib import Path

import aot_on_host
import judges
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand

from edgekit.engine import ops
from edgekit.engine.options import PORTABLE
from edgekit.engine.program import program
from edgekit.errors import UnsupportedOpError
from edgekit.tflite import graph

DEPTH = 8
_OUTPUT = {"SOFTMAX": (1 / 256, -128), "LOG_SOFTMAX": (1 / 16, 127)}


def _layer(kind: str, bias: int, zero_point: int = -128) -> graph.Graph:
    """One layer whose four outputs see eight inputs through weights of 127 and -127."""
    made = ModelByHand()
    image = kind != "FULLY_CONNECTED"
    shape = {"CONV_2D": (4, 1, 2, 4), "TRANSPOSE_CONV": (4, 1, 2, 4), "DEPTHWISE_CONV_2D": (1, 2, 4, 4)}
    signs = np.array([[1], [-1], [1], [-1]])
    weights = np.broadcast_to(127 * signs, (4, DEPTH)).reshape(shape.get(kind, (4, DEPTH)))
    if kind == "DEPTHWISE_CONV_2D":
        weights = np.moveaxis(np.broadcast_to(127 * signs, (4, DEPTH)).reshape(4, 1, 2, 4), 0, 3)
    source_shape, output_shape = ((1, 1, 2, 4), (1, 1, 1, 4)) if image else ((1, DEPTH), (1, 4))
    if kind == "DEPTHWISE_CONV_2D":
        source_shape = (1, 2, 4, 1)
    source = made.tensor(source_shape, 1.0, zero_point)
    kernel = made.tensor(weights.shape, 1.0, data=weights.astype(np.int8), axis=3 if kind.startswith("DEPTH") else 0)
    data = (bias * signs.reshape(-1)).astype(np.int32)
    inputs = [source, kernel, made.tensor((4,), dtype="int32", data=data)]
    output = made.tensor(output_shape, 2.0**25, 5)
    options = {
        "CONV_2D": schema.Conv2DOptionsT,
        "DEPTHWISE_CONV_2D": schema.DepthwiseConv2DOptionsT,
        "FULLY_CONNECTED": schema.FullyConnectedOptionsT,
        "TRANSPOSE_CONV": schema.TransposeConvOptionsT,
    }[kind]()
    if image:
        options.padding, options.strideH, options.strideW = schema.Padding.VALID, 1, 1
    if kind == "DEPTHWISE_CONV_2D":
        options.depthMultiplier = 4
    if kind == "TRANSPOSE_CONV":
        size = made.tensor((4,), dtype="int32", data=np.array([1, 1, 3, 4], np.int32))
        inputs = [size, kernel, source, inputs[2]]
        output = made.tensor((1, 1, 3, 4), 2.0**25, 5)
    return graph.parse(made.pack(kind, inputs, output, options, [source]))


LAYERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
MOST = 2**31 - 1 - 256 * 127 * DEPTH


def test_the_largest_bias_runs(tmp_path: Path) -> None:
    pytest.importorskip("tflite_micro", reason="TFLM's wheel is the judge")
    made = [program(_layer(kind, MOST, zero_point)) for kind in LAYERS for zero_point in (-128, 127)]
    samples = tuple(np.full(DEPTH, code, np.int8).tobytes() for code in (-128, 127))
    results = aot_on_host.run(made, [samples] * len(made), tmp_path)
    for result, model in zip(results, made, strict=True):
        assert result == judges.tflm(model.graph, samples), model.graph.ops[0].kind


@pytest.mark.parametrize("kind", LAYERS)
def test_a_larger_bias_is_refused(kind: str) -> None:
    with pytest.raises(UnsupportedOpError, match=r"sums up to 2147483648; expected: .* int32 holds"):
        program(_layer(kind, MOST + 1))


def _softmax(kind: str, depth: int) -> graph.Graph:
    made = ModelByHand()
    source, output = made.tensor((1, depth), 0.1), made.tensor((1, depth), *_OUTPUT[kind])
    options = schema.SoftmaxOptionsT() if kind == "SOFTMAX" else schema.LogSoftmaxOptionsT()
    if kind == "SOFTMAX":
        options.beta = 1.0
    return graph.parse(made.pack(kind, [source], output, options, [source]))


def test_a_long_softmax_runs(tmp_path: Path) -> None:
    """All inputs equal: the largest sum of exp. TFLite Micro shifts by more than a word here, so no judge is asked."""
    made = [program(_softmax(kind, 4095)) for kind in _OUTPUT]
    sample = np.full(4095, 9, np.int8).tobytes()
    plain, logarithm = aot_on_host.run(made, [(sample,)] * 2, tmp_path)
    assert set(plain[0]) == {0x80}
    assert set(np.frombuffer(logarithm[0], np.int8)) == {127 - round(16 * np.log(4095))}


@pytest.mark.parametrize("kind", _OUTPUT)
def test_a_longer_softmax_is_refused(kind: str) -> None:
    with pytest.raises(UnsupportedOpError, match="4096 elements"):
        program(_softmax(kind, 4096))


def _average(rows: int, columns: int) -> graph.Graph:
    made, options = ModelByHand(), schema.Pool2DOptionsT()
    source = made.tensor((1, rows, columns, 1), 0.1, dtype="int16")
    output = made.tensor((1, 1, 1, 1), 0.1, dtype="int16")
    options.filterHeight, options.filterWidth, options.strideH, options.strideW = rows, columns, 1, 1
    options.padding = schema.Padding.VALID
    return graph.parse(made.pack("AVERAGE_POOL_2D", [source], output, options, [source]))


def test_an_average_of_many_int16_runs(tmp_path: Path) -> None:
    samples = tuple(np.full(65535, code, np.int16).tobytes() for code in (-32768, 32767))
    (result,) = aot_on_host.run([program(_average(255, 257))], [samples], tmp_path)
    assert [int(np.frombuffer(output, np.int16)[0]) for output in result] == [-32768, 32767]


def test_an_average_of_more_is_refused() -> None:
    with pytest.raises(UnsupportedOpError, match="65536 pixels"):
        program(_average(256, 256))


@pytest.mark.parametrize("kind", ["ABS", "ELU", "HARD_SWISH", "QUANTIZE", "RELU", "RSQRT"])
@pytest.mark.parametrize(("scale", "output_scale"), [(3e38, 1e-38), (1e-38, 1e-38), (1e-38, 3e38)])
def test_scales_far_apart_are_no_traceback(kind: str, scale: float, output_scale: float) -> None:
    made = ModelByHand()
    source, output = made.tensor((3,), scale), made.tensor((3,), output_scale)
    parsed = graph.parse(made.pack(kind, [source], output, None, [source]))
    try:
        ops.lower(parsed, parsed.ops[0], PORTABLE)
    except UnsupportedOpError as error:
        assert "scale" in str(error)
    else:
        assert scale <= output_scale


def test_a_tensor_is_not_its_own_padding() -> None:
    made = ModelByHand()
    source, output = made.tensor((2, 2), None, dtype="int32"), made.tensor((2, 2), None, dtype="int32")
    with pytest.raises(UnsupportedOpError, match="is computed"):
        program(graph.parse(made.pack("PAD", [source, source], output, schema.PadOptionsT(), [source])))
