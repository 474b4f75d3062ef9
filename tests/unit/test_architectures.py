"""The backbones have the weights and the work of the papers, and are plain Keras models."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from edgekit.architectures import depthwise_separable, ds_cnn, inverted_residual, mobilenet_v2
from edgekit.compress.frame.cost import layer_macs, macs
from edgekit.errors import UsageError

pytestmark = pytest.mark.slow


def test_mobilenet_v2_has_the_weights_and_the_work_of_the_paper() -> None:
    model = mobilenet_v2((224, 224, 3), 1000)
    # Sandler et al. 2018, table 4: 3.4 M parameters, 300 M multiply-adds; keras.applications: 3,538,984.
    assert model.count_params() == 3_538_984
    assert macs(model) == pytest.approx(300.8e6, rel=1e-4)


@pytest.mark.parametrize("width", [0.35, 1.3])
def test_mobilenet_v2_is_as_wide_as_keras_makes_it(width: float) -> None:
    ours = mobilenet_v2((96, 96, 3), 1000, width=width)
    theirs = keras.applications.MobileNetV2((96, 96, 3), alpha=width, weights=None)
    shapes = [sorted(tuple(weight.shape) for weight in model.weights) for model in (ours, theirs)]
    assert shapes[0] == shapes[1]
    assert macs(ours) == macs(theirs)


def test_ds_cnn_has_the_weights_of_the_keyword_benchmark() -> None:
    assert ds_cnn((49, 10, 1), 12).count_params() == 24_332
    assert ds_cnn((49, 10, 1), 12, width=0.5).count_params() == 8_076


@pytest.mark.parametrize("downsampling", [1, 2, 4, 8, 16, 32])
def test_small_pictures_keep_places(downsampling: int) -> None:
    stages = ((1, 8, 1, 1), (6, 8, 1, 2), (6, 8, 1, 2), (6, 8, 1, 2), (6, 8, 1, 2))
    model = mobilenet_v2((32, 32, 1), 10, width=0.35, downsampling=downsampling, stages=stages, last=8)
    assert model.get_layer("last").output.shape == (None, 32 // downsampling, 32 // downsampling, 8)
    outputs = model.predict(np.ones((2, 32, 32, 1), np.float32), verbose=0)
    assert outputs.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_a_separable_block_has_about_an_eighth_of_a_convolution() -> None:
    """3x3, 128 to 128 channels at 14x14: 147,456 weights and 28.9 M multiply-accumulates as a standard convolution."""
    inputs = keras.Input((14, 14, 128))
    block = layer_macs(keras.Model(inputs, depthwise_separable(inputs, 128, name="block")))
    assert sum(block.values()) == 14 * 14 * 128 * (9 + 128)
    standard = macs(keras.Model(inputs, keras.layers.Conv2D(128, 3, padding="same")(inputs)))
    assert standard / sum(block.values()) == pytest.approx(8.41, abs=0.01)


def test_an_inverted_residual_adds_only_where_shapes_agree() -> None:
    inputs = keras.Input((8, 8, 4))
    for filters, strides, adds in ((4, 1, True), (8, 1, False), (4, 2, False)):
        model = keras.Model(inputs, inverted_residual(inputs, filters, name="b", strides=strides))
        assert any(isinstance(layer, keras.layers.Add) for layer in model.layers) is adds


def test_what_makes_no_model_is_said() -> None:
    with pytest.raises(UsageError, match="expected \\(height, width, channels\\)"):
        ds_cnn((49, 10), 12)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="width is 0"):
        mobilenet_v2((32, 32, 1), 10, width=0)
    with pytest.raises(UsageError, match="downsampling is 3"):
        mobilenet_v2((32, 32, 1), 10, downsampling=3)
