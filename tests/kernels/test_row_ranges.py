"""A chain streamed through ring buffers gives the same bits; for rows one at a time see test_kernels.py."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

import aot_on_host
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand

from edgekit.engine import c_inference
from edgekit.engine.emit_aot import emit_program
from edgekit.engine.options import EngineOptions
from edgekit.engine.plan import plan
from edgekit.engine.program import Program, program
from edgekit.engine.stream import require_streamable
from edgekit.engine.types import STREAMED, Schedule, Step
from edgekit.errors import ModelError
from edgekit.tflite import graph


def _with_schedule(made: Program, schedule: Schedule) -> Program:
    return dataclasses.replace(made, schedule=schedule, memory=plan(made.graph, made.lowered, schedule))


def _chain() -> Program:
    """A 3x3 convolution, a 3x3 depthwise convolution with stride 2, and a 2x2 maximum over a 16x9 image."""
    rng = np.random.default_rng(5)
    model = ModelByHand()
    source = model.tensor((1, 16, 9, 3), 0.05, -3)

    def weights(shape: tuple[int, ...], axis: int) -> list[int]:
        data = rng.integers(-127, 128, shape, dtype=np.int8)
        scale = rng.uniform(0.001, 0.004, shape[axis]).astype(np.float32)
        bias = rng.integers(-999, 999, shape[axis], dtype=np.int32)
        return [
            model.tensor(shape, scale, data=data, axis=axis),
            model.tensor((shape[axis],), scale, dtype="int32", data=bias),
        ]

    first, second, third = (model.tensor(shape, 0.06, 5) for shape in [(1, 16, 9, 8), (1, 8, 5, 8), (1, 7, 4, 8)])
    conv, depthwise, pool = schema.Conv2DOptionsT(), schema.DepthwiseConv2DOptionsT(), schema.Pool2DOptionsT()
    for options, stride in [(conv, 1), (depthwise, 2), (pool, 1)]:
        options.strideH = options.strideW = stride
    for options in (conv, depthwise):
        options.padding, options.dilationHFactor, options.dilationWFactor = schema.Padding.SAME, 1, 1
    depthwise.depthMultiplier = 1
    pool.padding, pool.filterHeight, pool.filterWidth = schema.Padding.VALID, 2, 2
    ops = [
        ("CONV_2D", [source, *weights((8, 3, 3, 3), 0)], first, conv),
        ("DEPTHWISE_CONV_2D", [first, *weights((1, 3, 3, 8), 3)], second, depthwise),
        ("MAX_POOL_2D", [second], third, pool),
    ]
    return program(graph.parse(model.pack_chain(ops, [source])))


def _streamed(made: Program) -> Schedule:
    """Compute each row when the row behind it asks for it; a ring holds what is still to be read."""
    # Rows of the input that output row y needs: first = y * stride - pad, `kernel` of them.
    windows = [(1, 1, 3), (2, 0, 3), (1, 0, 2)]
    assert [made.lowered[op].fields.get("window", {}).get("pad_top", 0) for op in range(2)] == [1, 0]
    steps: list[Step] = []
    done, rings = [0, 0, 0], [0, 0, 0]

    def ask(op: int, rows: int) -> None:
        while done[op] < rows:
            row = done[op]
            stride, pad, kernel = windows[op]
            if op > 0:
                before = made.graph.tensors[made.lowered[op - 1].output].shape[1]
                ask(op - 1, min(before, row * stride - pad + kernel))
                rings[op - 1] = max(rings[op - 1], done[op - 1] - max(0, row * stride - pad))
            steps.append(Step(op, row, row + 1))
            done[op] += 1

    ask(2, made.graph.tensors[made.graph.outputs[0]].shape[1])
    return Schedule(tuple(steps), {made.lowered[op].output: rings[op] for op in range(2)})


def test_streamed_chain_equals_whole_in_less_memory(tmp_path: Path) -> None:
    whole = _chain()
    streamed = _with_schedule(whole, _streamed(whole))
    assert set(streamed.schedule.ring_rows.values()) == {2, 3}
    rng = np.random.default_rng(6)
    samples = tuple(rng.integers(-128, 128, 16 * 9 * 3, dtype=np.int8).tobytes() for _ in range(5))
    first, second = aot_on_host.run([whole, streamed], [samples, samples], tmp_path)
    assert first == second
    assert streamed.memory.arena_bytes < whole.memory.arena_bytes


def _in_blocks(made: Program, blocks: tuple[int, ...], *, down: bool) -> Program:
    """Each layer block by block, upwards, or every second one downwards."""
    steps: list[Step] = []
    for layer, block in enumerate(blocks):
        rows = made.graph.tensors[made.lowered[layer].output].shape[1]
        begins = range(0, rows, block)
        spans = [(begin, min(begin + block, rows)) for begin in begins]
        if down and layer % 2 == 0:
            spans = [(rows - end, rows - begin) for begin, end in spans]
        steps += [Step(layer, *span) for span in spans]
    return _with_schedule(made, Schedule(tuple(steps), {}))


def _downwards_in_turns(made: Program) -> Program:
    """Two rows of the first layer, one of the second, from the last rows to the first."""
    steps = [
        Step(layer, place * rows, (place + 1) * rows) for place in range(7, -1, -1) for layer, rows in ((0, 2), (1, 1))
    ]
    return _with_schedule(made, Schedule((*steps, Step(2, 0, 7)), {}))


def test_blocks_of_rows_give_the_same_in_both_directions(tmp_path: Path) -> None:
    whole = _chain()
    variants = [_in_blocks(whole, blocks, down=down) for blocks in [(4, 3, 7), (5, 8, 2)] for down in (False, True)]
    texts = [c_inference.functions(made, "net")[-1] for made in variants]
    assert "begin < 16; begin += 4" in texts[0] and "end = 16; end > 0; end -= 4" in texts[1]
    assert "end > 5 ? end - 5 : 0" in texts[3] and "layer_1_depthwise_conv_2d(arena, 0, 8);" in texts[3]
    rng = np.random.default_rng(7)
    samples = tuple(rng.integers(-128, 128, 16 * 9 * 3, dtype=np.int8).tobytes() for _ in range(3))
    first, *others = aot_on_host.run([whole, *variants], [samples] * 5, tmp_path)
    assert all(other == first for other in others)


def test_layers_that_take_turns_may_walk_downwards(tmp_path: Path) -> None:
    whole = _chain()
    turns = _downwards_in_turns(whole)
    text = "\n".join(c_inference.functions(turns, "net"))
    assert "layer_0_conv_2d(arena, 16 - end, 16 - begin);" in text
    assert "rows[2] = {16, 8};" in text and "turns[16] = {\n    0, 1, 0, 1, 0, 1," in text
    assert "layers_0_to_1(arena);\n  layer_2_max_pool_2d(arena, 0, 7);" in text
    samples = (np.random.default_rng(8).integers(-128, 128, 16 * 9 * 3, dtype=np.int8).tobytes(),)
    first, second = aot_on_host.run([whole, turns], [samples, samples], tmp_path)
    assert first == second


def test_what_is_no_walk_is_written_step_by_step(tmp_path: Path) -> None:
    whole = _chain()
    uneven = (Step(0, 11, 16), Step(0, 0, 2), Step(0, 2, 11), Step(1, 5, 8), Step(1, 0, 5), Step(2, 0, 7))
    made = _with_schedule(whole, Schedule(uneven, {}))
    text = "\n".join(c_inference.functions(made, "net"))
    calls = ", 11, 16);\n  layer_0_conv_2d(arena, 0, 2);\n  layer_0_conv_2d(arena, 2, 11);\n"
    assert calls in text and "for (" not in text
    samples = (np.random.default_rng(9).integers(-128, 128, 16 * 9 * 3, dtype=np.int8).tobytes(),)
    first, second = aot_on_host.run([whole, made], [samples, samples], tmp_path)
    assert first == second


_STREAM_DRIVER = """
#include "whole.h"
#include "stream.h"
#include <stdio.h>
#include <string.h>

