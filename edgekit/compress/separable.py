"""Separable: standard convolutions become a filter for each channel and a 1x1 convolution across channels."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from edgekit.compress.frame.fine_tuning import FineTuning
from edgekit.compress.frame.step import Applied, Context, LayerChange, StepResult, check_settings, setting, settings_of
from edgekit.errors import UnknownNameError

if TYPE_CHECKING:
    import keras

    from edgekit.compress.factors.separable_pairs import Pair
    from edgekit.data import Data

_STARTS = ("kernel", "random")


@dataclass(frozen=True, slots=True)
class Separable(FineTuning):
    """Replaces convolutions by depthwise-separable ones, and trains the model on its old outputs.

    A pair has 1 / filters + 1 / places of the weights and of the multiply-accumulates, `places` being those of the
    kernel: about an eighth for 3x3, times `multiplier`. There is nothing between the two, so that the pair starts as
    the nearest to the convolution that such a pair can be.

    When to use:
        Standard convolutions of nine places and more over many channels, where eight times fewer MACs are worth a
        longer training.

    Example:
        >>> Separable().from_teacher
        0.5

    Source:
        Howard et al. 2017 (MobileNets), arXiv:1704.04861, section 3.1; Guo et al. 2018, "Network Decoupling",
        arXiv:1808.05517 (a convolution as a sum of such pairs).
    """

    name: ClassVar[str] = "separable"

    multiplier: int = setting(
        1, low=1, high=64, help="filters for each input channel: more come nearer to the original"
    )
    start: str = setting("kernel", choices=_STARTS, help="what the pairs start from: the old kernel, or nothing")
    first: bool = setting(False, help="replace the first convolution too: it sees few channels and saves little")
    leave_out: tuple[str, ...] = setting((), help="names of layers that stay as they are")
    epochs: int = setting(20, low=0, high=1000, help="epochs of training; 0 leaves it out")
    from_teacher: float = setting(
        0.5, low=0, high=1, help="share of the loss that comes from the outputs of the teacher"
    )

    def __post_init__(self) -> None:
        """Check each setting."""
        check_settings(self)

    def apply(self, model: keras.Model, data: Data, context: Context = Context()) -> Applied:
        """Replace the convolutions of a copy of the model and train it.

        Args:
            model: any built Keras model; never changed. Of a subclassed one, and of layers inside of other layers,
                nothing is replaced.
            data: samples and labels; training needs them.
            context: progress, checkpoint, and the teacher: the model that the recipe started from, or, where the
                technique is called alone, `model`.

        Returns:
            A plain Keras model, not compiled: layer `name` became `name_depthwise` and `name`. And each layer's
            weights and multiply-accumulates before and after.

        Raises:
            UnknownNameError: `leave_out` names a layer that the model has not.
            DataError: the samples or labels do not fit the model.
            ModelError: the model cannot be copied, or the training diverged.
        """
        from edgekit.compress.factors.separable_pairs import find_pairs, replace
        from edgekit.compress.frame import training
        from edgekit.compress.layers.model_copy import copy_model
        from edgekit.compress.layers.recalibrate import recalibrate

        names = {layer.name for layer in model._flatten_layers(include_self=False)}
        for name in self.leave_out:
            if name not in names:
                raise UnknownNameError("layer", name, names)
        goal = training.targets(model, data, epochs=self.epochs)
        copied = copy_model(model)
        pairs, skipped = find_pairs(copied, self)
        if not pairs:
            return Applied(copied, self._report((), skipped, "no convolution replaced"))
        made = replace(copied, pairs, self)
        if goal.reason is not None:
            skipped += (("training", goal.reason),)
            return Applied(made, self._report(pairs, skipped, f"without training: {goal.reason}"))
        told = dataclasses.replace(context, teacher=context.teacher or model)
        training.fine_tune(made, goal, self, told, name="separable")
        recalibrate(made, goal.x, min(self.batch_size, len(goal.x)))
        return Applied(copy_model(made), self._report(pairs, skipped, f"{self.epochs} epochs of training"))

    def _report(self, pairs: tuple[Pair, ...], skipped: tuple[tuple[str, str], ...], training: str) -> StepResult:
        """Tell what was done, layer by layer."""
        changes = tuple(
            LayerChange(pair.layer.name, quantity, before, after)
            for pair in pairs
            for quantity, before, after in zip(("parameters", "macs"), pair.before, pair.after, strict=True)
        )
        weights = [change for change in changes if change.quantity == "parameters"]
        before, after = (sum(getattr(change, side) for change in weights) for side in ("before", "after"))
        counted = f"{len(pairs)} {'convolution' if len(pairs) == 1 else 'convolutions'}"
        summary = f"{counted} from {before:,.0f} weights to {after:,.0f}, {training}" if pairs else training
        return StepResult(self.name, settings_of(self), summary, changes, skipped)
