"""Count multiply-accumulates, the unit in which inference work is compared."""

from __future__ import annotations

from math import prod

from edgekit.tflite.graph import Graph, Op


def op_macs(graph: Graph, op: Op) -> int:
    """Return the multiply-accumulates of one operator, padding counted as if it were data.

    Args:
        graph: the graph that `op` belongs to.
        op: convolutions, fully connected layers and matrix products count; every other operator is 0.

    Returns:
        Multiply-accumulates of one inference.
    """
    if op.kind not in {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "BATCH_MATMUL"}:
        return 0
    output = graph.tensors[op.outputs[0]].shape
    if op.kind == "BATCH_MATMUL":
        return prod(output) * graph.tensors[op.inputs[0]].shape[-2 if op.options["adjX"] else -1]
    # Weights: CONV_2D (c_out, kh, kw, c_in), DEPTHWISE (1, kh, kw, c_out), FULLY_CONNECTED (c_out, c_in).
    weights = graph.tensors[op.inputs[1]].shape
    if op.kind == "DEPTHWISE_CONV_2D":
        return prod(output) * prod(weights[1:3])
    if op.kind == "TRANSPOSE_CONV":
        # Each input element meets the whole kernel of every output channel.
        return prod(graph.tensors[op.inputs[2]].shape) * prod(weights[:3])
    return prod(output) * prod(weights[1:])


def macs(graph: Graph) -> int:
    """Return the multiply-accumulates of one inference."""
    return sum(op_macs(graph, op) for op in graph.ops)
