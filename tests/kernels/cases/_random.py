"""What the random one-operator models have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers_by_hand import ModelByHand, same_or_valid

PADDING = {"SAME": schema.Padding.SAME, "VALID": schema.Padding.VALID}
ACTIVATIONS = (
    schema.ActivationFunctionType.NONE,
    schema.ActivationFunctionType.RELU,
    schema.ActivationFunctionType.RELU6,
    schema.ActivationFunctionType.RELU_N1_TO_1,
)


def random_scale(rng: np.random.Generator) -> float:
    """A scale between 2^-8 and 2^-2."""
    return float(np.float32(2.0 ** rng.uniform(-8, -2)))


def random_zero_point(rng: np.random.Generator) -> int:
    """Any int8."""
    return int(rng.integers(-128, 128))


def random_window(rng: np.random.Generator, dilated: bool) -> dict[str, Any]:
    """Sizes of an image, of a kernel, and strides that fit each other."""
    kernel = rng.integers(1, 5, 2)
    dilation = rng.integers(1, 3, 2) if dilated else np.ones(2, int)
    stride = np.ones(2, int) if (dilation > 1).any() else rng.integers(1, 4, 2)
    size = (kernel - 1) * dilation + 1 + rng.integers(0, 6, 2)
    return {
        "kernel": kernel,
        "dilation": dilation,
        "stride": stride,
        "size": size,
        "padding": rng.choice(["SAME", "VALID"]),
    }


def output_size(window: dict[str, Any], axis: int) -> int:
    """Output size of a window along one axis."""
    size, kernel, stride, dilation = (int(window[name][axis]) for name in ("size", "kernel", "stride", "dilation"))
    return same_or_valid(size, kernel, stride, dilation, str(window["padding"]))


def set_window(options: Any, window: dict[str, Any], rng: np.random.Generator) -> None:
    """Fill in padding, strides and a random fused activation."""
    options.padding = PADDING[str(window["padding"])]
    options.strideH, options.strideW = (int(value) for value in window["stride"])
    options.fusedActivationFunction = int(rng.choice(ACTIVATIONS))


def weights_and_bias(
    model: ModelByHand,
    rng: np.random.Generator,
    shape: tuple[int, ...],
    axis: int,
    input_scale: float,
    *,
    per_channel: bool,
    dtype: str = "int8",
    bias_dtype: str = "int32",
) -> tuple[int, int, float]:
    """Add weights and a bias; return their tensors and an output scale that uses the activations' range."""
    channels = shape[axis]
    low, high = (-8, 8) if dtype == "int4" else (-127, 128)
    data = rng.integers(low, high, shape, dtype=np.int8)
    scale = np.float32(2.0) ** rng.uniform(-10, -6, channels if per_channel else 1).astype(np.float32)
    weights = model.tensor(shape, scale, data=data, axis=axis, dtype=dtype)
    reach = 500_000 if bias_dtype == "int64" else 2000
    bias_data = rng.integers(-reach, reach + 1, channels, dtype=bias_dtype)
    bias = model.tensor((channels,), scale * np.float32(input_scale), dtype=bias_dtype, data=bias_data)
    # Powers of two, so that some sums lie half-way between two outputs.
    depth, spread = data.size / channels, 8 if dtype == "int4" else 64
    return weights, bias, float(np.float32(input_scale * float(scale.mean()) * np.sqrt(depth) * spread))
