"""MobileNetV2 at its full size: bytes in float32, int8 by channel and by tensor, and with 4-bit weights."""

from __future__ import annotations

from _row import Figure, Row, at_most, main

_MB = 1_000_000


def run() -> Row:
    """Convert one model of random weights in every form; sizes do not depend on the weights."""
    import keras
    import numpy as np

    from edgekit.compress.frame.cost import parameters, to_int8
    from edgekit.compress.layers.recalibrate import recalibrate
    from edgekit.compress.quantize import Quantize
    from edgekit.data import Data
    from edgekit.tflite.convert_trace import trace_keras
    from edgekit.tflite.graph import parse

    keras.utils.set_random_seed(0)
    model = keras.applications.MobileNetV2(weights=None)
    data = Data(np.random.default_rng(0).uniform(-1, 1, (8, *model.input_shape[1:])).astype(np.float32))
    # Without statistics that fit the weights, nothing would reach the last layer.
    recalibrate(model, data.x_train, batch_size=8)
    with trace_keras(model, data.x_train).converter() as converter:
        float_bytes = len(converter.convert())

    def converted(quantize: Quantize) -> tuple[float, int, int]:
        applied = quantize.apply(model, data)
        assert applied.plan is not None
        flatbuffer = to_int8(applied.model, data, applied.plan)
        weights = [tensor for tensor in parse(flatbuffer).tensors if tensor.data is not None]
        narrow = sum(tensor.elements for tensor in weights if tensor.dtype == "int4")
        return len(flatbuffer) / _MB, narrow, sum(tensor.elements for tensor in weights if tensor.dtype == "int8")

    by_channel, _, _ = converted(Quantize())
    by_tensor, _, _ = converted(Quantize(per_channel=False))
    four, narrow, wide = converted(Quantize(weight_bits=4, correct_bias=False))
    smallest, _, _ = converted(Quantize(weight_bits=4, per_channel=False, depthwise=True, correct_bias=False))
    return Row(
        claim="MobileNetV2 shrinks from 14 MB to 3.5 MB",
        figures=(
            Figure("parameters", parameters(model), "= 3,538,984", parameters(model) == 3_538_984),
            Figure("float32 file, MB", round(float_bytes / _MB, 2), "≈ 13.9", abs(float_bytes / _MB - 13.9) < 0.1),
            at_most("int8, a scale for each channel, MB", round(by_channel, 3), 4.0),
            at_most("int8, a scale for each tensor, MB", round(by_tensor, 3), 3.6),
            at_most("4-bit weights, a scale for each channel, MB", round(four, 3), 2.3),
            Figure("4-bit weights, a scale for each tensor, depthwise too, MB", round(smallest, 3)),
        ),
        note=f"random weights. 4-bit weights: TFLite's INT4, two a byte, {narrow:,} of them; {wide:,} depthwise ones "
        "keep 8 bits, and the last Dense layer has one scale, as TFLM knows no more; activations int8, biases int32. "
        "3.5 MB would be the weights alone: scales, zero points and biases of every channel take the rest. What it "
        "costs in accuracy: tiny-mobilenet",
    )


if __name__ == "__main__":
    main(run)
