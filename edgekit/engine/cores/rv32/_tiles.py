"""The scratch memory of tiles as large as `firmware/engine/tile_pixels.rv32.h` says."""

from __future__ import annotations

import dataclasses

from edgekit.engine.lowered import Lowered

_TILE_PIXELS = 4


def larger_tiles(portable: Lowered) -> Lowered | None:
    """Return a layer of `conv_2d_s8` with room for the patches of its tiles; None for any other kernel."""
    if portable.kernel != "conv_2d_s8":
        return None
    return dataclasses.replace(portable, scratch_bytes=_TILE_PIXELS * portable.fields["matrix"]["depth"])
