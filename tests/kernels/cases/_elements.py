"""Random models of one operator that works element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from flatbuffers_by_hand import ModelByHand

from cases import Case
from cases._random import ACTIVATIONS, random_scale, random_zero_point

Make = Callable[[np.random.Generator], Case]
Range = tuple[int, int]
# Draws scale and zero point of the input, then those of the output.
Quants = Callable[[np.random.Generator], tuple[float, int, float, int]]
# From the inputs' scales to an output scale at which most outputs differ.
Spread = Callable[[float, float], float]


def tensor(
    model: ModelByHand,
    rng: np.random.Generator,
    shape: tuple[int, ...],
    dtype: str,
    data_range: Range | None = None,
    *,
    quant: tuple[float, int] | None = None,
) -> int:
    """Add a tensor of random or given scale and zero point; `data_range` (low, end) makes it a constant."""
    data = None
    if data_range is not None:
        numbers = "uint8" if dtype == "bool" else dtype
        data = rng.integers(*data_range, shape, dtype=numbers)
    if dtype in ("int32", "bool"):
        return model.tensor(shape, None, dtype=dtype, data=data)
    scale, zero_point = random_quant(rng, dtype) if quant is None else quant
    return model.tensor(shape, scale, zero_point, dtype=dtype, data=data)


def random_quant(rng: np.random.Generator, dtype: str) -> tuple[float, int]:
    """A scale and a zero point, which is 0 where it is not int8."""
    return random_scale(rng), random_zero_point(rng) if dtype == "int8" else 0


def shapes(rng: np.random.Generator, form: str, rank: Range = (1, 6)) -> list[tuple[int, ...]]:
    """Return the shapes of the left input, of the right one, and of the output."""
    ranks = int(rng.integers(*rank))
    output = tuple(int(rng.choice([1, 1, 2, 3, 5] if axis == 0 else [1, 2, 3, 4])) for axis in range(ranks))
    if form != "broadcast":
        return [output] * 3
    inputs = []
    for _ in range(2):
        kept = rng.integers(0, 3, ranks) > 0
        repeated = tuple(size if kept[axis] else 1 for axis, size in enumerate(output))
        inputs.append(repeated[int(rng.integers(0, ranks)) :] if rng.integers(0, 2) else repeated)
    longest = max(len(shape) for shape in inputs)
    padded = [(1,) * (longest - len(shape)) + shape for shape in inputs]
    return [*inputs, tuple(max(sizes) for sizes in zip(*padded, strict=True))]


def full_range(dtype: str) -> Range:
    """Lowest and first too high value of a type."""
    if dtype == "bool":
        return 0, 2
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max) + 1


def binary(
    kind: str,
    dtype: str,
    options: Callable[[], Any] | None = None,
    *,
    output: str | None = None,
    ranges: tuple[Range, Range] | None = None,
    rank: Range = (1, 6),
    one_scale: bool = False,
    spread: Spread | None = None,
    forms: tuple[str, ...] = ("plain", "broadcast", "constant", "scalar", "same"),
) -> Make:
    """Return a maker of models with one operator of two tensors.

    Args:
        kind: operator.
        dtype: type of the inputs.
        options: makes the operator's options; int8 and int16 get a random fused activation where they have one.
        output: type of the output where it is another.
        ranges: of the inputs' values, where not all are allowed.
        rank: lowest and first too high rank.
        one_scale: inputs and output have one scale and zero point.
        spread: about which the output's scale lies in three cases of four, without an activation.
        forms: what inputs to draw from.
    """
    low_high = ranges or (full_range(dtype), full_range(dtype))

    def make(rng: np.random.Generator) -> Case:
        model, form = ModelByHand(), str(rng.choice(forms))
        quant = random_quant(rng, dtype) if one_scale else None
        left_shape, right_shape, shape = shapes(rng, form, rank)
        constant = None if form in ("plain", "broadcast", "same") else int(rng.integers(0, 2))
        if form == "scalar":
            right_shape = ((), (1,), (1,) * len(shape))[int(rng.integers(0, 3))]
        if form == "constant" and rng.integers(0, 2):
            right_shape = right_shape[-1:]
        sized = (left_shape, right_shape) if constant != 0 else (right_shape, left_shape)
        inputs = [
            tensor(model, rng, size, dtype, low_high[place] if place == constant else None, quant=quant)
            for place, size in enumerate(sized)
        ]
        if form == "same":
            inputs[1] = inputs[0]
        is_spread = spread is not None and bool(rng.integers(0, 4))
        output_quant = quant
        if spread is not None and is_spread:
            left_scale, right_scale = (float(model.tensors[index].quantization.scale[0]) for index in inputs)
            scale = spread(left_scale, right_scale) * 2.0 ** rng.uniform(-1, 1)
            output_quant = float(np.float32(scale)), random_quant(rng, dtype)[1] // 4
        made = tensor(model, rng, shape, output or dtype, quant=output_quant)
        chosen = options() if options is not None else None
        # Most activations would leave one code of an output that is spread.
        if hasattr(chosen, "fusedActivationFunction") and dtype != "int32" and not is_spread:
            chosen.fusedActivationFunction = int(rng.choice(ACTIVATIONS))
        computed = list(dict.fromkeys(index for place, index in enumerate(inputs) if place != constant))
        flatbuffer = model.pack(kind, inputs, made, chosen, computed)
        return Case(flatbuffer, {position: low_high[inputs.index(index)] for position, index in enumerate(computed)})

    return _as_case(make)


def unary(
    kind: str,
    dtype: str,
    options: Callable[[np.random.Generator], Any] | None = None,
    *,
    output: str | None = None,
    quant: Quants | None = None,
    least: Callable[[int], int] | None = None,
) -> Make:
    """Return a maker of models with one operator of one tensor.

    Args:
        kind: operator.
        dtype: type of the input.
        options: makes the operator's options.
        output: type of the output where it is another.
        quant: draws scale and zero point of the input, then those of the output.
        least: the lowest allowed input code of an input's zero point.
    """

    def make(rng: np.random.Generator) -> Case:
        model = ModelByHand()
        shape = tuple(int(size) for size in rng.choice([1, 2, 3, 7, 16], int(rng.integers(1, 5))))
        if quant is None:
            source, made = tensor(model, rng, shape, dtype), tensor(model, rng, shape, output or dtype)
        else:
            scale, zero_point, output_scale, output_zero_point = quant(rng)
            source = model.tensor(shape, scale, zero_point, dtype=dtype)
            made = model.tensor(shape, output_scale, output_zero_point, dtype=output or dtype)
        flatbuffer = model.pack(kind, [source], made, None if options is None else options(rng), [source])
        low, end = full_range(dtype)
        if least is not None:
            low = least(int(model.tensors[source].quantization.zeroPoint[0]))
        return Case(flatbuffer, {0: (low, end)})

    return _as_case(make)


def _as_case(make: Make) -> Make:
    """Mark what is made here and named elsewhere as a case; see `cases.CASES`."""
    make.is_case = True  # type: ignore[attr-defined]
    return make
