"""Efficient architectures for small devices, as plain Keras functional models: blocks and whole backbones.

    from edgekit.architectures import ds_cnn, mobilenet_v2
    model = mobilenet_v2((32, 32, 1), classes=10, width=0.35, downsampling=8)

Every layer is Keras's own, so that any model made here trains, compresses and converts like one made by hand.
"""

from __future__ import annotations

from edgekit.architectures.blocks import depthwise_separable, inverted_residual, rounded
from edgekit.architectures.ds_cnn import ds_cnn
from edgekit.architectures.mobilenet_v2 import mobilenet_v2

__all__ = ["depthwise_separable", "ds_cnn", "inverted_residual", "mobilenet_v2", "rounded"]
