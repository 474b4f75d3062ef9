"""Building blocks that take the place of standard convolutions, with fewer weights and less work."""

from __future__ import annotations

from typing import Any

import keras

from edgekit.errors import UsageError

# A tensor of a functional model: what a Keras layer takes and returns.
Tensor = Any

_EIGHT = 8


def rounded(channels: float) -> int:
    """Round a scaled number of channels to a multiple of 8, at least 8 and never below nine tenths.

    Args:
        channels: above 0.

    Returns:
        The number of channels.

    Example:
        >>> [rounded(channels) for channels in (3, 11.2, 22.4, 44.8)]
        [8, 16, 24, 48]

    Source:
        Sandler et al. 2018 (MobileNetV2), arXiv:1801.04381, in the authors' published code; `keras.applications`
        does the same.
    """
    nearest = max(_EIGHT, int(channels + _EIGHT / 2) // _EIGHT * _EIGHT)
    return nearest if nearest >= 0.9 * channels else nearest + _EIGHT


def depthwise_separable(
    x: Tensor, filters: int, *, name: str, strides: int = 1, kernel: int = 3, momentum: float = 0.99
) -> Tensor:
    """A 3x3 filter for each channel, then a 1x1 convolution across channels; each normalized, then ReLU.

    Against a standard convolution of the same shape it has 1 / filters + 1 / kernel**2 of the weights and of the
    multiply-accumulates: about an eighth for 3x3.

    Args:
        x: (batch, height, width, channels).
        filters: channels of the result.
        name: prefix of the layers' names.
        strides: of the depthwise filter.
        kernel: its height and width.
        momentum: of the batch normalization; 0.9 for short trainings.

    Returns:
        (batch, ceil(height / strides), ceil(width / strides), filters).

    Example:
        >>> depthwise_separable(keras.Input((8, 8, 4)), 16, name="block", strides=2).shape
        (None, 4, 4, 16)

    Source:
        Howard et al. 2017 (MobileNets), arXiv:1704.04861, section 3.1.
    """
    layers = keras.layers
    x = layers.DepthwiseConv2D(kernel, strides=strides, padding="same", use_bias=False, name=f"{name}_depthwise")(x)
    x = normalized(x, f"{name}_depthwise", momentum)
    x = layers.ReLU(name=f"{name}_depthwise_relu")(x)
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_pointwise")(x)
    x = normalized(x, f"{name}_pointwise", momentum)
    return layers.ReLU(name=f"{name}_pointwise_relu")(x)


def inverted_residual(
    x: Tensor, filters: int, *, name: str, strides: int = 1, expansion: int = 6, momentum: float = 0.99
) -> Tensor:
    """Widen by 1x1, filter each channel by 3x3, narrow by 1x1 without activation; added to x where shapes agree.

    Args:
        x: (batch, height, width, channels).
        filters: channels of the result.
        name: prefix of the layers' names.
        strides: of the depthwise filter.
        expansion: how many times as wide the inside is; 1 leaves the widening out.
        momentum: of the batch normalization; 0.9 for short trainings.

    Returns:
        (batch, ceil(height / strides), ceil(width / strides), filters).

    Example:
        >>> inverted_residual(keras.Input((8, 8, 4)), 4, name="block").shape
        (None, 8, 8, 4)

    Source:
        Sandler et al. 2018 (MobileNetV2), arXiv:1801.04381, section 3.3 and table 1.
    """
    layers = keras.layers
    shortcut, channels = x, x.shape[-1]
    if expansion != 1:
        x = layers.Conv2D(expansion * channels, 1, use_bias=False, name=f"{name}_expand")(x)
        x = normalized(x, f"{name}_expand", momentum)
        x = layers.ReLU(6.0, name=f"{name}_expand_relu")(x)
    x = layers.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False, name=f"{name}_depthwise")(x)
    x = normalized(x, f"{name}_depthwise", momentum)
    x = layers.ReLU(6.0, name=f"{name}_depthwise_relu")(x)
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_project")(x)
    x = normalized(x, f"{name}_project", momentum)
    return layers.Add(name=f"{name}_add")([shortcut, x]) if strides == 1 and channels == filters else x


def normalized(x: Tensor, name: str, momentum: float) -> Tensor:
    """Apply batch normalization under the name `<name>_norm`."""
    return keras.layers.BatchNormalization(momentum=momentum, name=f"{name}_norm")(x)


def check(input_shape: tuple[int, ...], classes: int, width: float) -> None:
    """Check what every backbone is given.

    Raises:
        UsageError: not an image, no class, or a width that is not above 0.
    """
    if len(input_shape) != 3 or min(input_shape) < 1:
        raise UsageError(
            f"input_shape is {input_shape}, expected (height, width, channels)",
            hint="for a spectrogram or a series, add a channel axis of 1",
        )
    if classes < 1 or not width > 0:
        raise UsageError(
            f"classes is {classes} and width is {width}, expected at least 1 and above 0",
            hint="width scales the number of channels: 1.0 is the width of the paper",
        )
