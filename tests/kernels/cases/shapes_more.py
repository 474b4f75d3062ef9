"""Operators that pad, repeat and rearrange blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from cases._moves import Mover, Shape

_INTEGERS = ("int8", "int16", "int32")


def _padded(made: Mover, shape: Shape, most: int = 3) -> tuple[np.ndarray, Shape]:
    """Paddings (dimensions, 2), often of the middle dimensions only, and the shape with them."""
    paddings = made.rng.integers(0, most + 1, (len(shape), 2))
    if made.rng.integers(0, 2):
        paddings[[0, -1]] = 0
    return paddings, tuple(size + int(sides.sum()) for size, sides in zip(shape, paddings, strict=True))


def pad(rng: np.random.Generator) -> bytes:
    """Any paddings of one to four dimensions."""
    made = Mover(rng, _INTEGERS)
    shape = made.shape(1, 4)
    paddings, after = _padded(made, shape)
    source, output = made.tensor(shape), made.tensor(after)
    return made.model.pack("PAD", [source, made.numbers(paddings)], output, schema.PadOptionsT(), [source])


def padv2(rng: np.random.Generator) -> bytes:
    """Any paddings with any value."""
    made = Mover(rng, _INTEGERS)
    shape = made.shape(1, 4)
    paddings, after = _padded(made, shape)
    source, output, value = made.tensor(shape), made.tensor(after), made.constant(())
    inputs = [source, made.numbers(paddings), value]
    return made.model.pack("PADV2", inputs, output, schema.PadV2OptionsT(), [source])


def mirror_pad(rng: np.random.Generator) -> bytes:
    """Both modes, paddings up to what the input can mirror."""
    made = Mover(rng, ("int8",))
    shape = made.shape(1, 4)
    options = schema.MirrorPadOptionsT()
    options.mode = int(rng.integers(0, 2))
    reach = [size - (options.mode == schema.MirrorPadMode.REFLECT) for size in shape]
    paddings = np.array([rng.integers(0, min(3, most) + 1, 2) for most in reach])
    after = tuple(size + int(sides.sum()) for size, sides in zip(shape, paddings, strict=True))
    source, output = made.tensor(shape), made.tensor(after)
    return made.model.pack("MIRROR_PAD", [source, made.numbers(paddings)], output, options, [source])


def broadcast_to(rng: np.random.Generator) -> bytes:
    """Sizes of 1 repeated, and dimensions put in front."""
    made = Mover(rng, (*_INTEGERS, "bool"))
    after = made.shape()
    before = tuple(1 if rng.integers(0, 2) else size for size in after)[int(rng.integers(0, len(after))) :]
    source, output = made.tensor(before), made.tensor(after)
    inputs = [source, made.numbers(after)]
    return made.model.pack("BROADCAST_TO", inputs, output, schema.BroadcastToOptionsT(), [source])


def tile(rng: np.random.Generator) -> bytes:
    """Up to three repeats along each of one to five dimensions."""
    made = Mover(rng, ("int8", "int32", "bool"))
    shape = made.shape(1, 5, 4)
    repeats = [int(value) for value in rng.integers(1, 4, len(shape))]
    after = tuple(size * count for size, count in zip(shape, repeats, strict=True))
    source, output = made.tensor(shape), made.tensor(after)
    return made.model.pack("TILE", [source, made.numbers(repeats)], output, schema.TileOptionsT(), [source])


def fill(rng: np.random.Generator) -> bytes:
    """One computed value everywhere."""
    made = Mover(rng, ("int8", "int32"))
    shape = made.shape()
    source, output = made.tensor(()), made.tensor(shape)
    return made.model.pack("FILL", [made.numbers(shape), source], output, schema.FillOptionsT(), [source])


def zeros_like(rng: np.random.Generator) -> bytes:
    """Zeros joined to what they are like, so that the model keeps its input."""
    made = Mover(rng, ("int8", "int32"))
    shape = made.shape(2, 4)
    source, zeros = made.tensor(shape), made.tensor(shape)
    output = made.tensor((*shape[:-1], 2 * shape[-1]))
    return made.model.pack_chain(
        [("ZEROS_LIKE", [source], zeros, schema.ZerosLikeOptionsT()), _joined([source, zeros], output, len(shape) - 1)],
        [source],
    )


def _joined(inputs: Sequence[int], output: int, axis: int) -> tuple[str, list[int], int, schema.ConcatenationOptionsT]:
    options = schema.ConcatenationOptionsT()
    options.axis = axis
    return "CONCATENATION", list(inputs), output, options


def shape(rng: np.random.Generator) -> bytes:
    """The shape of the input, which is known before the model runs."""
    made = Mover(rng, _INTEGERS)
    drawn = made.shape()
    options = schema.ShapeOptionsT()
    options.outType = schema.TensorType.INT32
    source, output = made.tensor(drawn), made.model.tensor((len(drawn),), dtype="int32")
    return made.model.pack("SHAPE", [source], output, options, [source])


def broadcast_args(rng: np.random.Generator) -> bytes:
    """The common shape of two constant ones, joined to an input of the model's."""
    made = Mover(rng, ("int32",))
    common = [int(value) for value in rng.integers(1, 9, int(rng.integers(1, 6)))]
    ones = [1 if rng.integers(0, 2) else size for size in common]
    short = common[int(rng.integers(0, len(common))) :]
    shapes = (ones, common) if rng.integers(0, 2) else (common, short)
    pair = [made.numbers(values) for values in shapes]
    source, result = made.tensor((2,)), made.tensor((len(common),))
    output = made.tensor((len(common) + 2,))
    ops = [("BROADCAST_ARGS", pair, result, None), _joined([source, result], output, 0)]
    return made.model.pack_chain(ops, [source])


