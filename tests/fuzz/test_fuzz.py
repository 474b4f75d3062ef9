"""The guard against damaged models, and against sound ones.

`make fuzz` runs the same with more of them and other seeds.
"""

from __future__ import annotations

import os
from pathlib import Path

import cases
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from campaign import campaign
from runner import INTERPRETERS, Runner
from seeds import packed, seeds

from edgekit.errors import ModelError
from edgekit.tflite import guard
from edgekit.tflite.interpreters import Interpreter
from edgekit.worker import Worker

_HERE = Path(__file__).parent
_SEED = 20261125
_MUTANTS, _AT_ONCE = 2000, 1000
_GRAPHS = 32
FINDINGS = sorted(_HERE.glob("findings/*.tflite"))


@pytest.mark.parametrize("first", range(0, _MUTANTS, _AT_ONCE))
def test_what_the_guard_lets_through_harms_no_interpreter(first: int) -> None:
    outcome = campaign(_AT_ONCE, _SEED, first=first)
    assert not outcome.findings, "\n".join(outcome.findings)
    assert outcome.refused > _AT_ONCE / 3, "the damage is too light to say anything"
    assert outcome.passed > _AT_ONCE / 20, "the damage is too heavy to say anything"


def test_sound_models_pass() -> None:
    for name, flatbuffer in seeds().items():
        if name.split("/")[-1] in ("int16", "int32", "float"):
            # Types that not every operator has.
            continue
        guard.check(flatbuffer)


def _survives(flatbuffer: bytes, runner: Runner) -> None:
    for interpreter in INTERPRETERS:
        try:
            guard.check(flatbuffer, runner=interpreter)
        except ModelError:
            continue
        fault = runner.fault(flatbuffer, interpreter)
        assert fault is None, fault


def test_findings_of_earlier_campaigns() -> None:
    assert FINDINGS
    with Runner() as runner:
        for path in FINDINGS:
            _survives(path.read_bytes(), runner)


def test_larger_findings_made_again() -> None:
    """A beta next to nothing ended TFLM, a depthwise convolution without a bias LiteRT's optimized kernel.

    One with an entry for a bias that is not there ended TFLM as well.
    """
    softmax = schema.ModelT.InitFromPackedBuf(cases.CASES["softmax"](np.random.default_rng(0)).flatbuffer)
    softmax.subgraphs[0].operators[0].builtinOptions.beta = 1e-20
    depthwise = schema.ModelT.InitFromPackedBuf(cases.CASES["depthwise_conv_2d"](np.random.default_rng(0)).flatbuffer)
    operator = depthwise.subgraphs[0].operators[0]
    operator.inputs = list(operator.inputs)[:2]
    with Runner() as runner:
        _survives(packed(softmax), runner)
        _survives(packed(depthwise), runner)
        operator.inputs = [*operator.inputs, -1]
        _survives(packed(depthwise), runner)


@pytest.mark.slow
def test_no_output_of_the_converter_is_refused(tmp_path: Path, tensorflow_worker: Worker) -> None:
    count = int(os.environ.get("EDGEKIT_FUZZ_GRAPHS", _GRAPHS))
    request = {"folder": str(tmp_path), "first": 0, "count": count}
    answer = tensorflow_worker.call("keras_graphs:convert", request)
    assert len(answer["made"]) >= 0.9 * count, answer["failed"]
    refused = []
    with Runner() as runner:
        for name, layers in answer["made"].items():
            flatbuffer = (tmp_path / name).read_bytes()
            try:
                guard.check(flatbuffer, runner=Interpreter.LITERT_REFERENCE)
            except ModelError as error:
                # The converter writes a model now and then that no interpreter takes: its types contradict.
                if runner.fault(flatbuffer, Interpreter.LITERT_REFERENCE) is None and runner.ran:
                    refused.append(f"{name} {layers}: {error}")
    assert not refused, "\n".join(refused)
