"""Weights that stay int8 and are widened for a block of pixels. Twins: firmware/engine/narrow.mac16.h,
conv_2d_blocks_of_pixels.mac16.h."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.cores.mac16._channels import output_fields
from edgekit.engine.cores.mac16._strip import READ_AHEAD, Strip, strip, window
from edgekit.engine.lowered import Constant
from edgekit.engine.ops._linear import Linear

HELD = 1 << 23
"""Sums have 8 bits behind the point."""
LARGEST_BLOCK = 32
"""In pixels."""
_STRIP_BYTES = 4096
"""Of one row."""
_STRIPS_BYTES = 3072
"""Of several rows."""
_BYTE_ORDER = (0, 2, 1, 3)
"""Of four weights, those in bytes 0 and 2 of a word are the first two."""


def fours(rows: NDArray[Any]) -> NDArray[Any]:
    """Return int8 weights, shape (outputs, depth), that fill quads, in the order in which they are widened."""
    quads = -(-rows.shape[1] // 4)
    padded = np.pad(rows, ((0, 0), (0, 4 * quads - rows.shape[1])))
    return padded.reshape(len(rows), quads, 4)[:, :, _BYTE_ORDER].reshape(len(rows), -1)


def words(rows: NDArray[Any]) -> Constant:
    """Return what `fours` gives in words, which align it."""
    ordered = fours(rows)
    values = np.pad(ordered.reshape(-1), (0, 4)).astype(np.int8).view("<i4")
    return Constant("weights", values, f"{ordered.shape}, four int8 a word, and one word that is read ahead")


def widened_bytes(depth: int) -> int:
    """Return what the widened weights of a channel take."""
    return 8 * (-(-depth // 4) + 1)


@dataclass(frozen=True, slots=True)
class Block:
    """Output pixels for which weights are widened once.

    Attributes:
        strip: of each row.
        rows: at once.
        strip_values: from one row's strip to the next.
        strips_bytes: what the strips take.
    """

    strip: Strip
    rows: int
    strip_values: int
    strips_bytes: int

    @property
    def scratch_bytes(self) -> int:
        """What the strips and the widened weights take."""
        return widened_bytes(4 * self.strip.quads) + self.strips_bytes

    def fields(self, layer: Linear) -> dict[str, Any]:
        """Return the fields of `ek_pixels_mac16`."""
        return {
            "window": window(layer, self.strip),
            "channels": "channels",
            "to": output_fields(layer),
            "quads": self.strip.quads,
            "output_columns": layer.output.shape[2],
            "rows": self.rows,
            "run": self.strip.run,
            "strip": self.strip_values,
        }

    def count(self, layer: Linear) -> int:
        """Return how many blocks the output has."""
        rows, columns = layer.output.shape[1:3]
        return -(-rows // self.rows) * -(-columns // self.strip.run)


def block(layer: Linear, kernel: tuple[int, int], largest: int = LARGEST_BLOCK) -> Block:
    """Choose the pixels of a block: a run of one row, or several whole rows.

    Args:
        layer: a convolution.
        kernel: rows and columns of its window.
        largest: in pixels.
    """
    made = strip(layer, kernel, largest, _STRIP_BYTES)
    values = made.values + made.values % 2
    rows = 1
    if made.run == layer.output.shape[2]:
        rows = max(1, min(largest // made.run, _STRIPS_BYTES // (2 * values), layer.output.shape[1]))
        rows = -(-layer.output.shape[1] // -(-layer.output.shape[1] // rows))  # as equal as they can be
    strips = (rows - 1) * 2 * values + max(made.scratch_bytes, 2 * (values + READ_AHEAD))
    return Block(made, rows, values, strips)
