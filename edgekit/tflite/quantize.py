"""Between real values and the model's integers, as TFLite rounds them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import DataError, ModelError
from edgekit.tflite.graph import Graph, Tensor


def quantize(real: NDArray[np.float32], scale: float, zero_point: int, dtype: str) -> NDArray[np.generic]:
    """Quantize as TFLite does: divide in float32, round halves away from zero, add the zero point, saturate.

    Args:
        real: any shape.
        scale: real value of one step.
        zero_point: integer that stands for 0.0.
        dtype: an integer type's NumPy name.

    Returns:
        Integers of `dtype`, same shape.

    Example:
        >>> quantize(np.array([0.25, -0.25, 99.0], np.float32), 0.5, 1, "int8").tolist()
        [2, 0, 127]
    """
    # The quotient is a float32, as on the device; rounding it in float64 is exact.
    steps = (np.asarray(real, np.float32) / np.float32(scale)).astype(np.float64)
    rounded = np.trunc(steps + np.copysign(0.5, steps)) + zero_point
    limits = np.iinfo(dtype)
    integers: NDArray[np.generic] = np.clip(rounded, limits.min, limits.max).astype(dtype)
    return integers


def quantize_input(graph: Graph, x: NDArray[np.float32]) -> tuple[bytes, ...]:
    """Quantize samples for a model with one input; ids for an int32 input without a scale stay what they are.

    Args:
        graph: a model with integer input of batch 1.
        x: float32, shape (n, *input).

    Returns:
        Per sample the bytes of the input tensor.

    Raises:
        DataError: the samples do not have the model's input shape.
        ModelError: the model has several inputs, or one that is not quantized.
    """
    tensor = only_input(graph)
    if tuple(x.shape[1:]) != tensor.shape[1:]:
        raise DataError(
            f"samples have shape {list(x.shape[1:])}, the model's input is {list(tensor.shape[1:])}",
            hint="reshape the data: the first axis counts samples, the others are the model's input",
        )
    scale, zero_point = (1.0, 0) if tensor.quant is None else (tensor.quant.scale[0], tensor.quant.zero_point[0])
    values = quantize(x, scale, zero_point, tensor.dtype)
    return tuple(np.ascontiguousarray(sample).tobytes() for sample in values)


def dequantize_output(graph: Graph, outputs: tuple[bytes, ...]) -> NDArray[np.float32]:
    """Return the real values of a model's first output.

    Args:
        graph: the model.
        outputs: per sample the bytes of all output tensors.

    Returns:
        float32, shape (n, *output); integers that carry no scale (class indices) as they are.
    """
    tensor = graph.tensors[graph.outputs[0]]
    raw = np.stack([np.frombuffer(output, tensor.dtype, tensor.elements) for output in outputs])
    values = raw.reshape(len(outputs), *tensor.shape[1:])
    if tensor.quant is None:
        return values.astype(np.float32)
    scale, zero_point = tensor.quant.scale[0], tensor.quant.zero_point[0]
    real: NDArray[np.float32] = np.float32(scale) * (values.astype(np.int32) - zero_point).astype(np.float32)
    return real


def only_input(graph: Graph) -> Tensor:
    """Return the model's only input, which must be of batch 1 and quantized, or of ids (int32 without a scale)."""
    if len(graph.inputs) != 1:
        raise ModelError(
            f"the model has {len(graph.inputs)} inputs, expected 1 where samples are given",
            hint="join the inputs into one array and split it inside the model",
        )
    tensor = graph.tensors[graph.inputs[0]]
    takes_ids = tensor.quant is None and tensor.dtype == "int32"
    if not takes_ids and (tensor.quant is None or tensor.dtype not in ("int8", "uint8", "int16")):
        raise ModelError(
            f"the model's input {tensor.name!r} is {tensor.dtype} without a scale, expected int8 with one",
            hint="give the Keras model with representative data, and EdgeKit converts it to int8",
        )
    if not tensor.shape or tensor.shape[0] != 1:
        raise ModelError(
            f"the model's input has shape {list(tensor.shape)}, expected batch 1",
            hint="convert the model with a fixed batch of 1",
        )
    return tensor
