"""DS-CNN: one convolution, then depthwise-separable blocks of one width; made for keyword spotting."""

from __future__ import annotations

import keras

from edgekit.architectures.blocks import check, depthwise_separable, normalized, rounded

_FILTERS = 64


def ds_cnn(
    input_shape: tuple[int, int, int],
    classes: int,
    *,
    width: float = 1.0,
    blocks: int = 4,
    kernel: tuple[int, int] = (10, 4),
    strides: int = 2,
    momentum: float = 0.99,
    name: str = "ds_cnn",
) -> keras.Model:
    """Make a DS-CNN.

    Args:
        input_shape: (height, width, channels); (49, 10, 1) for ten MFCCs a frame over one second.
        classes: outputs of the softmax.
        width: factor on the 64 filters of each layer.
        blocks: depthwise-separable blocks after the first convolution.
        kernel: of the first convolution; (3, 3) suits images.
        strides: of the first convolution.
        momentum: of the batch normalization; 0.9 for short trainings.
        name: of the model.

    Returns:
        A model with random weights, not compiled; probabilities come out, (batch, classes).

    Raises:
        UsageError: a shape, class number or width that makes no model.

    Example:
        >>> ds_cnn((49, 10, 1), 12).count_params()
        24332

    Source:
        Zhang et al. 2017, "Hello Edge: Keyword Spotting on Microcontrollers", arXiv:1711.07128, section 4. With the
        default settings it has the shape of the keyword model of MLPerf Tiny (Banbury et al. 2021, arXiv:2106.07597).
    """
    check(input_shape, classes, width)
    filters = rounded(_FILTERS * width)
    inputs = keras.Input(input_shape, name="input")
    x = keras.layers.Conv2D(filters, kernel, strides=strides, padding="same", use_bias=False, name="conv")(inputs)
    x = normalized(x, "conv", momentum)
    x = keras.layers.ReLU(name="conv_relu")(x)
    for block in range(1, blocks + 1):
        x = depthwise_separable(x, filters, name=f"block_{block}", momentum=momentum)
    x = keras.layers.GlobalAveragePooling2D(name="mean")(x)
    outputs = keras.layers.Dense(classes, activation="softmax", name="classes")(x)
    return keras.Model(inputs, outputs, name=name)
