"""Quantization records that no runtime needs: of int32 biases, and what calibration left behind.

The scale of a bias is that of input times weights, which the layer knows; readers of FULLY_CONNECTED check it all the
same, those of convolutions do not, but for XNNPACK, which runs no layer without it: on phones they stay. The zero
points of weights, all zero, stay too: TFLM would take one for all channels, LiteRT wants as many as scales. Equal
records and vectors are written once whatever this pass does.
"""

from __future__ import annotations

from typing import Any

from ai_edge_litert import schema_py_generated as schema

# Operator -> which input is the bias that nobody asks the scale of.
_BIAS = {
    schema.BuiltinOperator.CONV_2D: 2,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D: 2,
    schema.BuiltinOperator.TRANSPOSE_CONV: 3,
}


def apply(model: Any, *, keep_bias_records: bool = False) -> int:
    """Remove minima, maxima and bias scales.

    Args:
        model: a `schema.ModelT`, changed in place.
        keep_bias_records: leave bias scales in.

    Returns:
        How many tensors lost something.
    """
    changed = 0
    for subgraph in model.subgraphs or ():
        biases = set() if keep_bias_records else _biases(model, subgraph)
        for index, tensor in enumerate(subgraph.tensors):
            before = tensor.quantization
            if before is None:
                continue
            had_range = before.min is not None or before.max is not None
            before.min = before.max = None
            is_bias = index in biases and tensor.type in (schema.TensorType.INT32, schema.TensorType.INT64)
            is_empty = before.scale is None and before.zeroPoint is None and before.details is None
            if is_bias or is_empty or (before.scale is not None and len(before.scale) == 0):
                tensor.quantization = None
            changed += had_range or tensor.quantization is None
    return changed


def _biases(model: Any, subgraph: Any) -> set[int]:
    """Tensors that are nothing but such a bias."""
    found: set[int] = set()
    elsewhere: set[int] = {int(index) for index in (*subgraph.inputs, *subgraph.outputs)}
    for operator in subgraph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        place = _BIAS.get(max(code.builtinCode, code.deprecatedBuiltinCode))
        for position, index in enumerate(operator.inputs):
            (found if position == place else elsewhere).add(int(index))
    return found - elsewhere
