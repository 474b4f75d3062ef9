"""Every technique alone, on one model: `motion`; what needs repeated blocks on the transformer `sentiment`."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from _int8 import accuracy, converted
from _row import REPOSITORY, Row, main

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgekit.compress import Cost

# Technique and its settings; epochs are those of a fine-tuning on the 600 samples that the model's folder keeps.
_TUNED = {"epochs": 20, "from_teacher": 0.5}
_ON_MOTION: tuple[dict[str, Any], ...] = (
    {"technique": "prune", "sparsity": 0.5, **_TUNED},
    {"technique": "prune", "sparsity": 0.8, **_TUNED},
    {"technique": "prune", "pattern": "2:4", **_TUNED},
    {"technique": "prune", "pattern": "1x4", "sparsity": 0.5, **_TUNED},
    {"technique": "prune_channels", "ratio": 0.25, **_TUNED},
    {"technique": "prune_channels", "ratio": 0.5, **_TUNED},
    {"technique": "distill", "student": "narrower", "width": 0.5, "epochs": 20},
    {"technique": "low_rank", "energy": 0.9, **_TUNED},
    {"technique": "low_rank", "energy": 0.8, **_TUNED},
    {"technique": "separable", **_TUNED},
    {"technique": "cluster", "clusters": 16, **_TUNED},
    {"technique": "equalize"},
    {"technique": "correct_bias"},
    {"technique": "quantize", "weight_bits": 4},
    {"technique": "quantize", "activation_bits": 16},
    {"technique": "quantize", "per_channel": False},
    {"technique": "quantization_aware", "epochs": 10},
    {"technique": "quantization_aware", "weight_bits": 4, "epochs": 10},
)
_ON_SENTIMENT: tuple[dict[str, Any], ...] = (
    {"technique": "prune_layers", "number": 2, "epochs": 4, "from_teacher": 0.5},
    {"technique": "share_layers", "epochs": 4, "from_teacher": 0.5},
    {"technique": "distill", "student": "half_layers", "epochs": 4},
)
_NOTE = """`motion`, simulated data: a Conv1D network, accuracy on 3,240 samples, fine-tuned where there are epochs
with the 600 samples of the model's folder. `sentiment`, generated text: a transformer of four blocks, accuracy on
4,000 samples, fine-tuned with 6,000. float is the Keras model, int8 what TFLM computes; such an accuracy is known
to half a point (binomial, one standard deviation). With from_teacher, a share of the loss comes from the outputs of
the model as it came. `tie` needs a language model: it has a row of its own."""
_HEAD = (
    "model",
    "technique",
    "settings",
    "parameters",
    "not zero",
    "MACs",
    "int8 .tflite",
    "arena",
    "float",
    "int8",
    "s",
)


def run() -> Row:
    """Apply each technique to a trained model and put what it cost beside what came in."""
    lines = [_HEAD, *_each("motion", _ON_MOTION), *_each("sentiment", _ON_SENTIMENT)]
    return Row(claim="Each technique alone on one model", figures=(), table=tuple(lines), note=_NOTE)


def _each(model_name: str, steps: tuple[dict[str, Any], ...]) -> Iterator[tuple[str, ...]]:
    import keras

    from edgekit import data as samples
    from edgekit.compress import QuantizationPlan, compress, recipe_from_tables
    from edgekit.compress.frame.cost import cost

    folder = REPOSITORY / "models" / model_name
    model = keras.models.load_model(folder / "model.keras", compile=False)
    data = samples.load("data.npz", folder)
    as_int8 = accuracy(converted(model, QuantizationPlan(), data), data)
    yield _line((model_name, "(as it came)", ""), cost(model, data, metric="accuracy"), as_int8, "")
    for step in steps:
        name = step["technique"]
        settings = ", ".join(f"{key} {value}" for key, value in step.items() if key != "technique")
        begin = time.monotonic()
        result = compress(model, recipe_from_tables(name, [step]), data, metric="accuracy")
        seconds = time.monotonic() - begin
        after = result.steps[0].after
        assert after is not None
        as_int8 = accuracy(converted(result.model, result.plan, data), data)
        yield _line((model_name, name, settings), after, as_int8, f"{seconds:.0f}")
        sys.stderr.write(f"{model_name} {name} {settings}: {as_int8:.4f}\n")


def _line(names: tuple[str, ...], cost: Cost, as_int8: float, seconds: str) -> tuple[str, ...]:
    counts = (cost.parameters, cost.nonzero_parameters, cost.macs, cost.int8_bytes, cost.arena_bytes)
    shown = ("" if count is None else f"{count:,}" for count in counts)
    return (*names, *shown, f"{cost.metric:.4f}", f"{as_int8:.4f}", seconds)


if __name__ == "__main__":
    main(run)
