"""Quantization-aware training: the model is fine-tuned while it computes as its full-integer form will."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from edgekit.compress.frame.fine_tuning import FineTuning
from edgekit.compress.frame.step import Applied, Context, LayerChange, StepResult, check_settings, setting, settings_of
from edgekit.errors import UsageError
from edgekit.tflite.quantization_plan import QuantizationPlan

if TYPE_CHECKING:
    import keras

    from edgekit.compress.quantization.fake_quantized import FakeQuantized
    from edgekit.data import Data

_OBSERVED = 512


@dataclass(frozen=True, slots=True)
class QuantizationAware(FineTuning):
    """Fine-tunes with weights and activations rounded, then leaves the rounded weights and the ranges behind.

    Batch normalization is folded first. In training each kernel is rounded to its grid, and each activation to the
    256 steps of its range where the integer model will round it; a gradient passes as if nothing were rounded. What
    comes back is a plain model: its weights lie on their grids, the ranges are in the quantization plan, and its
    full-integer form computes what the training computed, to one step of the output.

    The zeros of a pruned kernel stay zero. Layers that an earlier `quantize` gave 4 bits keep them, and so do scales
    per tensor and 16-bit activations (which are fine enough to need no training: the weights alone are rounded then).

    When to use:
        int8 or 4-bit weights lose more than they may; always last in a chain, because what follows would break its
        ranges.

    Example:
        >>> QuantizationAware(weight_bits=4, epochs=3).ranges
        'moving'

    Source:
        Jacob et al. 2018, arXiv:1712.05877, section 3; learned ranges: Jain et al. 2020, "Trained Quantization
        Thresholds", arXiv:1903.08066; gradients of `tf.quantization.fake_quant_with_min_max_vars`.
    """

    name: ClassVar[str] = "quantization_aware"

    epochs: int = setting(5, low=0, high=1000, help="epochs of fine-tuning; 0 rounds without it")
    learning_rate: float = setting(5e-4, low=1e-8, high=1, help="Adam's, at its highest")
    weight_bits: int = setting(8, low=4, high=8, help="8, or 4 for Dense and convolutions")
    per_channel: bool = setting(True, help="a scale for each output channel of the weights")
    ranges: str = setting(
        "moving", choices=("moving", "learned"), help="ranges of activations follow what passes, or are trained"
    )
    depthwise: bool = setting(False, help="4 bits for depthwise kernels too: few weights, and each one counts")
    leave_out: tuple[str, ...] = setting((), help="names of layers that keep 8 bits")

    def __post_init__(self) -> None:
        """Check each setting."""
        check_settings(self)
        if self.weight_bits not in (4, 8):
            raise UsageError(
                f"{self.name}: weight_bits is {self.weight_bits}, expected 4 or 8",
                hint="TFLite has kernels for these two",
            )

    def apply(self, model: keras.Model, data: Data, context: Context = Context()) -> Applied:
        """Train a copy of the model.

        Args:
            model: functional or sequential; never changed. A subclassed one comes back as it was, with the reason.
            data: `x_train` and, for a classifier, `y_train`; without labels the weights are rounded and the ranges
                measured without training.
            context: progress, teacher, checkpoint, and the plan so far.

        Returns:
            The model with rounded weights, without batch normalization where it could be folded, not compiled; and
            the plan with the ranges.

        Raises:
            UnknownNameError: `leave_out` names a layer that the model has not.
            DataError: the samples or labels do not fit the model.
            ModelError: fine-tuning diverged.
        """
        from edgekit.compress.frame import training
        from edgekit.compress.layers.fold_batch_norm import fold
        from edgekit.compress.layers.layer_graph import is_graph
        from edgekit.compress.quantization.fake_quantized import FakeQuantized
        from edgekit.compress.quantization.quantized_layers import bits_of

        goal = training.targets(model, data, epochs=self.epochs)
        folded = fold(model)
        result = folded.model
        if not is_graph(result) or len(result.inputs) != 1:
            subclassed = "the model is subclassed: where its activations are rounded cannot be seen"
            reason = "the model has several inputs" if is_graph(result) else subclassed
            step = StepResult(self.name, settings_of(self), "nothing done", skipped=((model.name, reason),))
            return Applied(result, step)
        plan = self._plan(context.plan)
        bits, skipped = bits_of(result, self.weight_bits, plan, depthwise=self.depthwise, leave_out=self.leave_out)
        wide = plan.activation_bits == 16
        trainee = FakeQuantized(
            result, bits, per_channel=plan.per_channel, activations=not wide, learned=self.ranges == "learned"
        )
        trainee.observe(data.x_train[:_OBSERVED])
        if goal.reason is None:
            training.fine_tune(trainee, goal, self, context, name=self.name)
        trainee.bake_into(result)
        four = tuple((name, 4) for name, own in bits.items() if own == 4)
        plan = dataclasses.replace(plan, weight_bits=four, ranges=trainee.ranges())
        skipped += folded.skipped + trainee.unknown
        skipped += goal.skipped
        return Applied(result, self._report(bits, trainee, skipped, goal.reason), plan)

    def _plan(self, before: QuantizationPlan) -> QuantizationPlan:
        """Return the plan so far, with this step's scales."""
        return dataclasses.replace(before, per_channel=self.per_channel and before.per_channel)

    def _report(
        self, bits: dict[str, int], trainee: FakeQuantized, skipped: tuple[tuple[str, str], ...], reason: str | None
    ) -> StepResult:
        four = sum(own == 4 for own in bits.values())
        epochs = f"{self.epochs} epoch{'s' if self.epochs > 1 else ''}"
        tuning = f"without fine-tuning: {reason}" if reason is not None else epochs
        return StepResult(
            technique=self.name,
            settings=settings_of(self),
            summary=f"weights of {len(bits)} layers rounded ({four} to 4 bits), {len(trainee.made)} ranges, {tuning}",
            layers=tuple(LayerChange(name, "bits", 32, own) for name, own in bits.items()),
            skipped=skipped,
        )
