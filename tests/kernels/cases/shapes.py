"""Operators that rename, reorder, join and cut what they get."""

from __future__ import annotations

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from cases._moves import Mover, with_size

_INTEGERS = ("int8", "int16", "int32")


def reshape(rng: np.random.Generator) -> bytes:
    """A reshape alone, of an activation or of a constant behind one."""
    made = Mover(rng, _INTEGERS)
    shape = made.shape(2, 4)
    flat = (1, int(np.prod(shape)))
    source, output = made.tensor(shape), made.tensor(flat)
    return made.model.pack("RESHAPE", [source, made.numbers(flat)], output, schema.ReshapeOptionsT(), [source])


def reshape__of_constant(rng: np.random.Generator) -> bytes:
    """A constant under another shape, joined to an activation."""
    made = Mover(rng, _INTEGERS)
    width, rows = (int(value) for value in rng.integers(1, 6, 2))
    constant, shaped = made.constant((width * rows,)), made.tensor((rows, width))
    source, output = made.tensor((rows, width)), made.tensor((rows, 2 * width))
    joined = schema.ConcatenationOptionsT()
    joined.axis = 1
    ops = [
        ("RESHAPE", [constant, made.numbers((rows, width))], shaped, schema.ReshapeOptionsT()),
        ("CONCATENATION", [source, shaped], output, joined),
    ]
    return made.model.pack_chain(ops, [source])


def squeeze(rng: np.random.Generator) -> bytes:
    """Sizes of 1 dropped."""
    made = Mover(rng, _INTEGERS)
    shape = (1, *made.shape(1, 3), 1)
    source, output = made.tensor(shape), made.tensor(tuple(size for size in shape if size > 1))
    return made.model.pack("SQUEEZE", [source], output, schema.SqueezeOptionsT(), [source])


def expand_dims(rng: np.random.Generator) -> bytes:
    """One size of 1 more."""
    made = Mover(rng, ("int8", "int16"))
    shape = made.shape(1, 4)
    axis = int(rng.integers(0, len(shape) + 1))
    source, output = made.tensor(shape), made.tensor((*shape[:axis], 1, *shape[axis:]))
    inputs = [source, made.numbers(axis)]
    return made.model.pack("EXPAND_DIMS", inputs, output, schema.ExpandDimsOptionsT(), [source])


def transpose(rng: np.random.Generator) -> bytes:
    """Any order of one to five dimensions."""
    made = Mover(rng, ("int8", "int16"))
    shape = made.shape()
    order = rng.permutation(len(shape))
    source, output = made.tensor(shape), made.tensor(tuple(shape[axis] for axis in order))
    return made.model.pack("TRANSPOSE", [source, made.numbers(order)], output, schema.TransposeOptionsT(), [source])


def concatenation(rng: np.random.Generator) -> bytes:
    """Up to six tensors along any axis, some of them constants or the same one twice."""
    made = Mover(rng, (*_INTEGERS, "bool"))
    shape = made.shape()
    options = schema.ConcatenationOptionsT()
    options.axis = made.axis(shape)
    sizes = [int(size) for size in rng.integers(1, 5, int(rng.integers(1, 6)))]
    shapes = [with_size(shape, options.axis, size) for size in sizes]
    tensors = [
        made.constant(part) if rng.integers(0, 4) == 0 and at else made.tensor(part) for at, part in enumerate(shapes)
    ]
    sources = [index for index in tensors if not made.model.tensors[index].buffer]
    if rng.integers(0, 2):
        tensors, sizes = [*tensors, tensors[0]], [*sizes, sizes[0]]
    output = made.tensor(with_size(shape, options.axis, sum(sizes)))
    return made.model.pack("CONCATENATION", tensors, output, options, sources)


def pack(rng: np.random.Generator) -> bytes:
    """Up to four tensors, one of them a constant at times, along a new axis."""
    made = Mover(rng, _INTEGERS)
    shape = made.shape(1, 4)
    count = int(rng.integers(1, 5))
    options = schema.PackOptionsT()
    options.axis, options.valuesCount = made.axis((*shape, 1)), count
    axis = options.axis % (len(shape) + 1)
    sources = [made.tensor(shape) for _ in range(count)]
    tensors = [*sources[:-1], made.constant(shape)] if count > 1 and rng.integers(0, 2) else sources
    output = made.tensor((*shape[:axis], count, *shape[axis:]))
    return made.model.pack("PACK", tensors, output, options, [index for index in sources if index in tensors])


