"""What each layer costs, as a table for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from edgekit.report.types import LayerCost

_COLUMNS = ("instructions", "share", "MACs", "per MAC", "weights B", "read B", "activations B", "calls")


def layer_table(layers: Sequence[LayerCost], between: int | None) -> RenderableType:
    """Draw a profile: a line for each operator, and one for what no layer has.

    Args:
        layers: in the order of the graph.
        between: instructions of the inference outside of them.
    """
    table = Table("layer", title="instructions of each layer", title_justify="left", show_footer=False)
    for column in _COLUMNS:
        table.add_column(column, justify="right")
    for layer in layers:
        table.add_row(
            f"{layer.operator}: {escape(layer.description)}",
            f"{layer.instructions:,}",
            f"{100 * layer.share:.1f} %",
            f"{layer.macs:,}" if layer.macs else "–",
            f"{layer.instructions / layer.macs:.2f}" if layer.macs else "–",
            f"{layer.weights_bytes:,}",
            f"{layer.weights_bytes_read:,}",
            f"{layer.input_bytes:,} to {layer.output_bytes:,}",
            str(layer.calls),
        )
    table.add_row("between layers", f"{between:,}", *[""] * 7)
    return table
