"""Structured pruning of every family of keras.applications, against the original with the same channels zeroed."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

from _row import Figure, Row, at_most, main

if TYPE_CHECKING:
    import keras
    import numpy as np

# The smallest member of each family, with the smallest input that it takes.
_MODELS = {
    "ConvNeXtTiny": 32,
    "DenseNet121": 32,
    "EfficientNetB0": 32,
    "EfficientNetV2B0": 32,
    "InceptionResNetV2": 75,
    "InceptionV3": 75,
    "MobileNet": 32,
    "MobileNetV2": 32,
    "MobileNetV3Small": 32,
    "NASNetMobile": 32,
    "ResNet50": 32,
    "ResNet50V2": 32,
    "VGG16": 32,
    "Xception": 71,
}
_ALSO_A = {"vgg19": "vgg16"}
_SAMPLES = 8


def run() -> Row:
    """Halve the channels of each model and compare."""
    import keras
    import numpy as np

    from edgekit.compress.frame.cost import macs
    from edgekit.compress.layers.recalibrate import recalibrate
    from edgekit.compress.prune_channels import PruneChannels
    from edgekit.data import Data

    _check_families()
    table = [("model", "input", "parameters", "pruned", "MACs", "pruned", "relative difference")]
    worst = 0.0
    for name, size in _MODELS.items():
        model = _model(name, size)
        x = _pixels(np.random.default_rng(1), _SAMPLES, size)
        pruned = PruneChannels(ratio=0.5, epochs=0, recalibrate=False).apply(model, Data(x)).model
        # Without half of its channels every normalization is off, until nothing of the input is left at the end.
        recalibrate(pruned, _pixels(np.random.default_rng(2), 64, size), 64)
        counts = (model.count_params(), pruned.count_params(), macs(model), macs(pruned))
        _zero_what_is_gone(model, pruned)
        expected, got = (np.asarray(each(x, training=False)) for each in (model, pruned))
        difference = float(np.abs(got - expected).max() / np.abs(expected).max())
        spread = np.ptp(expected, axis=0).max() / np.abs(expected).max()
        if not spread > 0.01:
            raise AssertionError(
                f"{name}, spread {spread:.1e}: its outputs do not depend on its input, so that they prove nothing"
            )
        worst = max(worst, difference)
        table.append((name, f"{size}x{size}", *(f"{count:,}" for count in counts), f"{difference:.1e}"))
        del model, pruned
        keras.backend.clear_session()
        gc.collect()
    return Row(
        claim="every family of keras.applications, half of its channels removed: equal to the channel-zeroed original",
        figures=(
            Figure("models", len(_MODELS)),
            at_most("largest relative difference", worst, 1e-5),
        ),
        note="Half of the channels of each width, in multiples of 4; random weights, biases above 0, measured batch "
        "normalization statistics; float32; outputs are logits. In ConvNeXt the residual stream stays: "
        "LayerNormalization looks at all of it.",
        table=tuple(table),
    )


def _check_families() -> None:
    """No family of this Keras version may be missing."""
    from keras import applications

    names = [name for name in dir(applications) if name[0].isupper()]
    modules = {name: getattr(applications, name).__module__.rsplit(".", 1)[-1] for name in names}
    covered = {modules[name] for name in _MODELS}
    missing = {module for module in modules.values() if _ALSO_A.get(module, module) not in covered}
    if missing:
        raise AssertionError(f"keras.applications has families that this row does not try: {sorted(missing)}")


def _model(name: str, size: int) -> keras.Model:
    """Build a network of random weights whose layers all give outputs of a sensible size."""
    import keras
    import numpy as np

    from edgekit.compress.layers.recalibrate import recalibrate

    keras.utils.set_random_seed(0)
    model = getattr(keras.applications, name)(
        weights=None, input_shape=(size, size, 3), classifier_activation=None, classes=100
    )
    rng = np.random.default_rng(0)
    for layer in model._flatten_layers():
        for variable in layer.weights if not isinstance(layer, keras.Model) else ():
            if variable.name in ("bias", "beta"):
                # Positive: where each layer cuts off half of everything, a deep network of random weights blows up
                # float32's rounding until it says nothing.
                variable.assign(_distinct(rng, variable.shape, 0.0, 1.5))
            elif variable.name == "gamma" and isinstance(layer, keras.layers.BatchNormalization):
                variable.assign(_distinct(rng, variable.shape, 0.3, 0.9))
            elif variable.name == "kernel" and not isinstance(layer, keras.layers.DepthwiseConv2D):
                # He's scale: without batch normalization, Keras's default fades away over VGG's sixteen layers.
                fan_in = np.prod(variable.shape[:-1])
                variable.assign(rng.normal(0, np.sqrt(2 / fan_in), variable.shape))
    recalibrate(model, _pixels(rng, 64, size), 64)
    return model


def _pixels(rng: np.random.Generator, count: int, size: int) -> Any:
    """Images of a few large patches, 0..255: noise looks the same everywhere to a deep network."""
    patches = rng.uniform(0, 255, (count, 4, 4, 3)).astype("float32")
    each = -(-size // 4)
    return patches.repeat(each, axis=1).repeat(each, axis=2)[:, :size, :size]


def _distinct(rng: np.random.Generator, shape: tuple[int, ...], low: float, high: float) -> Any:
    """Random numbers of which no two are equal: they mark the channels."""
    import numpy as np

    return rng.permutation(np.linspace(low, high, shape[0]))


def _zero_what_is_gone(original: keras.Model, pruned: keras.Model) -> None:
    """Zero, in the original, the channels that the pruned model lacks, told by their random biases alone."""
    import keras
    import numpy as np

    for before, after in zip(_leaves(original), _leaves(pruned), strict=True):
        left = {variable.name: np.asarray(variable) for variable in after.weights}
        is_norm = isinstance(before, keras.layers.BatchNormalization)
        mark = "beta" if is_norm else "bias"
        if mark not in left:
            # A layer without a bias: the batch normalization behind it makes the zeros.
            continue
        stays = np.isin(np.asarray(getattr(before, mark)), left[mark])
        for variable in before.weights:
            value = np.asarray(variable)
            if variable.name in ("moving_mean", "moving_variance"):
                # The statistics of the pruned model. Divided by this much, nothing is left of the other channels.
                value = np.full(value.shape, 1e30 if variable.name == "moving_variance" else 0.0)
                value[stays] = left[variable.name]
                variable.assign(value)
            elif variable.name in ("bias", "beta", "kernel", "pointwise_kernel"):
                is_depthwise = isinstance(before, keras.layers.DepthwiseConv2D) and variable.name == "kernel"
                variable.assign(value * (stays[:, None] if is_depthwise else stays))


def _leaves(model: keras.Model) -> list[Any]:
    return [layer for layer in model._flatten_layers() if not layer._layers]


if __name__ == "__main__":
    main(run)