def unpack(rng: np.random.Generator) -> bytes:
    """An axis taken apart."""
    made = Mover(rng, _INTEGERS)
    shape = made.shape(2, 5, 5)
    options = schema.UnpackOptionsT()
    options.axis = made.axis(shape)
    axis = options.axis % len(shape)
    options.num = shape[axis]
    source = made.tensor(shape)
    outputs = [made.tensor(shape[:axis] + shape[axis + 1 :]) for _ in range(shape[axis])]
    return made.model.pack("UNPACK", [source], outputs, options, [source])


def split(rng: np.random.Generator) -> bytes:
    """One to four equal parts."""
    made = Mover(rng, _INTEGERS)
    shape = made.shape()
    axis, parts = made.axis(shape), int(rng.integers(1, 5))
    options = schema.SplitOptionsT()
    options.numSplits = parts
    source = made.tensor(with_size(shape, axis, shape[axis] * parts))
    outputs = [made.tensor(shape) for _ in range(parts)]
    return made.model.pack("SPLIT", [made.numbers(axis), source], outputs, options, [source])


def split_v(rng: np.random.Generator) -> bytes:
    """Parts of sizes of their own."""
    made = Mover(rng, _INTEGERS)
    shape = made.shape()
    axis = made.axis(shape)
    sizes = [int(size) for size in rng.integers(1, 5, int(rng.integers(1, 5)))]
    options = schema.SplitVOptionsT()
    options.numSplits = len(sizes)
    source = made.tensor(with_size(shape, axis, sum(sizes)))
    outputs = [made.tensor(with_size(shape, axis, size)) for size in sizes]
    return made.model.pack("SPLIT_V", [source, made.numbers(sizes), made.numbers(axis)], outputs, options, [source])


def slice(rng: np.random.Generator) -> bytes:  # noqa: A001
    """A box, at times up to the end of an axis."""
    made = Mover(rng, (*_INTEGERS, "bool"))
    shape = made.shape()
    begin = [int(rng.integers(0, size)) for size in shape]
    taken = tuple(int(rng.integers(1, size - first + 1)) for size, first in zip(shape, begin, strict=True))
    to_end = [size - first == count for size, first, count in zip(shape, begin, taken, strict=True)]
    sizes = [-1 if end and rng.integers(0, 2) else count for end, count in zip(to_end, taken, strict=True)]
    if -1 in sizes and rng.integers(0, 2):
        sizes = list(taken)
    source, output = made.tensor(shape), made.tensor(taken)
    inputs = [source, made.numbers(begin), made.numbers(sizes)]
    return made.model.pack("SLICE", inputs, output, schema.SliceOptionsT(), [source])


def strided_slice(rng: np.random.Generator) -> bytes:
    """Begins and ends from both ends of an axis, strides both ways, masks, dropped axes."""
    made = Mover(rng, (*_INTEGERS, "bool"))
    shape = made.shape(1, 4)
    options = schema.StridedSliceOptionsT()
    begins, ends, steps, after = [], [], [], []
    for axis, size in enumerate(shape):
        first, last = sorted(int(value) for value in rng.choice(size + 1, 2, replace=False))
        step, kind = int(rng.integers(1, 4)), int(rng.integers(0, 6))
        begin, end = first, last
        if kind == 0:
            options.shrinkAxisMask |= 1 << axis
            step = 1
        elif kind == 1:
            begin, end, step = last - 1, first - 1 if first else -size - 1, -step
        if kind in (2, 4):
            options.beginMask |= 1 << axis
            first = 0
        if kind in (3, 4):
            options.endMask |= 1 << axis
            last = size
        begins.append(begin - size if kind == 5 and begin < size else begin)
        ends.append(end)
        steps.append(step)
        if kind:
            after.append(len(range(first, last, abs(step))))
    source, output = made.tensor(shape), made.tensor(tuple(after))
    inputs = [source, *(made.numbers(values) for values in (begins, ends, steps))]
    return made.model.pack("STRIDED_SLICE", inputs, output, options, [source])


def reverse_v2(rng: np.random.Generator) -> bytes:
    """A run of neighboring axes, which is what TFLite Micro takes."""
    made = Mover(rng, (*_INTEGERS, "bool"))
    shape = made.shape()
    first = int(rng.integers(0, len(shape)))
    axes = list(range(first, int(rng.integers(first, len(shape))) + 1))
    axes = [axis - len(shape) if rng.integers(0, 2) else axis for axis in axes]
    source, output = made.tensor(shape), made.tensor(shape)
    return made.model.pack("REVERSE_V2", [source, made.numbers(axes)], output, schema.ReverseV2OptionsT(), [source])
