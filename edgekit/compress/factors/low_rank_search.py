"""Which layers are factorized, and to which ranks: by number, energy or budget, within the RAM that there is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras

from edgekit.compress.factors.low_rank_forms import Choice, Form, Ranks, forms_of
from edgekit.compress.frame.cost import cost, macs, parameters, to_int8
from edgekit.compress.layers.fold_batch_norm import fold
from edgekit.compress.layers.model_copy import copy_model
from edgekit.compress.layers.replace_layers import graph_layers, is_graph, replace_layers
from edgekit.errors import ModelError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from edgekit.compress.frame.step import Context
    from edgekit.compress.low_rank import LowRank
    from edgekit.data import Data

# Of the energy between 0 and 1: to a thousandth.
_HALVINGS = 10
# Of a budget: nearer than this need not be looked for, as each look may cost a conversion.
_NEARLY = 0.99
# Budgets for which a model need not be built.
_COUNTED = ("max_parameters", "max_macs")

Forms = Mapping[keras.layers.Layer, tuple[Form, ...]]
Skipped = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Room:
    """The RAM that a factorized layer may take for what goes in and comes out.

    Attributes:
        bytes_: of all activations that are alive at once; None for no limit.
        bytes_a_value: 1 or 2.
        tight: layers that may take no more than they do now, because other activations are alive beside them.
    """

    bytes_: int | None
    bytes_a_value: int
    tight: frozenset[keras.layers.Layer]

    def has(self, choice: Choice) -> bool:
        """Say whether there is room for a factorized layer."""
        if self.bytes_ is None or not choice.grows:
            return True
        needed = choice.form.values_alive(choice.ranks) * self.bytes_a_value
        return choice.form.layer not in self.tight and needed <= self.bytes_


@dataclass(frozen=True, slots=True)
class Selection:
    """The layers that are factorized, and (layer, reason) of those that are not; both in the model's order."""

    choices: tuple[Choice, ...]
    skipped: Skipped


@dataclass(frozen=True, slots=True, eq=False)
class Factorized:
    """A model with some layers factorized; without any, a copy of the one that came.

    Attributes:
        model: not compiled.
        choices: what was factorized, in the model's order.
        skipped: (layer or stage, reason) of what was not.
    """

    model: keras.Model
    choices: tuple[Choice, ...]
    skipped: Skipped


class Meter:
    """Measures what a selection would cost.

    Args:
        model: before factorizing.
        data: calibrates conversions.
        context: the plan for quantization.
    """

    def __init__(self, model: keras.Model, data: Data, context: Context) -> None:
        self._model, self._data, self._plan = model, data, context.plan
        self._known: dict[tuple[str, tuple[Choice, ...]], int] = {}

    def measure(self, budget: str, selection: Selection) -> int:
        """Return what a selection would use of a budget; weights and work are counted without building it."""
        key = (budget, selection.choices)
        if key not in self._known:
            self._known[key] = self._measure(budget, selection)
        return self._known[key]

    def _measure(self, budget: str, selection: Selection) -> int:
        if budget == "max_flash_bytes":
            return len(to_int8(_build(self._model, selection), self._data, self._plan))
        if selection.choices:
            whole = self.measure(budget, Selection((), ()))
            return whole - sum(choice.saved[_COUNTED.index(budget)] for choice in selection.choices)
        if budget == "max_parameters":
            return parameters(self._model)
        if is_graph(self._model):
            return macs(self._model)
        raise ModelError(
            f"the multiply-accumulates of {self._model.name!r} cannot be counted: the model is subclassed",
            hint="build it as a functional model, or give another budget",
        )


