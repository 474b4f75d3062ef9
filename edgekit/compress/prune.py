"""Magnitude pruning: the smallest weights of a layer become zero and stay so while the rest is fine-tuned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from edgekit.compress._step import LayerChange, StepResult, check_settings, setting, settings_of
from edgekit.errors import UsageError
from edgekit.progress import Progress, silent

if TYPE_CHECKING:
    import keras

    from edgekit.compress._masks import Masks
    from edgekit.data import Data


@dataclass(frozen=True, slots=True)
class Prune:
    """Weight pruning by magnitude, each layer to the same sparsity.

    The masks live in the training step, not in the model: what comes back has the classes, the configuration
    and the weight names of what went in.

    Example:
        >>> Prune(sparsity=0.8, schedule="constant").epochs
        5

    Source:
        Zhu and Gupta 2017, "To prune, or not to prune", arXiv:1710.01878: the polynomial schedule, power 3.
    """

    name: ClassVar[str] = "prune"

    sparsity: float = setting(0.5, low=0, below=1, help="fraction of each layer's weights that becomes zero")
    schedule: str = setting(
        "polynomial", choices=("constant", "polynomial"), help="at once, or growing during fine-tuning"
    )
    initial_sparsity: float = setting(0.0, low=0, below=1, help="where the polynomial schedule starts")
    begin: float = setting(0.0, low=0, high=1, help="fraction of the fine-tuning after which pruning begins")
    end: float = setting(0.6, low=0, high=1, help="fraction of the fine-tuning after which the masks are fixed")
    update_every: int = setting(10, low=1, help="steps between two mask updates; the last one always comes")
    epochs: int = setting(5, low=0, high=1000, help="epochs of fine-tuning; 0 prunes without it")
    learning_rate: float = setting(1e-3, low=1e-8, high=1, help="Adam's, held until `end`, then falling to a tenth")
    batch_size: int = setting(32, low=1, high=65536, help="samples a step")
    depthwise: bool = setting(False, help="prune depthwise kernels too: few weights, and each one counts")
    leave_out: tuple[str, ...] = setting((), help="names of layers that stay as they are")
    seed: int = setting(0, low=0, high=2**31 - 1, help="seed of the fine-tuning's shuffling and dropout")

    def __post_init__(self) -> None:
        """Check each setting, then those that depend on each other."""
        check_settings(self)
        if self.begin > self.end:
            raise UsageError(
                f"prune: begin is {self.begin}, expected at most end = {self.end}",
                hint="pruning begins before its masks are fixed: lower begin or raise end",
            )
        if self.schedule == "polynomial" and self.initial_sparsity > self.sparsity:
            raise UsageError(
                f"prune: initial_sparsity is {self.initial_sparsity}, expected at most {self.sparsity}",
                hint="sparsity only grows on its way to `sparsity`: lower initial_sparsity",
            )

    def apply(self, model: keras.Model, data: Data, progress: Progress = silent) -> tuple[keras.Model, StepResult]:
        """Prune a copy of the model.

        Args:
            model: any built Keras model; never changed.
            data: `x_train` and, for a classifier, `y_train`; without labels it is pruned without fine-tuning.
            progress: told epoch and batch.

        Returns:
            The pruned model, not compiled, and the sparsity of each layer before and after.

        Raises:
            UnknownNameError: `leave_out` names a layer that the model has not.
            DataError: the samples or labels do not fit the model.
            ModelError: no layer can be pruned, or fine-tuning diverged.
            UntrustworthyError: a masked weight was not zero after training.
        """
        from edgekit.compress import _fine_tune
        from edgekit.compress._masks import Masks
        from edgekit.compress._model_copy import copy_model

        pruned = copy_model(model)
        masks = Masks(pruned, depthwise=self.depthwise, leave_out=self.leave_out)
        before = masks.sparsities()
        skipped = masks.skipped
        plan = _fine_tune.plan(model, data, epochs=self.epochs)
        if plan.reason is not None:
            masks.update(self.sparsity)
            skipped += (("fine-tuning", plan.reason),)
            tuning = f"without fine-tuning: {plan.reason}"
        else:
            _fine_tune.fine_tune(pruned, plan, masks, self, progress)
            tuning = f"{self.schedule} schedule, {self.epochs} epochs of fine-tuning"
        masks.verify(self.sparsity)
        masks.strip()
        result = copy_model(pruned)
        return result, self._report(masks, before, skipped, tuning)

    def _report(
        self, masks: Masks, before: dict[str, float], skipped: tuple[tuple[str, str], ...], tuning: str
    ) -> StepResult:
        """Tell what was done, layer by layer."""
        after = masks.sparsities()
        noun = "layer" if len(after) == 1 else "layers"
        return StepResult(
            technique=self.name,
            settings=settings_of(self),
            summary=f"{len(after)} {noun} to sparsity {self.sparsity:g}, {tuning}",
            layers=tuple(LayerChange(name, before[name], after[name]) for name in after),
            skipped=skipped,
        )

    def update_steps(self, steps: int) -> tuple[int, ...]:
        """Return the training steps before which the masks are computed anew.

        Args:
            steps: training steps in all, at least 1.

        Returns:
            Rising step numbers, counted from 0. The last one is the end of the schedule, however short the
            training is: a schedule that is updated too rarely still ends at the full sparsity.

        Example:
            >>> Prune(update_every=100, end=0.5).update_steps(24)
            (0, 12)
            >>> Prune(schedule="constant").update_steps(24)
            (0,)
        """
        first, last = self._span(steps)
        if self.schedule == "constant":
            return (first,)
        return (*range(first, last, self.update_every), last)

    def sparsity_at(self, step: int, steps: int) -> float:
        """Return the sparsity that the schedule asks for.

        Args:
            step: training step, counted from 0.
            steps: training steps in all.

        Returns:
            Fraction of zeros; 0 before the schedule begins, exactly `sparsity` from its end on.

        Example:
            >>> prune = Prune(sparsity=0.8, end=1.0)
            >>> [round(prune.sparsity_at(step, 101), 3) for step in (0, 50, 100)]
            [0.0, 0.7, 0.8]
        """
        first, last = self._span(steps)
        if step < first:
            return 0.0
        if self.schedule == "constant" or step >= last:
            return self.sparsity
        remaining = 1 - (step - first) / (last - first)
        return self.sparsity + (self.initial_sparsity - self.sparsity) * remaining**3

    def learning_rate_at(self, step: int, steps: int) -> float:
        """Return the learning rate of a step: constant until the masks are fixed, then linear to a tenth.

        Example:
            >>> prune = Prune(learning_rate=0.01, end=0.5)
            >>> [round(prune.learning_rate_at(step, 101), 4) for step in (0, 50, 75, 100)]
            [0.01, 0.01, 0.0055, 0.001]
        """
        _, last = self._span(steps)
        if step <= last or last >= steps - 1:
            return self.learning_rate
        return self.learning_rate * (1 - 0.9 * (step - last) / (steps - 1 - last))

    def _span(self, steps: int) -> tuple[int, int]:
        """Return the first and the last step of the schedule."""
        last = min(round(self.end * steps), steps - 1)
        return min(round(self.begin * steps), last), last
