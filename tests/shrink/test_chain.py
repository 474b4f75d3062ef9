"""The chain never gives a wrong file: what an engine objects to is left out, and the certificate says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import judges
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from nets import Net, ints

from edgekit import host_engine
from edgekit.errors import ModelError, ToolchainError, UntrustworthyError
from edgekit.tflite import flatbuffer, graph
from edgekit.tflite.shrink import Answer, Certificate, Engine, Names, ShrinkOptions, chain, channels
from edgekit.tflite.shrink.inputs import random_inputs


def _tflm(model: bytes, inputs: tuple[bytes, ...]) -> Answer:
    return Answer(judges.tflm(graph.parse(model), inputs), "1")


def _litert(model: bytes, inputs: tuple[bytes, ...]) -> Answer:
    return Answer(judges.litert_reference(graph.parse(model), inputs), "2")


_ENGINES: dict[str, Engine] = {"TFLM": _tflm, "LiteRT": _litert}


@pytest.fixture
def model() -> bytes:
    random = np.random.default_rng(1)
    net = Net((1, 6, 6, 2))
    weights, bias = ints(random, 6, 3, 3, 2), ints(random, 6, limit=500)
    weights[1] = weights[4] = 0
    net.conv(weights, bias)
    net.conv(ints(random, 4, 1, 1, 6), ints(random, 4, limit=500))
    return flatbuffer.pack(net.tree())


def _shrink(model: bytes, engines: dict[str, Engine] = _ENGINES, **options: Any) -> tuple[bytes, Certificate]:
    inputs = random_inputs(graph.parse(model), 6)
    shrunk = chain.shrink(model, engines, inputs, "6 random", ShrinkOptions(**options))
    return shrunk.flatbuffer, shrunk.certificate


def test_certificate_says_what_happened(model: bytes) -> None:
    shrunk, certificate = _shrink(model)
    assert (certificate.bytes_before, certificate.bytes_after) == (len(model), len(shrunk))
    assert certificate.passes[-1].bytes_after == len(shrunk) < len(model)
    assert certificate.macs_after < certificate.macs_before == 36 * (6 * 18 + 4 * 6)
    assert [verdict.engine for verdict in certificate.verdicts] == ["TFLM 1", "LiteRT 2"]
    assert all(verdict.equal for verdict in certificate.verdicts)
    assert Certificate.from_json(json.loads(json.dumps(certificate.to_json()))) == certificate
    assert _shrink(model)[0] == shrunk, "the same model gives the same bytes"


def test_the_guilty_pass_is_left_out(model: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(tree: Any) -> int:
        removed = channels.apply(tree)
        bias = tree.buffers[tree.subgraphs[0].tensors[int(tree.subgraphs[0].operators[0].inputs[2])].buffer]
        bias.data = np.bitwise_xor(np.asarray(bias.data), np.uint8(255))
        return removed + 1

    whole, _ = _shrink(model)
    passes = chain._passes(ShrinkOptions())
    monkeypatch.setattr(chain, "_passes", lambda options: (passes[0], ("channels", wrong), *passes[2:]))
    shrunk, certificate = _shrink(model)
    left_out = [result for result in certificate.passes if result.left_out]
    assert [result.name for result in left_out] == ["channels"]
    assert "TFLM gives other outputs for" in left_out[0].left_out
    assert certificate.macs_after == certificate.macs_before
    assert len(whole) < len(shrunk) < len(model)


def test_an_engine_that_cannot_run_the_model_is_named(model: bytes) -> None:
    def absent(_model: bytes, _inputs: tuple[bytes, ...]) -> Answer:
        raise ToolchainError("cc is missing", hint="install gcc")

    _, certificate = _shrink(model, {"aot": absent, **_ENGINES})
    assert certificate.verdicts[-1].engine == "aot"
    assert certificate.verdicts[-1].equal is None
    assert certificate.verdicts[-1].reason == "cc is missing"
    with pytest.raises(ModelError, match="no engine runs the model"):
        _shrink(model, {"aot": absent})


def test_an_engine_that_never_agrees_ends_it(model: bytes) -> None:
    calls = []

    def fickle(_model: bytes, inputs: tuple[bytes, ...]) -> Answer:
        calls.append(1)
        return Answer(tuple(bytes([len(calls)]) for _ in inputs), "1")

    with pytest.raises(UntrustworthyError, match="without any change"):
        _shrink(model, {"fickle": fickle})


def test_random_inputs_reach_the_corners_and_stay_inside_of_tables(model: bytes) -> None:
    samples = [np.frombuffer(sample, np.int8) for sample in random_inputs(graph.parse(model), 5)]
    assert [set(sample.tolist()) for sample in samples[:3]] == [{-128}, {127}, {-128}]
    assert len(set(samples[3].tolist())) > 20
    net = Net((1, 40))
    net.model.tensors[net.start].type = schema.TensorType.INT32
    table = net.model.tensor((7, 3), data=np.zeros((7, 3), np.int8))
    net.op("GATHER", [table, net.start], (1, 40, 3), schema.GatherOptionsT())
    (sample,) = random_inputs(graph.parse(flatbuffer.pack(net.tree())), 1)
    assert set(np.frombuffer(sample, np.int32).tolist()) == set(range(7))


def test_old_names_are_known_for_messages(model: bytes) -> None:
    before = graph.parse(model)
    inputs = random_inputs(before, 4)
    shrunk = chain.shrink(model, _ENGINES, inputs, "4 random", ShrinkOptions(Names.NONE))
    after = graph.parse(shrunk.flatbuffer)
    assert {tensor.name for tensor in after.tensors} == {""}
    named = chain.named(after, shrunk.tensor_names)
    assert named.tensors[named.outputs[0]].name == before.tensors[before.outputs[0]].name
    assert named.tensors[named.ops[0].inputs[1]].name == before.tensors[before.ops[0].inputs[1]].name


@pytest.mark.parametrize(
    ("name", "most_bytes", "most_macs"),
    [
        ("anomaly_detection", 273_600, 264_192),
        ("image_classification", 84_600, 12_501_632),
        ("keyword_spotting", 31_000, 2_656_768),
        ("visual_wake_words", 62_000, 3_800_000),
    ],
)
def test_reference_models(shared_models: Path, name: str, most_bytes: int, most_macs: int) -> None:
    model = (shared_models / f"{name}_int8.tflite").read_bytes()
    shrunk, certificate = _shrink(model)
    assert len(shrunk) <= most_bytes
    assert certificate.macs_after <= most_macs
    assert not [result for result in certificate.passes if result.left_out]
    offsets = flatbuffer_offsets(shrunk)
    assert offsets and all(offset % 16 == 0 for offset in offsets)


def flatbuffer_offsets(data: bytes) -> list[int]:
    """Where each constant starts in the file."""
    model = schema.Model.GetRootAs(data, 0)
    buffers = [model.Buffers(index) for index in range(model.BuffersLength())]
    return [buffer._tab.Vector(buffer._tab.Offset(4)) for buffer in buffers if buffer.DataLength()]


def test_on_a_phone_no_layer_leaves_xnnpack(shared_models: Path) -> None:
    model = (shared_models / "image_classification_int8.tflite").read_bytes()
    inputs = random_inputs(graph.parse(model), 8)
    xnnpack = {"XNNPACK": chain.interpreter_engines(phone=True)["LiteRT with XNNPACK"]}
    shrunk = chain.shrink(model, xnnpack, inputs, "8 random", ShrinkOptions(phone=True))
    assert not [result for result in shrunk.certificate.passes if result.left_out]
    # As for a microcontroller, XNNPACK gives other bytes: the certificate would say so.
    bare = chain.shrink(model, xnnpack, inputs, "8 random", ShrinkOptions())
    assert [result.name for result in bare.certificate.passes if result.left_out] == ["quantization records"]


def test_the_own_engine_does_not_write_c_without_end() -> None:
    with pytest.raises(ModelError, match="too many to compile as C"):
        host_engine.run(bytes(17_000_000), ())
