"""Which operators TensorFlow Lite Micro runs, with which types; held by a test against the interpreter itself."""

from __future__ import annotations

from edgekit.tflite import decode
from edgekit.tflite.graph import Graph, Op

_REAL = "float32"
_BYTES = ("int8", "float32")
_WIDE = ("int8", "int16", "float32")
_MOVED = ("int8", "int16", "int32", "float32")
# The type that decides is that of the output; of the first input where the output says nothing.
_BY_INPUT = {
    "EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL", "ARG_MAX", "ARG_MIN", "QUANTIZE",
    "DEQUANTIZE", "CAST", "SHAPE",
}  # fmt: skip

TYPES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys("CEIL COS EXP FLOOR FLOOR_DIV FLOOR_MOD LOG NEG ROUND SIN SQRT SQUARE".split(), (_REAL,)),
    **dict.fromkeys(
        "BATCH_TO_SPACE_ND CUMSUM DEPTH_TO_SPACE DIV ELU EMBEDDING_LOOKUP GATHER GATHER_ND HARD_SWISH L2_NORMALIZATION "
        "L2_POOL_2D LOG_SOFTMAX MIRROR_PAD PRELU REDUCE_MAX REDUCE_MIN RESIZE_BILINEAR RSQRT SPACE_TO_BATCH_ND "
        "SPACE_TO_DEPTH SVDF UNIDIRECTIONAL_SEQUENCE_LSTM ARG_MAX ARG_MIN ADD_N".split(),
        _BYTES,
    ),
    **dict.fromkeys(
        "ABS AVERAGE_POOL_2D BATCH_MATMUL CONV_2D DEPTHWISE_CONV_2D FULLY_CONNECTED LEAKY_RELU LOGISTIC MAX_POOL_2D "
        "MEAN RELU RELU6 RESIZE_NEAREST_NEIGHBOR SELECT_V2 SOFTMAX SUM TANH TRANSPOSE TRANSPOSE_CONV".split(),
        _WIDE,
    ),
    **dict.fromkeys(
        "ADD DYNAMIC_UPDATE_SLICE EXPAND_DIMS MAXIMUM MINIMUM MUL PAD PADV2 SPLIT SPLIT_V SQUARED_DIFFERENCE SUB "
        "UNPACK".split(),
        _MOVED,
    ),
    **dict.fromkeys("CONCATENATION REVERSE_V2 RESHAPE SQUEEZE".split(), (*_MOVED, "int64", "bool")),
    **dict.fromkeys("SLICE STRIDED_SLICE BROADCAST_TO".split(), (*_MOVED, "bool")),
    **dict.fromkeys(("GREATER",), (*_MOVED, "int64")),
    **dict.fromkeys("GREATER_EQUAL LESS LESS_EQUAL".split(), ("int8", "int32", "int64", "float32")),
    **dict.fromkeys(("EQUAL", "NOT_EQUAL"), ("int8", "int32", "int64", "float32", "bool")),
    **dict.fromkeys("LOGICAL_AND LOGICAL_NOT LOGICAL_OR REDUCE_ALL".split(), ("bool",)),
    "BROADCAST_ARGS": ("int32", "int64"),
    decode.KIND: (*_MOVED, "int64", "bool"),
    "CAST": ("int8", "int16", "int32", "uint32", "float32", "bool"),
    "DEQUANTIZE": ("int8", "int16", "uint8"),
    "FILL": ("int8", "int32", "float32"),
    "PACK": (*_MOVED, "int64"),
    "QUANTIZE": ("int8", "int16", "int32", "float32"),
    "SHAPE": ("int8", "int16", "int32", "float32", "bool"),
    "ZEROS_LIKE": ("int8", "int32", "int64", "float32"),
}


def refusal(graph: Graph, op: Op) -> str | None:
    """Return why TFLM does not run an operator; None where it does.

    Args:
        graph: the model.
        op: one of its operators.
    """
    types = TYPES.get(op.kind)
    if types is None:
        return "TFLM has no such operator"
    deciding = deciding_type(graph, op)
    return None if deciding in types else f"TFLM has no {deciding} form, only {', '.join(types)}"


def deciding_type(graph: Graph, op: Op) -> str:
    """Return the type that chooses the kernel."""
    return graph.tensors[op.inputs[0] if op.kind in _BY_INPUT else op.outputs[0]].dtype
