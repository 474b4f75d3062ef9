"""What `edgekit plan` reports: the arena over time, its peak, other plans, and what would lower it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgekit.report.arena_map import Band, layer_of_step

if TYPE_CHECKING:
    from edgekit.engine.memory.occupancy import Occupancy
    from edgekit.engine.program import Program


@dataclass(frozen=True, slots=True)
class Alternative:
    """What one plan of a model takes.

    Attributes:
        optimize: "speed", "balanced", "ram" or "flash".
        stream_input: the application hands over the input row by row.
        arena_bytes: its arena.
        weights_bytes: constants as stored.
        flash_bytes_read: weight bytes that one inference reads.
        steps: calls of layers in one inference.
    """

    optimize: str
    stream_input: bool
    arena_bytes: int
    weights_bytes: int
    flash_bytes_read: int
    steps: int


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit of the model's architecture and what the edited model was planned to take.

    Attributes:
        what: the edit in words.
        arena_bytes: of the edited model, with the same aim and without a bound on the arena.
        saved_bytes: against the model as it is, planned so.
        macs: of one inference of it.
    """

    what: str
    arena_bytes: int
    saved_bytes: int
    macs: int


@dataclass(frozen=True, slots=True)
class Weights:
    """How the weights of a layer are stored.

    Attributes:
        layer: number and kind of the operator.
        tensor: name of the weights.
        kernel: stem of its header in `firmware/engine/`.
        form: "dense" or one of `edgekit.engine.forms`.
        bytes, dense_bytes: of the layer's constants, in this form and dense.
        instructions, dense_instructions: of one inference, as predicted; None where that was not measured.
        why: this form and no other, in words.
    """

    layer: str
    tensor: str
    kernel: str
    form: str
    bytes: int
    dense_bytes: int
    instructions: int | None
    dense_instructions: int | None
    why: str


@dataclass(frozen=True, slots=True)
class PlanReport:
    """The memory plan of a model.

    Attributes:
        name, sha256: of the model.
        target: whose features chose the kernels; None for portable ones.
        macs: of one inference.
        made: the program.
        occupancy: what lies where, when.
        bands: the same as rectangles.
        alternatives: the plans for each aim, without a bound on the arena.
        edits: those that lower the arena, best first.
    """

    name: str
    sha256: str
    target: str | None
    macs: int
    made: Program
    occupancy: Occupancy
    bands: tuple[Band, ...]
    alternatives: tuple[Alternative, ...]
    edits: tuple[Edit, ...]

    @property
    def layers(self) -> tuple[str, ...]:
        """What each step computes."""
        return tuple(layer_of_step(self.made, step) for step in range(len(self.made.schedule.steps)))

    @property
    def weights(self) -> tuple[Weights, ...]:
        """How the weights of each layer are stored."""
        graph = self.made.graph
        operators = [graph.ops[choice.stored.lowered.op] for choice in self.made.choices]
        return tuple(
            Weights(
                layer=f"{op.index} {op.kind}",
                tensor=graph.tensors[op.inputs[1]].name,
                kernel=choice.stored.lowered.kernel,
                form=choice.stored.form,
                bytes=choice.stored.bytes,
                dense_bytes=choice.dense.bytes,
                instructions=choice.stored.instructions,
                dense_instructions=choice.dense.instructions,
                why=choice.why,
            )
            for op, choice in zip(operators, self.made.choices, strict=True)
        )

    @property
    def peak_bytes(self) -> int:
        """The most bytes that live at once."""
        return max(self.occupancy.live_bytes, default=0)

    @property
    def title(self) -> str:
        """Model, target and plan in one line."""
        options = self.made.options
        where = f" for {self.target}" if self.target is not None else ""
        streamed = ", input streamed" if options.stream_input else ""
        return f"{self.name}{where}, {options.optimize.value} plan{streamed}: arena {self.occupancy.arena_bytes:,} B"

    def to_json(self) -> dict[str, Any]:
        """Return the object that `plan --json` prints."""
        found, options = self.occupancy, self.made.options
        steps = [
            {"layer": layer, "row_begin": step.row_begin, "row_end": step.row_end, "live_bytes": live}
            for layer, step, live in zip(self.layers, self.made.schedule.steps, found.live_bytes, strict=True)
        ]
        return {
            "model": {"name": self.name, "sha256": self.sha256, "macs": self.macs},
            "target": self.target,
            "optimize": options.optimize.value,
            "max_ram_bytes": options.max_ram_bytes,
            "stream_input": options.stream_input,
            "arena_bytes": found.arena_bytes,
            "peak": {
                "step": found.peak_step,
                "layer": self.layers[found.peak_step] if self.layers else None,
                "live_bytes": self.peak_bytes,
                "blocks": [{"name": block.name, "bytes": block.peak_bytes} for block in found.at_peak],
            },
            "steps": steps,
            "blocks": [dataclasses.asdict(block) for block in found.blocks],
            "form": options.form,
            "weights": [dataclasses.asdict(each) for each in self.weights],
            "plans": [dataclasses.asdict(plan) for plan in self.alternatives],
            "edits": [dataclasses.asdict(edit) for edit in self.edits],
        }
