"""The settings that every technique with a training has."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.compress.frame.step import setting


@dataclass(frozen=True, slots=True)
class FineTuning:
    """Base of techniques that train; each adds its own settings.

    Example:
        >>> FineTuning(epochs=2).batch_size
        32
    """

    epochs: int = setting(5, low=0, high=1000, help="epochs of fine-tuning; 0 leaves it out")
    learning_rate: float = setting(1e-3, low=1e-8, high=1, help="Adam's, at its highest")
    batch_size: int = setting(32, low=1, high=65536, help="samples a step")
    seed: int = setting(0, low=0, high=2**31 - 1, help="seed of shuffling and dropout")
    from_teacher: float = setting(
        0.0, low=0, high=1, help="share of the loss that comes from the outputs of the model the recipe started from"
    )
    temperature: float = setting(2.0, low=1, high=100, help="softens both outputs where from_teacher is above 0")
