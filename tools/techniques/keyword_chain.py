"""The whole chain on `keyword`: a large teacher, a small student that spends its work well, int8, instructions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from _row import REPOSITORY, Figure, Row, at_least, at_most, main

if TYPE_CHECKING:
    import keras

    from edgekit.tflite.conversion_metric import MetricResult

_MODEL = REPOSITORY / "models" / "keyword"
_OUT = REPOSITORY / "build" / "techniques" / "keyword"
_TARGET = "cortex-m4"
_NOTE = """\
Simulated data: words spoken by espeak-ng, computed noise at an SNR of 0 to 30 dB; the voices of the test part are
heard in no training (some have relatives there, as klatt beside klatt2), and every choice was made on the validation
part, whose voices are others again. The teacher learns from the labels, the student from the teacher's outputs and
the labels, on {clips:,} clips; the student is then quantized to int8 after training. Besides its int8 weights it has
{biases:,} int32 biases. Both models are counted with
the same kernels (engine aot), every output byte compared with the host's. Accuracies of the float models on the
{validation:,} clips of the validation part: teacher ({teacher:,} parameters) {teacher_accuracy:.4f}, student
{student_accuracy:.4f}."""


def run() -> Row:
    """Train teacher and student, convert, measure."""
    import keras

    # The programs beside the model: its data, its training, and the chain.
    sys.path.insert(0, str(_MODEL))
    import small
    from clips import SEED, make_part
    from train import accuracy, train

    keras.utils.set_random_seed(SEED)
    heard, validation = make_part("train"), make_part("validation")
    teacher = train(*heard, small.make_teacher, small.TEACHER_RATE)
    student, _ = small.distill(teacher, *heard)
    flatbuffer, metric = _convert(student)
    int8 = metric.int8 or 0.0
    weights, biases = _constants(flatbuffer)
    before, after = _instructions(_MODEL / "model.tflite"), _instructions(_OUT / "keyword-small.tflite")
    original, _ = _constants((_MODEL / "model.tflite").read_bytes())
    note = _NOTE.format(
        clips=len(heard[0]),
        biases=biases,
        validation=len(validation[0]),
        teacher=teacher.count_params(),
        teacher_accuracy=accuracy(teacher, validation),
        student_accuracy=accuracy(student, validation),
    )
    return Row(
        claim="`keyword`, the whole chain: ≥ 95 % on unseen voices in ≤ 12 kB of int8 weights, ≥ 3× fewer instructions",
        figures=(
            at_least(
                f"accuracy of the int8 model, {metric.samples:,} test samples",
                int8,
                0.95,
                spread=f"± {(int8 * (1 - int8) / metric.samples) ** 0.5:.4f} (of the sample)",
            ),
            Figure("accuracy of the float model, the same samples", metric.float or 0.0),
            at_most("int8 weights, bytes", weights, 12_000),
            Figure("int8 weights of `keyword`, bytes", original),
            Figure(f"instructions an inference on {_TARGET}, emulated", after),
            Figure("instructions an inference of `keyword`", before),
            at_least("times fewer instructions", before / after, 3),
        ),
        note=" ".join(note.split()),
    )


def _convert(student: keras.Model) -> tuple[bytes, MetricResult]:
    """Convert as `edgekit convert` does, keep the file for the bench, and judge it on the whole test part."""
    from edgekit import data
    from edgekit.conversion import convert
    from edgekit.tflite.conversion_metric import Samples, measure
    from edgekit.tflite.graph import parse

    _OUT.mkdir(parents=True, exist_ok=True)
    student.save(_OUT / "keyword-small.keras")
    samples = data.load("data.npz", _MODEL)
    flatbuffer = convert(_OUT / "keyword-small.keras", data=samples).flatbuffer
    (_OUT / "keyword-small.tflite").write_bytes(flatbuffer)
    if samples.x_test is None:
        raise AssertionError("data.npz has no test part")
    test = Samples(samples.x_test, samples.y_test, "test data")
    floats = student.predict(test.x, verbose=0)
    return flatbuffer, measure(parse(flatbuffer), test, ("accuracy", _MODEL), (floats, None))


def _constants(flatbuffer: bytes) -> tuple[int, int]:
    """Count the int8 weights and the int32 biases of a .tflite; shapes of a reshape are no biases."""
    from edgekit.tflite.graph import parse

    graph = parse(flatbuffer)
    constants = [tensor for tensor in graph.tensors if tensor.data is not None]
    biases = {index for op in graph.ops if op.kind != "RESHAPE" for index in op.inputs[2:]}
    return (
        sum(tensor.elements for tensor in constants if tensor.dtype == "int8"),
        sum(tensor.elements for tensor in constants if tensor.dtype == "int32" and tensor.index in biases),
    )


def _instructions(model: Path) -> int:
    """Run a .tflite on the emulated core; the median of ten inferences."""
    from edgekit.bench import BenchOptions, bench
    from edgekit.build import BuildOptions

    out = _OUT / model.stem / _TARGET
    return round(bench(model, _TARGET, options=BenchOptions(build=BuildOptions(engine="aot"), out=out)).per_run.median)


if __name__ == "__main__":
    main(run)
