"""Which weights of a kernel become zero: the smallest ones, whole blocks of them, or some of each group."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import prod

from edgekit.errors import UsageError
from edgekit.targets import Target


@dataclass(frozen=True, slots=True)
class Pattern:
    """Where zeros may lie in a kernel, seen as a matrix: inputs of one output below each other, outputs side by side.

    Attributes:
        rows, columns: of a block that is zero as a whole; 1, 1 for single weights.
        kept, group: of `group` weights below each other, `kept` stay, the same for `columns` outputs side by side; 0, 0
            where any may go.

    Example:
        >>> parse_pattern("2:4").sparsity
        0.5
    """

    rows: int = 1
    columns: int = 1
    kept: int = 0
    group: int = 0

    @property
    def sparsity(self) -> float | None:
        """The sparsity that an N:M pattern has by itself; None for the others."""
        return 1 - self.kept / self.group if self.group else None

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Say whether a kernel of this shape divides into groups or blocks."""
        inputs, outputs = matrix_shape(shape)
        if self.group:
            return inputs % self.group == 0 and outputs % self.columns == 0
        return inputs % self.rows == 0 and outputs % self.columns == 0

    @property
    def told(self) -> str:
        """The pattern as a recipe writes it; "" for single weights."""
        if self.group:
            return f"{self.kept}:{self.group}" + (f"x{self.columns}" if self.columns > 1 else "")
        return "" if self.rows == self.columns == 1 else f"{self.rows}x{self.columns}"

    def zeros(self, shape: tuple[int, ...], sparsity: float) -> int:
        """Return how many weights are zero at a sparsity; never all of them, a dead layer computes nothing."""
        inputs, outputs = matrix_shape(shape)
        if self.group:
            return round(sparsity * self.group) * (inputs // self.group) * outputs
        block = self.rows * self.columns
        blocks = inputs * outputs // block
        return min(round(sparsity * blocks), blocks - 1) * block


def parse_pattern(text: str) -> Pattern:
    """Read a pattern: "" for single weights, "1x4" for blocks, "2:4" for two of four that stay, "2:4x4" for the same
    two of four outputs side by side.

    Raises:
        UsageError: of another form, or nothing would stay or go.

    Example:
        >>> parse_pattern("1x4")
        Pattern(rows=1, columns=4, kept=0, group=0)
    """
    if not text:
        return Pattern()
    block, group = re.fullmatch(r"(\d+)x(\d+)", text), re.fullmatch(r"(\d+):(\d+)(?:x(\d+))?", text)
    if block and int(block[1]) > 0 and int(block[2]) > 0:
        return Pattern(rows=int(block[1]), columns=int(block[2]))
    if group and 0 < int(group[1]) < int(group[2]) and int(group[3] or 1) > 0:
        return Pattern(columns=int(group[3] or 1), kept=int(group[1]), group=int(group[2]))
    raise UsageError(
        f"prune: pattern is {text!r}, expected blocks such as '1x4' or groups such as '2:4'",
        hint='"2:4" keeps two of each four weights, "2:4x4" the same two of four outputs, "1x4" zeroes four neighbors '
        'together, "" any weights',
    )


def pattern_for(target: Target) -> Pattern:
    """Return the blocks that a core's kernels skip.

    A block of the kernels is so many output channels times so much depth of the flatbuffer's (rows, columns, inputs).
    Keras keeps a Dense kernel as (inputs, units), a convolution's as (rows, columns, inputs, filters): as a matrix,
    both have that depth below each other and the output channels side by side.

    Example:
        >>> from edgekit import targets
        >>> pattern_for(targets.load("esp32c3"))
        Pattern(rows=1, columns=4, kept=0, group=0)
    """
    # A recipe is read without NumPy, which the forms bring.
    from edgekit.engine.forms.blocks.shape import block_shape

    shape = block_shape(target.features)
    return Pattern(rows=shape.depth, columns=shape.channels)


def matrix_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return (inputs, outputs) of a kernel seen as a matrix."""
    outputs = shape[-1] if len(shape) > 1 else 1
    return prod(shape) // outputs, outputs
