"""Every technique alone, on one model: `motion`, 3,240 test samples of simulated people not met in training."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from _int8 import accuracy, converted
from _row import REPOSITORY, Row, main

if TYPE_CHECKING:
    import keras

    from edgekit.compress import Cost
    from edgekit.data import Data

# Technique and its settings; epochs are those of a fine-tuning on the 600 samples that the model's folder keeps.
_TUNED = {"epochs": 20, "from_teacher": 0.5}
_STEPS: tuple[dict[str, Any], ...] = (
    {"technique": "prune", "sparsity": 0.5, **_TUNED},
    {"technique": "prune", "sparsity": 0.8, **_TUNED},
    {"technique": "prune", "pattern": "2:4", **_TUNED},
    {"technique": "prune", "pattern": "1x4", "sparsity": 0.5, **_TUNED},
    {"technique": "prune_channels", "ratio": 0.25, **_TUNED},
    {"technique": "prune_channels", "ratio": 0.5, **_TUNED},
    {"technique": "prune_layers", "number": 1, **_TUNED},
    {"technique": "distill", "student": "narrower", "width": 0.5, "epochs": 20},
    {"technique": "distill", "student": "half_layers", "epochs": 20},
    {"technique": "low_rank", "energy": 0.8, **_TUNED},
    {"technique": "separable", **_TUNED},
    {"technique": "cluster", "clusters": 16, **_TUNED},
    {"technique": "share_layers", **_TUNED},
    {"technique": "tie"},
    {"technique": "equalize"},
    {"technique": "correct_bias"},
    {"technique": "quantize", "weight_bits": 4},
    {"technique": "quantize", "activation_bits": 16},
    {"technique": "quantize", "per_channel": False},
    {"technique": "quantization_aware", "epochs": 10},
    {"technique": "quantization_aware", "weight_bits": 4, "epochs": 10},
)
_NOTE = """`motion`, simulated data: a Conv1D network, accuracy on 3,240 samples; float is the Keras model, int8 what
TFLM computes; such an accuracy is known to half a point (binomial, one standard deviation). Where there are epochs,
it was fine-tuned with the 600 samples of the model's folder, and with from_teacher partly on the outputs of the model
as it came. A technique that finds nothing to do in this model says so."""
_HEAD = ("technique", "settings", "parameters", "not zero", "MACs", "int8 .tflite", "arena", "float", "int8", "s")


def run() -> Row:
    """Apply each technique to the same trained model and put what it cost beside what came in."""
    import keras

    from edgekit import data as samples

    folder = REPOSITORY / "models" / "motion"
    model = keras.models.load_model(folder / "model.keras", compile=False)
    data = samples.load("data.npz", folder)
    lines = [_HEAD, *_each(model, data)]
    return Row(
        claim="Each technique alone on one model",
        figures=(),
        table=tuple(lines),
        note=_NOTE,
    )


def _each(model: keras.Model, data: Data) -> list[tuple[str, ...]]:
    from edgekit.compress import QuantizationPlan, compress, recipe_from_tables
    from edgekit.compress.frame.cost import cost
    from edgekit.errors import EdgeKitError

    start = cost(model, data, metric="accuracy")
    as_int8 = accuracy(converted(model, QuantizationPlan(), data), data)
    lines = [_line("(as it came)", "", start, as_int8, "")]
    for step in _STEPS:
        name = step["technique"]
        settings = ", ".join(f"{key} {value}" for key, value in step.items() if key != "technique")
        begin = time.monotonic()
        try:
            result = compress(model, recipe_from_tables(name, [step]), data, metric="accuracy")
        except EdgeKitError as error:
            lines.append((name, settings, error.what, *[""] * (len(_HEAD) - 3)))
            continue
        seconds = time.monotonic() - begin
        after = result.steps[0].after
        assert after is not None
        as_int8 = accuracy(converted(result.model, result.plan, data), data)
        lines.append(_line(name, settings, after, as_int8, f"{seconds:.0f}"))
        sys.stderr.write(f"{lines[-1]}\n")
    return lines


def _line(name: str, settings: str, cost: Cost, as_int8: float, seconds: str) -> tuple[str, ...]:
    counts = (cost.parameters, cost.nonzero_parameters, cost.macs, cost.int8_bytes, cost.arena_bytes)
    shown = ("" if count is None else f"{count:,}" for count in counts)
    return (name, settings, *shown, f"{cost.metric:.4f}", f"{as_int8:.4f}", seconds)


if __name__ == "__main__":
    main(run)
