"""VGG-16 with 90 % of its weights pruned: what each form takes; and what pruning costs a smaller VGG."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from _row import REPOSITORY, Figure, Row, at_most, main

SPARSITY, LIMIT_MB = 0.9, 53
# The trained one: a quarter of VGG-16's channels, 32 x 32 pixels.
WIDTH, EPOCHS, PRUNED_EPOCHS = 16, 10, 12
_MB, _MIB = 1e6, 2**20


@dataclass(frozen=True)
class Layer:
    """A pruned layer: outputs, weights of an output along the last axis, all weights, those that are not zero."""

    rows: int
    columns: int
    weights: int
    nonzero: int


def run() -> Row:
    """Prune and encode VGG-16 with random weights, then train and prune a smaller one."""
    layers, outputs, int8_dense, int8_bitmap, is_same = forms()
    parameters = sum(layer.weights for layer in layers) + outputs
    table = [("form", "MB", "MiB", f"below {LIMIT_MB} MB", f"below {LIMIT_MB} MiB", "how")]
    for name, size, how in sizes(layers, outputs, int8_dense, int8_bitmap):
        below = ("yes" if size < LIMIT_MB * unit else "no" for unit in (_MB, _MIB))
        table.append((name, f"{size / _MB:.1f}", f"{size / _MIB:.1f}", *below, how))
    before, after, sparsity, samples = trained()
    lost = round(100 * (before - after), 2)
    error = 100 * (before * (1 - before) / samples) ** 0.5
    return Row(
        claim=f"VGG-16 from 528 MiB to {LIMIT_MB} MB by pruning {SPARSITY:.0%} of its weights",
        figures=(
            Figure("parameters", parameters, "= 138,357,544", parameters == 138_357_544),
            Figure("weights that are not zero as float32, no positions, MiB", round(_payload(layers, 4) / _MIB, 1)),
            at_most("pruned, int8, bitmap (DECODE): file, bytes", int8_bitmap, LIMIT_MB * 10**6),
            Figure("its weights, decoded", "equal to dense int8" if is_same else "unequal", "equal", is_same),
            Figure("smaller VGG, pruned: zeros", round(sparsity, 4), f"= {SPARSITY}", round(sparsity, 4) == SPARSITY),
            Figure(
                "smaller VGG, trained: accuracy", round(before, 4), spread=f"± {error / 100:.4f} ({samples} samples)"
            ),
            Figure("smaller VGG, pruned: accuracy", round(after, 4), spread=f"± {error / 100:.4f} ({samples} samples)"),
            Figure("points lost", lost, "< 1", lost < 1),
        ),
        note="VGG-16 with random weights: only sizes are shown. Computed: weights, positions and biases, without the "
        "file's structure. Measured: a .tflite written with the schema, not converted. No form with float32 weights "
        f"gets under {LIMIT_MB} MB. The smaller VGG has VGG-16's 13 convolutions at a quarter of their channels, with "
        f"batch normalization, on pictures of handwritten digits (models/tiny-mobilenet); pruned, it trained "
        f"{PRUNED_EPOCHS} epochs more than the {EPOCHS} of the one that it is compared with",
        table=tuple(table),
    )


def forms() -> tuple[list[Layer], int, int, int, bool]:
    """Return the layers, the number of biases, and the bytes of the int8 file, dense and with DECODE."""
    from _network_file import int8_network

    from edgekit.tflite import flatbuffer
    from edgekit.tflite.decode import encode, expand

    layers: list[Layer] = []
    dense = int8_network(_pruned(layers))
    tree = flatbuffer.unpack(dense)
    encode.apply(tree)
    flatbuffer.remove_unused(tree)
    encoded = flatbuffer.pack(tree)
    del tree
    return layers, sum(layer.rows for layer in layers), len(dense), len(encoded), _decodes(encoded, dense, expand)


def _decodes(encoded: bytes, dense: bytes, expand: Any) -> bool:
    from edgekit.tflite import flatbuffer

    tree = flatbuffer.unpack(dense)
    flatbuffer.remove_unused(tree)
    same: bool = expand.expanded(encoded) == flatbuffer.pack(tree)
    return same


def _pruned(layers: list[Layer]) -> Iterator[tuple[str, Any]]:
    """Yield (layer, kernel) of VGG-16 with random weights, pruned by magnitude; note what each has."""
    import keras
    import numpy as np
    from _network_file import pruned

    keras.utils.set_random_seed(0)
    for layer in keras.applications.VGG16(weights=None).layers:
        if layer.weights:
            kernel = pruned(layer.kernel.numpy(), SPARSITY)
            layers.append(Layer(kernel.shape[-1], kernel.shape[-2], kernel.size, int(np.count_nonzero(kernel))))
            yield layer.name, kernel


def _payload(layers: list[Layer], value_bytes: int) -> int:
    return value_bytes * sum(layer.nonzero for layer in layers)


def sizes(layers: list[Layer], outputs: int, int8_dense: int, int8_bitmap: int) -> list[tuple[str, float, str]]:
    """Return (form, bytes, how it was found) of every form; a bias has four bytes in all of them."""
    weights = sum(layer.weights for layer in layers)
    pointers = 4 * sum(layer.rows + 1 for layer in layers)
    floats = _payload(layers, 4)

    def sparse(value_bytes: int) -> float:
        """TFLite's sparse tensors: the last axis compressed, in indices and segments as wide as they need be."""
        total = float(4 * outputs)
        for layer in layers:
            segments = layer.weights // layer.columns + 1
            index = 1 if layer.columns <= 2**8 else 2
            segment = 2 if layer.nonzero < 2**16 else 4
            total += layer.nonzero * (value_bytes + index) + segments * segment
        return total

    computed, measured = "computed", "measured"
    return [
        ("float32, dense", 4 * (weights + outputs), computed),
        ("float32, CSR, 32-bit columns", floats + _payload(layers, 4) + pointers + 4 * outputs, computed),
        ("float32, CSR, 16-bit columns", floats + _payload(layers, 2) + pointers + 4 * outputs, computed),
        ("float32, TFLite sparse", sparse(4), computed),
        ("float32, bitmap", floats + weights / 8 + 4 * outputs, computed),
        ("int8, dense .tflite", int8_dense, measured),
        ("int8, TFLite sparse", sparse(1), computed),
        ("int8, bitmap .tflite (DECODE)", int8_bitmap, measured),
    ]