def factorize(model: keras.Model, settings: LowRank, data: Data, context: Context) -> Factorized:
    """Choose ranks as the settings say, and build the model.

    Args:
        model: never changed.
        settings: rank, energy or budgets; what to leave out.
        data: calibrates the conversions by which flash and RAM are measured.
        context: progress, and the plan for quantization.

    Returns:
        The model, not fine-tuned yet.

    Raises:
        UnknownNameError: a layer to leave out that is not there.
        UsageError: a budget cannot be met; the message names the nearest that can.
        ModelError: the model cannot be copied, converted or counted, as a budget needs.
    """
    names = {layer.name for layer in model._flatten_layers(include_self=False)}
    for name in settings.leave_out:
        if name not in names:
            raise UnknownNameError("layer", name, names)
    folded = fold(copy_model(model)).model
    forms, skipped = _forms(folded, settings)
    context.progress("low rank: measuring the model")
    limit, reason = _arena_limit(folded, settings, data, context)
    room = Room(limit, context.plan.activation_bits // 8, frozenset())
    meter = Meter(folded, data, context)
    while True:
        selection = _choose(forms, settings, room, meter, context)
        made = _build(folded, selection)
        growing = [choice for choice in selection.choices if choice.grows]
        if limit is None or not growing:
            break
        context.progress("low rank: planning the RAM")
        arena = _arena(made, data, context)
        if arena is None or arena <= limit:
            break
        # What else is alive beside a layer only the planner knows. So the largest that grows has to do without.
        worst = max(growing, key=lambda choice: choice.form.values_alive(choice.ranks))
        room = dataclasses.replace(room, tight=room.tight | {worst.form.layer})
    return Factorized(made, selection.choices, skipped + reason + selection.skipped)


def _forms(model: keras.Model, settings: LowRank) -> tuple[Forms, Skipped]:
    """Return the ways to factorize each layer, and the layers that have none."""
    forms: dict[keras.layers.Layer, tuple[Form, ...]] = {}
    skipped: list[tuple[str, str]] = []
    reachable = list(graph_layers(model))
    for layer in reachable:
        found, reason = forms_of(layer, settings.convolution)
        if found and layer.name in settings.leave_out:
            skipped.append((layer.name, "it is in leave_out"))
        elif found:
            forms[layer] = found
        elif reason:
            skipped.append((layer.name, reason))
    outside = "it lies inside a layer that is no model" if is_graph(model) else "the model is subclassed"
    skipped += [
        (layer.name, outside)
        for layer in model._flatten_layers(include_self=False)
        if getattr(layer, "kernel", None) is not None and not any(layer is known for known in reachable)
    ]
    return forms, tuple(skipped)


def _choose(forms: Forms, settings: LowRank, room: Room, meter: Meter, context: Context) -> Selection:
    """Factorize by number, by the budgets, or by energy."""
    budgets = {name: getattr(settings, name) for name in (*_COUNTED, "max_flash_bytes") if getattr(settings, name)}
    if settings.rank:
        return _select(forms, room, lambda form: form.ranks_by_number(settings.rank))
    if not budgets:
        return _select(forms, room, lambda form: form.ranks_by_energy(settings.energy))
    return _within(forms, room, budgets, meter, context)


def _within(forms: Forms, room: Room, budgets: Mapping[str, int], meter: Meter, context: Context) -> Selection:
    """Bisect the energy for the most that all budgets allow."""

    def at(energy: float) -> Selection:
        return _select(forms, room, lambda form: form.ranks_by_energy(energy))

    def use(selection: Selection) -> float:
        return max(meter.measure(name, selection) / limit for name, limit in budgets.items())

    everything = at(1.0)
    if use(everything) <= 1:
        return everything
    low, high, best = 0.0, 1.0, at(0.0)
    for name, limit in budgets.items():
        least = meter.measure(name, best)
        if least > limit:
            raise UsageError(
                f"low_rank: {name} is {limit}, the nearest that can be reached is {least}",
                hint="there every layer that can be factorized has rank 1: raise the budget, or remove channels first",
            )
    for halving in range(_HALVINGS):
        context.progress("low rank: looking for the ranks of the budget", halving, _HALVINGS)
        middle = (low + high) / 2
        used = use(at(middle))
        if used > 1:
            high = middle
            continue
        low, best = middle, at(middle)
        if used > _NEARLY:
            break
    return best


def _select(forms: Forms, room: Room, ranks_of: Callable[[Form], Ranks]) -> Selection:
    """Choose the form with the least work for each layer for which it pays."""
    choices: list[Choice] = []
    skipped: list[tuple[str, str]] = []
    for layer, found in forms.items():
        tried = [Choice(form, ranks_of(form)) for form in found]
        best = min(tried, key=lambda choice: (_reason(choice, room) is not None, *choice.form.cost(choice.ranks)[::-1]))
        reason = _reason(best, room)
        if reason is None:
            choices.append(best)
        else:
            skipped.append((layer.name, reason))
    return Selection(tuple(choices), tuple(skipped))


def _build(model: keras.Model, selection: Selection) -> keras.Model:
    if not selection.choices:
        return model
    chains = {choice.form.layer: choice.form.build(choice.ranks) for choice in selection.choices}
    return replace_layers(model, chains)


def _reason(choice: Choice, room: Room) -> str | None:
    """Say why a layer stays as it is; None where factorizing pays."""
    rank = " and ".join(map(str, choice.ranks))
    weights, work = choice.form.cost(choice.ranks)
    if weights >= choice.form.weights:
        return f"it would not pay: at rank {rank}, {weights} weights instead of {choice.form.weights}"
    if work >= choice.form.macs:
        return f"it would not pay: at rank {rank}, {work} multiply-accumulates instead of {choice.form.macs}"
    if not room.has(choice):
        return f"at rank {rank} the activations between its factors would raise the RAM of the model"
    return None


def _arena_limit(model: keras.Model, settings: LowRank, data: Data, context: Context) -> tuple[int | None, Skipped]:
    """Return the RAM that activations may take, or the reason why it is not looked at."""
    own = _arena(model, data, context)
    if own is None:
        return None, (("arena", "the RAM of this model cannot be planned, so it was not looked at"),)
    if 0 < settings.max_arena_bytes < own:
        raise UsageError(
            f"low_rank: max_arena_bytes is {settings.max_arena_bytes}, the nearest that can be reached is {own}",
            hint="factorizing does not lower the RAM for activations: raise the limit, or remove channels",
        )
    return settings.max_arena_bytes or own, ()


def _arena(model: keras.Model, data: Data, context: Context) -> int | None:
    """Return the RAM for activations as the aot engine plans it; None where it cannot."""
    return cost(model, dataclasses.replace(data, x_test=None, y_test=None), context.plan).arena_bytes
