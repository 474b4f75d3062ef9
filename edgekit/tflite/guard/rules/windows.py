"""Convolutions and pools: windows that slide over an image."""

from __future__ import annotations

from edgekit.tflite.guard.operators import Operator
from edgekit.tflite.guard.rules._shapes import window
from edgekit.tflite.guard.tensors import Operand

_FLOATS = ("float32", "float16", "bfloat16")
# Types of weights and of biases, by the type of the input.
WEIGHTS = {
    "float32": ("float32", "int8", "int4"),
    "float16": ("float16",),
    "bfloat16": ("bfloat16",),
    "int8": ("int8", "int4", "int2"),
    "uint8": ("uint8",),
    "int16": ("int8", "int4"),
}
BIASES = {
    "float32": ("float32",),
    "float16": ("float16",),
    "bfloat16": ("bfloat16", "float32"),
    "int8": ("int32",),
    "uint8": ("int32",),
    "int16": ("int64", "int32"),
}


def check_weights(op: Operator, source: Operand, weights: Operand, channels: int, axis: int) -> None:
    """Refuse weights of a type that does not go with the input, and scales that are not one a channel."""
    op.one_of(source, *WEIGHTS)
    op.one_of(weights, *WEIGHTS[source.dtype])
    op.same_type(source, op.output)
    op.scaled(source, op.output)
    if weights.dtype not in _FLOATS:
        count = len(weights.scales)
        op.require(
            count == 1 or (count == channels and weights.axis == axis),
            "quantization.scale",
            f"of {weights.where} has {count} entries on axis {weights.axis}, expected 1, or {channels} on axis {axis}",
        )


def check_bias(op: Operator, source: Operand, bias: Operand | None, channels: int) -> None:
    """Refuse a bias of another type or length."""
    if bias is not None:
        op.one_of(bias, *BIASES[source.dtype])
        op.elements(bias, channels)


def _slides(op: Operator, source: Operand, kernel: tuple[int, int], channels: int) -> None:
    """Check the shape of what a window gives that slides over `source`."""
    has_dilation = op.kind in ("CONV_2D", "DEPTHWISE_CONV_2D")
    dilations = ("dilationHFactor", "dilationWFactor") if has_dilation else ()
    op.positive("strideH", "strideW", *dilations)
    steps = [int(op.option(name)) for name in dilations] or [1, 1]
    batch, rows, columns, _ = source.shape
    output = (
        batch,
        window(op, rows, kernel[0], op.option("strideH"), steps[0], "height of the filter"),
        window(op, columns, kernel[1], op.option("strideW"), steps[1], "width of the filter"),
        channels,
    )
    op.shape(op.output, output)
    op.activation()


def _conv_2d(op: Operator) -> None:
    op.count((2, 3))
    source, weights = op.input(0), op.input(1)
    op.rank(source, 4)
    op.rank(weights, 4)
    channels, rows, columns, depth = weights.shape
    op.require(
        source.shape[3] % depth == 0 and channels % (source.shape[3] // depth) == 0,
        "shape",
        f"of {weights.where} is {list(weights.shape)}: its depth does not go into {source.shape[3]} channels",
    )
    check_weights(op, source, weights, channels, axis=0)
    check_bias(op, source, op.optional(2), channels)
    _slides(op, source, (rows, columns), channels)


def _depthwise_conv_2d(op: Operator) -> None:
    op.count((2, 3))
    source, weights = op.input(0), op.input(1)
    op.rank(source, 4)
    op.rank(weights, 4)
    one, rows, columns, channels = weights.shape
    multiplier = op.option("depthMultiplier")
    op.require(one == 1, "shape", f"of {weights.where} is {list(weights.shape)}, expected 1 at the front")
    op.require(
        source.shape[3] * multiplier == channels,
        "depthMultiplier",
        f"is {multiplier} with {source.shape[3]} channels in and {channels} out",
    )
    check_weights(op, source, weights, channels, axis=3)
    is_portable = op.runner in ("", "tflm", "litert_reference")
    is_missed = not is_portable and op.optional(2) is None
    op.require(not is_missed, "inputs", "leave out the bias, without which LiteRT's optimized kernel crashes")
    is_named = len(op.inputs) == 3 and op.optional(2) is None
    op.require(not (op.runner == "tflm" and is_named), "inputs", "name a bias that is absent, at which TFLM crashes")
    check_bias(op, source, op.optional(2), channels)
    _slides(op, source, (rows, columns), channels)


def _transpose_conv(op: Operator) -> None:
    op.count((3, 4))
    weights, source = op.input(1), op.input(2)
    op.rank(source, 4)
    op.rank(weights, 4)
    op.rank(op.output, 4)
    channels, rows, columns, depth = weights.shape
    batch, source_rows, source_columns, source_channels = source.shape
    op.require(depth == source_channels, "shape", f"of {weights.where} sees {depth} of {source_channels} channels")
    check_weights(op, source, weights, channels, axis=0)
    check_bias(op, source, op.optional(3), channels)
    op.positive("strideH", "strideW")
    op.activation()
    said = op.constant(0, 4, dtypes=("int32",))
    if said is not None:
        op.shape(op.output, said)
    op.require(op.output.shape[0] == batch, "shape", f"of {op.output.where} has another batch than {batch}")
    op.require(op.output.shape[3] == channels, "shape", f"of {op.output.where} has not {channels} channels")
    for size, given, kernel, stride in (
        (op.output.shape[1], source_rows, rows, op.option("strideH")),
        (op.output.shape[2], source_columns, columns, op.option("strideW")),
    ):
        # The convolution that it undoes, run forward over the output, gives the input.
        padded = op.flag("padding", 2) == 0
        forward = -(-size // stride) if padded else (size - kernel) // stride + 1
        op.require(
            forward == given,
            "shape",
            f"of {op.output.where}: {size} positions do not come from {given} with a stride of {stride}",
        )


def _pool(op: Operator) -> None:
    op.count(1)
    source = op.input(0)
    op.rank(source, 4)
    op.one_of(source, *_FLOATS, "int8", "uint8", "int16")
    op.same_type(source, op.output)
    op.scaled(source, op.output)
    op.positive("filterHeight", "filterWidth")
    op.require(
        op.option("filterHeight") * op.option("filterWidth") < 2**24, "filterHeight", "makes a window without measure"
    )
    _slides(op, source, (op.option("filterHeight"), op.option("filterWidth")), source.shape[3])


RULES = {
    "AVERAGE_POOL_2D": _pool,
    "CONV_2D": _conv_2d,
    "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
    "L2_POOL_2D": _pool,
    "MAX_POOL_2D": _pool,
    "TRANSPOSE_CONV": _transpose_conv,
}
