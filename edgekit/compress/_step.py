"""What a technique is, how it declares its settings, and what it reports."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from edgekit.errors import UsageError
from edgekit.progress import Progress

if TYPE_CHECKING:
    import keras

    from edgekit.data import Data

SettingValue = str | int | float


@dataclass(frozen=True, slots=True)
class LayerChange:
    """The sparsity (fraction of zeros, 0..1) of one layer's weights, before and after a step."""

    name: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one technique did.

    Attributes:
        technique: its name in a recipe.
        settings: (name, value) of every setting, defaults included.
        summary: one line for people.
        layers: the layers it changed, in the model's order.
        skipped: (layer or stage, reason) of what it left out.

    Example:
        >>> step = StepResult("prune", (("sparsity", 0.5),), "1 layer", (LayerChange("conv", 0.0, 0.5),))
        >>> StepResult.from_json(dataclasses.asdict(step)) == step
        True
    """

    technique: str
    settings: tuple[tuple[str, SettingValue], ...]
    summary: str
    layers: tuple[LayerChange, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()

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
        )


@dataclass(frozen=True, slots=True, eq=False)
class CompressionResult:
    """A compressed model and what each step of the recipe did to it."""

    model: keras.Model
    steps: tuple[StepResult, ...]


class Technique(Protocol):
    """A frozen dataclass: its fields are the settings, made with `setting`; `apply` does the work."""

    name: ClassVar[str]

    def apply(self, model: keras.Model, data: Data, progress: Progress) -> tuple[keras.Model, StepResult]:
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
        choices: the allowed words of a text setting.

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
        return None if value in choices else "one of " + ", ".join(choices)
    if kind is bool:
        return None if isinstance(value, bool) else "true or false"
    if typing.get_origin(kind) is tuple:
        names = isinstance(value, tuple) and all(isinstance(name, str) for name in value)
        return None if names else "a list of layer names"
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
