"""Layers whose computation is replaced while a Keras model is traced, because its int8 form would be wrong or absent.

Everything that can be repaired after the conversion is repaired there (`edgekit.tflite.rewrite`); here stands what
must change before calibration. Each module has `replacements(context)`: attributes of classes, modules or layers with
the value that they have while tracing. They are put back afterwards, so the model computes as before. This works on
functional, sequential, nested and subclassed models alike. It is process-wide: only the child that converts does it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

# exp(-12) is 6e-6: what is masked weighs nothing, and int8 still resolves what is not.
_MARGIN = 12.0


@dataclass(frozen=True, slots=True)
class Replacement:
    """The attribute `name` of `owner` is `value` while tracing."""

    owner: Any
    name: str
    value: Any


@dataclass
class ScoreFloors:
    """What masked attention scores are set to: a little below the lowest score that calibration has seen.

    Keras uses -1e9 and less, which as an int8 scale leaves nothing of the scores. Calls are known by their order in
    one run of the model, so that shared layers and calls without a layer have floors of their own.

    Attributes:
        recording: the model runs on samples; otherwise it is traced.
        lowest: per call the lowest score seen.
        calls: number of calls since the run began.
    """

    recording: bool = False
    lowest: list[float] = field(default_factory=list)
    calls: int = 0

    def start(self) -> None:
        """Begin a run of the model."""
        self.calls = 0

    def masked(self, scores: Any, mask: Any) -> Any:
        """Return the scores with the floor where the mask is false.

        Args:
            scores: float tensor.
            mask: bool tensor that broadcasts to the scores' shape.
        """
        import tensorflow as tf

        call, self.calls = self.calls, self.calls + 1
        if self.recording:
            lowest = float(np.min(scores))
            self.lowest[call:] = [min([lowest, *self.lowest[call : call + 1]]), *self.lowest[call + 1 :]]
        floor = (self.lowest[call] if call < len(self.lowest) else 0.0) - _MARGIN
        return tf.where(mask, scores, tf.constant(floor, scores.dtype))


@dataclass(frozen=True)
class TraceContext:
    """What replacements may know.

    Attributes:
        layers: every layer of the model, nested ones included.
        floors: of masked attention scores.
        twins: Keras 2 layers that compute what a layer of the model computes, by the layer's id.
        ranges: (layer, lowest, highest) of outputs that the converter has to take as they are.
    """

    layers: tuple[Any, ...]
    floors: ScoreFloors
    twins: dict[int, Any]
    ranges: tuple[tuple[str, float, float], ...] = ()

    def of_type(self, *kinds: Any) -> tuple[Any, ...]:
        """Return the layers of some classes."""
        return tuple(layer for layer in self.layers if isinstance(layer, kinds))


def layers_of(layer: Any) -> Iterator[Any]:
    """Every layer inside of a model or wrapper, however deep; each once."""
    seen: set[int] = set()

    def walk(outer: Any) -> Iterator[Any]:
        # A layer's own attributes are tracked in `_layers`, the public `layers` of a model leaves none out.
        found: Any = getattr(outer, "layers", None) or getattr(outer, "_layers", ())
        for inner in found:
            if id(inner) not in seen:
                seen.add(id(inner))
                yield inner
                yield from walk(inner)

    return walk(layer)


@contextmanager
def replaced(context: TraceContext) -> Iterator[None]:
    """Put every replacement in place, and the originals back at the end."""
    absent = object()
    undo: list[tuple[Replacement, Any]] = []
    try:
        for module in pkgutil.iter_modules(__path__):
            if module.name.startswith("_"):
                continue
            for change in importlib.import_module(f"{__name__}.{module.name}").replacements(context):
                # vars() and not getattr: an inherited attribute is not the owner's to put back.
                undo.append((change, vars(change.owner).get(change.name, absent)))
                setattr(change.owner, change.name, change.value)
        yield
    finally:
        for change, before in reversed(undo):
            if before is absent:
                delattr(change.owner, change.name)
            else:
                setattr(change.owner, change.name, before)


def record_floors(model: keras.Model, batches: Iterator[NDArray[Any]], context: TraceContext) -> None:
    """Run a model on samples to learn the range of masked attention scores; it stops where there is no mask.

    Args:
        model: a built model.
        batches: each of shape (n, *input).
        context: its floors are filled.
    """
    context.floors.recording = True
    for batch in batches:
        context.floors.start()
        model(batch, training=False)
        if not context.floors.calls:
            break
    context.floors.recording = False
    context.floors.start()
