"""Which layers bear 4-bit weights: measured one by one, chosen to a budget."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from numpy.typing import NDArray

from edgekit import metrics
from edgekit.compress.frame.cost import to_int8
from edgekit.compress.quantization.weight_grid import grids
from edgekit.errors import DataError, UsageError
from edgekit.progress import Progress
from edgekit.tflite.convert_trace import predict
from edgekit.tflite.quantization_plan import QuantizationPlan

if TYPE_CHECKING:
    from edgekit.compress.quantize import Quantize
    from edgekit.data import Data

_SAMPLES, _METRIC_SAMPLES = 256, 2000


@dataclass(frozen=True, slots=True)
class Choice:
    """The layers that get 4 bits.

    Attributes:
        layers: their names, those that cost least first.
        kept: (layer, reason) of those that keep 8.
        summary: what was reached, for people.
    """

    layers: tuple[str, ...]
    kept: tuple[tuple[str, str], ...]
    summary: str


def snap(model: keras.Model, names: Sequence[str], *, per_channel: bool) -> None:
    """Round the weights of layers to their 4-bit grids, in place."""
    for layer in _layers(model, names):
        for grid in grids(layer, 4, per_channel=per_channel):
            grid.bake()


def choose(
    model: keras.Model,
    data: Data,
    names: Sequence[str],
    settings: Quantize,
    plan: QuantizationPlan,
    progress: Progress,
) -> Choice:
    """Choose the layers that get 4 bits so that a budget is met.

    Args:
        model: with its float weights, batch normalization folded; the same again afterwards.
        data: its training part.
        names: layers that can have 4 bits.
        settings: budget and scales.
        plan: the rest of the plan.
        progress: told each layer.

    Raises:
        UsageError: 4 bits for all do not reach `max_bytes`; the message says what they do reach.
        DataError: `max_loss` without labels.
    """
    noise = _noise(model, data.x_train[:_SAMPLES], names, settings, progress)
    saved = {
        layer.name: sum(int(np.prod(grid.kernel.shape)) // 2 for grid in grids(layer, 4))
        for layer in _layers(model, names)
    }
    order = sorted(names, key=lambda name: noise[name] / saved[name])
    if settings.max_bytes:
        count, summary = _to_size(model, data, order, settings, plan)
    else:
        count, summary = _to_loss(model, data, order, settings)
    kept = tuple(
        (name, f"8 bits: with 4 it alone brings the outputs to {-10 * np.log10(noise[name] + 1e-12):.1f} dB SQNR")
        for name in order[count:]
    )
    return Choice(tuple(order[:count]), kept, summary)


def _noise(
    model: keras.Model, x: NDArray[np.float32], names: Sequence[str], settings: Quantize, progress: Progress
) -> dict[str, float]:
    """Return for each layer the power of the output's error with 4 bits in it alone, as a share of the output's."""
    reference = predict(model, x).astype(np.float64)
    power = float(np.mean(np.square(reference))) or 1.0
    noise = {}
    for number, name in enumerate(names, 1):
        progress("measuring sensitivity", number, len(names))
        with _snapped(model, [name], settings):
            noise[name] = float(np.mean(np.square(predict(model, x) - reference))) / power
    return noise


def _to_size(
    model: keras.Model, data: Data, order: Sequence[str], settings: Quantize, plan: QuantizationPlan
) -> tuple[int, str]:
    def size(count: int) -> int:
        bits = tuple((name, 4) for name in order[:count])
        with _snapped(model, order[:count], settings):
            return len(to_int8(model, data, dataclasses.replace(plan, weight_bits=bits)))

    smallest = size(len(order))
    if smallest > settings.max_bytes:
        raise UsageError(
            f"quantize: max_bytes is {settings.max_bytes:,}, and with 4 bits in all {len(order)} layers that can have "
            f"them the .tflite has {smallest:,}",
            hint=f"allow {smallest:,} bytes, set depthwise = true, or prune and factorize first",
        )
    count = _first(len(order), lambda tried: size(tried) <= settings.max_bytes)
    return count, f"{size(count):,} bytes of at most {settings.max_bytes:,}"


def _to_loss(model: keras.Model, data: Data, order: Sequence[str], settings: Quantize) -> tuple[int, str]:
    if data.y_train is None:
        raise DataError(
            "quantize: max_loss needs y_train, to measure the metric with",
            hint="give labels, or set max_bytes instead",
        )
    x, y = data.x_train[:_METRIC_SAMPLES], data.y_train[:_METRIC_SAMPLES]
    outputs = predict(model, x)
    name = metrics.default_metric(outputs, x, y)
    if name is None:
        raise DataError("quantize: max_loss needs labels that a metric fits", hint="set max_bytes instead")

    def value(count: int) -> float:
        with _snapped(model, order[:count], settings):
            return metrics.evaluate(name, predict(model, x), x, y, Path())

    # Of an error, less is better.
    sign = -1 if name == "mse" else 1
    before = value(0)
    # The smallest number of layers that keep 8 bits, beginning with those that bear 4 worst.
    kept = _first(len(order), lambda tried: sign * (before - value(len(order) - tried)) <= settings.max_loss)
    count = len(order) - kept
    return count, f"{name} {before:.4f} -> {value(count):.4f} on {len(x)} training samples"


def _first(most: int, fits: Callable[[int], bool]) -> int:
    """Return the smallest number from 0 to `most` that fits, by bisection; `most` fits."""
    low, high = 0, most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle + 1, high)
    return low


@contextmanager
def _snapped(model: keras.Model, names: Sequence[str], settings: Quantize) -> Iterator[None]:
    """Give layers their 4-bit weights inside of a with."""
    before = [(layer, layer.get_weights()) for layer in _layers(model, names)]
    snap(model, names, per_channel=settings.per_channel)
    try:
        yield
    finally:
        for layer, weights in before:
            layer.set_weights(weights)


def _layers(model: Any, names: Sequence[str]) -> Iterator[Any]:
    return (layer for layer in model._flatten_layers(include_self=False) if layer.name in names)
