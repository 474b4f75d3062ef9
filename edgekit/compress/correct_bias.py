"""Bias correction: what rounding the weights shifts on the mean is taken out of the biases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from edgekit.compress.frame.step import Applied, Context, LayerChange, StepResult, check_settings, settings_of

if TYPE_CHECKING:
    import keras

    from edgekit.data import Data


@dataclass(frozen=True, slots=True)
class CorrectBias:
    """Changes each bias by the mean error that the coming 8-bit rounding of the layer's weights causes.

    Rounded weights shift the mean of a layer's outputs, most of all with one scale a tensor. The shift is measured on
    samples and subtracted from the bias; the weights stay float32, and the converter rounds them as foreseen. Layers
    with 4-bit weights were corrected by `quantize`, which knew them before.

    When to use:
        After `equalize` or where int8 loses a little and there is no time to train: it moves each layer's mean back
        to where it was.

    Example:
        >>> CorrectBias().name
        'correct_bias'

    Source:
        Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias Correction", arXiv:1906.04721,
        section 4.2 and appendix D (empirical bias correction).
    """

    name: ClassVar[str] = "correct_bias"

    def __post_init__(self) -> None:
        """Check each setting."""
        check_settings(self)

    def apply(self, model: keras.Model, data: Data, context: Context = Context()) -> Applied:
        """Correct the biases of a copy of the model.

        Args:
            model: functional or sequential; never changed. A subclassed one comes back as it was, with the reason.
            data: `x_train`; labels are not needed.
            context: progress, and the plan so far: how the weights will be rounded.

        Returns:
            The model with other biases, batch normalization folded, not compiled.
        """
        from edgekit.compress.layers.fold_batch_norm import fold
        from edgekit.compress.layers.layer_graph import is_graph, layer_graph
        from edgekit.compress.layers.model_copy import copy_model
        from edgekit.compress.quantization.correction import corrected
        from edgekit.compress.quantization.weight_grid import grids

        folded = fold(model)
        result = folded.model
        if not is_graph(result):
            reason = "the model is subclassed: what comes out of its layers cannot be seen"
            step = StepResult(self.name, settings_of(self), "nothing done", skipped=((model.name, reason),))
            return Applied(result, step)
        four = {name for name, bits in context.plan.weight_bits if bits == 4}
        trained = {name for name, _, _ in context.plan.ranges}
        skipped = [*folded.skipped, *((name, "4-bit weights, which `quantize` corrected") for name in four)]
        if trained:
            reason = "quantization-aware training has fitted its biases to rounded weights"
            step = StepResult(self.name, settings_of(self), "nothing done", skipped=((model.name, reason),))
            return Applied(result, step)
        rounded = copy_model(result)
        names = []
        for layer in layer_graph(rounded).layers:
            own = grids(layer, 8, per_channel=context.plan.per_channel)
            if not own or layer.name in four:
                continue
            for grid in own:
                grid.bake()
            if layer.use_bias:
                names.append(layer.name)
            else:
                skipped.append((layer.name, "it has no bias"))
        changes = corrected(result, rounded, names, data.x_train, context.progress)
        for name in names:
            result.get_layer(name).bias.assign(rounded.get_layer(name).bias)
        return Applied(result, self._report(changes, tuple(skipped)))

    def _report(self, changes: dict[str, float], skipped: tuple[tuple[str, str], ...]) -> StepResult:
        return StepResult(
            technique=self.name,
            settings=settings_of(self),
            summary=f"{len(changes)} biases corrected",
            layers=tuple(
                LayerChange(name, "largest change of the bias", 0.0, change) for name, change in changes.items()
            ),
            skipped=skipped,
        )
