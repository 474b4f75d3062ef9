"""Compressed weights on the device: what models with zeros, 4 bits or few values take, beside their dense int8 form."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import accuracy
import vgg16_on_host
from cells import COMPRESSED, LARGE, Cell, path_of

Results = dict[str, dict[str, Any]]

_SPARSE_CORES = ("cortex-m4", "esp32", "esp32c3")
_POINTS = 1.0
_VGG16_BYTES = 31_600_000
_VWW = "visual_wake_words_int8"


@dataclass(frozen=True, slots=True)
class Pair:
    """A model with the forms of weights that the engine chooses, beside dense weights.

    Attributes:
        model, target, plan: as of a `Cell`.
        beside: the model that has the dense weights, with the form "dense" forced.
        dense_plan: the plan of those.
        form: asked for, where the plan would not take it by itself; "" leaves the choice to the engine.
    """

    model: str
    target: str
    plan: str
    beside: str
    dense_plan: str = ""
    form: str = ""

    @property
    def cells(self) -> tuple[Cell, Cell]:
        """What is measured: chosen and dense."""
        dense = Cell(self.beside, self.target, self.dense_plan or self.plan, "dense")
        return Cell(self.model, self.target, self.plan, self.form), dense

    @property
    def told(self) -> str:
        """Return target, plan and form in words."""
        return ", ".join([self.target, self.plan, *([f"`--form {self.form}`"] if self.form else [])])


@dataclass(frozen=True, slots=True)
class Goal:
    """One row.

    Attributes:
        case: what it is about.
        pair: what is measured.
        title: of the figure.
        figure: reads it from the results of one cell.
        limit: what it must not go above; with `fewer`, what it must not go below; None where it only informs.
        is_relative: the figure is that of the pair: chosen as a share of dense.
        fewer: the figure is dense over chosen.
    """

    case: str
    pair: Pair
    title: str
    figure: Callable[[dict[str, Any]], float]
    limit: float | None
    is_relative: bool = True
    fewer: bool = False


def _flash(found: dict[str, Any]) -> float:
    return found["flash"]["weights_bytes"] + found["flash"]["kernels_bytes"]


def _ram(found: dict[str, Any]) -> float:
    return found["ram"]["arena_bytes"] + found["ram"]["engine_bytes"]


def _instructions(found: dict[str, Any]) -> float:
    return found["instructions"]["median"]


def _constants(found: dict[str, Any]) -> float:
    return found["stored_bytes"]


def _weights(found: dict[str, Any]) -> float:
    return found["weights_alone_bytes"]


def goals() -> Iterator[Goal]:
    """Yield the rows, case by case."""
    case = "90 %-sparse Dense 1000x1000"
    for target in _SPARSE_CORES:
        pair = Pair("dense_1000", target, "balanced", "dense_1000")
        yield Goal(case, pair, "flash, constants and kernels, bytes", _flash, 240_000, is_relative=False)
        yield Goal(case, pair, "RAM, bytes", _ram, 8_000, is_relative=False)
        yield Goal(case, pair, "instructions of dense", _instructions, 1.0)
    case = "80 %-block-sparse keyword"
    for target, plan, times in (("cortex-m4", "speed", 1.5), ("cortex-m4", "balanced", 1.5), ("esp32c3", "speed", 2.0)):
        pair = Pair("keyword-sparse", target, plan, "keyword")
        yield Goal(case, pair, "constants of dense", _constants, 0.45)
        yield Goal(case, pair, "constants and kernels of dense", _flash, None)
        yield Goal(case, pair, "times fewer instructions", _instructions, times, fewer=True)
    for case, model, beside, more in (
        ("4-bit keyword", "keyword-4bit", "keyword", 1.2),
        ("4-bit tiny-mobilenet", "tiny-mobilenet-4bit", "tiny-mobilenet", 1.2),
        ("16 values a layer, keyword", "keyword-clustered", "keyword", 1.15),
    ):
        # Codes cost a few instructions, which the balanced plan gives for no bytes.
        form = "clustered" if model == "keyword-clustered" else ""
        pair = Pair(model, "cortex-m4", "balanced", beside, form=form)
        yield Goal(case, pair, "weights of int8", _weights, 0.55)
        yield Goal(case, pair, "instructions of int8", _instructions, more)
        wide = Pair(model, "cortex-m4", "balanced", beside, "speed", form)
        yield Goal(case, wide, "instructions of int8 stored as int16, the speed plan", _instructions, None)
    for plan in ("balanced", "speed"):
        pair = Pair(_VWW, "cortex-m4", plan, _VWW)
        if plan == "balanced":
            yield Goal("vww, 82.8 % zeros", pair, "constants, bytes", _constants, 40_000, is_relative=False)
        yield Goal("vww, 82.8 % zeros", pair, "instructions of dense", _instructions, 1.0)


def wanted() -> Iterator[Cell]:
    """Yield the cells of all rows, each once; those of models that this checkout has."""
    cells = dict.fromkeys(itertools.chain.from_iterable(goal.pair.cells for goal in goals()))
    yield from (cell for cell in cells if cell.model in LARGE or path_of(cell.model).is_file())


def table(results: Results) -> list[str]:
    """Return the lines of the table: each figure beside its goal."""
    lines = ["| case | target, plan | figure | dense | chosen | | goal |", "|---|---|---|---:|---:|---:|---|"]
    lines += [f"| {' | '.join(cells)} |" for cells in (_line(results, goal) for goal in goals())]
    lines.append(f"| {' | '.join(_vgg16(results))} |")
    return [*lines, *(f"| {' | '.join(_lost(results, model))} |" for model in COMPRESSED)]


def _line(results: Results, goal: Goal) -> tuple[str, ...]:
    chosen, dense = (_found(results, cell) for cell in goal.pair.cells)
    where = goal.pair.told
    value = _value(goal, chosen, dense)
    figures = tuple("–" if found is None else f"{goal.figure(found):,.0f}" for found in (dense, chosen))
    bound = "" if goal.limit is None else f"{'≥' if goal.fewer else '≤'} {goal.limit:,g}"
    if value is None:
        return (goal.case, where, goal.title, *figures, "–", bound)
    shown = f"{value:,.2f}" if goal.is_relative else ""
    return (goal.case, where, goal.title, *figures, shown, _judged(bound, _reached(goal, value)))


def _judged(bound: str, is_reached: bool) -> str:
    return bound and (f"**{bound}**" if is_reached else f"{bound}: no")


def _found(results: Results, cell: Cell) -> dict[str, Any] | None:
    found = results.get(cell.key)
    return found if found is not None and "reason" not in found else None


def _value(goal: Goal, chosen: dict[str, Any] | None, dense: dict[str, Any] | None) -> float | None:
    """Return what is compared with the limit; None where it was not measured."""
    if chosen is None or (goal.is_relative and dense is None):
        return None
    if not goal.is_relative:
        return goal.figure(chosen)
    assert dense is not None
    share = goal.figure(chosen) / goal.figure(dense)
    return 1 / share if goal.fewer else share


def _reached(goal: Goal, value: float) -> bool:
    if goal.limit is None:
        return True
    return value >= goal.limit if goal.fewer else value <= goal.limit


def _vgg16(results: Results) -> tuple[str, ...]:
    found = results.get(vgg16_on_host.KEY, {})
    head = ("VGG-16, 90 % pruned", "host, flash", "constants, bytes; one image equal to TFLM's")
    bound = f"≤ {_VGG16_BYTES:,}"
    if "stored_bytes" not in found:
        return (*head, "–", "–", "", bound)
    stored = found["stored_bytes"]
    is_reached = stored <= _VGG16_BYTES and found["equal"]
    return (*head, f"{found['dense_bytes']:,}", f"{stored:,}", "", _judged(bound, is_reached))


def _lost(results: Results, model: str) -> tuple[str, ...]:
    """The line of what compression cost a model: points of accuracy of the int8 models."""
    beside = COMPRESSED[model]
    found = results.get(accuracy.key(model)), results.get(accuracy.key(beside))
    bound = f"≤ {_POINTS:g}"
    if found[0] is None or found[1] is None:
        return (model, "every target", "points of accuracy lost", "–", "–", "–", bound)
    now, before = (100 * each["accuracy"] for each in found)
    title = f"points of accuracy lost, {found[0]['samples']:,} test samples"
    said = _judged(bound, before - now <= _POINTS)
    return (model, "every target", title, f"{before:.2f}", f"{now:.2f}", f"{before - now:.2f}", said)


def reached(results: Results) -> tuple[int, int]:
    """Return how many figures are as they should be, and how many were measured."""
    values = [(goal, _value(goal, *(_found(results, cell) for cell in goal.pair.cells))) for goal in goals()]
    met = [_reached(goal, value) for goal, value in values if value is not None and goal.limit is not None]
    pairs = [(results.get(accuracy.key(model)), results.get(accuracy.key(COMPRESSED[model]))) for model in COMPRESSED]
    met += [100 * (dense["accuracy"] - now["accuracy"]) <= _POINTS for now, dense in pairs if now and dense]
    if "stored_bytes" in (found := results.get(vgg16_on_host.KEY, {})):
        met.append(found["stored_bytes"] <= _VGG16_BYTES and found["equal"])
    return sum(met), len(met)
