"""What a student is trained on beside the labels: the teacher's outputs, features and attention, computed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from edgekit.compress.channels.groups import functional
from edgekit.compress.frame.targets import are_probabilities
from edgekit.errors import DataError, ModelError, UnknownNameError, UsageError

_BATCH = 256
_CACHE_BYTES = 2 << 30
_TINY = 1e-7

Floats = NDArray[np.float32]
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One thing that the student imitates.

    Attributes:
        teacher: tensor of the teacher's graph.
        student: tensor of the student's graph; a projection to the teacher's width may be behind it.
        loss: made from the teacher's values: a function of (teacher's, student's), a number for the batch.
        weight: of the loss.
    """

    teacher: Any
    student: Any
    loss: Callable[[Floats], Callable[[Any, Any], Any]]
    weight: float


@dataclass(frozen=True, slots=True)
class SoftDivergence:
    """Kullback-Leibler divergence of softened distributions, times the square of the temperature.

    Attributes:
        temperature: divides the logits of both.
        logits: the outputs are logits; else they are probabilities, and their logarithms serve as logits.

    Source:
        Hinton et al. 2015, "Distilling the Knowledge in a Neural Network", arXiv:1503.02531, section 2.

    Example:
        >>> loss = SoftDivergence(2.0, logits=False)
        >>> round(float(loss(np.array([[0.8, 0.2]]), np.array([[0.8, 0.2]]))), 6)
        0.0
    """

    temperature: float
    logits: bool

    def __call__(self, teacher: Any, student: Any) -> Any:
        """Return the divergence, the mean over all but the last axis."""
        teacher, student = (
            keras.ops.log_softmax(self._scores(outputs) / self.temperature, axis=-1) for outputs in (teacher, student)
        )
        divergence = keras.ops.sum(keras.ops.exp(teacher) * (teacher - student), axis=-1)
        return keras.ops.mean(divergence) * self.temperature**2

    def _scores(self, outputs: Any) -> Any:
        """Return logits; those of a single output, the probability of yes, become a pair."""
        outputs = keras.ops.convert_to_tensor(outputs)
        if outputs.shape[-1] == 1:
            no = keras.ops.zeros_like(outputs) if self.logits else 1 - outputs
            outputs = keras.ops.concatenate([no, outputs], axis=-1)
        return outputs if self.logits else keras.ops.log(keras.ops.clip(outputs, _TINY, 1.0))


def relative_squares(teacher: Floats) -> Callable[[Any, Any], Any]:
    """Return the mean squared error in parts of the teacher's mean square, so that its weight fits any layer."""
    scale = max(float(np.mean(np.square(teacher), dtype=np.float64)), _TINY)
    return lambda wanted, given: keras.ops.mean(keras.ops.square(wanted - given)) / scale


def output_part(teacher: Any, student: Any, label_loss: Any, temperature: float, weight: float) -> Part:
    """Let the student's outputs follow the teacher's: distributions by their divergence, other values by squares.

    Args:
        teacher, student: the models; outputs of the same shape.
        label_loss: of the labels; tells logits from other values. None without labels.
        temperature: of the divergence.
        weight: of this part.
    """
    classes = (keras.losses.SparseCategoricalCrossentropy, keras.losses.CategoricalCrossentropy)
    binary = isinstance(label_loss, keras.losses.BinaryCrossentropy) and teacher.output_shape[-1] == 1

    def loss(outputs: Floats) -> Callable[[Any, Any], Any]:
        within = bool(outputs.min() >= 0 and outputs.max() <= 1)
        if are_probabilities(outputs) or (binary and within):
            return SoftDivergence(temperature, logits=False)
        if isinstance(label_loss, classes) or binary:
            return SoftDivergence(temperature, logits=True)
        return relative_squares(outputs)

    return Part(teacher.output, student.output, loss, weight)


def feature_parts(teacher: Any, student: Any, pairs: Pairs, weight: float) -> list[Part]:
    """Let layers' outputs follow the teacher's, through a learned linear projection where the widths differ.

    Source:
        Romero et al. 2015, "FitNets: Hints for Thin Deep Nets", arXiv:1412.6550, section 2.2.

    Raises:
        UnknownNameError: a layer that is not there.
        UsageError: the outputs of a pair differ in more than their width.
    """
    parts: list[Part] = []
    for first, second in pairs:
        wanted, given = tensor_of(teacher, first), tensor_of(student, second)
        _require_alike(first, second, tuple(wanted.shape[:-1]), tuple(given.shape[:-1]))
        if wanted.shape[-1] != given.shape[-1]:
            given = keras.layers.Dense(wanted.shape[-1], name=f"projection_{len(parts)}")(given)
        parts.append(Part(wanted, given, relative_squares, weight / len(pairs)))
    return parts


def attention_parts(teacher: Any, student: Any, pairs: Pairs, weight: float) -> list[Part]:
    """Let the student look where the teacher looks.

    Two MultiHeadAttention layers are compared by their scores (the mean over the heads where their numbers differ),
    all other layers by their spatial attention: the sum of squares over the channels, scaled to length 1.

    Source:
        Zagoruyko and Komodakis 2017, "Paying More Attention to Attention", arXiv:1612.03928, section 3.1 (activations,
        F_sum^2); Wang et al. 2020, "MiniLM", arXiv:2002.10957, section 3.1 (scores).

    Raises:
        UnknownNameError: a layer that is not there.
        UsageError: the maps of a pair differ in size, or there is no map.
    """
    parts = []
    for first, second in pairs:
        scored = [_scores(model, name) for model, name in ((teacher, first), (student, second))]
        if None not in scored:
            wanted, given = scored
            if wanted.shape[1] != given.shape[1]:
                wanted, given = (keras.ops.mean(scores, axis=1, keepdims=True) for scores in scored)
            part = Part(wanted, given, lambda _: SoftDivergence(1.0, logits=False), weight / len(pairs))
        else:
            wanted, given = _map(tensor_of(teacher, first), first), _map(tensor_of(student, second), second)
            part = Part(wanted, given, lambda _: _squared_distance, weight / len(pairs))
        _require_alike(first, second, tuple(part.teacher.shape), tuple(part.student.shape))
        parts.append(part)
    return parts


