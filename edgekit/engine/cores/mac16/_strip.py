"""The strip of columns that a run of output pixels looks at. Twin: firmware/engine/strip.mac16.h."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import Constant, zero_point_of
from edgekit.engine.ops._convolution import window_fields
from edgekit.engine.ops._linear import Linear

_LONGEST_RUN = 16
_STRIP_BYTES = 2048
READ_AHEAD = 2
"""Values behind weights and strip that are read and not used."""
_WORD_ORDER = (0, 2, 1, 3)
"""Where the bytes of a word go when it is widened."""


def by_words(weights: NDArray[Any]) -> NDArray[Any]:
    """Return weights in the order of activations that are widened by words; the last axis is a multiple of 4."""
    fours = weights.reshape(*weights.shape[:-1], -1, 4)
    return fours[..., _WORD_ORDER].reshape(weights.shape)


def pairs(rows: NDArray[Any]) -> Constant:
    """Return int8 weights, shape (outputs, depth), as int16 that fill quads, two a word, which aligns them."""
    outputs, depth = rows.shape
    quads = -(-depth // 4)
    padded = np.pad(rows, ((0, 0), (0, 4 * quads - depth)))
    values = np.pad(padded.reshape(-1), (0, READ_AHEAD)).astype("<i2").view("<i4")
    return Constant("weights", values, f"({outputs}, {4 * quads}), two int16 a word, and one word that is read ahead")


def vector_bytes(depth: int) -> int:
    """Return what a widened vector takes, and what is read behind it."""
    return 2 * (-(-depth // 4) * 4 + READ_AHEAD)


@dataclass(frozen=True, slots=True)
class Strip:
    """How a convolution's input is widened.

    Attributes:
        kernel: rows and columns of the window.
        channels: of the input.
        column: int16 values of one column of the window.
        is_by_words: four channels are widened at once, and change places.
        run: output pixels at once.
        values: of the columns that a run looks at.
        scratch_bytes: what the strip takes.
    """

    kernel: tuple[int, int]
    channels: int
    column: int
    is_by_words: bool
    run: int
    values: int
    scratch_bytes: int

    @property
    def quads(self) -> int:
        """A fourth of the products of one output, products with zero weights behind a window among them."""
        return -(-self.kernel[1] * self.column // 4)

    def rows(self, weights: NDArray[Any]) -> NDArray[Any]:
        """Return the weights in the order of the strip, shape (output_channels, values of a window).

        Args:
            weights: int8, shape (output_channels, kernel_rows, kernel_columns, channels).
        """
        if self.is_by_words:
            weights = by_words(weights)
        columns = weights.transpose(0, 2, 1, 3).reshape(len(weights), self.kernel[1], -1)
        columns = np.pad(columns, ((0, 0), (0, 0), (0, self.column - columns.shape[2])))
        return columns.reshape(len(weights), -1)


def strip(
    layer: Linear, kernel: tuple[int, int], longest_run: int = _LONGEST_RUN, strip_bytes: int = _STRIP_BYTES
) -> Strip:
    """Choose how long runs are: as many pixels as the strip has room for.

    Args:
        layer: a convolution.
        kernel: rows and columns of its window.
        longest_run: in pixels.
        strip_bytes: runs of pixels are cut to it; one pixel's window may be larger.
    """
    channels, output_columns = layer.input.shape[3], layer.output.shape[2]
    stride, dilation = int(layer.op.options["strideW"]), int(layer.op.options["dilationWFactor"])
    used = kernel[0] * channels

    def columns(run: int) -> int:
        return (run - 1) * stride + kernel[1]

    even = used + used * stride % 2  # the windows of all pixels of a run lie on words
    longest = 1 if dilation > 1 else min(longest_run, output_columns)
    run = max((run for run in range(1, longest + 1) if 2 * even * columns(run) <= strip_bytes), default=1)
    run = -(-output_columns // -(-output_columns // run))  # as equal as they can be
    column = used if run == 1 else even
    values = columns(run) * column
    read = max(values, (columns(run) - kernel[1]) * column + 4 * -(-kernel[1] * column // 4))
    is_by_words = channels % 4 == 0 and layer.input.data is None
    return Strip(kernel, channels, column, is_by_words, run, values, 2 * (read + READ_AHEAD))


def window(layer: Linear, made: Strip) -> dict[str, Any]:
    """Return the fields of `ek_window_mac16`."""
    fields = window_fields(layer, made.kernel)
    kept = (
        *("input_rows", "input_columns", "kernel_rows", "kernel_columns", "stride_rows", "stride_columns"),
        *("dilation_rows", "dilation_columns", "pad_top", "pad_left"),
    )
    return {
        **{name: fields[name] for name in kept[:2]},
        "channels": made.channels,
        **{name: fields[name] for name in kept[2:]},
        "column": made.column,
        "quads": made.channels // 4 if made.is_by_words else 0,
        "padding": zero_point_of(layer.input) + 128,
    }