static uint8_t arena[WHOLE_ARENA_BYTES + STREAM_ARENA_BYTES] __attribute__((aligned(16)));

typedef struct {
  const int8_t *image;
  int32_t next; /* rows come once, in order */
} camera;

static void read_row(void *context, int32_t row, int8_t *to) {
  camera *from = (camera *)context;
  if (row == from->next) {
    memcpy(to, from->image + row * STREAM_INPUT_ROW_BYTES, STREAM_INPUT_ROW_BYTES);
    ++from->next;
  }
}

int main(void) {
  static int8_t image[STREAM_INPUT_BYTES];
  if (fread(image, sizeof image, 1, stdin) != 1) return 1;
  whole_init(arena);
  memcpy(whole_input(arena), image, sizeof image);
  whole_invoke(arena);
  fwrite(whole_output(arena), 1, WHOLE_OUTPUT_BYTES, stdout);
  camera from = {image, 0};
  memset(arena, 0x5A, sizeof arena);
  stream_init(arena);
  stream_invoke(arena, read_row, &from);
  fwrite(stream_output(arena), 1, STREAM_OUTPUT_BYTES, stdout);
  return from.next != STREAM_INPUT_ROWS;
}
"""


def test_a_streamed_input_gives_the_same(tmp_path: Path) -> None:
    whole = _chain()
    steps = [Step(STREAMED, 0, 1)]
    for row in range(1, 16):
        steps += [Step(STREAMED, row, row + 1), Step(0, row - 1, row)]
    steps += [Step(0, 15, 16), Step(1, 0, 8), Step(2, 0, 7)]
    streamed = dataclasses.replace(
        _with_schedule(whole, Schedule(tuple(steps), {whole.graph.inputs[0]: 3})),
        options=EngineOptions(stream_input=True),
    )
    for stem, made in [("whole", whole), ("stream", streamed)]:
        for path, text in emit_program(made, stem).files.items():
            (tmp_path / path).write_text(text)
    (tmp_path / "driver.c").write_text(_STREAM_DRIVER)
    build = ["cc", *aot_on_host.FLAGS, "-o", "driver", "driver.c", "whole.c", "stream.c"]
    subprocess.run(build, check=True, cwd=tmp_path)
    image = np.random.default_rng(3).integers(-128, 128, 16 * 9 * 3, dtype=np.int8)
    done = subprocess.run([str(tmp_path / "driver")], input=image.tobytes(), stdout=subprocess.PIPE, check=True)
    first, second = done.stdout[: len(done.stdout) // 2], done.stdout[len(done.stdout) // 2 :]
    assert first == second and len(set(first)) > 9


def test_what_cannot_be_streamed_is_refused() -> None:
    made = _chain()
    require_streamable(made.graph, made.lowered)
    first, *others = made.lowered
    with pytest.raises(ModelError, match="operator 0 CONV_2D needs it whole"):
        require_streamable(made.graph, [dataclasses.replace(first, rows_read=()), *others])
    with pytest.raises(ModelError, match="has 2 inputs"):
        require_streamable(dataclasses.replace(made.graph, inputs=(0, 0)), made.lowered)
    source = dataclasses.replace(made.graph.tensors[0], shape=(1, 27))
    tensors = (source, *made.graph.tensors[1:])
    with pytest.raises(ModelError, match="has one row"):
        require_streamable(dataclasses.replace(made.graph, tensors=tensors), made.lowered)
