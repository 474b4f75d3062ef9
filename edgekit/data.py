"""Where samples come from: an .npz file, or a function that returns `Data`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Data:
    """Samples for calibration, training and metrics.

    Attributes:
        x_train: float32, shape (n, *input); calibration and fine-tuning come from here only.
        y_train: labels for training, first axis n; None where there are none.
        x_test: float32, shape (m, *input); metrics and agreement; None where only calibration data was given.
        y_test: labels for metrics, first axis m; None where there are none.
        labels: class names in the order of the model's outputs; empty where there are none.
    """

    x_train: NDArray[np.float32]
    y_train: NDArray[np.generic] | None = None
    x_test: NDArray[np.float32] | None = None
    y_test: NDArray[np.generic] | None = None
    labels: tuple[str, ...] = ()
