"""docs/measurements.md: goals, all cells, and what each layer of the reference models costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import compression
import goals
from cells import CORES, REFERENCES, Cell

Results = dict[str, dict[str, Any]]
_COLUMNS = (
    "model", "target", "plan", "instructions", "per MAC", "arena B", "stack B", "static RAM B", "kernels B",
    "weights B", "flash read B",
)  # fmt: skip
_HEAD = """\
# Measurements

Made by `make bench`. Instructions are those of one inference under QEMU's `-icount`, emulated, interrupts and I/O
excluded: no time of a chip. Every output byte of every run was equal to the judge's. MACs are those of the model as it
came; it was shrunk losslessly before it was built. A dash: not measured.
"""
_GOALS = """\
## Goals

MLPerf Tiny's reference models (int8). In bold: within the goal, which stands in brackets. Instructions are those of the
speed plan; RAM is the arena (the engine has no other memory beside the stack), kernels are code and tables of the
engine, both on the Cortex-M4. Constants: weights, biases and scales as the firmware keeps them, beside those of the
flatbuffer with 8 bytes a scale (multiplier and shift), the largest of the four cores. Others: TFLM's reference kernels,
CMSIS-NN and ESP-NN with the same models, compiler (GCC 12.2, -O2) and way of counting, measured once.
"""
_MISSED = """\
### What is missing

How far the counts above their goals are from them, and the three layers with most instructions.
"""
# Written by hand, unlike all else: what would be tried next.
_IDEAS = Path(__file__).with_name("ideas.md")
_COMPRESSION = """\
## Compression on the device

Beside each other: the form of weights that the engine chooses for each layer, or that was asked for, and the same plan
with dense int8 weights forced (of the model before compression, where it was trained anew). Constants are weights,
biases and scales as the firmware keeps them; flash is these, the layers' settings and the kernels, RAM the arena and
what the engine keeps; weights are constants less the nine bytes of bias, multiplier and shift that each channel has in
every form. A goal in bold is reached. Every output byte of every run was equal to the judge's, which
runs the model with dense weights; accuracies are those of TFLM's interpreter.
"""
_CELLS = """\
## Every cell

Flash read: bytes of constants that one inference reads. The streamed plan is the ram plan with an input that is handed
over row by row.
"""
_LAYERS = """\
## Each layer of the reference models

From `edgekit bench --per-layer`, speed plan. Instructions in thousands, in brackets per MAC of the layer.
"""


def page(results: Results, cells: list[Cell]) -> str:
    """Return the document."""
    reached, measured = goals.reached(results)
    parts = [_HEAD]
    if measured:
        parts += [_GOALS, f"{reached} of {measured} figures are within their goals.\n", *_lines(goals.table(results))]
        missed = goals.missed(results)
        parts += [*([_MISSED, *_lines(missed)] if missed else []), _IDEAS.read_text(encoding="utf-8")]
    met, told = compression.reached(results)
    if told:
        parts += [_COMPRESSION, f"{met} of {told} figures are within their goals.\n"]
        parts += _lines(compression.table(results))
    parts += [_CELLS, *_lines(_cell_table(results, cells))]
    if measured:
        parts += [_LAYERS, *_layer_tables(results)]
    parts += [*_tools(results), *_missing(results, cells)]
    return "\n".join(parts)


def _lines(lines: list[str]) -> list[str]:
    return ["\n".join(lines) + "\n"]


def _cell_table(results: Results, cells: list[Cell]) -> list[str]:
    measured = [cell for cell in cells if "reason" not in results.get(cell.key, {"reason": ""})]
    return [
        f"| {' | '.join(_COLUMNS)} |",
        f"|{'|'.join(['---'] * 3 + ['---:'] * (len(_COLUMNS) - 3))}|",
        *(f"| {' | '.join(_row(cell, results[cell.key]))} |" for cell in measured),
    ]


def _row(cell: Cell, found: Mapping[str, Any]) -> tuple[str, ...]:
    """The texts of one line."""
    spread, macs = found["instructions"], found["model"]["macs"]
    counts = f"{spread['median']:,.0f}"
    if spread["max"] - spread["min"] > 0.001 * spread["median"]:
        counts += f" ({spread['min']:,.0f} to {spread['max']:,.0f})"
    ram, flash = found["ram"], found["flash"]
    sizes = (ram["arena_bytes"], ram["stack_peak_bytes"], ram["static_bytes"], flash["kernels_bytes"])
    sizes += (flash["weights_bytes"], found["flash_bytes_read"])
    per_mac = f"{spread['median'] / macs:.2f}" if macs else "–"
    return (cell.model, cell.target, cell.plan, counts, per_mac, *(f"{size:,}" for size in sizes))


def _layer_tables(results: Results) -> Iterator[str]:
    """A table for each reference model, a column for each core."""
    for short, model in REFERENCES.items():
        found = {target: results.get(f"{model} {target} speed", {}) for target in CORES}
        layers = {target: cell["layers"] for target, cell in found.items() if cell.get("layers")}
        if not layers:
            continue
        first = next(iter(layers.values()))
        lines = [f"### {short}\n", f"| layer | MACs | {' | '.join(layers)} |", f"|---|---:|{'---:|' * len(layers)}"]
        for place, layer in enumerate(first):
            costs = (_cost(each[place]) for each in layers.values())
            macs = f"{layer['macs']:,}" if layer["macs"] else "–"
            lines.append(f"| {layer['operator']}: {layer['description']} | {macs} | {' | '.join(costs)} |")
        between = (f"{found[target]['between_layers'] / 1000:,.1f}" for target in layers)
        lines.append(f"| between layers | – | {' | '.join(between)} |")
        yield "\n".join(lines) + "\n"


def _cost(layer: Mapping[str, Any]) -> str:
    counted = f"{layer['instructions'] / 1000:,.1f}"
    return f"{counted} ({layer['instructions'] / layer['macs']:.2f})" if layer["macs"] else counted


def _tools(results: Results) -> list[str]:
    found = [cell for cell in results.values() if "tools" in cell]
    names = {tool for cell in found for tool in (cell["tools"]["compiler"], cell["tools"]["emulator"]) if tool}
    judges = {cell["outputs"]["judge"] for cell in found}
    lines = ["## Tools\n", *(f"- {name}" for name in sorted(names)), f"- judges: {'; '.join(sorted(judges))}"]
    return ["\n".join(lines) + "\n"]


def _missing(results: Results, cells: list[Cell]) -> list[str]:
    reasons = [
        f"- {cell.key}: {results[cell.key]['reason']}" for cell in cells if "reason" in results.get(cell.key, {})
    ]
    return ["\n".join(["## Not measured\n", *reasons]) + "\n"] if reasons else []
