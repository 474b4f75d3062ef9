"""Magnitude pruning: the smallest weights of a layer become zero and stay so while the rest is fine-tuned."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from edgekit import targets
from edgekit.compress.frame.fine_tuning import FineTuning
from edgekit.compress.frame.step import (
    Applied,
    Context,
    LayerChange,
    OnCore,
    StepResult,
    check_settings,
    setting,
    settings_of,
)
from edgekit.compress.masks.patterns import Pattern, parse_pattern, pattern_for
from edgekit.errors import UsageError

if TYPE_CHECKING:
    import keras

    from edgekit.compress.masks.masks import Masks
    from edgekit.data import Data

_SCHEDULES = ("constant", "one_shot", "polynomial", "iterative")


@dataclass(frozen=True, slots=True)
class Prune(FineTuning):
    """Weight pruning by magnitude, each layer to the same sparsity.

    The masks live in the training step, not in the model: what comes back has the classes, the configuration
    and the weight names of what went in.

    When to use:
        Flash is short and the runtime can keep zeros out of it (engine aot, `edgekit shrink --decode` for TFLM,
        compressed downloads). With `target`, whole blocks become zero, of the shape that the core's kernels skip:
        instructions are saved too. RAM stays as it is: for that remove channels.

    Example:
        >>> Prune(sparsity=0.8, schedule="constant").epochs
        5

    Source:
        Zhu and Gupta 2017, "To prune, or not to prune", arXiv:1710.01878: the polynomial schedule, power 3.
    """

    name: ClassVar[str] = "prune"

    sparsity: float = setting(0.5, low=0, below=1, help="fraction of the weights that becomes zero")
    pattern: str = setting(
        "",
        help='"" single weights, "1x4" blocks, "2:4" two of four stay (half of all), "2:4x4" the same of four outputs',
    )
    target: str = setting("", help="name of a target: its kernels' blocks as the pattern, and what that saves there")
    everywhere: bool = setting(False, help="one ranking over all layers, instead of each layer to the same sparsity")
    schedule: str = setting(
        "polynomial",
        choices=_SCHEDULES,
        help="all at once with masks that may still move, all at once for good, growing, or in rounds",
    )
    initial_sparsity: float = setting(0.0, low=0, below=1, help="where the polynomial schedule starts")
    rounds: int = setting(
        4, low=1, high=100, help="of the iterative schedule: each takes the same share of what is left"
    )
    begin: float = setting(0.0, low=0, high=1, help="fraction of the fine-tuning after which pruning begins")
    end: float = setting(0.6, low=0, high=1, help="fraction of the fine-tuning after which the masks are fixed")
    update_every: int = setting(10, low=1, help="steps between two mask updates; the last one always comes")
    depthwise: bool = setting(False, help="prune depthwise kernels too: few weights, and each one counts")
    leave_out: tuple[str, ...] = setting((), help="names of layers that stay as they are")

    def __post_init__(self) -> None:
        """Check each setting, then those that depend on each other."""
        check_settings(self)
        parse_pattern(self.pattern)
        if self.target:
            targets.load(self.target)
        if self.target and self.pattern:
            raise UsageError(
                f"prune: pattern is {self.pattern!r} with target {self.target!r}, expected one of them",
                hint="a target brings the blocks that its kernels skip: leave the pattern out",
            )
        if self.everywhere and self._pattern.group:
            raise UsageError(
                f"prune: everywhere is true with pattern {self.pattern!r}, expected one of them",
                hint="an N:M pattern gives each layer the same sparsity: set everywhere = false",
            )
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

    def apply(self, model: keras.Model, data: Data, context: Context = Context()) -> Applied:
        """Prune a copy of the model.

        Args:
            model: any built Keras model; never changed.
            data: `x_train` and, for a classifier, `y_train`; without labels it is pruned without fine-tuning.
            context: progress, teacher, checkpoint.

        Returns:
            The pruned model, not compiled, and the sparsity of each layer before and after.

        Raises:
            UnknownNameError: `leave_out` names a layer that the model has not.
            DataError: the samples or labels do not fit the model.
            ModelError: no layer can be pruned, or fine-tuning diverged.
            UntrustworthyError: a masked weight was not zero after training.
        """
        from edgekit.compress.frame import training
        from edgekit.compress.layers.model_copy import copy_model
        from edgekit.compress.masks.masks import PruningSchedule

        pruned = copy_model(model)
        masks = self._masks(pruned)
        core = self._predicted(model, data, context) if self.target else None
        before = masks.sparsities()
        skipped = masks.skipped
        goal = training.targets(model, data, epochs=self.epochs)
        if goal.reason is not None:
            masks.update(self.full_sparsity)
            skipped += goal.skipped
            tuning = goal.told(self.epochs)
        else:
            hooks = [PruningSchedule(self, masks)]
            training.fine_tune(pruned, goal, self, context, name="prune", hooks=hooks)
            tuning = f"{self.schedule} schedule, {self.epochs} epochs of fine-tuning"
        masks.verify(self.full_sparsity)
        masks.strip()
        result = copy_model(pruned)
        step = self._report(masks, before, skipped, tuning)
        if core is not None:
            step = dataclasses.replace(step, core=self._made(core, result, data, context))
        return Applied(result, step)

    @property
    def full_sparsity(self) -> float:
        """The sparsity at the end: that of an N:M pattern, else the one that was set."""
        own = self._pattern.sparsity
        return self.sparsity if own is None else own

    @property
    def _pattern(self) -> Pattern:
        return pattern_for(targets.load(self.target)) if self.target else parse_pattern(self.pattern)

    def _masks(self, model: keras.Model) -> Masks:
        from edgekit.compress.masks.masks import Masks

        return Masks(
            model,
            pattern=self._pattern,
            everywhere=self.everywhere,
            depthwise=self.depthwise,
            leave_out=self.leave_out,
        )

    def _predicted(self, model: keras.Model, data: Data, context: Context) -> OnCore:
        """Prune a copy at once: its zeros lie elsewhere than after the training, but there are as many."""
        from edgekit.compress.frame.on_core import layers_on_core, told
        from edgekit.compress.layers.model_copy import copy_model

        trial = copy_model(model)
        masks = self._masks(trial)
        masks.update(self.full_sparsity)
        masks.strip()
        before, after = (layers_on_core(each, data, self.target, context.plan) for each in (model, trial))
        context.progress(f"prune: {self.target} from {told(before)} to {told(after)}, predicted")
        return OnCore(self.target, before, after)

    def _made(self, core: OnCore, result: keras.Model, data: Data, context: Context) -> OnCore:
        from edgekit.compress.frame.on_core import layers_on_core

        return dataclasses.replace(core, after=layers_on_core(result, data, self.target, context.plan))

    def _report(
        self, masks: Masks, before: dict[str, float], skipped: tuple[tuple[str, str], ...], tuning: str
    ) -> StepResult:
        """Tell what was done, layer by layer."""
        after = masks.sparsities()
        noun = "layer" if len(after) == 1 else "layers"
        told = self._pattern.told
        pattern = f" ({told}{f', for {self.target}' if self.target else ''})" if told else ""
        return StepResult(
            technique=self.name,
            settings=settings_of(self),
            summary=f"{len(after)} {noun} to sparsity {self.full_sparsity:g}{pattern}, {tuning}",
            layers=tuple(LayerChange(name, "sparsity", before[name], after[name]) for name in after),
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
            >>> Prune(schedule="one_shot").update_steps(24)
            (0,)
            >>> Prune(schedule="iterative", rounds=3, end=0.5).update_steps(24)
            (0, 6, 12)
        """
        first, last = self._span(steps)
        if self.schedule == "one_shot":
            return (first,)
        if self.schedule == "iterative":
            return tuple(
                sorted({first + (last - first) * turn // max(1, self.rounds - 1) for turn in range(self.rounds)})
            )
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
        full = self.full_sparsity
        if step < first:
            return 0.0
        if self.schedule in ("constant", "one_shot") or step >= last:
            return full
        if self.schedule == "iterative":
            done = sum(update <= step for update in self.update_steps(steps))
            return float(1 - (1 - full) ** (done / self.rounds))
        remaining = 1 - (step - first) / (last - first)
        return full + (self.initial_sparsity - full) * remaining**3

    def _span(self, steps: int) -> tuple[int, int]:
        """Return the first and the last step of the schedule."""
        last = min(round(self.end * steps), steps - 1)
        return min(round(self.begin * steps), last), last
