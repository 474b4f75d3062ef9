"""What both pooling operators share."""

from __future__ import annotations

from edgekit.engine.lowered import (
    Lowered,
    RowsRead,
    activation_range,
    has_fused_activation,
    images_of_batch_one,
    scale_of,
    zero_point_of,
)
from edgekit.engine.ops._checks import all_of
from edgekit.engine.ops._convolution import padding_before
from edgekit.tflite.graph import Graph, Op


def scales_are_equal(graph: Graph, op: Op) -> str | None:
    """equal scale and zero point in and out"""
    before, after = graph.tensors[op.inputs[0]], graph.tensors[op.outputs[0]]
    same = scale_of(before) == scale_of(after) and zero_point_of(before) == zero_point_of(after)
    return None if same else f"scales {scale_of(before)} and {scale_of(after)}"


CHECKS = (all_of("int8", "int16"), images_of_batch_one, has_fused_activation, scales_are_equal)


def lower_pool(graph: Graph, op: Op, kernel: str) -> Lowered:
    """Lower a pooling operator to `ek_pool_layer`; the kernel's name ends in the type."""
    _, rows, columns, channels = graph.tensors[op.inputs[0]].shape
    output = graph.tensors[op.outputs[0]]
    options = op.options
    kernel_rows, kernel_columns = int(options["filterHeight"]), int(options["filterWidth"])
    stride_rows, stride_columns = int(options["strideH"]), int(options["strideW"])
    padding = int(options["padding"])
    low, high = activation_range(op, output)
    pad_top = padding_before(rows, output.shape[1], kernel_rows, stride_rows, 1, padding)
    return Lowered(
        kernel=f"{kernel}_{'s16' if output.dtype == 'int16' else 's8'}",
        fields={
            "input_rows": rows,
            "input_columns": columns,
            "channels": channels,
            "output_columns": output.shape[2],
            "kernel_rows": kernel_rows,
            "kernel_columns": kernel_columns,
            "stride_rows": stride_rows,
            "stride_columns": stride_columns,
            "pad_top": pad_top,
            "pad_left": padding_before(columns, output.shape[2], kernel_columns, stride_columns, 1, padding),
            "activation_min": low,
            "activation_max": high,
        },
        constants=(),
        inputs=(op.inputs[0],),
        output=op.outputs[0],
        rows_read=(RowsRead(stride_rows, pad_top, kernel_rows),),
    )
