"""What `firmware/engine/conv_2d_runs.dsp.h` reads: the weights of four channels after those of four others, however
they are stored, and the words that scale them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.engine import packings
from edgekit.engine.cores.dsp._scaling import Scaling, is_relu
from edgekit.engine.cores.dsp._tile import CHANNELS, has_whole_rows, padded, pair_fields, starts, whole_rows
from edgekit.engine.lowered import Constant, Lowered
from edgekit.engine.ops._convolution import rows_read
from edgekit.engine.ops._linear import Linear
from edgekit.engine.options import Optimize
from edgekit.engine.packings import Packed
from edgekit.tflite.graph import Graph, Op

INT8 = "int8"
PACKINGS = ("int4", "clustered", "bitmap", "prefix")
"""Those with kernels, whose names begin with them."""
_MOST_PIXELS = 64
_LEAST_PIXELS = 4
_LEAST_SCRATCH = 2048
_SHARE_OF_TENSORS = {Optimize.SPEED: 3, Optimize.BALANCED: 8, Optimize.FLASH: 8}
TABLE_BYTES = 1024
_MOST_SHIFT = 22
"""As in `edgekit.engine.cores.dsp._scaling`, of what raised sums are shifted by."""
# How 16 weights of a group, (4 channels, 4 depths), follow one another where no unpacker makes bytes of them.
_ORDERS = {
    # Bits 4 * i and 4 * (i + 4) of a word are halves of word i.
    "int4": [(channel, depth) for depth in (0, 2, 1, 3) for channel in range(4)],
    # A byte is the halves of one word.
    "clustered": [(channel, first + step) for first in (0, 1) for channel in range(4) for step in (0, 2)],
}


def window_depth(layer: Linear) -> int:
    """Return the depth of a window, with the zeros that fill its rows."""
    channels, kernel_rows, kernel_columns, seen = layer.weights.shape
    return kernel_rows * padded(kernel_columns * seen) if has_whole_rows(layer) else layer.weights.elements // channels


def stream(rows: NDArray[np.int8], packing: str) -> NDArray[np.int8]:
    """Return the weights in the order in which the widening of a packing takes them.

    Args:
        rows: int8 weights, shape (channels, depth), at least four channels.
        packing: name of it.

    Returns:
        shape (blocks, groups * 16). The last block takes the last four channels, though some may be in the block
        before it too.
    """
    channels, depth = rows.shape
    begins = starts(channels)
    wide = np.pad(rows, ((0, 0), (0, padded(depth) - depth)))
    blocks = np.stack([wide[start : start + CHANNELS] for start in begins])
    # (blocks, groups, 4 channels, 4 depths)
    groups = blocks.reshape(len(begins), CHANNELS, -1, 4).transpose(0, 2, 1, 3)
    order = _ORDERS.get(packing)
    if order is not None:
        groups = groups[:, :, [channel for channel, _ in order], [depth for _, depth in order]]
    return np.ascontiguousarray(groups.reshape(len(begins), -1))


def fits(rows: NDArray[np.int8], scale: Scaling, packing: str) -> bool:
    """Return whether sums and roundings stay within int32 when weights are raised as the packing wants it."""
    raised = raise_of(packing)
    reach = 128 * np.abs(rows.astype(np.int64)).sum(axis=1) + np.abs(scale.bias)
    return bool(reach.max() < 1 << 31 - raised and scale.shift.max() + raised - 1 <= _MOST_SHIFT)


def packed(layer: Linear, rows: NDArray[np.int8], scale: Scaling) -> list[Packed]:
    """Return the weights in each packing that a kernel reads and that holds them in fewer bytes than int8 takes."""
    found = []
    for name in PACKINGS:
        if not fits(rows, scale, name):
            continue
        weights = stream(_rows(layer, rows), name)
        made = packings.packed_as(name, weights.reshape(-1), weights.shape[1])
        if made is not None:
            found.append(made)
    return found


def plain(layer: Linear, rows: NDArray[np.int8]) -> Packed:
    """Return the weights as they are."""
    weights = stream(_rows(layer, rows), INT8)
    codes = Constant("codes", weights.reshape(-1).view(np.uint8), f"{weights.shape}: int8")
    return Packed(INT8, codes, None)


def _rows(layer: Linear, rows: NDArray[np.int8]) -> NDArray[np.int8]:
    return whole_rows(rows, layer.weights.shape[1]) if has_whole_rows(layer) else rows


def convolution(
    graph: Graph, layer: Linear, scale: Scaling, weights: Packed, optimize: Optimize = Optimize.BALANCED
) -> Lowered:
    """Lower a convolution whose weights are stored in some packing."""
    channels, kernel_rows = layer.weights.shape[:2]
    depth = window_depth(layer)
    table_bytes = TABLE_BYTES if weights.name == "clustered" else 0
    pixels = layer.output.elements // channels
    run = run_of(depth, pixels, _allowed_bytes(graph, layer, optimize))
    per_block = padded(depth) * CHANNELS
    return Lowered(
        kernel=f"conv_2d_runs_{weights.name}_{'relu' if is_relu(layer) else 'signed'}_s8.dsp",
        fields={
            "pairs": pair_fields(layer, depth, "scales"),
            **fields_of(weights),
            "raise": raise_of(weights.name),
            "rounding": scale.rounding_of_one,
            "run": run,
        },
        constants=(*weights.constants, block_scales(scale, raise_of(weights.name))),
        inputs=(layer.op.inputs[0],),
        output=layer.op.outputs[0],
        scratch_bytes=scratch_bytes(depth, run) + table_bytes,
        rows_read=(rows_read(layer, kernel_rows),),
        form="dense" if weights.name == INT8 else weights.name,
        entries=len(starts(channels)) * per_block * -(-pixels // run),
    )


def raise_of(packing: str) -> int:
    """Return by how many bits `firmware/engine/widen.dsp.h` raises the weights of a packing.

    Example:
        >>> raise_of("int4"), raise_of("bitmap")
        (12, 8)
    """
    return 12 if packing == "int4" else 8


def scratch_bytes(depth: int, run: int) -> int:
    """Return the bytes of a run of pixels and of one block of channels."""
    return run // 2 * (4 * padded(depth) + 8) + 2 * CHANNELS * padded(depth) + 64


def run_of(depth: int, pixels: int, allowed: int) -> int:
    """Return how many pixels share the widening of weights: the more, the less it costs, the more memory they take.

    Args:
        depth: of a window.
        pixels: of the whole output.
        allowed: bytes of scratch memory.

    Example:
        >>> run_of(8, 48 * 48, 6000), run_of(64, 25 * 5, 2048), run_of(576, 64, 2048)
        (64, 10, 4)
    """
    most = next((run for run in range(_MOST_PIXELS, _LEAST_PIXELS, -2) if scratch_bytes(depth, run) <= allowed), 4)
    runs = -(-pixels // most)
    return -(-pixels // runs // 2) * 2


def _allowed_bytes(graph: Graph, layer: Linear, optimize: Optimize) -> int:
    """Scratch memory that a run may take: what other layers need more than this one, else little beside its tensors;
    as little as can be where RAM matters most."""
    if optimize is Optimize.RAM:
        return 0
    own = _tensor_bytes(graph, layer.op)
    spare = max(_tensor_bytes(graph, op) for op in graph.ops) // 2 - own
    return max(_LEAST_SCRATCH, own // _SHARE_OF_TENSORS[optimize], spare)


def _tensor_bytes(graph: Graph, op: Op) -> int:
    tensors = [graph.tensors[index] for index in (*op.inputs, *op.outputs) if index >= 0]
    return sum(tensor.size_bytes for tensor in tensors if tensor.data is None)


def block_scales(scale: Scaling, raised: int) -> Constant:
    """Return for each block of channels 4 biases, 4 shifts and raised - 1 in the bytes of one word, and 4
    multipliers."""
    words = []
    for start in starts(len(scale.bias)):
        block = slice(start, start + CHANNELS)
        shifts = scale.shift[block] + raised - 1 << np.array([0, 8, 16, 24])
        words += [scale.bias[block], shifts.sum(keepdims=True), scale.multiplier[block]]
    count = len(words) // 3
    return Constant("scales", np.concatenate(words).astype(np.int32), f"({count}, 9): biases, shifts, multipliers")


def fields_of(weights: Packed) -> dict[str, Any]:
    """Return the settings that say where packed weights stand."""
    return {"packed": weights.fields, "values": 0 if weights.values is None else len(weights.values.values)}
