"""MobileNetV2: inverted residual blocks, for images from 32x32 to 224x224."""

from __future__ import annotations

import keras

from edgekit.architectures.blocks import check, inverted_residual, normalized, rounded
from edgekit.errors import UsageError

# Expansion, channels, blocks, stride of the first block: table 2 of the paper.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
_FIRST, _LAST = 32, 1280
_DOWNSAMPLING = (1, 2, 4, 8, 16, 32)


def mobilenet_v2(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    width: float = 1.0,
    downsampling: int = 32,
    stages: tuple[tuple[int, int, int, int], ...] = STAGES,
    last: int = _LAST,
    momentum: float = 0.99,
    name: str = "mobilenet_v2",
) -> keras.Model:
    """Make a MobileNetV2.

    Args:
        input_shape: (height, width, channels).
        classes: outputs of the softmax.
        width: factor on the channels of every layer; the last 1x1 convolution is never narrowed, as in the paper.
        downsampling: by how much height and width shrink over the network. 32 is the paper's, for 224x224; with 8 a
            picture of 32x32 still has 4x4 places at the end. The strides nearest to the input are left out first.
        stages: (expansion, channels, blocks, stride) of each stage.
        last: channels of the last 1x1 convolution.
        momentum: of the batch normalization; 0.9 for short trainings.
        name: of the model.

    Returns:
        A model with random weights, not compiled; probabilities come out, (batch, classes).

    Raises:
        UsageError: a shape, class number or width that makes no model, or a downsampling that is no power of two
            from 1 to 32.

    Example:
        >>> model = mobilenet_v2((32, 32, 1), 10, width=0.35, downsampling=8)
        >>> model.get_layer("last").output.shape
        (None, 4, 4, 1280)

    Source:
        Sandler et al. 2018, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", arXiv:1801.04381, table 2.
    """
    check(input_shape, classes, width)
    if downsampling not in _DOWNSAMPLING:
        raise UsageError(
            f"downsampling is {downsampling}, expected one of {', '.join(map(str, _DOWNSAMPLING))}",
            hint="32 is the paper's, for pictures of 224x224; 8 suits 32x32",
        )
    strides = _strides(stages, downsampling)
    inputs = keras.Input(input_shape, name="input")
    x = _convolution(inputs, rounded(_FIRST * width), "first", momentum, kernel=3, strides=strides[0])
    for stage, ((expansion, channels, blocks, _), first) in enumerate(zip(stages, strides[1:], strict=True), 1):
        for block in range(1, blocks + 1):
            x = inverted_residual(
                x,
                rounded(channels * width),
                name=f"stage_{stage}_{block}",
                strides=first if block == 1 else 1,
                expansion=expansion,
                momentum=momentum,
            )
    x = _convolution(x, rounded(last * max(width, 1.0)), "last", momentum)
    x = keras.layers.GlobalAveragePooling2D(name="mean")(x)
    outputs = keras.layers.Dense(classes, activation="softmax", name="classes")(x)
    return keras.Model(inputs, outputs, name=name)


def _strides(stages: tuple[tuple[int, int, int, int], ...], downsampling: int) -> list[int]:
    """Return the strides of the first convolution and of the stages; those nearest to the input become 1 first."""
    strides = [2, *(stride for *_, stride in stages)]
    product = 1
    for place in reversed(range(len(strides))):
        if product * strides[place] > downsampling:
            strides[place] = 1
        product *= strides[place]
    return strides


def _convolution(
    x: keras.KerasTensor, filters: int, name: str, momentum: float, *, kernel: int = 1, strides: int = 1
) -> keras.KerasTensor:
    x = keras.layers.Conv2D(filters, kernel, strides=strides, padding="same", use_bias=False, name=name)(x)
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(normalized(x, name, momentum))
