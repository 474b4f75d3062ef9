"""Count multiply-accumulates, the unit in which inference work is compared."""

from __future__ import annotations

from math import prod

from edgekit.tflite.graph import Graph, Op


def op_macs(graph: Graph, op: Op) -> int:
    """Return the multiply-accumulates of one operator, padding counted as if it were data.

    Args:
        graph: the graph that `op` belongs to.
        op: convolutions, fully connected and recurrent layers and matrix products count; every other operator is 0.

    Returns:
        Multiply-accumulates of one inference.
    """

    def elements(place: int) -> int:
        return prod(graph.tensors[op.inputs[place]].shape)

    output = graph.tensors[op.outputs[0]].shape
    match op.kind:
        case "CONV_2D" | "FULLY_CONNECTED":
            # Weights (c_out, kh, kw, c_in of the group) or (c_out, c_in).
            return prod(output) * prod(graph.tensors[op.inputs[1]].shape[1:])
        case "DEPTHWISE_CONV_2D":
            # Weights (1, kh, kw, c_out).
            return prod(output) * prod(graph.tensors[op.inputs[1]].shape[1:3])
        case "TRANSPOSE_CONV":
            # Each input element meets the whole kernel of every output channel: weights (c_out, kh, kw, c_in).
            return elements(2) * prod(graph.tensors[op.inputs[1]].shape[:3])
        case "BATCH_MATMUL":
            return prod(output) * graph.tensors[op.inputs[0]].shape[-2 if op.options["adjX"] else -1]
        case "UNIDIRECTIONAL_SEQUENCE_LSTM":
            # Eight matrices at each time of each batch; a gate, a peephole or a projection may be absent.
            return prod(output[:-1]) * sum(elements(place) for place in (*range(1, 9), 16) if op.inputs[place] >= 0)
        case "SVDF":
            return output[0] * (elements(1) + elements(2))
    return 0


def macs(graph: Graph) -> int:
    """Return the multiply-accumulates of one inference."""
    return sum(op_macs(graph, op) for op in graph.ops)
