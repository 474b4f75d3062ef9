"""Weight clustering: the weights of a layer take a few values, so that an index of a few bits stands for each."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from edgekit.compress.frame.fine_tuning import FineTuning
from edgekit.compress.frame.step import Applied, Context, LayerChange, StepResult, check_settings, setting, settings_of

if TYPE_CHECKING:
    import keras

    from edgekit.compress.sharing.clusters import Clusters
    from edgekit.data import Data


@dataclass(frozen=True, slots=True)
class Cluster(FineTuning):
    """K-means of each layer's weights; fine-tuning moves the values, and the weights of one value stay together.

    Batch normalization is folded first: folded afterwards it would tear the values apart. Zeros of a pruned layer
    stay zero, as one of the values. With values for a whole tensor the plan asks for one int8 scale a tensor, so that
    the int8 tensor has no more values than the layer; values for each channel go with a scale for each channel.
    The file gets smaller where something encodes it: `edgekit shrink --decode`, or a compressed firmware image.

    When to use:
        Flash is short and weights may be looked up in a table (`edgekit shrink --decode` for TFLM, compressed
        downloads): 16 values need 4 bits a weight.

    Example:
        >>> Cluster(clusters=8).per
        'tensor'

    Source:
        Han et al. 2016, "Deep Compression", arXiv:1510.00149, section 3: weights share a value, and its gradient.
    """

    name: ClassVar[str] = "cluster"

    clusters: int = setting(16, low=2, high=128, help="values of a tensor or of a channel; 16 need 4 bits a weight")
    per: str = setting("tensor", choices=("tensor", "channel"), help="what has values of its own")
    depthwise: bool = setting(False, help="cluster depthwise kernels too: few weights, and each one counts")
    leave_out: tuple[str, ...] = setting((), help="names of layers that stay as they are")

    def __post_init__(self) -> None:
        """Check each setting."""
        check_settings(self)

    def apply(self, model: keras.Model, data: Data, context: Context = Context()) -> Applied:
        """Cluster a copy of the model.

        Args:
            model: any built Keras model; never changed.
            data: `x_train` and, for a classifier, `y_train`; without labels there is no fine-tuning.
            context: progress, teacher, checkpoint, plan.

        Returns:
            The clustered model without the batch normalizations that could be folded, not compiled; the number of
            values of each layer before and after, and the plan that keeps it.

        Raises:
            UnknownNameError: `leave_out` names a layer that the model has not.
            DataError: the samples or labels do not fit the model.
            ModelError: no layer can be clustered, or fine-tuning diverged.
            UntrustworthyError: training went past the constraints of the weights.
        """
        from edgekit.compress.frame import training
        from edgekit.compress.layers.fold_batch_norm import fold
        from edgekit.compress.layers.model_copy import copy_model
        from edgekit.compress.sharing.clusters import Clusters

        folded = fold(model)
        goal = training.targets(model, data, epochs=self.epochs)
        clusters = Clusters(
            folded.model,
            self.clusters,
            per_channel=self.per == "channel",
            depthwise=self.depthwise,
            leave_out=self.leave_out,
        )
        if goal.reason is None:
            training.fine_tune(folded.model, goal, self, context, name="cluster")
        clusters.verify()
        skipped = (*folded.skipped, *clusters.skipped, *goal.skipped)
        step = self._report(clusters, skipped, goal.told(self.epochs))
        clusters.strip()
        plan = None if self.per == "channel" else dataclasses.replace(context.plan, per_channel=False)
        return Applied(copy_model(folded.model), step, plan)

    def _report(self, clusters: Clusters, skipped: tuple[tuple[str, str], ...], tuning: str) -> StepResult:
        """Tell what was done, layer by layer."""
        found = clusters.kernels
        noun = "layer" if len(found) == 1 else "layers"
        return StepResult(
            technique=self.name,
            settings=settings_of(self),
            summary=f"{len(found)} {noun} to {self.clusters} values a {self.per}, {tuning}",
            layers=tuple(LayerChange(each.kernel.name, "values", each.before, each.values) for each in found),
            skipped=skipped,
        )
