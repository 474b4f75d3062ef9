"""Whole layers and residual blocks are removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from edgekit.compress.frame.fine_tuning import FineTuning
from edgekit.compress.frame.step import Applied, Context, LayerChange, StepResult, check_settings, setting, settings_of
from edgekit.errors import ModelError, UnknownNameError, UsageError

if TYPE_CHECKING:
    import keras

    from edgekit.compress.channels.blocks import Block
    from edgekit.compress.channels.budget import Budget
    from edgekit.compress.frame.training import Targets
    from edgekit.data import Data

_JUDGED_ON = 256


@dataclass(frozen=True, slots=True)
class PruneLayers(FineTuning):
    """Removes the blocks that the network's output depends on least, one after the other.

    A block is a residual branch (an Add of x and of something computed from x leaves x), or a layer whose output has
    the shape of its input, with the normalization and activation behind it. What comes back is an ordinary Keras
    model of the layers that are left.

    When to use:
        The network is deep and its blocks repeat; what is left stays as wide as it was. Also where widths are tied to
        a format or to LayerNormalization.

    Example:
        >>> PruneLayers(number=2).names
        ()

    Source:
        Men et al. 2024, "ShortGPT: Layers in Large Language Models are More Redundant Than You Expect",
        arXiv:2403.03853: removing blocks by how little they change. Here the change is that of the model's output.
    """

    name: ClassVar[str] = "prune_layers"

    number: int = setting(1, low=1, help="how many blocks go, where neither names nor a budget are set")
    names: tuple[str, ...] = setting((), help="the blocks that go: of a residual branch, the name of its Add")
    max_parameters: int = setting(0, low=0, help="budget: weights of the model; 0 is none")
    max_macs: int = setting(0, low=0, help="budget: multiply-accumulates of one inference; 0 is none")
    max_ram_bytes: int = setting(0, low=0, help="budget: arena of the aot engine; 0 is none")
    max_flash_bytes: int = setting(0, low=0, help="budget: size of the int8 .tflite; 0 is none")
    recalibrate: bool = setting(True, help="measure batch normalization statistics anew at the end")
    leave_out: tuple[str, ...] = setting((), help="names of blocks that stay")

    def __post_init__(self) -> None:
        """Check each setting."""
        check_settings(self)

    def apply(self, model: keras.Model, data: Data, context: Context = Context()) -> Applied:
        """Remove blocks from a copy of the model.

        Args:
            model: a built functional or Sequential model; never changed.
            data: `x_train` judges the blocks; with `y_train` the model is fine-tuned.
            context: progress, teacher, plan, checkpoint.

        Returns:
            The shorter model, not compiled, and the blocks that went.

        Raises:
            UnknownNameError: `names` or `leave_out` names a layer that the model has not.
            UsageError: a named layer is no block, there are fewer blocks than `number`, or a budget cannot be met.
            DataError: the samples or labels do not fit the model.
            ModelError: a subclassed model, or fine-tuning diverged.
        """
        from edgekit.compress.channels.blocks import blocks
        from edgekit.compress.channels.budget import budget_of
        from edgekit.compress.channels.groups import functional
        from edgekit.compress.frame import training
        from edgekit.compress.layers.model_copy import copy_model
        from edgekit.compress.layers.recalibrate import settle

        if functional(model) is None:
            raise ModelError(
                f"model {model.name!r} is a subclassed model: which layer feeds which is not known",
                hint="build it with the functional API (keras.Model(inputs, outputs)) or as keras.Sequential",
            )
        self._check_names(model)
        goal = training.targets(model, data, epochs=self.epochs)
        shorter, changes = self._shorten(copy_model(model), goal, budget_of(self, data, context))
        # Removing left traces in the graph of its layers: a copy has none.
        shorter = copy_model(shorter)
        if goal.reason is None:
            training.fine_tune(shorter, goal, self, context, name=self.name)
        skipped = (*blocks(model)[1], *settle(shorter, goal, self.batch_size, wanted=self.recalibrate))
        return Applied(copy_model(shorter), self._report(changes, goal, skipped))

    def _check_names(self, model: keras.Model) -> None:
        from edgekit.compress.channels.blocks import blocks

        known = {layer.name for layer in model.layers} | {block.name for block in blocks(model)[0]}
        for name in (*self.names, *self.leave_out):
            if name not in known:
                raise UnknownNameError("layer", name, known)

    def _shorten(self, model: keras.Model, goal: Targets, budget: Budget) -> tuple[keras.Model, list[LayerChange]]:
        """Remove one block after the other, the least important first."""
        from edgekit.compress.channels.blocks import blocks, without
        from edgekit.compress.frame.cost import parameters

        changes: list[LayerChange] = []
        while not self._is_done(model, changes, budget):
            found = [block for block in blocks(model)[0] if block.name not in self.leave_out]
            if self.names:
                block = self._named(self.names[len(changes)], found)
            elif found:
                block = self._least(model, found, goal, budget)
            else:
                raise self._too_few(model, len(changes), budget)
            shorter = without(model, block)
            changes.append(LayerChange(block.name, "parameters", parameters(model), parameters(shorter)))
            model = shorter
        return model, changes

    def _is_done(self, model: keras.Model, changes: list[LayerChange], budget: Budget) -> bool:
        if self.names:
            return len(changes) == len(self.names)
        return not budget.missed(model) if budget.most else len(changes) == self.number

    def _named(self, name: str, found: list[Block]) -> Block:
        for block in found:
            if block.name == name:
                return block
        raise UsageError(
            f"prune_layers: {name} is no block that can go",
            hint="blocks: " + (", ".join(block.name for block in found) or "this model has none"),
        )

    def _least(self, model: keras.Model, found: list[Block], goal: Targets, budget: Budget) -> Block:
        """Return the block without which the output changes least."""
        import numpy as np

        from edgekit.compress.channels.blocks import without
        from edgekit.compress.layers.recalibrate import takes

        if not takes(model, goal.x):
            raise UsageError(
                "prune_layers: blocks are judged on samples, and x_train has none that the model takes",
                hint="say which blocks go: names = [...]",
            )
        x = goal.x[:_JUDGED_ON]

        def outputs(model: keras.Model) -> Any:
            flat = [np.asarray(output).ravel() for output in _flatten(model(x, training=False))]
            return np.concatenate(flat)

        whole = outputs(model)
        changes = []
        for number, block in enumerate(found, 1):
            changes.append(float(np.square(outputs(without(model, block)) - whole).mean()))
            budget.progress("prune_layers: judging the blocks", number, len(found))
        # NaN is the largest change of all.
        return found[int(np.argmin(np.nan_to_num(changes, nan=np.inf)))]

    def _too_few(self, model: keras.Model, gone: int, budget: Budget) -> UsageError:
        if budget.most:
            return budget.unreachable(model, "prune channels too: no further block can go")
        return UsageError(
            f"prune_layers: number is {self.number}, but the model has only {gone} blocks that can go",
            hint=f"set number to {gone} at most" if gone else "prune_channels may serve this model",
        )

    def _report(self, changes: list[LayerChange], goal: Targets, skipped: tuple[tuple[str, str], ...]) -> StepResult:
        """Tell which blocks went."""
        names = ", ".join(change.name for change in changes) or "no block"
        tuning = f"{self.epochs} epochs of fine-tuning" if goal.reason is None else f"no fine-tuning: {goal.reason}"
        return StepResult(
            technique=self.name,
            settings=settings_of(self),
            summary=f"{names} removed, {tuning}",
            layers=tuple(changes),
            skipped=skipped,
        )


def _flatten(outputs: Any) -> list[Any]:
    import keras

    return list(keras.tree.flatten(outputs))
