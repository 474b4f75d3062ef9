"""Sums over an image whose rows arrive one after another. Twin: firmware/engine/row_sums_s8.h."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgekit.engine.lowered import Lowered, RowsRead
from edgekit.tflite.graph import Tensor


def lower(kernel: str, source: Tensor, output: Tensor, fields: Mapping[str, Any]) -> Lowered | None:
    """Lower to a kernel that takes rows of its input, adds them up, and writes its output with the last.

    Args:
        kernel: its name; its layer starts with an `ek_row_sums`.
        source: int8, (1, rows, columns, channels) or (1, rows, channels).
        output: has an element a channel.
        fields: what follows the sums.

    Returns:
        None where the source is no such image, or has a single row.
    """
    shape = source.shape
    if source.dtype != "int8" or len(shape) not in (3, 4) or shape[0] != 1 or shape[1] < 2:
        return None
    rows, channels = shape[1], shape[-1]
    sums = {"input_rows": rows, "input_columns": source.elements // rows // channels, "channels": channels}
    return Lowered(
        kernel=kernel,
        fields={"sums": sums, **fields},
        constants=(),
        inputs=(source.index,),
        output=output.index,
        scratch_bytes=4 * channels,
        rows_read=(RowsRead(),),
        work_rows=rows,
        keeps_scratch=True,
    )
