"""Train `keyword-sparse`: `keyword` with four fifths of its weights zero, in the blocks that kernels skip.

Run it as ``python models/keyword/sparse.py``; it writes ../keyword-sparse/model.keras. `edgekit.compress.prune` is told
the target; it prunes what is trained already, on all clips, half of them while the zeros still grow, and `keyword` as
it came gives most of the loss. With the word ``validation`` it prints the accuracy on the validation part, and writes
nothing: for changes to the training.
"""

from __future__ import annotations

import sys
import time

import keras
import numpy as np
from clips import SCALE, SEED, make_part
from numpy.typing import NDArray
from train import FOLDER, accuracy

from edgekit.compress import Context, StepResult
from edgekit.compress.prune import Prune
from edgekit.data import Data
from edgekit.progress import Progress, silent

# Four channels by four weights of each: kernels that skip four by one skip these too.
TARGET = "cortex-m4"
# `classes`, which each output depends on, stays whole: four fifths of all weights but the depthwise ones are zero.
SPARSITY, LEFT_OUT = 0.835, ("classes",)
EPOCHS, BATCH, RATE, FROM_TEACHER = 4, 100, 3e-3, 0.7


def prune(
    dense: keras.Model, x: NDArray[np.int8], y: NDArray[np.uint8], progress: Progress = silent
) -> tuple[keras.Model, StepResult]:
    """Prune and fine-tune.

    Args:
        dense: `keyword`, never changed; it teaches too.
        x: int8, (n, 49, 10, 1), real = SCALE * q.
        y: the index in LABELS.
        progress: told each training step.

    Returns:
        The network and the step's report.
    """
    technique = Prune(
        sparsity=SPARSITY,
        target=TARGET,
        leave_out=LEFT_OUT,
        end=0.5,
        epochs=EPOCHS,
        learning_rate=RATE,
        batch_size=BATCH,
        seed=SEED,
        from_teacher=FROM_TEACHER,
    )
    applied = technique.apply(dense, Data(x * np.float32(SCALE), y), Context(progress, teacher=dense))
    return applied.model, applied.step


def main() -> None:
    """Prune, write the model, print the accuracies."""
    only_validation = sys.argv[1:] == ["validation"]
    heard, validation = make_part("train"), make_part("validation")
    dense = keras.models.load_model(FOLDER / "model.keras", compile=False)
    start = time.monotonic()
    sparse, step = prune(dense, *heard)
    print(
        f"keyword-sparse: {step.summary}, in {time.monotonic() - start:.0f} s; accuracy "
        f"{accuracy(sparse, validation):.4f}, before {accuracy(dense, validation):.4f}, on {len(validation[0])} clips "
        "of the validation part; simulated data"
    )
    if only_validation:
        return
    test = make_part("test")
    sparse.save(FOLDER.parent / "keyword-sparse" / "model.keras")
    print(f"keyword-sparse: accuracy {accuracy(sparse, test):.4f} on {len(test[0])} clips of the test part")


if __name__ == "__main__":
    main()
