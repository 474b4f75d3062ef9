"""Kernels for one feature of cores: `<feature>/<op>.py` lowers to `firmware/engine/<kernel>.<feature>.h`.

The names of folder and file are the registry: a target that has the feature takes them in place of the portable
kernels, wherever they can serve the shapes.
"""

from __future__ import annotations

import importlib
import importlib.util
import typing
from typing import Protocol

from edgekit.engine.lowered import Lowered
from edgekit.engine.options import EngineOptions
from edgekit.tflite.graph import Graph, Op


class CoreModule(Protocol):
    """What each module in a feature's folder offers."""

    def lower(self, graph: Graph, op: Op, *, wide_weights: bool) -> Lowered | tuple[Lowered, ...] | None:
        """Lower an operator that passed the checks of the portable one; None where the shapes do not suit.

        Args:
            graph: the model.
            op: the operator.
            wide_weights: whether weights may be stored wider than int8.
        """
        ...


def lower(graph: Graph, op: Op, options: EngineOptions) -> Lowered | tuple[Lowered, ...] | None:
    """Lower an operator for the best feature that has a kernel for it; None where only the portable one serves."""
    for feature in options.features:
        name = f"{__name__}.{feature}.{op.kind.lower()}"
        # A feature may have no folder of its own, and a folder need not know every operator.
        if importlib.util.find_spec(f"{__name__}.{feature}") is None or importlib.util.find_spec(name) is None:
            continue
        module = typing.cast(CoreModule, importlib.import_module(name))
        made = module.lower(graph, op, wide_weights=options.wide_weights)
        if made is not None:
            return made
    return None
