"""What a state remembers: a sequence given step by step is the sequence given at once, and a reset forgets it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import aot_on_host
import numpy as np
from cases._lstm import lstm_model

from edgekit.engine.emit_aot import emit
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
  whole_reset(arena);
  memcpy(whole_input(arena), sequence, sizeof sequence);
  whole_invoke(arena);
  fwrite(whole_output(arena), 1, WHOLE_OUTPUT_BYTES, stdout);
  for (int again = 0; again < 2; ++again) {
    step_reset(arena);
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
