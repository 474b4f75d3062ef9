"""Products of matrices, and looking up their rows."""

from __future__ import annotations

from edgekit.tflite.guard.operators import Operator
from edgekit.tflite.guard.rules.windows import check_bias, check_weights
from edgekit.tflite.guard.tensors import Operand


def _fully_connected(op: Operator) -> None:
    op.count((2, 3))
    source, weights = op.input(0), op.input(1)
    op.rank(source, 1, 8)
    op.rank(weights, 2)
    op.rank(op.output, 1, 8)
    units, depth = weights.shape
    op.require(
        source.elements % depth == 0,
        "shape",
        f"of {weights.where} is {list(weights.shape)}: {depth} does not divide the {source.elements:,} inputs",
    )
    check_weights(op, source, weights, units, axis=0)
    check_bias(op, source, op.optional(2), units)
    op.activation()
    op.flag("weightsFormat", 1)
    op.require(
        op.output.shape[-1] == units, "shape", f"of {op.output.where} is {list(op.output.shape)}, expected {units} last"
    )
    op.elements(op.output, source.elements // depth * units)
    if op.option("keepNumDims"):
        op.shape(op.output, (*source.shape[:-1], units))


def _batch_matmul(op: Operator) -> None:
    op.count(2)
    first, second = op.input(0), op.input(1)
    op.one_of(first, "float32", "int8", "int16")
    op.one_of(second, *(("float32", "int8") if first.dtype == "float32" else (first.dtype,)))
    op.one_of(op.output, *(("int8", "int32") if first.dtype == "int8" else (first.dtype,)))
    op.scaled(first, second, op.output)
    for operand in (first, second):
        op.rank(operand, 2, 5)
    rows, depth = _matrix(first, bool(op.option("adjX")))
    inner, columns = _matrix(second, bool(op.option("adjY")))
    op.require(
        depth == inner, "shape", f"of {second.where} is {list(second.shape)}, expected {depth} where it meets the first"
    )
    outer = _outer(op, first, second)
    op.shape(op.output, (*outer, rows, columns))


def _matrix(operand: Operand, is_turned: bool) -> tuple[int, int]:
    rows, columns = operand.shape[-2:]
    return (columns, rows) if is_turned else (rows, columns)


def _outer(op: Operator, first: Operand, second: Operand) -> tuple[int, ...]:
    """The common shape of all but the last two dimensions."""
    sizes = []
    longest = max(len(first.shape), len(second.shape)) - 2
    for position in range(longest):
        ours, theirs = (
            ((1,) * (longest + 2 - len(operand.shape)) + operand.shape)[position] for operand in (first, second)
        )
        op.require(
            ours == theirs or 1 in (ours, theirs), "shape", f"of {second.where} does not fit that of {first.where}"
        )
        sizes.append(max(ours, theirs))
    return tuple(sizes)


def _embedding_lookup(op: Operator) -> None:
    op.count(2)
    rows, table = op.input(0), op.input(1)
    op.one_of(rows, "int32")
    op.rank(rows, 1)
    op.rank(table, 2, 6)
    op.one_of(table, "float32", "int8", "uint8", "int4")
    op.one_of(op.output, *(("float32", table.dtype) if table.dtype != "int4" else ("float32",)))
    if table.dtype != "float32" and op.output.dtype == "float32":
        op.require(len(table.scales) >= 1, "quantization.scale", f"of {table.where} is missing")
    values = rows.values()
    if values is not None:
        inside = bool(((values >= 0) & (values < table.shape[0])).all())
        op.require(inside, "inputs", f"looks up rows outside 0..{table.shape[0] - 1}")
    op.shape(op.output, (*rows.shape, *table.shape[1:]))


RULES = {
    "BATCH_MATMUL": _batch_matmul,
    "EMBEDDING_LOOKUP": _embedding_lookup,
    "FULLY_CONNECTED": _fully_connected,
}
