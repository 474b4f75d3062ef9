"""The table of what TFLM runs, against TFLM."""

from __future__ import annotations

from collections import defaultdict

import pytest
from runner import Runner
from seeds import seeds

from edgekit.errors import ModelError
from edgekit.tflite import graph, interpreters, tflm_operators
from edgekit.tflite.interpreters import Interpreter


def test_the_table_says_what_tflm_does() -> None:
    if not interpreters.available(Interpreter.TFLM):
        pytest.skip("TFLM is not installed here")
    # (operator, type) -> whether each of its seed models ran.
    ran: dict[tuple[str, str], list[bool]] = defaultdict(list)
    said: dict[tuple[str, str], str | None] = {}
    with Runner() as runner:
        for name, flatbuffer in seeds().items():
            if "/" not in name:
                continue
            try:
                model = graph.parse(flatbuffer)
            except ModelError:
                continue
            op = model.ops[0]
            key = (op.kind, tflm_operators.deciding_type(model, op))
            said[key] = tflm_operators.refusal(model, op)
            assert runner.fault(flatbuffer, Interpreter.TFLM) is None
            ran[key].append(runner.ran)
    wrongly_refused = [key for key, results in ran.items() if any(results) and said[key] is not None]
    # Some seeds fail for their values: an index outside, a logarithm of 0.
    wrongly_promised = [key for key, results in ran.items() if not any(results) and said[key] is None]
    assert not wrongly_refused
    assert not wrongly_promised
    assert len(ran) > 200