def teacher_values(teacher: Any, parts: Sequence[Part], x: Floats) -> list[Floats]:
    """Run the teacher once over all samples.

    Returns:
        For each part its values, float32, first axis n.

    Raises:
        DataError: the values would need more than 2 GiB.
    """
    needed = 4 * len(x) * sum(prod(size or 1 for size in part.teacher.shape[1:]) for part in parts)
    if needed > _CACHE_BYTES:
        raise DataError(
            f"the teacher's outputs and features of {len(x)} samples need {needed / 2**30:.1f} GiB, expected at most 2",
            hint="name fewer or smaller layers in feature_layers, or give fewer samples",
        )
    if not parts:
        return []
    probe = keras.Model(teacher.inputs[0], [part.teacher for part in parts])
    batches = [
        keras.tree.flatten(probe(x[start : start + _BATCH], training=False)) for start in range(0, len(x), _BATCH)
    ]
    values = [
        np.concatenate([np.asarray(value, np.float32) for value in column]) for column in zip(*batches, strict=True)
    ]
    if not all(np.isfinite(value).all() for value in values):
        raise ModelError(
            f"the teacher {teacher.name!r} puts out NaN or infinity", hint="check the teacher and the training data"
        )
    return values


def graph_of(model: Any, x: Floats) -> Any:
    """Return a functional model of the same variables; a subclassed one is called once on an input.

    Raises:
        ModelError: a subclassed model that does not take the samples.
    """
    inner = functional(model)
    if inner is not None:
        return inner
    inputs = keras.Input(x.shape[1:])
    try:
        return keras.Model(inputs, model(inputs), name=model.name)
    except (TypeError, ValueError) as error:
        raise ModelError(
            f"model {model.name!r} does not take samples of shape {list(x.shape[1:])}",
            hint="teacher and student must take what the data holds",
        ) from error


def tensor_of(model: Any, name: str) -> Any:
    """Return a layer's output tensor.

    Raises:
        UnknownNameError: there is no such layer.
        UsageError: the layer is called more than once, or has several outputs.
    """
    operation = _operation(model, name)
    outputs = [tensor for node in _nodes(model, operation) for tensor in node.output_tensors]
    if len(outputs) != 1:
        raise UsageError(
            f"layer {name!r} of {model.name!r} has {len(outputs)} outputs, expected 1", hint="name another layer"
        )
    return outputs[0]


def _operation(model: Any, name: str) -> Any:
    known = {operation.name: operation for operation in model.operations}
    if name not in known:
        raise UnknownNameError("layer", name, known)
    return known[name]


def _nodes(model: Any, operation: Any) -> list[Any]:
    """The calls of an operation that belong to this model."""
    return [node for nodes in model._nodes_by_depth.values() for node in nodes if node.operation is operation]


def _scores(model: Any, name: str) -> Any:
    """Return the attention scores of a MultiHeadAttention layer, (batch, heads, queries, keys); None of another."""
    layer = _operation(model, name)
    if not isinstance(layer, keras.layers.MultiHeadAttention):
        return None
    (node,) = _nodes(model, layer)
    return _Scores(layer)(*node.arguments.args, **node.arguments.kwargs)


class _Scores(keras.layers.Layer):  # type: ignore[misc]  # Keras has no types
    """Another call of an attention layer, for its scores; Keras wants all calls of one layer to give as much."""

    def __init__(self, attention: keras.layers.MultiHeadAttention) -> None:
        super().__init__()
        self.attention = attention

    def call(self, query: Any, value: Any, key: Any = None, attention_mask: Any = None, **options: Any) -> Any:
        options["return_attention_scores"] = True
        return self.attention(query, value, key=key, attention_mask=attention_mask, **options)[1]


def _map(features: Any, name: str) -> Any:
    """Return the spatial attention, (batch, places), of length 1."""
    if len(features.shape) < 3 or None in features.shape[1:]:
        raise UsageError(
            f"layer {name!r} puts out {list(features.shape[1:])}: there are no places to attend to",
            hint="name convolutions, or MultiHeadAttention layers, in attention_layers",
        )
    energy = keras.ops.sum(keras.ops.square(features), axis=-1)
    flat = keras.ops.reshape(energy, (-1, prod(energy.shape[1:])))
    return flat / keras.ops.sqrt(keras.ops.sum(keras.ops.square(flat), axis=-1, keepdims=True) + _TINY)


def _squared_distance(wanted: Any, given: Any) -> Any:
    return keras.ops.mean(keras.ops.sum(keras.ops.square(wanted - given), axis=-1))


def _require_alike(first: str, second: str, wanted: tuple[int | None, ...], given: tuple[int | None, ...]) -> None:
    if wanted != given:
        raise UsageError(
            f"the teacher's {first!r} puts out {list(wanted[1:])} places, the student's {second!r} {list(given[1:])}",
            hint="pair layers of the same resolution: only their widths may differ",
        )
