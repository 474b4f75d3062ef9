"""What the aot engine wants to reach on MLPerf Tiny's reference models, and how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cells import CORES, REFERENCES

Results = dict[str, dict[str, Any]]
# Of one model: returns its figure, or None where it was not measured.
Figure = Callable[[Results, str], float | None]


@dataclass(frozen=True, slots=True)
class Goal:
    """One row: a figure for each reference model, at most so large.

    Attributes:
        title: what is measured.
        limits: for ic, vww, kws, ad.
        figure: reads it from the results.
        digits: behind the point.
        anchor: what others need.
    """

    title: str
    limits: tuple[float, float, float, float]
    figure: Figure
    digits: int
    anchor: str


def _cell(results: Results, model: str, target: str, plan: str) -> dict[str, Any] | None:
    found = results.get(f"{REFERENCES[model]} {target} {plan}")
    return found if found is not None and "reason" not in found else None


def _per_mac(target: str) -> Figure:
    def figure(results: Results, model: str) -> float | None:
        found = _cell(results, model, target, "speed")
        return None if found is None else found["instructions"]["median"] / found["model"]["macs"]

    return figure


def _ram(plan: str) -> Figure:
    def figure(results: Results, model: str) -> float | None:
        found = _cell(results, model, "cortex-m4", plan)
        return None if found is None else found["ram"]["arena_bytes"] + found["ram"]["engine_bytes"]

    return figure


def _kernels(results: Results, model: str) -> float | None:
    found = _cell(results, model, "cortex-m4", "speed")
    return None if found is None else found["flash"]["kernels_bytes"]


def _slower(plan: str) -> Figure:
    """By how many percent a plan needs more instructions than the speed plan."""

    def figure(results: Results, model: str) -> float | None:
        found, speed = _cell(results, model, "cortex-m4", plan), _cell(results, model, "cortex-m4", "speed")
        if found is None or speed is None:
            return None
        return 100 * (found["instructions"]["median"] / speed["instructions"]["median"] - 1)

    return figure


def _stored(results: Results, model: str) -> float | None:
    cells = [_cell(results, model, target, "balanced") for target in ("cortex-m4", "cortex-m55", "esp32", "esp32c3")]
    ratios = [cell["stored_bytes"] / cell["constants_bytes"] for cell in cells if cell and cell.get("stored_bytes")]
    return max(ratios, default=None)


def _read(target: str, plan: str) -> Figure:
    def figure(results: Results, model: str) -> float | None:
        found = _cell(results, model, target, plan)
        return None if found is None else found["flash_bytes_read"] / found["flash"]["weights_bytes"]

    return figure


GOALS = (
    Goal("Cortex-M4, instructions a MAC", (1.0, 0.75, 1.3, 1.6), _per_mac("cortex-m4"), 2,
         "CMSIS-NN 2.39 / 3.22 / 2.90 / 2.21; TFLM 8.6 / 13.4 / 16.2 / 7.4"),
    Goal("Cortex-M55, instructions a MAC", (0.25, 0.3, 0.4, 0.5), _per_mac("cortex-m55"), 2,
         "CMSIS-NN 0.39 / 0.88 / 0.68 / 1.08"),
    Goal("ESP32, instructions a MAC", (2.0, 1.6, 2.5, 3.0), _per_mac("esp32"), 2,
         "TFLM 17.5 / 28.5 / 29.4 / 13.9; ESP-NN's convolution 12.8"),
    Goal("ESP32-C3, instructions a MAC", (3.2, 2.4, 3.8, 4.0), _per_mac("esp32c3"), 2,
         "TFLM 10.2 / 15.2 / 17.2 / 9.5; ESP-NN's convolution 8.0"),
    Goal("RAM, speed plan, bytes", (37_000, 40_000, 10_000, 1_000), _ram("speed"), 0,
         "TFLM's arena 54,340 / 100,660 / 22,772 / 2,260"),
    Goal("RAM, ram plan, bytes", (18_000, 34_000, 6_000, 1_000), _ram("ram"), 0, "as above"),
    Goal("RAM, ram plan, input by rows, bytes", (18_000, 16_000, 6_000, 1_000), _ram("streamed"), 0, "as above"),
    Goal("Instructions of the ram plan over the speed plan, %", (15, 15, 15, 15), _slower("ram"), 1, ""),
    Goal("Kernels, bytes", (14_000, 14_000, 12_000, 6_000), _kernels, 0,
         "TFLM 46 / 41 / 41 / 20 kB; CMSIS-NN 79 / 84 / 84 / 32 kB"),
    Goal("Constants stored, balanced plan, of the model's", (1.05, 1.05, 1.05, 1.05), _stored, 2, ""),
    Goal("Flash read of stored, speed plan, ESP32", (4, 4, 4, 4), _read("esp32", "speed"), 2, ""),
    Goal("Flash read of stored, balanced plan, ESP32", (4, 4, 4, 4), _read("esp32", "balanced"), 2, ""),
    Goal("Flash read of stored, speed plan, ESP32-C3", (4, 4, 4, 4), _read("esp32c3", "speed"), 2, ""),
    Goal("Flash read of stored, balanced plan, ESP32-C3", (4, 4, 4, 4), _read("esp32c3", "balanced"), 2, ""),
)  # fmt: skip


def table(results: Results) -> list[str]:
    """Return the lines of the table: each figure beside its limit, and by how much it misses it."""
    lines = [f"| | {' | '.join(REFERENCES)} | others |", f"|---|{'---:|' * len(REFERENCES)}---|"]
    for goal in GOALS:
        figures = (
            _entry(goal.figure(results, model), limit, goal.digits)
            for model, limit in zip(REFERENCES, goal.limits, strict=True)
        )
        lines.append(f"| {goal.title} | {' | '.join(figures)} | {goal.anchor} |")
    return lines


def _entry(value: float | None, limit: float, digits: int) -> str:
    if value is None:
        return "–"
    shown = f"{value:,.{digits}f}"
    bound = f"{limit:,.{digits if limit != int(limit) or digits == 2 else 0}f}"
    if round(value, digits) <= limit:
        return f"**{shown}** (≤ {bound})"
    return f"{shown} (≤ {bound}: {100 * (value / limit - 1):.0f} % over)"


def missed(results: Results) -> list[str]:
    """Return a line for each count of instructions above its limit: how far, and in which layers they are."""
    lines = []
    for goal, target in zip(GOALS, CORES, strict=False):
        for model, limit in zip(REFERENCES, goal.limits, strict=True):
            found = _cell(results, model, target, "speed")
            if found is None or round(found["instructions"]["median"] / found["model"]["macs"], 2) <= limit:
                continue
            above = found["instructions"]["median"] - limit * found["model"]["macs"]
            largest = sorted(found["layers"], key=lambda layer: -layer["instructions"])[:3]
            layers = ", ".join(f"{layer['description']} {100 * layer['share']:.0f} %" for layer in largest)
            lines.append(f"- {model} on {target}: {above / 1000:,.0f} thousand instructions too many. Most: {layers}.")
    return lines


def reached(results: Results) -> tuple[int, int]:
    """Return how many figures are within their limits, and how many were measured."""
    pairs = [
        (value, goal.digits, limit)
        for goal in GOALS
        for model, limit in zip(REFERENCES, goal.limits, strict=True)
        if (value := goal.figure(results, model)) is not None
    ]
    return sum(round(value, digits) <= limit for value, digits, limit in pairs), len(pairs)
