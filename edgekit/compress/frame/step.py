"""What a technique is, how it declares its settings, what it is given and what it reports."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from edgekit.errors import UsageError
from edgekit.progress import Progress, silent
from edgekit.tflite.quantization_plan import QuantizationPlan

if TYPE_CHECKING:
    import keras

    from edgekit.data import Data

SettingValue = str | int | float


@dataclass(frozen=True, slots=True)
class Cost:
    """What a model costs, and what it is worth.

    Attributes:
        parameters: weights, each stored variable counted once.
        nonzero_parameters: those that are not zero.
        macs: multiply-accumulates of one inference.
        int8_bytes: of its full-integer .tflite; None where it cannot be converted.
        arena_bytes: RAM for activations as the aot engine plans them; None where it cannot.
        metric: of the float model on the test part of the data; None without labels.

    Example:
        >>> cost = Cost(10, 5, 100, 1200, 64, 0.9)
        >>> Cost.from_json(dataclasses.asdict(cost)) == cost
        True
    """

    parameters: int
    nonzero_parameters: int
    macs: int
    int8_bytes: int | None = None
    arena_bytes: int | None = None
    metric: float | None = None

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> Cost | None:
        """Rebuild a cost from what `dataclasses.asdict` and JSON made of it."""
        return cls(**value) if value is not None else None


@dataclass(frozen=True, slots=True)
class LayerChange:
    """One quantity of one layer before and after a step.

    Attributes:
        name: of the layer, or of its weight where it has several.
        quantity: what is told: "sparsity" (fraction of zeros, 0..1), "filters", "rank", "bits", "values" ...
        before, after: the quantity.
    """

    name: str
    quantity: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class LayerOnCore:
    """What engine aot makes of one layer for a core.

    Attributes:
        name: the layer in C, as in `edgekit plan`.
        form: in which its weights are stored.
        constants_bytes: weights, biases and all else that the layer has in flash.
        instructions: of one inference, predicted; None where nothing is known of the kernel.
    """

    name: str
    form: str
    constants_bytes: int
    instructions: int | None = None


@dataclass(frozen=True, slots=True)
class OnCore:
    """What a step is worth on a core: told before the training, and again when it is done.

    Attributes:
        target: the core's name.
        before: the layers of the model that came.
        predicted: those of the model that the step will make, before it was trained.
        after: those of the model that it made.

    Example:
        >>> core = OnCore("cortex-m4", (LayerOnCore("layer_0_conv_2d", "dense", 4096, 90_000),))
        >>> OnCore.from_json(dataclasses.asdict(core)) == core
        True
    """

    target: str
    before: tuple[LayerOnCore, ...] = ()
    predicted: tuple[LayerOnCore, ...] = ()
    after: tuple[LayerOnCore, ...] = ()

    @classmethod
    def from_json(cls, value: Mapping[str, Any] | None) -> OnCore | None:
        """Rebuild it from what `dataclasses.asdict` and JSON made of it."""
        if value is None:
            return None
        moments = ("before", "predicted", "after")
        return cls(value["target"], *(tuple(LayerOnCore(**layer) for layer in value[moment]) for moment in moments))


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one technique did.

    Attributes:
        technique: its name in a recipe.
        settings: (name, value) of every setting, defaults included.
        summary: one line for people.
        layers: the layers it changed, in the model's order.
        skipped: (layer or stage, reason) of what it left out.
        before, after: the model's cost; filled in by `compress`.
        core: what it is worth on the core that it was made for; None where it was made for none.

    Example:
        >>> step = StepResult("prune", (("sparsity", 0.5),), "1 layer", (LayerChange("conv", "sparsity", 0.0, 0.5),))
        >>> StepResult.from_json(dataclasses.asdict(step)) == step
        True
    """

    technique: str
    settings: tuple[tuple[str, SettingValue], ...]
    summary: str
    layers: tuple[LayerChange, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    before: Cost | None = None
    after: Cost | None = None
    core: OnCore | None = None

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> StepResult:
        """Rebuild a result from what `dataclasses.asdict` and JSON made of it.

        Args:
            value: the decoded object; lists stand where tuples were.

        Returns:
            The result, equal to the one that was written.
        """
        return cls(
            technique=value["technique"],
            settings=tuple((name, setting) for name, setting in value["settings"]),
            summary=value["summary"],
            layers=tuple(LayerChange(**layer) for layer in value["layers"]),
            skipped=tuple((name, reason) for name, reason in value["skipped"]),
            before=Cost.from_json(value["before"]),
            after=Cost.from_json(value["after"]),
            core=OnCore.from_json(value.get("core")),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What a technique is told beside model and data.

    Attributes:
        progress: told the step, batch by batch.
        teacher: the model that the recipe started from, never changed; None where a technique is called alone.
        plan: what earlier steps decided on quantization.
        checkpoint: folder in which a training keeps its state, to go on there after a kill; None keeps nothing.
    """

    progress: Progress = silent
    teacher: keras.Model | None = None
    plan: QuantizationPlan = QuantizationPlan()
    checkpoint: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Applied:
    """What a technique returns: a new model, the report, and a changed plan; None leaves the plan as it was."""

    model: keras.Model
    step: StepResult
    plan: QuantizationPlan | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CompressionResult:
    """A compressed model, how it is to be quantized, and what each step of the recipe did to it."""

    model: keras.Model
    steps: tuple[StepResult, ...]
    plan: QuantizationPlan = QuantizationPlan()


class Technique(Protocol):
    """A frozen dataclass: its fields are the settings, made with `setting`; `apply` does the work."""

    name: ClassVar[str]

    def apply(self, model: keras.Model, data: Data, context: Context = ...) -> Applied:
        """Return a new model and a report; the model that came in stays as it was."""
        ...


def setting(
    default: Any,
    *,
    help: str,  # noqa: A002 - the word that every option parser uses
    low: float | None = None,
    high: float | None = None,
    below: float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """Declare a setting of a technique with its range, so that a search can drive it.

    Args:
        default: the value when a recipe does not name it.
        help: one line for people.
        low: smallest allowed value.
        high: largest allowed value.
        below: like `high`, but itself not allowed.
        choices: the allowed words of a text setting; empty for any text.

    Returns:
        A dataclass field; the arguments lie in its metadata.
    """
    metadata = {"low": low, "high": high, "below": below, "choices": choices, "help": help}
    return dataclasses.field(default=default, metadata=metadata)


def check_settings(technique: Any) -> None:
    """Check the type and range of every setting; a technique calls it in `__post_init__`.

    Args:
        technique: an instance whose fields were made with `setting`.

    Raises:
        UsageError: a value of the wrong type or out of its range; the message names the range.
    """
    hints = typing.get_type_hints(type(technique))
    for field in dataclasses.fields(technique):
        value = getattr(technique, field.name)
        problem = _problem(value, hints[field.name], field.metadata)
        if problem:
            raise UsageError(
                f"{technique.name}: {field.name} is {value!r}, expected {problem}",
                hint=f"{field.name}: {field.metadata['help']}",
            )


def settings_of(technique: Any) -> tuple[tuple[str, SettingValue], ...]:
    """Return (name, value) of every setting; a list of names becomes one text."""
    pairs = ((field.name, getattr(technique, field.name)) for field in dataclasses.fields(technique))
    return tuple((name, ", ".join(value) if isinstance(value, tuple) else value) for name, value in pairs)


def _problem(value: Any, kind: Any, metadata: Mapping[str, Any]) -> str | None:
    """Say what was expected where a value does not fit; None where it does."""
    if kind is str:
        choices = metadata["choices"]
        if not choices:
            return None if isinstance(value, str) else "text"
        return None if value in choices else "one of " + ", ".join(choices)
    if kind is bool:
        return None if isinstance(value, bool) else "true or false"
    if typing.get_origin(kind) is tuple:
        names = isinstance(value, tuple) and all(isinstance(name, str) for name in value)
        return None if names else "a list of names"
    allowed = (int,) if kind is int else (int, float)
    in_range = isinstance(value, allowed) and not isinstance(value, bool) and math.isfinite(value)
    low, high, below = metadata["low"], metadata["high"], metadata["below"]
    if in_range:
        in_range = (
            (low is None or value >= low) and (high is None or value <= high) and (below is None or value < below)
        )
    return None if in_range else _range(kind, metadata)


def _range(kind: Any, metadata: Mapping[str, Any]) -> str:
    """Return the range in words, e.g. ``a number, 0 <= sparsity < 1`` without the name."""
    low, high, below = metadata["low"], metadata["high"], metadata["below"]
    noun = "a whole number" if kind is int else "a number"
    bounds = [f">= {low:g}"] if low is not None else []
    bounds += [f"<= {high:g}"] if high is not None else []
    bounds += [f"< {below:g}"] if below is not None else []
    return " ".join([noun, " and ".join(bounds)]).strip()
