"""What a state remembers: a sequence given step by step is the sequence given at once, and a reset forgets it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import aot_on_host
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from cases._lstm import lstm_model
from flatbuffers_by_hand import ModelByHand

from edgekit.engine.emit_aot import emit, emit_program
from edgekit.engine.program import Program, program
from edgekit.tflite import graph

_TIMES = 6
_DRIVER = """
#include "whole.h"
#include "step.h"
#include <stdio.h>
#include <string.h>

static uint8_t arena[WHOLE_ARENA_BYTES + STEP_ARENA_BYTES] __attribute__((aligned(16)));

int main(void) {
  static int8_t sequence[WHOLE_INPUT_BYTES];
  if (fread(sequence, sizeof sequence, 1, stdin) != 1) return 1;
  whole_init(arena);
  memcpy(whole_input(arena), sequence, sizeof sequence);
  whole_invoke(arena);
  fwrite(whole_output(arena), 1, WHOLE_OUTPUT_BYTES, stdout);
  for (int again = 0; again < 2; ++again) {
    step_init(arena);
    for (int time = 0; time < WHOLE_INPUT_BYTES / STEP_INPUT_BYTES; ++time) {
      memcpy(step_input(arena), sequence + time * STEP_INPUT_BYTES, STEP_INPUT_BYTES);
      step_invoke(arena);
      fwrite(step_output(arena), 1, STEP_OUTPUT_BYTES, stdout);
    }
  }
  return 0;
}
"""


def _lstm(times: int) -> graph.Graph:
    """The same weights whatever the number of times."""
    model = lstm_model(np.random.default_rng(11), batches=1, time_major=False, times=times)
    return graph.parse(model)


def test_steps_are_the_sequence_and_a_reset_starts_anew(tmp_path: Path) -> None:
    for stem, times in [("whole", _TIMES), ("step", 1)]:
        for path, text in emit(_lstm(times), stem).files.items():
            (tmp_path / path).write_text(text)
    (tmp_path / "driver.c").write_text(_DRIVER)
    subprocess.run(
        ["cc", *aot_on_host.FLAGS, "-o", "driver", "driver.c", "whole.c", "step.c"], check=True, cwd=tmp_path
    )
    whole = _lstm(_TIMES)
    sequence = np.random.default_rng(4).integers(-128, 128, whole.tensors[whole.inputs[0]].elements, dtype=np.int8)
    done = subprocess.run([str(tmp_path / "driver")], input=sequence.tobytes(), stdout=subprocess.PIPE, check=True)
    outputs = np.frombuffer(done.stdout, np.int8).reshape(3, _TIMES, -1)
    assert len(np.unique(outputs[0], axis=0)) == _TIMES, outputs[0]
    np.testing.assert_array_equal(outputs[1], outputs[0])
    np.testing.assert_array_equal(outputs[2], outputs[0])


def _memory(*, reads_before: bool) -> Program:
    """An SVDF whose state is doubled by an ADD too, in front of it or behind it, and large tensors around them."""
    made, options = ModelByHand(), schema.SVDFOptionsT()
    options.rank = 1
    source, output = made.tensor((1, 4)), made.tensor((1, 2))
    features = made.tensor((2, 4), data=np.array([[1, 0, 0, 0], [0, 1, 0, 0]], np.int8))
    times = made.tensor((2, 3), dtype="int16", data=np.ones((2, 3), np.int16))
    bias = made.tensor((2,), dtype="int32", data=np.zeros(2, np.int32))
    state = made.tensor((1, 6), dtype="int16", is_variable=True)
    doubled, shown = made.tensor((1, 6), dtype="int16"), made.tensor((1, 6), dtype="int16")
    svdf = ("SVDF", [source, features, times, bias, state], output, options)
    add = ("ADD", [state, state], doubled, schema.AddOptionsT())
    ops = [add, svdf] if reads_before else [svdf, add]
    return program(graph.parse(made.pack_chain([*ops, ("ABS", [doubled], shown, None)], [source], [output, shown])))


_MEMORY_DRIVER = """
#include "memory.h"
#include <stdio.h>
#include <string.h>

static uint8_t arena[MEMORY_ARENA_BYTES] __attribute__((aligned(16)));

int main(void) {
  memset(arena, 0x55, sizeof arena);
  memory_init(arena);
  for (int time = 1; time < 5; ++time) {
    memset(memory_input(arena), time, MEMORY_INPUT_BYTES);
    memory_invoke(arena);
    fwrite(memory_output_1(arena), 1, MEMORY_OUTPUT_1_BYTES, stdout);
  }
  return 0;
}
"""


@pytest.mark.parametrize("reads_before", [False, True])
def test_a_state_that_others_read_is_kept(reads_before: bool, tmp_path: Path) -> None:
    for path, text in emit_program(_memory(reads_before=reads_before), "memory").files.items():
        (tmp_path / path).write_text(text)
    (tmp_path / "driver.c").write_text(_MEMORY_DRIVER)
    subprocess.run(["cc", *aot_on_host.FLAGS, "-o", "driver", "driver.c", "memory.c"], check=True, cwd=tmp_path)
    done = subprocess.run([str(tmp_path / "driver")], stdout=subprocess.PIPE, check=True)
    seen = [0, 0, 0, 0, 1, 2, 3, 4] if reads_before else [0, 0, 0, 1, 2, 3, 4]
    expected = [[2 * value for value in seen[time : time + 3] * 2] for time in range(1, 5)]
    np.testing.assert_array_equal(np.frombuffer(done.stdout, np.int16).reshape(4, 6), expected)


def test_a_state_that_is_only_read_starts_at_its_zero_point() -> None:
    made = ModelByHand()
    source, state, output = made.tensor((1, 4)), made.tensor((1, 4), 1.0, 7, is_variable=True), made.tensor((1, 4))
    flatbuffer = made.pack("ADD", [source, state], output, schema.AddOptionsT(), [source])
    parsed = program(graph.parse(flatbuffer))
    (text,) = [text for path, text in emit_program(parsed, "net").files.items() if path.name == "net.c"]
    assert f"memset(arena + {parsed.memory.offsets[state]}, 7, 4);" in text
