"""The operators: `<op>.py` lowers what `firmware/engine/<op>_s8.h` computes. The file name is the registry."""

from __future__ import annotations

import dataclasses
import functools
import importlib
import pkgutil
import typing
from collections.abc import Callable
from typing import Protocol

from edgekit.engine import cores
from edgekit.engine.lowered import Check, Lowered, require
from edgekit.engine.multiplier import FactorError
from edgekit.engine.options import EngineOptions
from edgekit.errors import UnsupportedOpError
from edgekit.tflite.graph import Graph, Op


class OpModule(Protocol):
    """What each module in this folder offers."""

    CHECKS: tuple[Check, ...]

    def lower(self, graph: Graph, op: Op) -> Lowered | tuple[Lowered, ...]:
        """Lower an operator that passed CHECKS; parts of one operator run one after another."""
        ...


def names() -> list[str]:
    """Return the operators that aot runs, as TFLite names them.

    Example:
        >>> "CONV_2D" in names()
        True
    """
    return list(_names())


@functools.cache
def _names() -> tuple[str, ...]:
    found = (module.name.upper() for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))
    return tuple(sorted(found))


def lower(graph: Graph, op: Op, options: EngineOptions) -> tuple[Lowered, ...]:
    """Check and lower one operator, for the features of the core where there are kernels for them.

    Returns:
        Its parts in the order in which they run; most operators have one.

    Raises:
        UnsupportedOpError: no kernel for it, or one of its checks failed.
    """
    output = graph.tensors[op.outputs[0]].name if op.outputs else ""
    if op.kind not in _names():
        raise UnsupportedOpError(
            f"operator {op.index} {op.kind} ({output!r}): the aot engine has no kernel for it",
            hint="replace the layer, or use `--engine tflm`; `edgekit ops` lists what aot runs",
        )
    module = typing.cast(OpModule, importlib.import_module(f"{__name__}.{op.kind.lower()}"))
    try:
        require(module.CHECKS, graph, op)
        lowered = _by_rows(module, graph, op, options) or cores.lower(graph, op, options) or module.lower(graph, op)
    except FactorError as error:
        raise UnsupportedOpError(
            f"operator {op.index} {op.kind} ({output!r}): {error}; expected: scales less than 2^31 apart",
            hint="quantize the model again with samples that cover what this layer sees",
        ) from error
    if isinstance(lowered, Lowered):
        return (dataclasses.replace(lowered, op=op.index, name=layer_name(op)),)
    return tuple(
        dataclasses.replace(part, op=op.index, name=f"{layer_name(op)}_{number}") for number, part in enumerate(lowered)
    )


def _by_rows(module: OpModule, graph: Graph, op: Op, options: EngineOptions) -> Lowered | None:
    """A kernel that takes its input row by row where the usual one needs it whole: where RAM is scarce."""
    lower_by_rows = getattr(module, "lower_by_rows", None)
    if lower_by_rows is None or not options.may_stream:
        return None
    return typing.cast(Callable[[Graph, Op], Lowered | None], lower_by_rows)(graph, op)


def layer_name(op: Op) -> str:
    """Return the C name of an operator's layer, e.g. ``layer_3_conv_2d``."""
    return f"layer_{op.index}_{op.kind.lower()}"
