"""Random small Keras models, converted in the TensorFlow child in all the ways that the converter offers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np

Rng = np.random.Generator
# With int16 the converter gives NEG a float output for its int16 input: no sound model.
_CONTRADICTORY = ("negative", "maximum of two")
_WAYS = ("int8", "int8", "int8", "int16", "dynamic", "float16", "float32")


def convert(request: dict[str, Any], progress: Callable[..., None]) -> dict[str, Any]:
    """Make models `first` .. `first + count - 1` and write them to `folder`.

    Returns:
        "made": file name -> layers; "failed": those that the converter itself does not take.
    """
    import keras

    made, failed = {}, {}
    for number in range(request["first"], request["first"] + request["count"]):
        rng = np.random.default_rng(number)
        keras.utils.set_random_seed(number)
        way = _WAYS[number % len(_WAYS)]
        progress(f"graph {number}")
        model, layers = random_model(rng, _CONTRADICTORY if way == "int16" else ())
        name = f"{number}-{way}.tflite"
        try:
            (Path(request["folder"]) / name).write_bytes(_converted(model, way, rng))
            made[name] = layers
        # The converter raises many kinds; what it does not take is not its output.
        except Exception as error:  # noqa: BLE001
            failed[name] = f"{layers}: {str(error)[:200]}"
    return {"made": made, "failed": failed}


def _converted(model: Any, way: str, rng: Rng) -> bytes:
    import tensorflow as tf

    shape = tuple(model.inputs[0].shape[1:])
    function = tf.function(lambda x: model(x, training=False))
    concrete = function.get_concrete_function(tf.TensorSpec((1, *shape), model.inputs[0].dtype))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])

    def samples() -> Iterator[list[Any]]:
        for _ in range(4):
            yield [rng.normal(size=(1, *shape)).astype(np.float32)]

    if way != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if way == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if way in ("int8", "int16"):
        converter.representative_dataset = samples
        wide = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        kind = tf.lite.OpsSet.TFLITE_BUILTINS_INT8 if way == "int8" else wide
        converter.target_spec.supported_ops = [kind, tf.lite.OpsSet.TFLITE_BUILTINS]
    return bytes(converter.convert())


def random_model(rng: Rng, without: Collection[str] = ()) -> tuple[Any, list[str]]:
    """Return a model of 2 to 6 layers on an image, a sequence or a vector, and the names of its layers.

    Args:
        rng: decides everything.
        without: layers that it shall not have.
    """
    import keras

    family = ("image", "image", "sequence", "vector")[int(rng.integers(4))]
    shape = {"image": (8, 8, 3), "sequence": (6, 5), "vector": (12,)}[family]
    inputs = keras.Input(shape, name="x")
    x, used = inputs, []
    for _ in range(int(rng.integers(2, 7))):
        choices = {name: made for name, made in _choices(rng, x).items() if name not in without}
        name = sorted(choices)[int(rng.integers(len(choices)))]
        x = choices[name](x)
        used.append(name)
        if any(size is not None and size < 1 for size in x.shape):
            break
    return keras.Model(inputs, x), used


def _choices(rng: Rng, x: Any) -> dict[str, Callable[[Any], Any]]:
    found = {**_elementwise(rng), **_joints(rng)}
    if len(x.shape) == 4:
        found.update(_images(rng, x))
    if len(x.shape) == 3:
        found.update(_sequences(rng, x))
    if len(x.shape) == 2:
        found.update(_vectors(rng, x))
    return found


def _elementwise(rng: Rng) -> dict[str, Callable[[Any], Any]]:
    import keras
    from keras import layers, ops

    kinds = "relu relu6 sigmoid tanh silu hard_swish gelu elu leaky_relu softmax selu softplus".split()
    found: dict[str, Callable[[Any], Any]] = {
        kind: layers.Activation(getattr(keras.activations, kind, kind)) for kind in kinds
    }
    found |= {
        "batch_normalization": layers.BatchNormalization(),
        "layer_normalization": layers.LayerNormalization(),
        "prelu": layers.PReLU(),
        "abs": ops.abs,
        "square": ops.square,
        "exp": lambda x: ops.exp(ops.minimum(x, 2.0)),
        "sqrt": lambda x: ops.sqrt(ops.abs(x) + 1.0),
        "rsqrt": lambda x: ops.rsqrt(ops.abs(x) + 1.0),
        "log": lambda x: ops.log(ops.abs(x) + 1.0),
        "sin": ops.sin,
        "cos": ops.cos,
        "floor": ops.floor,
        "clip": lambda x: ops.clip(x, -1.0, 1.5),
        "negative": ops.negative,
        "where": lambda x: ops.where(x > 0.1, x, x * 0.5),
        "flip": lambda x: ops.flip(x, axis=1),
        "cumsum": lambda x: ops.cumsum(x, axis=1),
        "maximum": lambda x: ops.maximum(x, 0.2),
        "power": lambda x: ops.power(ops.abs(x) + 0.5, 2.0),
    }
    return found


def _joints(rng: Rng) -> dict[str, Callable[[Any], Any]]:
    from keras import layers, ops

    return {
        "add": lambda x: layers.Add()([x, ops.tanh(x)]),
        "subtract": lambda x: layers.Subtract()([x, ops.relu(x)]),
        "multiply": lambda x: layers.Multiply()([x, ops.sigmoid(x)]),
        "average": lambda x: layers.Average()([x, ops.relu(x)]),
        "maximum of two": lambda x: layers.Maximum()([x, -x]),
        "concatenate": lambda x: layers.Concatenate()([x, ops.relu(x)]),
        "divide": lambda x: x / (ops.abs(x) + 1.0),
        "stack": lambda x: ops.sum(ops.stack([x, x * 2.0], axis=1), axis=1),
        "split": lambda x: ops.split(x, [1], axis=-1)[1] if x.shape[-1] > 1 else x,
        "slice": lambda x: x[:, 1:] if x.shape[1] > 1 else x,
        "strided slice": lambda x: x[:, ::2],
        "dense": layers.Dense(int(rng.integers(2, 9))),
        "mean over all but the first": lambda x: ops.mean(x, axis=1, keepdims=True),
        "squared difference": lambda x: ops.square(x - ops.mean(x, axis=-1, keepdims=True)),
    }


def _images(rng: Rng, x: Any) -> dict[str, Callable[[Any], Any]]:
    from keras import layers, ops

    padding = ("same", "valid")[int(rng.integers(2))] if min(x.shape[1], x.shape[2]) >= 3 else "same"
    stride, units = int(rng.integers(1, 3)), int(rng.integers(1, 9))
    found: dict[str, Callable[[Any], Any]] = {
        "conv": layers.Conv2D(units, 3, strides=stride, padding=padding),
        "conv with dilation": layers.Conv2D(units, 3, padding="same", dilation_rate=2),
        "conv with groups": layers.Conv2D(x.shape[-1] * 2, 3, padding="same", groups=x.shape[-1]),
        "pointwise conv": layers.Conv2D(units, 1, activation="relu6"),
        "depthwise": layers.DepthwiseConv2D(
            3, strides=stride, padding=padding, depth_multiplier=int(rng.integers(1, 3))
        ),
        "separable": layers.SeparableConv2D(units, 3, padding="same"),
        "transposed conv": layers.Conv2DTranspose(units, 3, strides=stride, padding=padding),
        "max pool": layers.MaxPooling2D(2, padding="same"),
        "average pool": layers.AveragePooling2D(3, strides=stride, padding="same"),
        "global average": layers.GlobalAveragePooling2D(keepdims=bool(rng.integers(2))),
        "global max": layers.GlobalMaxPooling2D(),
        "zero padding": layers.ZeroPadding2D(((1, 0), (0, 2))),
        "mirror padding": lambda y: ops.pad(y, ((0, 0), (1, 1), (0, 0), (0, 0)), mode="symmetric"),
        "up-sampling": layers.UpSampling2D(2),
        "up-sampling, bilinear": layers.UpSampling2D(2, interpolation="bilinear"),
        "flatten": layers.Flatten(),
        "permute": layers.Permute((2, 1, 3)),
        "group normalization": layers.GroupNormalization(groups=1),
        "rows as a sequence": layers.Reshape((x.shape[1] * x.shape[2], x.shape[3])),
        "l2 normalization": layers.UnitNormalization(),
        "tile": lambda y: ops.tile(y, (1, 2, 1, 1)),
        "max over channels": lambda y: ops.max(y, axis=-1, keepdims=True),
    }
    if min(x.shape[1], x.shape[2]) >= 3:
        found["cropping"] = layers.Cropping2D(1)
    return found


def _sequences(rng: Rng, x: Any) -> dict[str, Callable[[Any], Any]]:
    from keras import layers, ops

    units = int(rng.integers(2, 6))
    found: dict[str, Callable[[Any], Any]] = {
        "conv over time": layers.Conv1D(units, 3, padding="same"),
        "causal conv": layers.Conv1D(units, 2, padding="causal", dilation_rate=2),
        "max pool over time": layers.MaxPooling1D(2, padding="same"),
        "global average over time": layers.GlobalAveragePooling1D(),
        "attention": lambda y: layers.MultiHeadAttention(2, 4)(y, y),
        "flatten": layers.Flatten(),
        "dot": lambda y: layers.Dot(axes=2)([y, y]),
        "transpose": lambda y: ops.transpose(y, (0, 2, 1)),
        "gather": lambda y: ops.take(y, [0, 0], axis=1),
        "expand": lambda y: ops.expand_dims(y, 1),
    }
    if x.shape[1] <= 8:
        found["lstm"] = layers.LSTM(units, return_sequences=bool(rng.integers(2)), unroll=True)
        found["gru"] = layers.GRU(units, unroll=True)
        found["simple rnn"] = layers.SimpleRNN(units, unroll=True)
    return found


def _vectors(rng: Rng, x: Any) -> dict[str, Callable[[Any], Any]]:
    from keras import layers, ops

    return {
        "dense without bias": layers.Dense(int(rng.integers(2, 9)), use_bias=False),
        "dense with relu": layers.Dense(int(rng.integers(2, 9)), activation="relu"),
        "repeat": layers.RepeatVector(3),
        "column": layers.Reshape((x.shape[1], 1)),
        "top": lambda y: ops.top_k(y, 1)[0],
        "index of the largest": lambda y: ops.cast(ops.expand_dims(ops.argmax(y, axis=-1), 1), "float32"),
        "square it": lambda y: ops.matmul(ops.expand_dims(y, 2), ops.expand_dims(y, 1)),
    }