def space_to_depth(rng: np.random.Generator) -> bytes:
    """Blocks of 1 to 3 pixels become channels."""
    made = Mover(rng, ("int8",))
    batch, rows, columns, channels, block = (int(value) for value in rng.integers(1, 4, 5))
    options = schema.SpaceToDepthOptionsT()
    options.blockSize = block
    source = made.tensor((batch, rows * block, columns * block, channels))
    output = made.tensor((batch, rows, columns, channels * block * block))
    return made.model.pack("SPACE_TO_DEPTH", [source], output, options, [source])


def depth_to_space(rng: np.random.Generator) -> bytes:
    """Channels become blocks of 1 to 3 pixels."""
    made = Mover(rng, ("int8",))
    batch, rows, columns, channels, block = (int(value) for value in rng.integers(1, 4, 5))
    options = schema.DepthToSpaceOptionsT()
    options.blockSize = block
    source = made.tensor((batch, rows, columns, channels * block * block))
    output = made.tensor((batch, rows * block, columns * block, channels))
    return made.model.pack("DEPTH_TO_SPACE", [source], output, options, [source])


def _blocks(made: Mover) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, tuple[int, int]]:
    """Blocks, what each has of the space, what the batch is cut or padded to, and (batch, channels)."""
    spatial = int(made.rng.integers(1, 3))
    block, inner = made.rng.integers(1, 4, spatial), made.rng.integers(1, 5, spatial)
    sides = made.rng.integers(0, 3, (spatial, 2))
    outer = block * inner - sides.sum(axis=1)
    sides[outer < 1] = 0
    outer = block * inner - sides.sum(axis=1)
    return block, inner, sides, outer, (int(made.rng.integers(1, 3)), int(made.rng.integers(1, 6)))


def batch_to_space_nd(rng: np.random.Generator) -> bytes:
    """Blocks of the batch interleaved, and the result cropped, in one or two dimensions."""
    made = Mover(rng, ("int8",))
    block, inner, crops, outer, (batch, channels) = _blocks(made)
    source = made.tensor((batch * int(np.prod(block)), *map(int, inner), channels))
    output = made.tensor((batch, *map(int, outer), channels))
    inputs = [source, made.numbers(block), made.numbers(crops)]
    return made.model.pack("BATCH_TO_SPACE_ND", inputs, output, schema.BatchToSpaceNDOptionsT(), [source])


def _space_to_batch(rng: np.random.Generator, padded: bool) -> bytes:
    made = Mover(rng, ("int8",))
    block, inner, paddings, outer, (batch, channels) = _blocks(made)
    if not padded:
        paddings, outer = 0 * paddings, block * inner
    source = made.tensor((batch, *map(int, outer), channels))
    output = made.tensor((batch * int(np.prod(block)), *map(int, inner), channels))
    inputs = [source, made.numbers(block), made.numbers(paddings)]
    return made.model.pack("SPACE_TO_BATCH_ND", inputs, output, schema.SpaceToBatchNDOptionsT(), [source])


def space_to_batch_nd(rng: np.random.Generator) -> bytes:
    """The inverse without cropping: dealt out to the batch."""
    return _space_to_batch(rng, padded=False)


def space_to_batch_nd__padded(rng: np.random.Generator) -> bytes:
    """Padded with what stands for 0, then dealt out."""
    return _space_to_batch(rng, padded=True)
