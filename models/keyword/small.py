"""Train `keyword-small`: less than half the weights of `keyword`, a third of its work, taught by a larger network.

Run it as ``python models/keyword/small.py``; it writes ../keyword-small/model.keras. A teacher that is too large for
a microcontroller is trained first, by the labels; the small network then learns from the teacher's outputs and the
labels (`edgekit.compress.distill`). Data and features are those of `keyword`. With the word ``validation`` it prints
the accuracy on the validation part, and writes nothing: for changes to the training.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from clips import LABELS, SCALE, SEED, make_part
from numpy.typing import NDArray
from train import FOLDER, Norm, accuracy, train

from edgekit.compress import Context, StepResult
from edgekit.compress.distill import Distill
from edgekit.data import Data
from edgekit.progress import Progress, silent

TEACHER_CHANNELS, TEACHER_TAPS, TEACHER_BLOCKS, TEACHER_RATE = 96, 5, 3, 3e-3
# Channels and stride: many channels only where the image is small, where a weight costs few multiply-accumulates.
STEM = 36
BLOCKS = ((36, 1), (68, 2), (68, 1))
EPOCHS, BATCH, RATE = 6, 100, 8e-3
FROM_TEACHER, TEMPERATURE = 0.7, 2.0


def make_teacher(norm: Norm = keras.layers.BatchNormalization) -> keras.Model:
    """A residual network along time, the cepstral coefficients as its channels: 285,132 parameters.

    Source:
        Choi et al. 2019 (TC-ResNet), arXiv:1904.03814, for convolutions along time alone.
    """
    layers = keras.layers
    image = layers.Input((49, 10, 1))
    x = layers.Reshape((49, 1, 10), name="channels")(image)
    x = _conv(x, TEACHER_CHANNELS, (TEACHER_TAPS, 1), (2, 1), "conv", norm)
    for block in range(1, TEACHER_BLOCKS + 1):
        y = _conv(x, TEACHER_CHANNELS, (TEACHER_TAPS, 1), (1, 1), f"first_{block}", norm)
        y = _conv(y, TEACHER_CHANNELS, (TEACHER_TAPS, 1), (1, 1), f"second_{block}", norm, relu=False)
        x = layers.ReLU(name=f"relu_{block}")(layers.Add(name=f"add_{block}")([x, y]))
    return _classifier(image, x, "teacher")


def make_small(norm: Norm = keras.layers.BatchNormalization) -> keras.Model:
    """A depthwise-separable network of 13,288 parameters, residual where the shape stays."""
    layers = keras.layers
    image = layers.Input((49, 10, 1))
    x = _conv(image, STEM, (10, 4), (2, 2), "conv", norm)
    for block, (channels, stride) in enumerate(BLOCKS, 1):
        y = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False, name=f"depthwise_{block}")(x)
        y = layers.ReLU(name=f"depthwise_{block}_relu")(norm(momentum=0.9, name=f"depthwise_{block}_norm")(y))
        y = _conv(y, channels, (1, 1), (1, 1), f"pointwise_{block}", norm, relu=stride > 1)
        x = y if stride > 1 else layers.ReLU(name=f"relu_{block}")(layers.Add(name=f"add_{block}")([x, y]))
    return _classifier(image, x, "keyword_small")


def _conv(
    x: Any, channels: int, kernel: tuple[int, int], strides: tuple[int, int], name: str, norm: Norm, relu: bool = True
) -> Any:
    """Convolution, batch normalization (momentum 0.9, because trainings are short) and ReLU."""
    x = keras.layers.Conv2D(channels, kernel, strides=strides, padding="same", use_bias=False, name=name)(x)
    x = norm(momentum=0.9, name=f"{name}_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x) if relu else x


def _classifier(image: Any, x: Any, name: str) -> keras.Model:
    x = keras.layers.GlobalAveragePooling2D(name="mean")(x)
    return keras.Model(image, keras.layers.Dense(len(LABELS), activation="softmax", name="classes")(x), name=name)


def distill(
    teacher: keras.Model, x: NDArray[np.int8], y: NDArray[np.uint8], progress: Progress = silent
) -> tuple[keras.Model, StepResult]:
    """Train the small network on a teacher's outputs and the labels.

    Args:
        teacher: of the same input and classes.
        x: int8, (n, 49, 10, 1), real = SCALE * q.
        y: the index in LABELS.
        progress: told each training step.

    Returns:
        The network and the step's report.
    """
    with tempfile.TemporaryDirectory() as folder:
        student = Path(folder) / "small.keras"
        make_small().save(student)
        technique = Distill(
            student=str(student),
            from_teacher=FROM_TEACHER,
            temperature=TEMPERATURE,
            features=0.0,
            epochs=EPOCHS,
            learning_rate=RATE,
            batch_size=BATCH,
            seed=SEED,
        )
        applied = technique.apply(teacher, Data(x * np.float32(SCALE), y), Context(progress))
    return applied.model, applied.step


def main() -> None:
    """Train teacher and small network, write the latter, print the accuracies."""
    only_validation = sys.argv[1:] == ["validation"]
    keras.utils.set_random_seed(SEED)
    heard, validation = make_part("train"), make_part("validation")
    start = time.monotonic()
    teacher = train(*heard, make_teacher, TEACHER_RATE)
    small, _ = distill(teacher, *heard)
    print(
        f"keyword-small: {small.count_params()} parameters, trained in {time.monotonic() - start:.0f} s, accuracy "
        f"{accuracy(small, validation):.4f}, its teacher {teacher.count_params()} parameters, "
        f"{accuracy(teacher, validation):.4f} on {len(validation[0])} clips of the validation part; simulated data"
    )
    if only_validation:
        return
    test = make_part("test")
    small.save(FOLDER.parent / "keyword-small" / "model.keras")
    print(f"keyword-small: accuracy {accuracy(small, test):.4f} on {len(test[0])} clips of the test part")


if __name__ == "__main__":
    main()
