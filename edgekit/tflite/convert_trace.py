"""From a loaded model to what the converter takes: one function of batch 1 with constant weights."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edgekit.errors import DataError, ModelError
from edgekit.tflite import keras_models, keras_trace
from edgekit.tflite.keras_trace import ScoreFloors, TraceContext, _kernels, ranges
from edgekit.tflite.model_files import ModelKind, examine
from edgekit.tflite.quantization_plan import QuantizationPlan

if TYPE_CHECKING:
    import keras

Floats = NDArray[np.float32]
_BATCH = 64
# A cast at the input of ids is found behind these.
_TRANSPARENT = {"Identity", "StopGradient", "PreventGradient"}


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """A model ready for the converter.

    Attributes:
        concrete: the concrete function with batch 1.
        run: float outputs for samples of shape (n, *input).
        weight_elements: number of elements of all variables of rank 2 and more.
        takes_ids: the input is int32: indices into a table, not values.
        fused: a module that tracks the twins of fused layers; None where nothing is fused.
        alive: keeps the variables from being freed.
        layers: (name, class) of every layer; empty for a SavedModel.
        plan: how to quantize it.
        kernels: those of the layers whose bits the plan names, as `rewrite.narrow_weights` takes them.
    """

    concrete: Any
    run: Callable[[Floats], Floats]
    weight_elements: int
    takes_ids: bool
    fused: Any
    alive: Any
    layers: tuple[tuple[str, str], ...] = ()
    plan: QuantizationPlan = QuantizationPlan()
    kernels: Mapping[str, tuple[Floats, ...]] = field(default_factory=dict)

    @contextmanager
    def converter(self) -> Iterator[Any]:
        """Give a converter of TensorFlow Lite for the function, nothing set yet; convert inside the with."""
        import tensorflow as tf

        if self.fused is None:
            # No trackable as second argument: with a Keras 3 model in it, the result holds no weights.
            yield tf.lite.TFLiteConverter.from_concrete_functions([self.concrete])
            return
        # Layers are fused on this path only.
        with tempfile.TemporaryDirectory(prefix="edgekit-") as folder:
            tf.saved_model.save(self.fused, folder, signatures=self.concrete)
            yield tf.lite.TFLiteConverter.from_saved_model(folder)


def trace(path: Path, x: Floats, objects: str | None = None) -> Traced:
    """Load and trace a model file.

    Args:
        path: .keras, .h5 or SavedModel.
        x: representative samples, shape (n, *input).
        objects: module that registers custom layers.

    Raises:
        ModelError: damaged, or not to be traced.
        DataError: the samples do not fit the model's input.
    """
    if examine(path) is ModelKind.SAVED_MODEL:
        return trace_saved_model(path, x)
    keras_models.register(objects)
    model = keras_models.load(path)
    check_input(model, x)
    return trace_keras(model, x)


def trace_keras(model: keras.Model, x: Floats, plan: QuantizationPlan = QuantizationPlan()) -> Traced:
    """Trace a Keras model, with layers replaced whose int8 form would be wrong.

    Args:
        model: a built model with one input.
        x: representative samples, shape (n, *input): they say the input's size, and the range of attention scores.
        plan: its ranges go into the graph, its layers' kernels are noted.

    Raises:
        ModelError: the plan names a layer that the model has not, or whose weights cannot have 4 bits.
    """
    import tensorflow as tf

    from edgekit.tflite.keras_trace import lstm

    layers = tuple(keras_trace.layers_of(model))
    noted = _kernels.of_plan(layers, plan)
    context = TraceContext(layers, ScoreFloors(), lstm.twins(layers), ranges.of_plan(layers, plan))
    plain = TraceContext(layers, context.floors, {})
    with keras_trace.replaced(plain):
        keras_trace.record_floors(model, _batches(x), plain)
    fused = tf.Module() if context.twins else None
    if fused is not None:
        # The variables alone: a tracked layer would be traced five times more when it is saved.
        fused.weights = [weight for twin in context.twins.values() for weight in twin.weights]
    takes_ids, dtype = False, tf.float32
    with keras_trace.replaced(context):
        concrete = _concrete(model, context, x.shape[1:], dtype)
        if _reads_ids(concrete):
            takes_ids, dtype = True, tf.int32
            concrete = _concrete(model, context, x.shape[1:], dtype)
    elements = sum(int(np.prod(v.shape)) for v in model.variables if len(v.shape) >= 2)
    named = tuple((layer.name, type(layer).__name__) for layer in layers)
    return Traced(
        concrete, lambda samples: predict(model, samples), elements, takes_ids, fused, model, named, plan, noted
    )


def _concrete(model: keras.Model, context: TraceContext, shape: tuple[int, ...], dtype: Any) -> Any:
    import keras
    import tensorflow as tf

    values = [(variable, variable.numpy()) for variable in model.variables]

    def run(inputs: Any) -> Any:
        context.floors.start()
        inputs = ranges.at_input(inputs, context)
        if not context.twins:
            return model(inputs, training=False)
        # The twins' variables alone are tracked, so those of Keras must be constants.
        with keras.StatelessScope(state_mapping=[(variable, tf.constant(value)) for variable, value in values]):
            return model(inputs, training=False)

    return tf.function(run).get_concrete_function(tf.TensorSpec((1, *shape), dtype, name="input"))


def _reads_ids(concrete: Any) -> bool:
    """Say whether all that the function does with its input is to cast it to integers."""
    pending, casts = [concrete.inputs[0]], []
    while pending:
        for operation in pending.pop().consumers():
            if operation.type in _TRANSPARENT:
                pending += operation.outputs
            else:
                casts.append(operation.type == "Cast" and operation.outputs[0].dtype.is_integer)
    return bool(casts) and all(casts)


def trace_saved_model(path: Path, x: Floats) -> Traced:
    """Trace the serving function of a SavedModel folder; see `trace`."""
    import tensorflow as tf

    loaded, serving = keras_models.load_saved_model(path)
    (name, spec), *_ = serving.structured_input_signature[1].items()
    if spec.dtype != tf.float32:
        raise ModelError(f"input {name!r} is {spec.dtype.name}, expected float32", hint="export a float32 model")
    shape = tuple(spec.shape)
    if shape[0] not in (None, 1):
        raise ModelError(f"the SavedModel has batch {shape[0]}, expected 1 or any", hint="export it with batch None")
    _require_shape(shape[1:], x)
    function = tf.function(lambda inputs: list(serving(**{name: inputs}).values()))
    concrete = function.get_concrete_function(tf.TensorSpec((1, *x.shape[1:]), tf.float32, name="input"))

    def run(samples: Floats) -> Floats:
        return np.concatenate([_first(concrete(tf.constant(sample[np.newaxis]))) for sample in samples])

    elements = sum(int(np.prod(v.shape)) for v in serving.variables if len(v.shape) >= 2)
    return Traced(concrete, run, elements, takes_ids=False, fused=None, alive=loaded)


def check_input(model: keras.Model, x: Floats) -> None:
    """Refuse data that does not have the model's input shape.

    Args:
        model: a built model.
        x: shape (n, *input).

    Raises:
        DataError: expected and given shape differ.
        ModelError: the model has several inputs.
    """
    if len(model.inputs) != 1:
        raise ModelError(
            f"the model has {len(model.inputs)} inputs, expected 1",
            hint="join the inputs into one array and split it inside the model",
        )
    _require_shape(tuple(model.inputs[0].shape[1:]), x)


def predict(model: keras.Model, x: Floats) -> Floats:
    """Return the first output of a model, shape (n, *output).

    Raises:
        DataError: ids outside of the table that they are looked up in.
    """
    import tensorflow as tf

    try:
        return np.concatenate([_first(model(batch, training=False)) for batch in _batches(x)])
    except tf.errors.InvalidArgumentError as error:
        found = re.search(r"= (-?\d+) is not in \[0, (\d+)\)", str(error))
        if found is None:
            raise
        raise DataError(
            f"the data holds id {found[1]}, the model's table has rows 0 to {int(found[2]) - 1}",
            hint="give ids of the vocabulary that the model was trained with",
        ) from error


def require_ids(x: Floats) -> None:
    """Refuse samples that are no ids where the model takes ids: a device would read outside of the table.

    Raises:
        DataError: fractions or negative numbers.
    """
    if (x != np.round(x)).any() or (x < 0).any():
        raise DataError(
            "the model looks its input up in a table, and the data holds fractions or negative numbers",
            hint="give whole ids from 0 up, as the model was trained with",
        )


def _batches(x: Floats) -> Iterator[Floats]:
    return (x[start : start + _BATCH] for start in range(0, len(x), _BATCH))


def _first(output: Any) -> Floats:
    """The first of a model's outputs: metric and agreement look at this one."""
    while not hasattr(output, "shape"):
        output = next(iter(output.values() if hasattr(output, "values") else output))
    return np.asarray(output, np.float32)


def _require_shape(expected: tuple[int | None, ...], x: Floats) -> None:
    given = x.shape[1:]
    fits = len(given) == len(expected) and all(
        size is None or size == got for size, got in zip(expected, given, strict=True)
    )
    if not fits:
        shown = ["any" if size is None else size for size in expected]
        raise DataError(
            f"the model's input is {shown}, the data has samples of shape {list(given)}",
            hint="reshape the data: the first axis counts samples, the others are the model's input",
        )
