"""Whether the rows of a model's input can be handed over while it runs."""

from __future__ import annotations

from collections.abc import Sequence

from edgekit.engine.lowered import Lowered, row_shape
from edgekit.errors import ModelError
from edgekit.tflite.graph import Graph

_HINT = "build without --stream-input: the application then writes the whole input into the arena"


def require_streamable(graph: Graph, lowered: Sequence[Lowered]) -> None:
    """Refuse a model whose input must lie in the arena as a whole.

    Raises:
        ModelError: it has several inputs, or one of a single row, or a layer needs all of its rows at once.
    """
    if len(graph.inputs) != 1:
        raise ModelError(f"the model has {len(graph.inputs)} inputs, expected one to stream", hint=_HINT)
    (index,) = graph.inputs
    name = graph.tensors[index].name
    if index in graph.outputs:
        raise ModelError(f"the model's input {name!r} is also its output and cannot be streamed", hint=_HINT)
    if row_shape(graph.tensors[index])[0] == 1:
        raise ModelError(f"the model's input {name!r} has one row, expected several to stream", hint=_HINT)
    for item in lowered:
        windows = [*item.rows_read, *[None] * len(item.inputs)]
        whole = not item.kernel or any(
            windows[position] is None for position, tensor in enumerate(item.inputs) if tensor == index
        )
        if index in item.inputs and whole:
            kind = graph.ops[item.op].kind if item.op >= 0 else item.name
            raise ModelError(
                f"the model's input {name!r} cannot be streamed: operator {item.op} {kind} needs it whole",
                hint=_HINT,
            )
