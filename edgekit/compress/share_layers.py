"""Cross-layer sharing: layers of equal shape become one layer that is called several times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from edgekit.compress.frame.fine_tuning import FineTuning
from edgekit.compress.frame.step import Applied, Context, LayerChange, StepResult, check_settings, setting, settings_of
from edgekit.errors import ModelError

if TYPE_CHECKING:
    import keras

    from edgekit.data import Data


@dataclass(frozen=True, slots=True)
class ShareLayers(FineTuning):
    """One set of weights for layers that are alike: fewer weights in flash, the same work and the same activations.

    Layers are alike where class, configuration and shapes are equal, and their names differ in numbers alone:
    `block1_query` and `block2_query` become one, `query` and `key` do not. Batch normalizations keep their own
    statistics.

    When to use:
        The network repeats equal layers and flash is what is short: parameters fall, work does not.

    Example:
        >>> ShareLayers(layers=("block1_query", "block2_query")).start
        'mean'

    Source:
        Lan et al. 2020, "ALBERT", arXiv:1909.11942, section 3.1.
    """

    name: ClassVar[str] = "share_layers"

    layers: tuple[str, ...] = setting((), help="names of layers that become one; none for every group that is alike")
    start: str = setting("mean", choices=("mean", "first"), help="which weights the one layer starts with")
    leave_out: tuple[str, ...] = setting((), help="names of layers that stay as they are")

    def __post_init__(self) -> None:
        """Check each setting."""
        check_settings(self)

    def apply(self, model: keras.Model, data: Data, context: Context = Context()) -> Applied:
        """Share layers of a copy of the model and fine-tune it.

        Args:
            model: functional or sequential; never changed. Layers inside of nested models stay as they are.
            data: `x_train` and `y_train` for fine-tuning; without labels there is none.
            context: progress, teacher, checkpoint.

        Returns:
            A functional model, not compiled, in which each group is one layer with the name of its first; the
            weights of each group before and after.

        Raises:
            UnknownNameError: a name that no layer has.
            ModelError: the model is subclassed, no layers are alike, or fine-tuning diverged.
            DataError: the samples or labels do not fit the model.
        """
        from edgekit.compress.frame import training
        from edgekit.compress.layers.model_copy import copy_model
        from edgekit.compress.sharing.shared import alike_groups, named_group, share
        from edgekit.compress.sharing.tied import as_functional

        graph = as_functional(model)
        groups = (named_group(graph, self.layers),) if self.layers else alike_groups(graph, self.leave_out)
        if not groups:
            raise ModelError(
                f"no two layers of model {model.name!r} are alike but for numbers in their names",
                hint='name them: layers = ["first", "second"]; they need one class, configuration and shape',
            )
        goal = training.targets(model, data, epochs=self.epochs)
        shared = share(graph, groups, self.start)
        if goal.reason is None:
            training.fine_tune(shared, goal, self, context, name="share layers")
            shared = copy_model(shared)
        changes = tuple(
            LayerChange(
                ", ".join(layer.name for layer in group.layers),
                "parameters",
                len(group.layers) * group.parameters,
                group.parameters,
            )
            for group in groups
        )
        saved = sum(change.before - change.after for change in changes)
        merged = sum(len(group.layers) for group in groups)
        summary = f"{merged} layers became {len(groups)}, {saved:,.0f} weights fewer, {goal.told(self.epochs)}"
        skipped = goal.skipped
        return Applied(shared, StepResult(self.name, settings_of(self), summary, changes, skipped))
