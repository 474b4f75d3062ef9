"""What Keras 2 wrote, as Keras 3 reads it; no TensorFlow needed for the configs themselves."""

from __future__ import annotations

from typing import Any

import pytest

from edgekit.tflite.keras_models import modernized_config


def layer(class_name: str, /, **settings: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": settings}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (layer("DepthwiseConv2D", name="d", groups=1), layer("DepthwiseConv2D", name="d")),
        # Two groups mean something: Keras 3 has to refuse them, so they stay.
        (layer("DepthwiseConv2D", groups=2), layer("DepthwiseConv2D", groups=2)),
        (layer("Conv2D", groups=1), layer("Conv2D", groups=1)),
        (layer("SeparableConv2D", groups=1, kernel_initializer={}, kernel_constraint=None), layer("SeparableConv2D")),
        (layer("LSTM", units=3, time_major=False), layer("LSTM", units=3)),
        (layer("LSTM", units=3, time_major=True), layer("LSTM", units=3, time_major=True)),
        (layer("BatchNormalization", axis=[3]), layer("BatchNormalization", axis=3)),
        (layer("LayerNormalization", axis=[2]), layer("LayerNormalization", axis=[2])),
        (
            layer("Bidirectional", layer=layer("GRU", time_major=False)),
            layer("Bidirectional", layer=layer("GRU")),
        ),
    ],
)
def test_settings_of_layers(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert modernized_config(before) == after
    model = layer("Functional", layers=[before])
    assert modernized_config(model) == layer("Functional", layers=[after])


@pytest.mark.parametrize("bare_list", [False, True])
def test_input_shape_in_the_first_layer_of_a_sequential(bare_list: bool) -> None:
    layers = [layer("Dense", units=3, batch_input_shape=[None, 4]), layer("Dense", units=2)]
    config: Any = layers if bare_list else {"name": "sequential", "layers": layers}
    modern = modernized_config({"class_name": "Sequential", "config": config})
    assert [item["class_name"] for item in modern["config"]["layers"]] == ["InputLayer", "Dense", "Dense"]
    assert modern["config"]["layers"][0]["config"]["batch_input_shape"] == [None, 4]
    assert modern["config"]["layers"][1]["config"] == {"units": 3}
    assert "batch_input_shape" in layers[0]["config"], "the config that came in stays as it was"
    assert modernized_config(modern) == modern
