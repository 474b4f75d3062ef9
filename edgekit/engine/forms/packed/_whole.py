"""Layers whose weights are unpacked all together, for the dense kernel: few weights, or rare layers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from edgekit.engine.lowered import Lowered
from edgekit.engine.packings import packed


def unpacked_whole(dense: Lowered, kernels: Mapping[str, str]) -> tuple[Lowered, ...]:
    """Return the layer in each packing that has a kernel and holds the weights in fewer bytes than int8 takes.

    Args:
        dense: the layer, whose first constant is weights.
        kernels: stems by packing.
    """
    weights, *others = dense.constants
    count = weights.values.size
    return tuple(
        dataclasses.replace(
            dense,
            kernel=kernels[made.name],
            fields={"dense": _without_weights(dense.fields), "packed": made.fields, "count": count},
            constants=(*made.constants, *others),
            scratch_bytes=count + (dense.scratch_bytes or 0),
            form=made.name,
            entries=count,
        )
        for made in packed(weights.values.astype(np.int8), count)
        if made.name in kernels
    )


def _without_weights(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _without_weights(value) if isinstance(value, Mapping) else None if value == "weights" else value
        for name, value in fields.items()
    }
