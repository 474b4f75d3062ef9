"""Run every kernel that a core has for the layers, and count its instructions and the bytes of its code."""

from __future__ import annotations

import dataclasses
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cost_layers import overlaid

from edgekit import toolchains
from edgekit.engine import costs, forms, ops
from edgekit.engine.costs import Work
from edgekit.engine.emit_aot import emit_program
from edgekit.engine.lowered import Lowered
from edgekit.engine.options import EngineOptions, Optimize
from edgekit.layer_profile import counted
from edgekit.targets import Target
from edgekit.tflite.graph import Graph


@dataclass(frozen=True, slots=True)
class Counted:
    """What a kernel took for one layer."""

    work: Work
    instructions: int


def count(graph: Graph, target: Target) -> dict[str, list[Counted]]:
    """Return what the kernels took, by their names."""
    found: dict[str, list[Counted]] = defaultdict(list)
    for layers in _turns([list(_lowerings(graph, place, target.features)) for place in range(len(graph.ops))]):
        made = overlaid(graph, layers, target.features)
        source = emit_program(made, "layers")
        _, functions = counted(source, target, bytes(source.input_bytes))
        for item in layers:
            found[item.kernel].append(Counted(costs.work(graph, item), functions[item.name].instructions))
    return found


def code_bytes(graph: Graph, target: Target, kernels: list[str]) -> dict[str, int]:
    """Return the bytes of each kernel's code: of two of its layers, less what an empty model takes.

    Kernels that differ by a clamp alone take as many.
    """
    bare = _kernels_bytes(graph, (), target)
    lowerings = [item for place in range(len(graph.ops)) for item in _lowerings(graph, place, target.features)]
    twins: dict[str, int] = {}
    for kernel in kernels:
        if _twin(kernel) not in twins:
            ((first, second),) = [[item for item in lowerings if item.kernel == kernel][:2]]
            twins[_twin(kernel)] = _kernels_bytes(graph, (first, second), target) - bare
    return {kernel: twins[_twin(kernel)] for kernel in kernels}


def _twin(kernel: str) -> str:
    return kernel.replace("_signed_", "_relu_")


def _kernels_bytes(graph: Graph, layers: tuple[Lowered, ...], target: Target) -> int:
    source = emit_program(overlaid(graph, layers, target.features), "layers")
    with tempfile.TemporaryDirectory(prefix="edgekit-") as folder:
        return toolchains.load(target.toolchain).compile(source, target, Path(folder)).kernels_bytes


def _lowerings(graph: Graph, place: int, features: tuple[str, ...]) -> Iterator[Lowered]:
    """All kernels that can serve a layer on a core, each once; dense ones of fewer features stand in for others."""
    op, seen = graph.ops[place], set()
    for first in range(len(features) + 1):
        for optimize in (Optimize.FLASH, Optimize.SPEED):
            options = EngineOptions(features[first:], optimize)
            others = forms.candidates(graph, op, options) if first == 0 else ()
            for item in (*ops.lower(graph, op, options), *others):
                if item.kernel not in seen:
                    seen.add(item.kernel)
                    yield dataclasses.replace(item, op=place, name=ops.layer_name(op))


def _turns(lowerings: list[list[Lowered]]) -> Iterator[tuple[Lowered, ...]]:
    """Each turn has one kernel of every layer that has one left."""
    for turn in range(max(map(len, lowerings))):
        yield tuple(items[turn] for items in lowerings if turn < len(items))
