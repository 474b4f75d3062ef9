"""Forms in which weights are stored small, and stay so: kernels read them as they are, or a few channels at a time.

A folder is a family of forms; `<op>.py` in it lowers to portable kernels, `<op>_<feature>.py` to those of one feature
of cores. The names are the registry. `choice` takes one for each layer.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import pkgutil
import typing
from typing import Protocol

from edgekit.engine.lowered import Lowered
from edgekit.engine.options import EngineOptions
from edgekit.tflite.graph import Graph, Op

DENSE = "dense"


class FormModule(Protocol):
    """What each module of a family offers."""

    def candidates(self, graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:
        """Return one lowering for each form of the family that can hold this operator's weights and has a kernel for
        its shapes; each names its form. The operator has passed the checks of the portable one."""
        ...


def families() -> list[str]:
    """Return the families of forms."""
    return list(_families())


@functools.cache
def _families() -> tuple[str, ...]:
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg))


def candidates(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:
    """Return what an operator's weights could be stored as, by the best kernels that the core has for each family."""
    found: list[Lowered] = []
    for family in _families():
        for suffix in (*(f"_{feature}" for feature in options.features), ""):
            name = f"{__name__}.{family}.{op.kind.lower()}{suffix}"
            if importlib.util.find_spec(name) is None:
                continue
            made = typing.cast(FormModule, importlib.import_module(name)).candidates(graph, op, options)
            if made:
                found += made
                break
    return tuple(found)
