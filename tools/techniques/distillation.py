"""Distillation of the sentiment model: half of its layers, then those narrower too, with and without a teacher."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from _int8 import accuracy, converted
from _row import REPOSITORY, Figure, Row, at_least, at_most, main, mean_spread

FOLDER = REPOSITORY / "models" / "sentiment"
SEEDS = (0, 1, 2)
EPOCHS = 7
# What a student has to keep of the teacher's accuracy, and how large its file may be.
KEPT, SMALLER = 0.97, 0.60
_NOTE = f"""`sentiment`, generated (simulated) text; each test review has a combination of words that training never
had. The teacher was trained on 60,000 reviews; the students, with it and without it, see the labeled ones that the
repository keeps of these. First half of the layers, {EPOCHS} epochs; then 83 % of their width, {EPOCHS} more with the
same teacher. Without a teacher: the same layers and widths from new weights, on the labels alone, as many epochs in
all, the same seeds and the same rate. The last figure tells how much of that the layers alone bring that a student
inherits. Instructions: emulated cortex-m4, engine aot."""


def run() -> Row:
    """Train each student with its teacher and without, and measure teacher and students on cortex-m4."""
    import keras

    from edgekit import data as edgekit_data
    from edgekit.compress import Context
    from edgekit.compress.distill import Distill

    data = edgekit_data.load("data.npz", FOLDER)
    assert data.x_test is not None
    teacher = keras.models.load_model(FOLDER / "model.keras", compile=False)
    context = Context(teacher=teacher)
    half = Distill(student="half_layers", epochs=EPOCHS, batch_size=64, learning_rate=2e-3)
    narrower = replace(half, student="narrower", width=0.83)
    taught: list[list[Any]] = []
    for seed in SEEDS:
        first = replace(half, seed=seed).apply(teacher, data, context).model
        taught.append([first, replace(narrower, seed=seed).apply(first, data, context).model])
        _tell(seed, "taught", [right(model, data) for model in taught[-1]])
    inherited = [
        right(untaught(replace(half, epochs=0).apply(teacher, data, context).model, each, data), data)
        for each in (replace(half, seed=seed, from_teacher=0.0) for seed in SEEDS)
    ]
    _tell("half", "labels alone, weights of the teacher", inherited)
    whole, (instructions, file_bytes, whole_int8) = right(teacher, data), measured(teacher, data)
    figures = [
        Figure("teacher: accuracy", round(whole, 4)),
        Figure("teacher: accuracy as int8", round(whole_int8, 4)),
        Figure("teacher: int8 file, bytes", file_bytes),
        Figure("teacher: instructions", instructions),
    ]
    # The second student has learned as long as both trainings together.
    for index, (name, fewer, epochs) in enumerate((("half", 1.6, EPOCHS), ("half, narrower", 2.0, 2 * EPOCHS))):
        students = [models[index] for models in taught]
        settings = [replace(half, seed=seed, epochs=epochs, from_teacher=0.0) for seed in SEEDS]
        alone = [right(untaught(renewed(students[0], each.seed), each, data), data) for each in settings]
        _tell(name, "alone", alone)
        figures += compared(name, [right(model, data) for model in students], alone, whole)
        own_instructions, own_bytes, own_int8 = measured(students[0], data)
        figures += [
            at_least(f"{name}: times fewer instructions", round(instructions / own_instructions, 2), fewer),
            at_most(f"{name}: int8 file, share of the teacher's", round(own_bytes / file_bytes, 3), SMALLER),
            Figure(f"{name}: accuracy as int8, first seed", round(own_int8, 4)),
        ]
    mean, spread = mean_spread(inherited)
    figures.append(Figure("half: accuracy on labels alone, weights of the teacher", round(mean, 4), spread=spread))
    return Row(
        claim="a student keeps 97 % of its teacher at 60 % more speed",
        figures=tuple(figures),
        note=f"{_NOTE} {len(data.x_test):,} test reviews, {len(data.x_train):,} for the students.",
    )


def right(model: Any, data: Any) -> float:
    """Return the share of the test part that a Keras model classifies as its label."""
    outputs = model.predict(data.x_test, batch_size=500, verbose=0)
    return float((outputs.argmax(axis=1) == data.y_test).mean())


def compared(name: str, taught: list[float], alone: list[float], whole: float) -> list[Figure]:
    """Return the figures of a student with its teacher, and of the same one without."""
    (mean, spread), (lone, lone_spread) = mean_spread(taught), mean_spread(alone)
    without = Figure(f"{name}: accuracy without a teacher", round(lone, 4), f"< {mean:.4f}", lone < mean, lone_spread)
    return [
        at_least(f"{name}: share of the teacher's accuracy kept", round(mean / whole, 4), KEPT),
        Figure(f"{name}: accuracy with the teacher", round(mean, 4), spread=spread),
        without,
    ]


def renewed(student: Any, seed: int) -> Any:
    """Return the same model with new weights."""
    import keras

    keras.utils.set_random_seed(seed)
    return type(student).from_config(student.get_config())


def untaught(student: Any, settings: Any, data: Any) -> Any:
    """Train a student in place on the labels alone: same samples, epochs, seed and rate."""
    from edgekit.compress import Context
    from edgekit.compress.frame.training import fine_tune, targets

    fine_tune(student, targets(student, data, epochs=settings.epochs), settings, Context(), name="labels alone")
    return student


def measured(model: Any, data: Any) -> tuple[float, int, float]:
    """Return instructions of an inference on cortex-m4, bytes of the int8 file, and the accuracy of that file."""
    from edgekit.bench import BenchOptions, bench
    from edgekit.build import BuildOptions
    from edgekit.compress import QuantizationPlan

    flatbuffer = converted(model, QuantizationPlan(), data)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(flatbuffer)
        options = BuildOptions(data=FOLDER / "data.npz", cached=False, shrink=False)
        report = bench(path, "cortex-m4", options=BenchOptions(runs=3, build=options, out=Path(folder) / "out"))
    return report.per_run.median, len(flatbuffer), accuracy(flatbuffer, data)


def _tell(who: object, what: str, accuracies: list[float]) -> None:
    sys.stderr.write(f"{who}, {what}: {', '.join(f'{value:.4f}' for value in accuracies)}\n")


if __name__ == "__main__":
    main(run)
