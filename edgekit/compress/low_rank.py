"""Low rank: a layer's matrix written as a product of thinner ones, where that saves weights and work."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from edgekit.compress.frame.fine_tuning import FineTuning
from edgekit.compress.frame.step import Applied, Context, LayerChange, StepResult, check_settings, setting, settings_of
from edgekit.errors import UsageError

if TYPE_CHECKING:
    import keras

    from edgekit.compress.factors.low_rank_forms import Choice
    from edgekit.compress.factors.low_rank_search import Factorized
    from edgekit.data import Data

_BUDGETS = ("max_parameters", "max_macs", "max_flash_bytes")
_CONVOLUTIONS = ("cheaper", "tucker", "spatial")


@dataclass(frozen=True, slots=True)
class LowRank(FineTuning):
    """Dense layers as two (singular value decomposition), convolutions as two or three (Tucker-2, or tall and wide).

    Ranks are chosen by number, else by the tightest of the budgets, else by energy: the share of the sum of squares
    that a layer's kernel keeps. Batch normalization is folded first, so that the kernels are those that will run.
    A layer stays as it is where its factors would not have fewer weights and fewer multiply-accumulates, and where
    the activations between them would raise the RAM of the model.

    When to use:
        Large Dense layers, or convolutions with many channels that are trained already. Small layers gain nothing,
        and the pieces between the factors cost RAM; it leaves those alone.

    Example:
        >>> LowRank(rank=100).energy
        0.9

    Source:
        Denton et al. 2014, arXiv:1404.0736 (matrices); Kim et al. 2016, arXiv:1511.06530 (Tucker-2); Jaderberg et
        al. 2014, arXiv:1405.3866 (tall and wide kernels).
    """

    name: ClassVar[str] = "low_rank"

    energy: float = setting(0.9, low=0, high=1, help="share of each kernel's sum of squares that stays")
    rank: int = setting(0, low=0, help="the rank of every factorized layer; 0 chooses by budget or energy")
    max_parameters: int = setting(0, low=0, help="weights of the whole model; 0 for no such budget")
    max_macs: int = setting(0, low=0, help="multiply-accumulates of one inference; 0 for no such budget")
    max_flash_bytes: int = setting(0, low=0, help="bytes of the int8 .tflite; 0 for no such budget")
    max_arena_bytes: int = setting(0, low=0, help="RAM for activations; 0 for no more than the model needs as it is")
    convolution: str = setting(
        "cheaper", choices=_CONVOLUTIONS, help="how convolutions are factorized; cheaper takes the one with less work"
    )
    leave_out: tuple[str, ...] = setting((), help="names of layers that stay as they are")

    def __post_init__(self) -> None:
        """Check each setting, then those that exclude each other."""
        check_settings(self)
        budgets = [name for name in _BUDGETS if getattr(self, name)]
        if self.rank and budgets:
            raise UsageError(
                f"low_rank: rank is {self.rank} and {budgets[0]} is {getattr(self, budgets[0])}, expected one of them",
                hint="a budget chooses the ranks: set rank = 0, or leave the budget out",
            )

    def apply(self, model: keras.Model, data: Data, context: Context = Context()) -> Applied:
        """Factorize a copy of the model and fine-tune it.

        Args:
            model: any built Keras model; never changed. Of a subclassed one, and of layers inside of other layers,
                nothing is factorized.
            data: samples for calibration and fine-tuning.
            context: progress, checkpoint, and the teacher: the model that the recipe started from, or, where the
                technique is called alone, `model`.

        Returns:
            A plain Keras model, not compiled: layer `name` became `name_in` and `name`, or `name_in`, `name_core` and
            `name`. And each layer's rank before and after.

        Raises:
            UnknownNameError: `leave_out` names a layer that the model has not.
            UsageError: a budget cannot be met; the hint names the nearest that can.
            DataError: the samples or labels do not fit the model.
            ModelError: the model cannot be copied, or not be measured as a budget needs; or fine-tuning diverged.
        """
        from edgekit.compress.factors.low_rank_search import factorize
        from edgekit.compress.frame import training
        from edgekit.compress.layers.model_copy import copy_model

        goal = training.targets(model, data, epochs=self.epochs)
        found = factorize(model, self, data, context)
        if not found.choices:
            return Applied(copy_model(model), self._report(found, "no layer factorized"))
        if goal.reason is None:
            told = dataclasses.replace(context, teacher=context.teacher or model)
            training.fine_tune(found.model, goal, self, told, name="low rank")
            return Applied(copy_model(found.model), self._report(found, goal.told(self.epochs)))
        report = self._report(found, goal.told(self.epochs))
        return Applied(found.model, dataclasses.replace(report, skipped=(*report.skipped, *goal.skipped)))

    def _report(self, found: Factorized, tuning: str) -> StepResult:
        """Tell what was done, layer by layer."""
        changes = tuple(_changes(found.choices))
        before, after = (
            sum(getattr(change, side) for change in changes if change.quantity == "parameters")
            for side in ("before", "after")
        )
        counted = f"{len(found.choices)} {'layer' if len(found.choices) == 1 else 'layers'}"
        summary = f"{counted} from {before:,.0f} weights to {after:,.0f}, {tuning}" if changes else tuning
        return StepResult(self.name, settings_of(self), summary, changes, found.skipped)


def _changes(choices: tuple[Choice, ...]) -> Iterator[LayerChange]:
    """Yield each layer's ranks and weights."""
    for choice in choices:
        name, form = choice.form.layer.name, choice.form
        words = ("rank",) if len(choice.ranks) == 1 else ("input rank", "output rank")
        for word, most, rank in zip(words, form.most, choice.ranks, strict=True):
            if rank < most:
                yield LayerChange(name, word, most, rank)
        yield LayerChange(name, "parameters", form.weights, form.cost(choice.ranks)[0])
