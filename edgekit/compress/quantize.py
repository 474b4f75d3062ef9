"""Post-training quantization: how many bits, which scales, and for which layers."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from edgekit.compress.frame.step import Applied, Context, LayerChange, StepResult, check_settings, setting, settings_of
from edgekit.errors import UsageError
from edgekit.tflite.quantization_plan import QuantizationPlan

if TYPE_CHECKING:
    import keras

    from edgekit.compress.quantization.sensitivity import Choice
    from edgekit.data import Data


@dataclass(frozen=True, slots=True)
class Quantize:
    """Decides how the model is converted: 8- or 4-bit weights, 8- or 16-bit activations, scales by channel or tensor.

    8-bit weights are rounded by the converter; 4-bit ones here, each channel on the grid of the least squared error,
    after batch normalization is folded, so that the float model already shows what they cost. With `max_bytes` or
    `max_loss` the layers are sorted by how much noise 4 bits in that layer alone bring to the outputs for each byte
    they save, and only as many get 4 bits as the budget asks, or allows.

    When to use:
        No time or data to train: 16-bit activations where 8 lose too much, 4-bit weights where flash is short, and
        mixed bits to a budget or a largest loss.

    Example:
        >>> Quantize(weight_bits=4, max_loss=0.01).activation_bits
        8

    Source:
        Nagel et al. 2021, "A White Paper on Neural Network Quantization", arXiv:2106.08295, sections 3 and 4; TFLite's
        8-bit quantization specification for grids and scales.
    """

    name: ClassVar[str] = "quantize"

    weight_bits: int = setting(8, low=4, high=8, help="8, or 4 for Dense and convolutions")
    activation_bits: int = setting(8, low=8, high=16, help="8, or 16 where 8 lose too much; needs 8-bit weights")
    per_channel: bool = setting(True, help="a scale for each output channel of the weights; false saves their records")
    max_bytes: int = setting(0, low=0, help="4 bits for as many layers as bring the .tflite to this size; 0 for all")
    max_loss: float = setting(
        0.0,
        low=0,
        below=1,
        help="4 bits for as many layers as cost at most this much of the training metric; 0 for all",
    )
    correct_bias: bool = setting(True, help="take the mean error of 4-bit weights out of each layer's bias")
    depthwise: bool = setting(False, help="4 bits for depthwise kernels too: few weights, and each one counts")
    leave_out: tuple[str, ...] = setting((), help="names of layers that keep 8 bits")

    def __post_init__(self) -> None:
        """Check each setting, then those that depend on each other."""
        check_settings(self)
        for field, allowed in (("weight_bits", (4, 8)), ("activation_bits", (8, 16))):
            if getattr(self, field) not in allowed:
                raise UsageError(
                    f"quantize: {field} is {getattr(self, field)}, expected {allowed[0]} or {allowed[1]}",
                    hint="TFLite has kernels for these two",
                )
        if self.max_bytes and self.max_loss:
            raise UsageError("quantize: both max_bytes and max_loss are set, expected one", hint="leave one of them 0")
        if self.weight_bits == 8 and (self.max_bytes or self.max_loss):
            raise UsageError(
                "quantize: a budget is set with weight_bits = 8, expected 4",
                hint="the budget says how many layers get 4 bits: set weight_bits = 4",
            )

    def apply(self, model: keras.Model, data: Data, context: Context = Context()) -> Applied:
        """Choose bits and scales.

        Args:
            model: any built model; never changed.
            data: `x_train` measures the noise and the biases; its labels the loss, where `max_loss` is set.
            context: progress, and the plan so far.

        Returns:
            The model, with 4-bit weights on their grids where it has some; and the plan.

        Raises:
            UnknownNameError: `leave_out` names a layer that the model has not.
            UsageError: 4-bit weights with 16-bit activations; or the budget cannot be met, with the nearest that can.
            DataError: `max_loss` without labels.
        """
        from edgekit.compress.layers.fold_batch_norm import fold
        from edgekit.compress.layers.layer_graph import is_graph
        from edgekit.compress.layers.model_copy import copy_model
        from edgekit.compress.quantization.correction import corrected
        from edgekit.compress.quantization.quantized_layers import bits_of
        from edgekit.compress.quantization.sensitivity import choose, snap

        wide = self.activation_bits == 16
        plan = dataclasses.replace(
            context.plan,
            activation_bits=self.activation_bits,
            per_channel=self.per_channel,
            ranges=() if wide else context.plan.ranges,
        )
        # Ranges that were trained belong to weights that were: those keep what they have.
        folded = fold(model) if self.weight_bits == 4 else None
        result = folded.model if folded is not None else copy_model(model)
        bits, skipped = bits_of(result, self.weight_bits, plan, depthwise=self.depthwise, leave_out=self.leave_out)
        four = [name for name, own in bits.items() if own == 4]
        choice = choose(result, data, four, self, plan, context.progress) if self._has_budget else None
        four = list(choice.layers) if choice is not None else four
        original = copy_model(result)
        snap(result, four, per_channel=self.per_channel)
        plan = dataclasses.replace(plan, weight_bits=tuple((name, 4) for name in bits if name in four))
        rounded_now = [name for name in four if (name, 4) not in context.plan.weight_bits]
        if self.correct_bias and is_graph(result):
            corrected(original, result, rounded_now, data.x_train, context.progress)
        return Applied(result, self._report(bits, plan, skipped, choice), plan)

    @property
    def _has_budget(self) -> bool:
        return bool(self.max_bytes or self.max_loss)

    def _report(
        self,
        bits: dict[str, int],
        plan: QuantizationPlan,
        skipped: tuple[tuple[str, str], ...],
        choice: Choice | None,
    ) -> StepResult:
        four = {name for name, _ in plan.weight_bits}
        scales = "channel" if self.per_channel else "tensor"
        told = f", {choice.summary}" if choice is not None else ""
        return StepResult(
            technique=self.name,
            settings=settings_of(self),
            summary=f"{len(four)} of {len(bits)} layers with 4-bit weights, {self.activation_bits}-bit activations, "
            f"a scale for each {scales}{told}",
            layers=tuple(LayerChange(name, "bits", 32, 4 if name in four else 8) for name in bits),
            skipped=skipped + (choice.kept if choice is not None else ()),
        )
