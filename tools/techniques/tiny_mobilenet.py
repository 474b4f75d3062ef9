"""tiny-mobilenet in integers: what 8 and 4 bits cost in accuracy, with and without training."""

from __future__ import annotations

from _int8 import accuracy
from _row import REPOSITORY, Figure, Row, at_most, main


def run() -> Row:
    """Quantize the model of this project in several ways, and count right answers of the integers on all test data."""
    import keras
    import numpy as np

    from edgekit import data as edgekit_data
    from edgekit.compress import compress, recipe_from_tables
    from edgekit.tflite.convert_trace import trace_keras
    from edgekit.tflite.rewrite import rewrite
    from edgekit.tflite.to_int8 import to_int8

    folder = REPOSITORY / "models" / "tiny-mobilenet"
    model = keras.models.load_model(folder / "model.keras")
    data = edgekit_data.load("data.npz", folder)
    assert data.x_test is not None and data.y_test is not None

    def right(outputs: np.ndarray) -> float:
        return 100 * float((outputs.argmax(axis=1) == data.y_test).mean())

    def integers(*steps: dict[str, object]) -> tuple[float, int]:
        """Return percent right, and bytes of the file."""
        recipe = recipe_from_tables("row", [dict(step) for step in steps])
        result = compress(model, recipe, data) if steps else None
        compressed, plan = (result.model, result.plan) if result is not None else (model, None)
        samples = data.x_train[:200]
        traced = trace_keras(compressed, samples) if plan is None else trace_keras(compressed, samples, plan)
        flatbuffer = rewrite(to_int8(traced, samples)).flatbuffer
        return 100 * accuracy(flatbuffer, data), len(flatbuffer)

    tensor = {"technique": "quantize", "per_channel": False}
    four = {"technique": "quantize", "weight_bits": 4}
    trained = {"technique": "quantization_aware", "weight_bits": 4, "epochs": 4, "from_teacher": 0.5}
    before = right(model.predict(data.x_test, verbose=0))
    eight, eight_bytes = integers()
    by_tensor, tensor_bytes = integers(tensor)
    equalized, _ = integers({"technique": "equalize", "replace_relu6": True}, tensor, {"technique": "correct_bias"})
    untrained, _ = integers(four)
    aware, four_bytes = integers(trained)
    spread = f"± {(before * (100 - before) / len(data.x_test)) ** 0.5:.2f} (standard error of one accuracy)"
    return Row(
        claim="on tiny-mobilenet int8 costs at most a point of accuracy, and 4-bit weights 1.5",
        figures=(
            Figure("float32, % right", round(before, 2), spread=spread),
            Figure("int8, % right", round(eight, 2)),
            at_most("lost at int8, points", round(before - eight, 2), 1.0),
            Figure("int8 with a scale a tensor, % right", round(by_tensor, 2)),
            Figure("the same, equalized and biases corrected, % right", round(equalized, 2)),
            Figure("4-bit weights without training, % right", round(untrained, 2)),
            Figure("4-bit weights with quantization-aware training, % right", round(aware, 2)),
            at_most("lost at 4 bits with training, points", round(before - aware, 2), 1.5),
            Figure("int8 file, bytes", eight_bytes),
            Figure("int8 file with a scale a tensor, bytes", tensor_bytes),
            Figure("file with 4-bit weights, bytes", four_bytes),
        ),
        note=f"{len(data.x_test):,} test pictures of digits that no training saw; the integers run in TFLM's "
        f"interpreter. Trained for 4 epochs on {len(data.x_train):,} pictures, half of the loss from the float model; "
        "depthwise weights keep 8 bits",
    )


if __name__ == "__main__":
    main(run)
