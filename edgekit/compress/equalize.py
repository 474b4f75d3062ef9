"""Cross-layer equalization: scales move from one layer to the next so that the ranges of their channels match."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from edgekit.compress.frame.step import Applied, Context, LayerChange, StepResult, check_settings, setting, settings_of

if TYPE_CHECKING:
    import keras

    from edgekit.data import Data


@dataclass(frozen=True, slots=True)
class Equalize:
    """Rescales the channels between two layers so that both layers use their range of weights evenly.

    With one scale a tensor, a channel of small weights next to one of large weights is rounded to a few steps. A
    positive factor passes through a ReLU, so a channel can be divided in one layer and multiplied in the next without
    changing what comes out. Chains of Dense, convolution and depthwise layers with nothing, ReLU, pooling by maximum or
    average, or dropout between them are equalized; a ReLU6 lets no factor pass and ends a chain, unless
    `replace_relu6` makes a ReLU of it, which changes outputs where activations exceed 6.

    When to use:
        Per-tensor scales, or layers whose channels differ by orders of magnitude; before `quantize`. With a scale for
        each channel there is little left to gain.

    Example:
        >>> Equalize(rounds=10).replace_relu6
        False

    Source:
        Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias Correction", arXiv:1906.04721,
        section 4.1, equation 11.
    """

    name: ClassVar[str] = "equalize"

    rounds: int = setting(20, low=1, high=1000, help="times that all pairs are gone through; ends when nothing moves")
    replace_relu6: bool = setting(False, help="make a ReLU of each ReLU6 that stands between two layers")

    def __post_init__(self) -> None:
        """Check each setting."""
        check_settings(self)

    def apply(self, model: keras.Model, data: Data, context: Context = Context()) -> Applied:  # noqa: ARG002
        """Equalize a copy of the model; one whose weights or ranges are quantized already stays as it is.

        Args:
            model: functional or sequential; never changed. A subclassed one comes back as it was, with the reason.
            data: not looked at.
            context: progress, and the plan so far.

        Returns:
            The model with other weights and the same outputs to float32 rounding, batch normalization folded, not
            compiled.
        """
        from edgekit.compress.layers.fold_batch_norm import fold
        from edgekit.compress.layers.layer_graph import is_graph
        from edgekit.compress.quantization.equalization import equalized, pairs_of, without_relu6

        folded = fold(model)
        result = folded.model
        is_quantized = bool(context.plan.ranges or context.plan.weight_bits)
        if is_quantized or not is_graph(result):
            subclassed = "the model is subclassed: which layer feeds which is hidden in its code"
            reason = "an earlier step fitted weights or ranges to their integers" if is_quantized else subclassed
            step = StepResult(self.name, settings_of(self), "nothing done", skipped=((model.name, reason),))
            return Applied(result, step)
        replaced: tuple[str, ...] = ()
        if self.replace_relu6:
            result, replaced = without_relu6(result)
        pairs, skipped = pairs_of(result)
        changes = equalized(pairs, self.rounds, context.progress)
        told = f", {len(replaced)} ReLU6 replaced by ReLU" if replaced else ""
        layers = tuple(LayerChange(name, "range of channels", *values) for name, values in changes.items())
        step = StepResult(
            self.name,
            settings_of(self),
            f"{len(pairs)} pairs of layers equalized{told}",
            layers,
            folded.skipped + skipped,
        )
        return Applied(result, step)
