"""The models of the conversion matrix, as a user writes them in Keras 3; runs in a worker.

Each public function is a row, named after what it tries: it returns a model with random weights. Inputs are normal
numbers, but for rows that take ids. Sizes are small: a row is converted in about a second.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

import custom_layers
import keras
import numpy as np
from keras import layers, ops

from edgekit.progress import Progress

VOCABULARY = 40
TIME = 10
CALIBRATION, SAMPLES, CAUSES = 200, 232, 4


def write(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Write a row's model and data: model.keras and data.npz (x_train, x_test) in the folder of the request."""
    progress(f"writing {request['row']}")
    keras.utils.set_random_seed(7)
    model = _rows()[request["row"]]()
    for variable in model.variables:
        # Biases of zero and scales of one would hide what is lost.
        if len(variable.shape) == 1 and "moving_variance" not in variable.path:
            variable.assign(variable + 0.1 * np.random.default_rng(len(variable.path)).normal(size=variable.shape))
    folder = Path(request["folder"])
    model.save(folder / "model.keras")
    rng = np.random.default_rng(3)
    shape = tuple(model.inputs[0].shape[1:])
    shape = tuple(12 if size is None else size for size in shape)
    # As data of sensors are: a few causes, many readings, some noise. White noise has outliers in every sample, and
    # then one value outside of the calibrated range decides the figure.
    # All samples are equally loud.
    causes = rng.normal(size=(SAMPLES, CAUSES))
    causes /= np.linalg.norm(causes, axis=1, keepdims=True)
    x = causes @ rng.normal(size=(CAUSES, int(np.prod(shape))))
    x = (x + 0.1 * rng.normal(size=x.shape)).reshape(SAMPLES, *shape)
    if request["row"] in TAKES_IDS:
        x = rng.integers(1, VOCABULARY, size=x.shape)
    if request["row"] in PADDED:
        x[:, shape[0] - 3 :] *= rng.integers(0, 2, size=(SAMPLES, 1))
    x = x.astype(np.float32)
    np.savez(folder / "data.npz", x_train=x[:CALIBRATION], x_test=x[CALIBRATION:])
    return {}


