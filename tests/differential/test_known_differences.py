"""The list of known differences is honest both ways: what is listed differs so far, what is not listed is equal."""

from __future__ import annotations

import importlib.util

import judges
import numpy as np
import pytest
from cases import CASES
from flatbuffers_by_hand import ModelByHand
from test_kernels import random_inputs

from edgekit.tflite import graph
from edgekit.tflite.known_differences import DIFFERENCES, LITERT_LACKS

# A listed operator is looked at longer: its difference may be rare.
SEEDS, SEEDS_OF_LISTED = range(8), range(40)
_TYPES = {"int8": np.int8, "int16": np.int16, "int32": np.int32, "bool": np.uint8}
_LISTED = {(difference.operator, difference.dtype): difference for difference in DIFFERENCES}

Steps = dict[tuple[str, str], int]

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("tflite_micro") is None, reason="TFLM's interpreter has no wheel for this platform"
)


@pytest.fixture(scope="module")
def largest_steps() -> Steps:
    """(operator, type of its output) -> the largest difference of the two judges over all cases that both run."""
    found: Steps = {("LOGISTIC", "int8"): _step_of_a_logistic_on_ties()}
    for name, make in CASES.items():
        operator = name.split("__")[0].upper()
        for seed in SEEDS_OF_LISTED if any(operator == listed for listed, _ in _LISTED) else SEEDS:
            rng = np.random.default_rng([seed, 9])
            case = make(rng)
            model = graph.parse(case.flatbuffer)
            sample = random_inputs(model, case, rng)
            try:
                first, second = judges.tflm(model, (sample,))[0], judges.litert_reference(model, (sample,))[0]
            # One of the two has no such kernel: nothing to compare.
            except (RuntimeError, ValueError):
                continue
            dtype = model.tensors[model.outputs[0]].dtype
            found[operator, dtype] = max(found.get((operator, dtype), 0), _largest_step(first, second, dtype))
    return found


def _largest_step(first: bytes, second: bytes, dtype: str) -> int:
    size = len(first) // np.dtype(_TYPES[dtype]).itemsize
    one, other = (np.frombuffer(data, _TYPES[dtype], size).astype(np.int64) for data in (first, second))
    return int(np.abs(one - other).max())


def _step_of_a_logistic_on_ties() -> int:
    """All 256 inputs at the scale that TANH leaves behind: 1/128."""
    model = ModelByHand()
    source, output = model.tensor((1, 256), 1 / 128, 0), model.tensor((1, 256), 1 / 256, -128)
    made = graph.parse(model.pack("LOGISTIC", [source], output, None, [source]))
    sample = np.arange(-128, 128).astype(np.int8).tobytes()
    return _largest_step(judges.tflm(made, (sample,))[0], judges.litert_reference(made, (sample,))[0], "int8")


def test_what_is_not_listed_is_equal(largest_steps: Steps) -> None:
    assert {key: step for key, step in largest_steps.items() if step and key not in _LISTED} == {}
    assert len(largest_steps) > 40


# aot has no RELU6 of its own, so no case: tests/unit/test_fidelity.py shows TFLM's fault.
@pytest.mark.parametrize("key", sorted(set(_LISTED) - {("RELU6", "int8")}), ids=" ".join)
def test_what_is_listed_differs_no_more(largest_steps: Steps, key: tuple[str, str]) -> None:
    limit = _LISTED[key].largest_step
    step = largest_steps[key]
    assert step > 10 if limit is None else 0 < step <= limit


def test_what_litert_lacks_it_lacks() -> None:
    for operator in LITERT_LACKS:
        model = graph.parse(CASES[operator.lower()](np.random.default_rng(0)).flatbuffer)
        sample = bytes(sum(model.tensors[index].size_bytes for index in model.inputs))
        with pytest.raises((RuntimeError, ValueError)):
            judges.litert_reference(model, (sample,))