def trained() -> tuple[float, float, float, int]:
    """Train a smaller VGG, prune it; return both accuracies, the share of zeros and the number of test samples."""
    import keras
    import numpy as np

    from edgekit import data as edgekit_data
    from edgekit.compress import Context
    from edgekit.compress.prune import Prune

    data = edgekit_data.load("data.npz", REPOSITORY / "models" / "tiny-mobilenet")
    assert data.x_test is not None and data.y_test is not None
    keras.utils.set_random_seed(0)
    model = small_vgg(data.x_train.shape[1:])
    rate = keras.optimizers.schedules.CosineDecay(2e-3, EPOCHS * -(-len(data.x_train) // 32))
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", jit_compile=False)
    model.fit(data.x_train, data.y_train, batch_size=32, epochs=EPOCHS, verbose=0)
    # One ranking over all layers: the first one has 144 weights, of which each layer for itself would leave 14.
    prune = Prune(
        sparsity=SPARSITY, everywhere=True, epochs=PRUNED_EPOCHS, learning_rate=2e-3, end=0.4, from_teacher=0.5
    )
    pruned = prune.apply(model, data, Context(teacher=model)).model
    right = [
        float(np.mean(each.predict(data.x_test, batch_size=100, verbose=0).argmax(1) == data.y_test))
        for each in (model, pruned)
    ]
    kernels = [weight for weight in pruned.get_weights() if weight.ndim > 1]
    zeros = sum(int((kernel == 0).sum()) for kernel in kernels) / sum(kernel.size for kernel in kernels)
    return right[0], right[1], zeros, len(data.y_test)


def small_vgg(shape: tuple[int, ...]) -> Any:
    """VGG-16's convolutions at a quarter of their channels, with batch normalization, and one hidden dense layer."""
    import keras

    x = inputs = keras.Input(shape)
    for block, (wider, count) in enumerate(((1, 2), (2, 2), (4, 3), (8, 3), (8, 3)), 1):
        for number in range(1, count + 1):
            name = f"block{block}_conv{number}"
            x = keras.layers.Conv2D(WIDTH * wider, 3, padding="same", use_bias=False, name=name)(x)
            x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))
        x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Dense(WIDTH * 8, "relu", name="hidden")(keras.layers.Flatten()(x))
    return keras.Model(inputs, keras.layers.Dense(10, "softmax", name="scores")(x))


if __name__ == "__main__":
    main(run)