def write_looping(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Write a model whose second layer makes the converter crash: looping.keras in the folder of the request."""
    progress("writing looping")
    layered = [layers.Input((5, 4)), layers.Dense(4), custom_layers.Looping(name="own_loop"), layers.Dense(3)]
    keras.Sequential(layered).save(Path(request["folder"]) / "looping.keras")
    return {}


def _rows() -> dict[str, Any]:
    here = sys.modules[__name__]
    return {
        name: function
        for name, function in vars(here).items()
        if inspect.isfunction(function) and function.__module__ == __name__ and name[0] != "_" and name[:5] != "write"
    }


def _image(*middle: Any) -> Any:
    return keras.Sequential(
        [
            layers.Input((8, 8, 3)),
            layers.Conv2D(8, 3, padding="same"),
            *middle,
            layers.Flatten(),
            layers.Dense(5),
        ]
    )


def _vector(*middle: Any) -> Any:
    return keras.Sequential([layers.Input((12,)), layers.Dense(16), *middle, layers.Dense(5)])


def _sequence(*middle: Any, features: int = 6) -> Any:
    return keras.Sequential([layers.Input((TIME, features)), *middle, layers.Dense(4)])


def convolution() -> Any:
    return _image(layers.Conv2D(8, 3, strides=2, padding="same", activation="relu6"), layers.MaxPooling2D())


def separable_convolution() -> Any:
    return _image(layers.SeparableConv2D(8, 3, activation="relu"), layers.GlobalAveragePooling2D())


def grouped_convolution() -> Any:
    return _image(layers.Conv2D(8, 3, groups=2), layers.ReLU())


def transposed_convolution() -> Any:
    return _image(layers.Conv2DTranspose(4, 3, strides=2, padding="same"))


def convolution_1d() -> Any:
    return _sequence(layers.Conv1D(8, 3, activation="relu"), layers.GlobalMaxPooling1D())


def causal_convolution_1d() -> Any:
    return _sequence(layers.Conv1D(8, 3, padding="causal", dilation_rate=2), layers.AveragePooling1D(2))


def zero_padding_and_concatenation() -> Any:
    inputs = keras.Input((8, 8, 3))
    left = layers.Conv2D(4, 3)(layers.ZeroPadding2D(1)(inputs))
    right = layers.Conv2D(4, 1)(inputs)
    return keras.Model(inputs, layers.Dense(5)(layers.Flatten()(layers.Concatenate()([left, right]))))


def squeeze_and_excite() -> Any:
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(8, 1, activation="sigmoid")(layers.Conv2D(4, 1, activation="relu")(gate))
    return keras.Model(inputs, layers.Dense(5)(layers.Flatten()(layers.Multiply()([x, gate]))))


def batch_normalization_alone() -> Any:
    return _image(layers.MaxPooling2D(), layers.BatchNormalization())


def rescaling_and_normalization() -> Any:
    normalization = layers.Normalization(mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 1.5])
    return keras.Sequential(
        [
            layers.Input((8, 8, 3)),
            layers.Rescaling(0.5, offset=0.1),
            normalization,
            layers.Conv2D(8, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(5),
        ]
    )


def dense_of_rank_3() -> Any:
    return _sequence(layers.Dense(8, activation="tanh"), layers.Dense(8))


def leaky_relu() -> Any:
    return _image(layers.LeakyReLU(0.2))


def prelu() -> Any:
    return _image(layers.PReLU(alpha_initializer="random_normal", shared_axes=[1, 2]))


def hard_swish() -> Any:
    return _image(layers.Activation("hard_swish"))


def sigmoid_and_softmax() -> Any:
    return _vector(layers.Activation("sigmoid"), layers.Dense(8), layers.Softmax())


def layer_normalization() -> Any:
    return _image(layers.LayerNormalization())


def layer_normalization_of_vectors() -> Any:
    return _vector(layers.LayerNormalization())


def group_normalization() -> Any:
    return _image(layers.GroupNormalization(4))


def rms_normalization() -> Any:
    return _image(layers.RMSNormalization())


def unit_normalization() -> Any:
    return _image(layers.UnitNormalization())


def normalized_dot() -> Any:
    inputs = keras.Input((12,))
    dot = layers.Dot(axes=1, normalize=True)([layers.Dense(8)(inputs), layers.Dense(8)(inputs)])
    return keras.Model(inputs, layers.Dense(3)(dot))


def gelu() -> Any:
    return _image(layers.Activation("gelu"))


def gelu_by_tanh() -> Any:
    return _image(layers.Activation(custom_layers.gelu_by_tanh))


def silu() -> Any:
    return _image(layers.Activation("silu"))


def elu() -> Any:
    return _image(layers.ELU())


def selu() -> Any:
    return _image(layers.Activation("selu"))


def softplus() -> Any:
    return _image(layers.Activation("softplus"))


def mish() -> Any:
    return _image(layers.Activation("mish"))


def exponential() -> Any:
    return _vector(layers.Dense(8, activation="tanh"), layers.Activation("exponential"))


def softsign() -> Any:
    return _image(layers.Activation("softsign"))


def hard_sigmoid() -> Any:
    return _image(layers.Activation("hard_sigmoid"))


def log_softmax() -> Any:
    return _vector(layers.Dense(8), layers.Activation("log_softmax"))


def softmax_on_axis_1() -> Any:
    return _sequence(layers.Dense(8), layers.Softmax(axis=1))


def embedding_of_int32() -> Any:
    inputs = keras.Input((TIME,), dtype="int32")
    x = layers.Embedding(VOCABULARY, 8)(inputs)
    return keras.Model(inputs, layers.Dense(5)(layers.Flatten()(x)))


def embedding_of_float32() -> Any:
    return keras.Sequential(
        [layers.Input((TIME,)), layers.Embedding(VOCABULARY, 8), layers.GlobalAveragePooling1D(), layers.Dense(5)]
    )


def up_sampling_nearest() -> Any:
    return _image(layers.UpSampling2D(2), layers.Conv2D(4, 3))


def up_sampling_bilinear() -> Any:
    return _image(layers.UpSampling2D(2, interpolation="bilinear"), layers.Conv2D(4, 3))


def up_sampling_1d() -> Any:
    return _sequence(layers.UpSampling1D(2), layers.Conv1D(4, 3))


def repeat_vector() -> Any:
    return _vector(layers.RepeatVector(5))


def multi_head_attention() -> Any:
    return _attention(layers.MultiHeadAttention(2, 8))


def causal_multi_head_attention() -> Any:
    return _attention(layers.MultiHeadAttention(2, 8), use_causal_mask=True)


def causal_multi_head_attention_with_dropout() -> Any:
    return _attention(layers.MultiHeadAttention(2, 8, dropout=0.1), use_causal_mask=True)


def grouped_query_attention() -> Any:
    return _attention(layers.GroupQueryAttention(8, 4, 2))


def attention() -> Any:
    return _attention(layers.Attention())


def causal_attention() -> Any:
    return _attention(layers.Attention(), use_causal_mask=True)


def masked_multi_head_attention() -> Any:
    inputs = keras.Input((TIME,), dtype="int32")
    x = layers.Embedding(VOCABULARY, 8, mask_zero=True)(inputs)
    x = x + layers.MultiHeadAttention(2, 8)(x, x)
    return keras.Model(inputs, layers.Dense(5)(layers.Flatten()(x)))


def _attention(layer: Any, **settings: Any) -> Any:
    inputs = keras.Input((TIME, 6))
    x = layers.Dense(16)(inputs)
    x = layers.Add()(
        [x, layer(x, x, **settings) if not isinstance(layer, layers.Attention) else layer([x, x], **settings)]
    )
    return keras.Model(inputs, layers.Dense(4)(layers.Flatten()(x)))


def lstm() -> Any:
    return _sequence(layers.LSTM(8))


def lstm_sequences() -> Any:
    return _sequence(layers.LSTM(8, return_sequences=True))


def lstm_of_100_steps() -> Any:
    return keras.Sequential([layers.Input((100, 6)), layers.LSTM(8), layers.Dense(4)])


def lstm_behind_a_dense() -> Any:
    return _sequence(layers.Dense(6), layers.LSTM(8))


def two_lstms() -> Any:
    return _sequence(layers.LSTM(8, return_sequences=True), layers.LSTM(6))


def bidirectional_lstm() -> Any:
    return _sequence(layers.Bidirectional(layers.LSTM(8, return_sequences=True)))


def bidirectional_lstm_last() -> Any:
    return _sequence(layers.Bidirectional(layers.LSTM(8)))


def lstm_unrolled() -> Any:
    return _sequence(layers.LSTM(8, unroll=True))


def lstm_unrolled_sequences() -> Any:
    return _sequence(layers.LSTM(8, unroll=True, return_sequences=True))


def bidirectional_lstm_unrolled() -> Any:
    return _sequence(layers.Bidirectional(layers.LSTM(8, unroll=True, return_sequences=True)))


def gru() -> Any:
    return _sequence(layers.GRU(8))


def gru_unrolled() -> Any:
    return _sequence(layers.GRU(8, unroll=True))


def gru_sequences() -> Any:
    return _sequence(layers.GRU(8, return_sequences=True))


def gru_reset_before() -> Any:
    return _sequence(layers.GRU(8, reset_after=False))


def simple_rnn() -> Any:
    return _sequence(layers.SimpleRNN(8))


def simple_rnn_sequences() -> Any:
    return _sequence(layers.SimpleRNN(8, return_sequences=True))


def conv_lstm() -> Any:
    return keras.Sequential(
        [layers.Input((4, 8, 8, 2)), layers.ConvLSTM2D(4, 3, padding="same"), layers.Flatten(), layers.Dense(4)]
    )


def resizing_bilinear() -> Any:
    return _image(layers.Resizing(12, 12), layers.Conv2D(4, 3))


def resizing_nearest() -> Any:
    return _image(layers.Resizing(12, 12, interpolation="nearest"), layers.Conv2D(4, 3))


def cropping() -> Any:
    return _image(layers.Cropping2D(1))


def permute_and_reshape() -> Any:
    return _image(layers.Permute((3, 1, 2)), layers.Reshape((8, -1)), layers.Dense(6))


def custom_layer() -> Any:
    return _vector(custom_layers.Scaled())


def einsum_dense() -> Any:
    return _sequence(layers.EinsumDense("abc,cd->abd", output_shape=(None, 8), bias_axes="d"))


def dropout_and_noise() -> Any:
    return _vector(layers.Dropout(0.5), layers.GaussianNoise(0.1), layers.GaussianDropout(0.1))


def merges() -> Any:
    inputs = keras.Input((12,))
    first, second, third = (layers.Dense(8)(inputs) for _ in range(3))
    x = layers.Maximum()([first, second])
    x = layers.Multiply()([x, third])
    x = layers.Subtract()([x, second])
    return keras.Model(inputs, layers.Dense(5)(layers.Average()([x, first])))


def input_of_any_size() -> Any:
    inputs = keras.Input((None, None, 3))
    x = layers.Conv2D(8, 3, activation="relu")(inputs)
    return keras.Model(inputs, layers.Dense(5)(layers.GlobalAveragePooling2D()(x)))


def arg_max() -> Any:
    inputs = keras.Input((12,))
    return keras.Model(inputs, ops.argmax(layers.Dense(8)(inputs), axis=-1))


def transformer() -> Any:
    inputs = keras.Input((TIME,), dtype="int32")
    x = layers.Embedding(VOCABULARY, 16)(inputs)
    for _ in range(2):
        normalized = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.MultiHeadAttention(2, 8)(normalized, normalized)])
        normalized = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.Dense(16)(layers.Dense(32, activation="gelu")(normalized))])
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
    return keras.Model(inputs, layers.Dense(5)(x))


def u_net() -> Any:
    inputs = keras.Input((16, 16, 3))
    outer = layers.Conv2D(8, 3, padding="same", activation="relu")(inputs)
    inner = layers.Conv2D(16, 3, padding="same", activation="relu")(layers.MaxPooling2D()(outer))
    deep = layers.Conv2D(16, 3, padding="same", activation="relu")(layers.MaxPooling2D()(inner))
    x = layers.Concatenate()([layers.UpSampling2D()(deep), inner])
    x = layers.Conv2DTranspose(8, 2, strides=2)(layers.Conv2D(8, 3, padding="same", activation="relu")(x))
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(layers.Concatenate()([x, outer]))
    return keras.Model(inputs, layers.Conv2D(2, 1)(x))


TAKES_IDS = {"embedding_of_int32", "embedding_of_float32", "transformer", "masked_multi_head_attention"}
PADDED = {"masked_multi_head_attention"}
