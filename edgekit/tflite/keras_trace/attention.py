"""Masks of attention: a floor near the calibrated scores in the place of -1e9."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgekit.tflite.keras_trace import Replacement, TraceContext


def replacements(context: TraceContext) -> list[Replacement]:
    """Return the three places in which Keras masks scores."""
    import keras
    from keras.src.backend import nn

    attend, softmax = nn.dot_product_attention, keras.layers.Softmax.call
    apply_scores = keras.layers.Attention._apply_scores

    def masked_attend(query: Any, key: Any, value: Any, **settings: Any) -> Any:
        if settings.get("mask") is None and not settings.get("is_causal"):
            return attend(query, key, value, **settings)
        return _attend(context, query, key, value, **settings)

    def masked_softmax(self: Any, inputs: Any, mask: Any = None) -> Any:
        return softmax(self, inputs if mask is None else context.floors.masked(inputs, _truth(mask)))

    def masked_apply(self: Any, scores: Any, value: Any, scores_mask: Any = None, training: bool = False) -> Any:
        if scores_mask is not None:
            mask = keras.ops.expand_dims(scores_mask, -2) if len(scores_mask.shape) == 2 else scores_mask
            scores = context.floors.masked(scores, mask)
        return apply_scores(self, scores, value, None, training)

    return [
        Replacement(nn, "dot_product_attention", masked_attend),
        Replacement(keras.layers.Softmax, "call", masked_softmax),
        Replacement(keras.layers.Attention, "_apply_scores", masked_apply),
    ]


def _attend(
    context: TraceContext,
    query: Any,
    key: Any,
    value: Any,
    *,
    bias: Any = None,
    mask: Any = None,
    scale: float | None = None,
    is_causal: bool = False,
    **_: Any,
) -> Any:
    """softmax(query key / scale, masked) value; all of shape (batch, time, heads, features)."""
    import tensorflow as tf

    groups = query.shape[2] // key.shape[2]
    if groups > 1:
        key, value = tf.repeat(key, groups, axis=2), tf.repeat(value, groups, axis=2)
    factor = scale if scale is not None else 1 / np.sqrt(key.shape[-1])
    scores = tf.einsum("bsnh,btnh->bnts", key, query * tf.cast(factor, query.dtype))
    if bias is not None:
        scores += bias
    if is_causal:
        causal = tf.constant(np.tril(np.ones(scores.shape[-2:], bool)))
        mask = causal if mask is None else tf.logical_and(_truth(mask), causal)
    weights = tf.nn.softmax(context.floors.masked(scores, _truth(mask)))
    return tf.einsum("bnts,bsnh->btnh", weights, value)


def _truth(mask: Any) -> Any:
    import tensorflow as tf

    mask = tf.convert_to_tensor(mask)
    return mask if mask.dtype == tf.bool else mask > tf.cast(0.5, mask.dtype)
