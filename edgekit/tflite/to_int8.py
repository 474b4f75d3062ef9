"""TensorFlow Lite's converter, asked for int8 at both ends; needs TensorFlow, so it runs in a child process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import EdgeKitError, ModelError
from edgekit.tflite.conversion_checks import named_layer
from edgekit.tflite.convert_trace import Floats, Traced
from edgekit.tflite.quantization_plan import QuantizationPlan
from edgekit.tflite.rewrite.narrow_weights import narrow_weights


def to_int8(traced: Traced, calibration: Floats) -> bytes:
    """Convert to integers at both ends: int8, or int16 where the plan has 16-bit activations.

    Args:
        traced: the model, with its plan.
        calibration: samples whose ranges become scales, shape (n, *input).

    Returns:
        The flatbuffer as TensorFlow Lite's converter makes it.

    Raises:
        ModelError: the converter refused; the message is its line that names the operator.
        MemoryError: of the process's limit.
    """
    import tensorflow as tf

    def representative() -> Iterator[list[NDArray[Any]]]:
        for sample in calibration:
            yield [sample[np.newaxis].astype(np.int32 if traced.takes_ids else np.float32)]

    try:
        with traced.converter() as converter:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = representative
            _follow(traced.plan, converter)
            return narrow_weights(bytes(converter.convert()), traced.plan, traced.kernels)
    except EdgeKitError:
        raise
    # The converter raises many kinds; the line that names the operator is what helps.
    except Exception as error:
        if _is_out_of_memory(error):
            raise MemoryError(str(error)) from error
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        named = [line for line in lines if "error:" in line or "not supported" in line]
        reason = (named or lines or [type(error).__name__])[0][:400]
        layer = named_layer(str(error), traced.layers)
        raise ModelError(
            f"{layer or 'the model'} cannot be converted to int8: {reason}",
            hint="replace the layer that the message names by one with an int8 form",
        ) from error


def _follow(plan: QuantizationPlan, converter: Any) -> None:
    """Set what a plan asks for; an input of ids stays int32 whatever the type at the ends."""
    import tensorflow as tf

    wide = plan.activation_bits == 16
    operators = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    converter.target_spec.supported_ops = [operators if wide else tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int16 if wide else tf.int8
    # With 16 bits the converter refuses; then it is done behind it.
    one_scale = not plan.per_channel and not wide
    converter._experimental_disable_per_channel = one_scale
    converter._experimental_disable_per_channel_quantization_for_dense_layers = one_scale


def _is_out_of_memory(error: Exception) -> bool:
    """TensorFlow, its converter and NumPy each say it in a way of their own."""
    text = f"{type(error).__name__}: {error}".lower()
    return any(sign in text for sign in ("memoryerror", "could not allocate", "bad_alloc", "resourceexhausted"))
