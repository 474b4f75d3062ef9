"""How a Keras model is to be quantized: what compression decided, and what the converter has to obey."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgekit.errors import ModelError

# No activation of a model that int8 can resolve is beyond.
_LIMIT = 1e6


@dataclass(frozen=True, slots=True)
class QuantizationPlan:
    """Choices for one Keras model; it travels inside the .keras file.

    Attributes:
        activation_bits: 8 or 16.
        per_channel: a scale for each output channel of a weight tensor; False for one scale a tensor.
        weight_bits: (layer, bits) where a layer's weights have other than 8 bits: 4.
        ranges: (layer, lowest, highest) of a layer's output, as quantization-aware training learned them; of a layer
            with an activation of its own that is no ReLU: of what goes into the activation. The layer name "" is the
            model's input. What is not named is calibrated with data.

    Example:
        >>> plan = QuantizationPlan(weight_bits=(("pointwise_1", 4),))
        >>> QuantizationPlan.from_json(plan.to_json()) == plan
        True
    """

    activation_bits: int = 8
    per_channel: bool = True
    weight_bits: tuple[tuple[str, int], ...] = ()
    ranges: tuple[tuple[str, float, float], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return an object that JSON can hold."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> QuantizationPlan:
        """Rebuild a plan from what `to_json` and JSON made of it.

        Raises:
            ModelError: a part is missing, or is nothing that a plan can say.
        """
        try:
            plan = cls(
                activation_bits=value["activation_bits"],
                per_channel=value["per_channel"],
                weight_bits=tuple((layer, bits) for layer, bits in value["weight_bits"]),
                ranges=tuple((layer, float(low), float(high)) for layer, low, high in value["ranges"]),
            )
            fault = _fault(plan)
        except (KeyError, TypeError, ValueError) as error:
            fault = f"{type(error).__name__} {error}"
        if fault:
            raise ModelError(f"the model's quantization plan is damaged: {fault}", hint="compress the model again")
        return plan


def _fault(plan: QuantizationPlan) -> str:
    """Say what is wrong with a plan that was read from a file; "" where nothing is."""
    names = [name for name, *_ in (*plan.weight_bits, *plan.ranges)]
    if plan.activation_bits not in (8, 16) or not isinstance(plan.per_channel, bool):
        return f"activation_bits is {plan.activation_bits!r}, per_channel {plan.per_channel!r}"
    if not all(isinstance(name, str) for name in names):
        return "a layer's name is no text"
    if any(bits not in (4, 8) for _, bits in plan.weight_bits):
        return "weight_bits has other bits than 4 and 8"
    odd = [(low, high) for _, low, high in plan.ranges if not -_LIMIT < low <= 0 <= high < _LIMIT or low == high]
    return f"a range goes from {odd[0][0]} to {odd[0][1]}" if odd else ""
