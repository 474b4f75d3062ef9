"""As many groups of channels as a budget calls for, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from edgekit.compress.channels.groups import Graph
from edgekit.compress.channels.importance import costs
from edgekit.compress.channels.rebuild import rebuild
from edgekit.compress.channels.selection import Limits, Width, drop, drop_first, fewest, ranking
from edgekit.compress.frame import cost
from edgekit.engine.program import program
from edgekit.errors import UsageError
from edgekit.progress import Progress
from edgekit.tflite.graph import parse
from edgekit.tflite.quantization_plan import QuantizationPlan

if TYPE_CHECKING:
    from edgekit.compress.frame.step import Context
    from edgekit.data import Data

# What a group costs in each quantity that may have a budget: bytes in flash go with weights, RAM with activations.
_COSTS = {"parameters": "parameters", "macs": "macs", "ram_bytes": "activations", "flash_bytes": "parameters"}
_CONVERTED = {"ram_bytes", "flash_bytes"}
# A conversion takes seconds: a thirtieth of the ranking is near enough.
_STEPS_OF_CONVERSION = 32


def budget_of(technique: Any, data: Data, context: Context) -> Budget:
    """Collect the settings max_parameters, max_macs, max_ram_bytes and max_flash_bytes that are not 0."""
    most = {name: int(getattr(technique, f"max_{name}")) for name in _COSTS}
    most = {name: figure for name, figure in most.items() if figure > 0}
    return Budget(technique.name, most, data, context.plan, context.progress)


@dataclass(frozen=True, slots=True, eq=False)
class Budget:
    """What a model may be at most, and what it takes to measure it.

    Attributes:
        technique: whose settings these are, for errors.
        most: quantity ("parameters", "macs", "ram_bytes", "flash_bytes") -> largest allowed figure.
        data: calibrates the conversion that RAM and flash are measured on.
        plan: how the model is to be quantized.
        progress: told each model that is tried.
    """

    technique: str
    most: Mapping[str, int]
    data: Data
    plan: QuantizationPlan
    progress: Progress

    def figures(self, model: keras.Model) -> dict[str, int]:
        """Measure a model in every quantity that has a budget.

        Raises:
            ModelError: RAM or flash, and the model cannot be converted.
            UnsupportedOpError: RAM, and the aot engine cannot run the model.
        """
        figures = {}
        if "parameters" in self.most:
            figures["parameters"] = cost.parameters(model)
        if "macs" in self.most:
            figures["macs"] = cost.macs(model)
        if _CONVERTED & set(self.most):
            flatbuffer = cost.to_int8(model, self.data, self.plan)
            figures["flash_bytes"] = len(flatbuffer)
            if "ram_bytes" in self.most:
                figures["ram_bytes"] = program(parse(flatbuffer)).memory.arena_bytes
        return {quantity: figures[quantity] for quantity in self.most}

    def toward(self, start: Mapping[str, int], share: float) -> Budget:
        """Return the budget of a round on the way: from the figures at the start, the same factor in each round.

        Args:
            start: the figures before the first round.
            share: 0..1, the part of the way.

        Returns:
            A budget of the same quantities; a figure that is within its budget from the start stays allowed.
        """
        most = {
            quantity: round(figure * (self.most[quantity] / figure) ** share)
            if figure > self.most[quantity]
            else figure
            for quantity, figure in start.items()
        }
        return replace(self, most=most)

    def missed(self, model: keras.Model) -> dict[str, int]:
        """Return the figures that are above the budget."""
        return {quantity: figure for quantity, figure in self.figures(model).items() if figure > self.most[quantity]}

    def check(self, model: keras.Model, graph: Graph, groups: list[Width], limits: Limits) -> None:
        """Refuse a budget that even the smallest model would miss.

        Raises:
            UsageError: naming the nearest figure that is in reach.
        """
        smallest = rebuild(model, graph, drop(groups, dict.fromkeys((width.layers for width in groups), 0), limits))
        if self.missed(smallest):
            raise self.unreachable(smallest, f"lower minimum ({limits.minimum}) or multiple_of ({limits.multiple_of})")

    def unreachable(self, smallest: keras.Model, way_out: str) -> UsageError:
        """Return the error of a budget that the smallest model in reach misses.

        Args:
            smallest: that model.
            way_out: what else may be done, beside raising the budget.
        """
        nearest = self.missed(smallest)
        words = [f"max_{name} is {self.most[name]:,}, the least in reach is {nearest[name]:,}" for name in nearest]
        return UsageError(f"{self.technique}: {'; '.join(words)}", hint=f"raise the budget, or {way_out}")

    def choose(self, model: keras.Model, graph: Graph, groups: list[Width], limits: Limits) -> set[int]:
        """Drop the groups that are worth least for what they cost, until the model is within its budget.

        Args:
            model: never changed.
            graph: its channels.
            groups: its widths.
            limits: what a width may become.

        Returns:
            Roots of the groups that go; none where the model is within its budget as it is.

        Raises:
            UsageError: the budget cannot be met; the message names the nearest figure that can.
        """
        if not self.missed(model):
            return set()
        self.check(model, graph, groups, limits)
        shares = [costs(graph, _COSTS[quantity]) for quantity in self.most]
        order = ranking(groups, np.sum([share / max(share.max(), 1) for share in shares], axis=0))
        precision = max(1, len(order) // _STEPS_OF_CONVERSION) if _CONVERTED & set(self.most) else 1
        tried = 0

        def fits(count: int) -> bool:
            nonlocal tried
            tried += 1
            self.progress(f"{self.technique}: searching the budget", tried)
            return not self.missed(rebuild(model, graph, drop_first(groups, order, count, limits)))

        return drop_first(groups, order, fewest(fits, len(order), precision), limits)
