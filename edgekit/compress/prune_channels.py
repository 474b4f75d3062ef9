"""Structured pruning: units, filters and channels are removed, and every tensor that held them becomes smaller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from edgekit.compress.frame.fine_tuning import FineTuning
from edgekit.compress.frame.step import Applied, Context, LayerChange, StepResult, check_settings, setting, settings_of
from edgekit.errors import ModelError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras

    from edgekit.compress.channels.groups import Graph
    from edgekit.compress.channels.importance import Scores
    from edgekit.compress.frame.training import Targets
    from edgekit.data import Data

    Choose = Callable[[float, keras.Model, Graph], set[int]]

_VERIFIED_ON = 4

_IMPORTANCES = ("l1", "l2", "batch_norm_scale", "taylor")


@dataclass(frozen=True, slots=True)
class PruneChannels(FineTuning):
    """Removes the least important channels, together with all that is coupled to them.

    Channels that meet in a sum, a product or a reshape go together; channels of the model's inputs and outputs, and
    those that a LayerNormalization, a GroupNormalization or a layer without a rule looks at, stay. What comes back
    is an ordinary, smaller Keras model of the same classes and layer names. A channel is removed as if every layer
    that reads it got zeros; fine-tuning and new batch normalization statistics make up for that.

    With a budget, all channels stand in one ranking of importance for cost, and as few go as the budget calls for;
    `ratio` and `ranking` are without effect then.

    When to use:
        Almost always first: parameters, MACs, instructions and RAM all fall, on every runtime. Give it some epochs
        and a share of the teacher; budgets in bytes or MACs choose the ratio.

    Example:
        >>> PruneChannels(ratio=0.5).epochs
        5

    Source:
        Li et al. 2017, "Pruning Filters for Efficient ConvNets", arXiv:1608.08710; Fang et al. 2023, "DepGraph",
        arXiv:2301.12900. The importances and the ranking name theirs where they are computed.
    """

    name: ClassVar[str] = "prune_channels"

    ratio: float = setting(0.5, low=0, below=1, help="share of the channels that goes, where no budget is set")
    ranking: str = setting(
        "uniform", choices=("uniform", "global"), help="the ratio in each width, or over the whole model"
    )
    importance: str = setting("l2", choices=_IMPORTANCES, help="what a channel is judged by; taylor needs labels")
    max_parameters: int = setting(0, low=0, help="budget: weights of the model; 0 is none")
    max_macs: int = setting(0, low=0, help="budget: multiply-accumulates of one inference; 0 is none")
    max_ram_bytes: int = setting(0, low=0, help="budget: arena of the aot engine; 0 is none")
    max_flash_bytes: int = setting(0, low=0, help="budget: size of the int8 .tflite; 0 is none")
    multiple_of: int = setting(4, low=1, high=1024, help="the width of a layer that was cut is a multiple of this")
    minimum: int = setting(4, low=1, high=65536, help="channels that a layer keeps at least")
    iterations: int = setting(1, low=1, high=100, help="rounds of pruning and fine-tuning, each the same share")
    recalibrate: bool = setting(True, help="measure batch normalization statistics anew at the end")
    leave_out: tuple[str, ...] = setting((), help="names of layers that keep all their output channels")

    def __post_init__(self) -> None:
        """Check each setting."""
        check_settings(self)

    def apply(self, model: keras.Model, data: Data, context: Context = Context()) -> Applied:
        """Prune a copy of the model.

        Args:
            model: a built functional or Sequential model; never changed.
            data: `x_train` and, for a classifier, `y_train`; without labels there is no fine-tuning.
            context: progress, teacher, plan, checkpoint.

        Returns:
            The smaller model, not compiled, and the width of each layer before and after.

        Raises:
            UnknownNameError: `leave_out` names a layer that the model has not.
            UsageError: a budget that cannot be met, or taylor importance without labels.
            DataError: the samples or labels do not fit the model.
            ModelError: a subclassed model, no channel that may go, or fine-tuning diverged.
            UntrustworthyError: the pruned model does not compute what the original does with its channels zeroed.
        """
        from edgekit.compress.channels.groups import Graph
        from edgekit.compress.channels.rebuild import rebuild, verify
        from edgekit.compress.frame import training
        from edgekit.compress.layers.model_copy import copy_model
        from edgekit.compress.layers.recalibrate import settle, takes

        goal = training.targets(model, data, epochs=self.epochs)
        before = Graph(model, self.leave_out)
        rounds = self._rounds(model, before, data, context)
        pruned = model
        for number in range(1, self.iterations + 1):
            graph = Graph(pruned, self.leave_out)
            dropped = rounds(number / self.iterations, pruned, graph)
            if not dropped:
                continue
            smaller = rebuild(pruned, graph, dropped)
            if takes(model, goal.x):
                verify(pruned, smaller, graph, dropped, goal.x[:_VERIFIED_ON])
            pruned = smaller
            if goal.reason is None:
                name = self.name if self.iterations == 1 else f"{self.name} {number} of {self.iterations}"
                training.fine_tune(pruned, goal, self, context, name=name)
        if pruned is model:
            idle = "the model is within its budget, or no width may become smaller"
            return Applied(copy_model(model), StepResult(self.name, settings_of(self), f"nothing removed: {idle}"))
        skipped = settle(pruned, goal, self.batch_size, wanted=self.recalibrate)
        return Applied(copy_model(pruned), self._report(before, Graph(pruned, self.leave_out), goal, skipped))

    def _rounds(self, model: keras.Model, graph: Graph, data: Data, context: Context) -> Choose:
        """Return what chooses the groups that go in a round, given how much of the way that round has come."""
        import numpy as np

        from edgekit.compress.channels.budget import budget_of
        from edgekit.compress.channels.selection import Limits, drop, drop_first, ranking, widths

        limits = Limits(self.multiple_of, self.minimum)
        groups = widths(graph, np.zeros(graph.channels.count))
        if not groups:
            raise ModelError(
                f"no channel of model {model.name!r} may go",
                hint="channels of its inputs and outputs and of layers without a rule stay; see docs/techniques.md",
            )
        budget = budget_of(self, data, context)
        start = budget.figures(model)
        if budget.most and self.iterations > 1:
            budget.check(model, graph, groups, limits)
        original = {width.layers: len(width.roots) for width in groups}

        def choose(share: float, pruned: keras.Model, graph: Graph) -> set[int]:
            groups = widths(graph, self._scores(pruned, graph, data))
            if budget.most:
                return budget.toward(start, share).choose(pruned, graph, groups, limits)
            stays = (1 - self.ratio) ** share
            if self.ranking == "uniform":
                return drop(groups, {layers: size * stays for layers, size in original.items()}, limits)
            goes = sum(len(width.roots) for width in groups) - round(sum(original.values()) * stays)
            return drop_first(groups, ranking(groups), max(goes, 0), limits)

        return choose

    def _scores(self, model: keras.Model, graph: Graph, data: Data) -> Scores:
        """Judge every group."""
        from edgekit.compress.channels import importance
        from edgekit.compress.frame import training

        if self.importance != "taylor":
            return importance.magnitudes(graph, self.importance)
        goal = training.targets(model, data, epochs=1)
        if goal.reason is not None or goal.y is None:
            raise UsageError(
                f"prune_channels: importance is taylor, but {goal.reason}",
                hint="taylor needs a loss; l1, l2 and batch_norm_scale do without data",
            )
        return importance.taylor(model, graph, goal.x, goal.y, goal.loss, self.batch_size)

    def _report(self, before: Graph, after: Graph, goal: Targets, skipped: tuple[tuple[str, str], ...]) -> StepResult:
        """Tell what was done, layer by layer."""
        changes, kept = [], []
        for path, part in before.parts.items():
            made = part.cut.made
            if made is None:
                continue
            reasons = [before.channels.reason(root) for root in before.channels.roots(made).tolist()]
            if None not in reasons:
                kept.append((path, str(reasons[0])))
            elif (left := len(after.parts[path].cut.output)) < len(made):
                quantity = "filters" if "filters" in part.cut.sizes else "units"
                changes.append(LayerChange(path, quantity, len(made), left))
        gone = sum(int(change.before - change.after) for change in changes)
        tuning = f"{self.epochs} epochs of fine-tuning" if goal.reason is None else f"no fine-tuning: {goal.reason}"
        return StepResult(
            technique=self.name,
            settings=settings_of(self),
            summary=f"{gone} channels of {len(changes)} layers removed by {self.importance} importance, {tuning}",
            layers=tuple(changes),
            skipped=(*kept, *skipped),
        )
