"""How layers and operations without weights follow channels: what passes on, joins, and reshapes.

Operations are the nodes that `keras.ops` functions and operators (`x + y`) leave in a functional model.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from edgekit.compress.channels.channels import Call, Cut, Rule, positions, width

# Activations that look at more than one channel at a time.
_MIXING_ACTIVATIONS = ("softmax", "log_softmax", "sparsemax", "glu")


def pass_on(call: Call) -> Cut:
    """Layers that treat every channel alike and alone."""
    return Cut(call.ids)


def rescaling(call: Call) -> Cut:
    """Rescaling: one factor for all channels passes, one for each is part of its configuration."""
    if np.ndim(call.layer.scale) or np.ndim(call.layer.offset):
        return call.freeze("its scale is given for each channel")
    return Cut(call.ids)


def softmax(call: Call) -> Cut:
    """Softmax over channels."""
    return call.freeze("softmax looks at all channels")


def merge(call: Call) -> Cut:
    """Add and its like: channels that meet go together; what has but one channel is spread over all."""
    channels, count = call.channels, width(call.output_shape)
    whole = [ids for ids in call.inputs if len(ids) == count]
    if not whole:
        return call.freeze("none of its inputs has the channels of its output")
    for constant in call.constants:
        if np.ndim(constant) and np.shape(constant)[-1] > 1:
            return call.freeze("a constant for each channel is part of the graph")
    for ids in call.inputs:
        channels.unite(whole[0], ids) if len(ids) == count else channels.freeze(ids, "it is spread over all channels")
    return Cut(whole[0])


def divide(call: Call) -> Cut:
    """Division by a number; a division by what may be a dropped channel freezes."""
    return merge(call) if len(call.inputs) == 1 else call.freeze("a division by channels")


def concatenate(call: Call) -> Cut:
    """Concatenate: side by side on the last axis, channel by channel on any other."""
    last = len(call.output_shape) - 1
    if call.layer.axis in (-1, last):
        return Cut(np.concatenate(call.inputs))
    if call.layer.axis in (0, -last - 1):
        return call.freeze("it joins samples")
    return merge(call)


def reshape(call: Call) -> Cut:
    """Flatten and Reshape: channels that come to lie in one new channel go together."""
    before, after = call.input_shapes[0], call.output_shape
    count = width(after)
    if None in before[1:] or None in after[1:]:
        return call.freeze("a reshape of unknown size")
    if count == 1 and len(call.ids) > 1:
        return call.freeze("a reshape that moves its channels to another axis")
    sizes = {"target_shape": call.ids}
    if count == len(call.ids):
        output = call.ids
    else:
        rows = np.tile(call.ids, positions(before)).reshape(-1, count)
        output = rows[0]
        for row in rows[1:]:
            if not np.array_equal(row, output):
                call.channels.unite(output, row)
        sizes = {"target_shape": output}
    return Cut(output, sizes=sizes if hasattr(call.layer, "target_shape") else {})


def permute(call: Call) -> Cut:
    """Permute: fine as long as the channels stay last."""
    dims = call.layer.dims
    return Cut(call.ids) if dims[-1] == len(dims) else call.freeze("it moves the channels to another axis")


def reduce(call: Call) -> Cut:
    """Mean, Max and Sum over positions; over channels they freeze."""
    axes = call.layer.axis
    last = len(call.input_shapes[0]) - 1
    taken = range(last + 1) if axes is None else [axes] if isinstance(axes, int) else axes
    if any(axis in (-1, last, 0, -last - 1) for axis in taken):
        return call.freeze(f"{call.layer.name} goes over channels or samples")
    return Cut(call.ids)


def input_layer(call: Call) -> Cut:
    """The input of a nested model: its shape follows the channels that come in."""
    return Cut(call.ids, sizes={"batch_shape": call.ids})


def is_elementwise(function: Any) -> bool:
    """True for Keras's own activations that treat every channel alone; a function of the user's may do anything."""
    name = getattr(function, "__name__", "")
    return function is None or (name not in _MIXING_ACTIVATIONS and getattr(keras.activations, name, None) is function)


_ALIKE = """ReLU LeakyReLU ELU Activation Identity Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D
AlphaDropout GaussianNoise GaussianDropout ActivityRegularization RepeatVector
MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D
GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D
ZeroPadding1D ZeroPadding2D ZeroPadding3D Cropping1D Cropping2D Cropping3D
UpSampling1D UpSampling2D UpSampling3D Resizing"""
_MERGES = "Add Subtract Multiply Average Maximum Minimum CustomScaleLayer"

WEIGHTLESS: dict[str, Rule] = {
    "InputLayer": input_layer,
    **dict.fromkeys(_ALIKE.split(), pass_on),
    **dict.fromkeys(_MERGES.split(), merge),
    "Rescaling": rescaling,
    "Softmax": softmax,
    "Concatenate": concatenate,
    "Flatten": reshape,
    "Reshape": reshape,
    "Permute": permute,
}

_ALIKE_OPS = """Relu Relu6 LeakyRelu Elu Selu Silu Gelu Sigmoid HardSigmoid HardSilu HardTanh Tanh Softplus Softsign
Abs Absolute Negative Square Sqrt Exp Clip"""
_MERGE_OPS = "Add Subtract Multiply Maximum Minimum"

OPERATIONS: dict[str, Rule] = {
    **dict.fromkeys(_ALIKE_OPS.split(), pass_on),
    **dict.fromkeys(_MERGE_OPS.split(), merge),
    **dict.fromkeys(("Divide", "TrueDivide"), divide),
    **dict.fromkeys(("Mean", "Max", "Sum"), reduce),
    "Concatenate": concatenate,
}
