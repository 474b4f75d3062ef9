"""int8 to int8 through a table of 256 bytes: any function of one activation, exact and as fast as a load.

Twin: firmware/engine/table_s8.h.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from edgekit.engine.lowered import Constant, Lowered, row_shape, same_rows
from edgekit.engine.ops._fixed_point import codes
from edgekit.tflite.graph import Graph, Op


def lower_values(graph: Graph, source: int, output: int, values: Iterable[int]) -> Lowered:
    """Lower a function of one 8-bit tensor.

    Args:
        graph: the model.
        source, output: tensors of one shape.
        values: what each code of the input gives, in the order of `codes`.
    """
    table = np.array([value & 0xFF for value in values], np.uint8).view(np.int8)
    return Lowered(
        kernel="table_s8",
        fields={"table": "table", "row_elements": row_shape(graph.tensors[output])[1]},
        constants=(Constant("table", table, "(256), by the input's byte"),),
        inputs=(source,),
        output=output,
        rows_read=(same_rows(graph, source, output),),
    )


def lower_table(graph: Graph, op: Op, function: Callable[[int], int]) -> Lowered:
    """Lower an operator of one int8 input and one int8 or bool output.

    Args:
        graph, op: the operator.
        function: the output code of each input code.
    """
    return lower_values(graph, op.inputs[0], op.outputs[0], (function(code) for code in codes()))
