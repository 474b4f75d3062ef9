"""CONV_2D of blocks on the LX6. Twins: firmware/engine/conv_2d_quads_s8.mac16.h, conv_2d_chosen_*_s8.mac16.h."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.cores.mac16 import _narrow
from edgekit.engine.cores.mac16._channels import channels
from edgekit.engine.cores.mac16._strip import pairs
from edgekit.engine.forms.blocks._chosen_mac16 import Chosen, chosen
from edgekit.engine.forms.blocks._encode import block_rows
from edgekit.engine.forms.blocks.shape import BlockShape
from edgekit.engine.lowered import Constant, Lowered
from edgekit.engine.ops import _linear
from edgekit.engine.ops._convolution import rows_read
from edgekit.engine.ops._linear import Linear
from edgekit.engine.options import EngineOptions
from edgekit.tflite.graph import Graph, Op

_DEEP = 4
_BLOCK = BlockShape(channels=1, depth=_DEEP)
_MOST_QUADS = 255  # a byte counts them
_PICKED_BYTES = 4096  # of the pixels of a block, unless so few of them
_SMALLEST_BLOCK = 4


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:
    """Lower one convolution of all input channels: "blocks" of one channel at four depths, or two of each four depths
    that four channels share, as "2:4"."""
    layer = _linear.linear(graph, op)
    if layer.input.shape[3] != layer.weights.shape[3] or layer.kernel_suffix != "s8" or layer.weights.data is None:
        return ()
    found = _blocks(layer)
    return (*(() if found is None else (found,)), *_chosen(layer, wide=options.wide_weights))


def _blocks(layer: Linear) -> Lowered | None:
    """The fours that are kept are widened for a block of pixels."""
    weights = layer.weights.data
    assert weights is not None
    made = _narrow.block(layer, (weights.shape[1], weights.shape[2]))
    constants = channels(layer, weights.reshape(len(weights), -1), compact=True, held=_narrow.HELD)
    if constants is None or made.strip.quads > _MOST_QUADS:
        return None
    codes, values = encoded(made.strip.rows(weights))
    kept = len(values) // _DEEP
    if len(codes) + len(values) >= weights.size:
        return None
    blocks = Constant("codes", codes, f"({len(codes)}), for each channel how many, gaps, 0")
    words = _narrow.words(values.reshape(-1, _DEEP))
    return Lowered(
        kernel="conv_2d_quads_s8.mac16",
        fields={"weights": "weights", "codes": "codes", "pixels": made.fields(layer)},
        constants=(words, blocks, constants),
        inputs=(layer.op.inputs[0],),
        output=layer.op.outputs[0],
        scratch_bytes=made.scratch_bytes,
        rows_read=(rows_read(layer, made.strip.kernel[0]),),
        form="blocks",
        products=_DEEP * kept * layer.output.shape[1] * layer.output.shape[2],
        entries=kept * made.count(layer),
    )


def _chosen(layer: Linear, *, wide: bool) -> Iterator[Lowered]:
    """The activations that channels share are picked for a block of pixels; half the block takes less memory.

    `wide`: weights are int16 in flash.
    """
    weights = layer.weights.data
    assert weights is not None
    rows = weights.reshape(len(weights), -1)
    constants = channels(layer, rows, compact=True) if wide else channels(layer, rows, compact=True, held=_narrow.HELD)
    if constants is None:
        return
    picked = 2 * -(-rows.shape[1] // 2)
    largest = max(_SMALLEST_BLOCK, min(_narrow.LARGEST_BLOCK, _PICKED_BYTES // picked))
    sizes = (largest, largest // 2)  # in still smaller ones what each block takes eats the gain up
    blocks = [_narrow.block(layer, (weights.shape[1], weights.shape[2]), max(size, _SMALLEST_BLOCK)) for size in sizes]
    for made in dict.fromkeys(blocks):
        found = chosen(made.strip.rows(weights))
        if found is not None and found.fours < made.strip.quads:
            yield _of_block(layer, made, found, constants, wide=wide)


def _of_block(layer: Linear, made: _narrow.Block, found: Chosen, constants: Constant, *, wide: bool) -> Lowered:
    pixels = layer.output.shape[1] * layer.output.shape[2]
    values = pairs(found.rows) if wide else _narrow.words(found.rows)
    told = f"{found.choices.shape}, of each four depths 4 * the first + the second"
    choices = Constant("choices", found.choices.reshape(-1), told)
    widened = 0 if wide else _narrow.widened_bytes(4 * found.fours)
    return Lowered(
        kernel=f"conv_2d_chosen_{'wide' if wide else 'narrow'}_s8.mac16",
        fields={
            "weights": "weights",
            "choices": "choices",
            "fours": found.fours,
            "sharing": found.sharing,
            "pixels": made.fields(layer),
        },
        constants=(values, choices, constants),
        inputs=(layer.op.inputs[0],),
        output=layer.op.outputs[0],
        scratch_bytes=widened + 8 * found.fours * made.rows * made.strip.run + made.strips_bytes,
        rows_read=(rows_read(layer, made.strip.kernel[0]),),
        form="2:4",
        products=4 * found.fours * layer.channels * pixels,
        # Picked for each pixel; to look at a choice takes as long as two of them.
        entries=found.choices.size * (pixels + 2 * made.count(layer)),
    )


def encoded(rows: NDArray[np.int8]) -> tuple[NDArray[np.uint8], NDArray[np.int8]]:
    """Return the codes and the weights that are kept, for weights of shape (channels, depth) in a strip's order."""
    codes: list[int] = []
    values = []
    for row in block_rows(rows, _BLOCK):
        steps, kept = row.steps(_DEEP, passed=_DEEP)
        if len(steps) == 0:  # a loop runs once at least
            steps, kept = np.zeros(1, np.int64), np.zeros((1, 1, _DEEP), np.int8)
        codes += [len(steps), *steps.tolist(), 0]
        values.append(kept.reshape(-1))
    return np.array(codes, np.uint8), np.concatenate(values)
