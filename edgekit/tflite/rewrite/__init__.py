"""What becomes of a converted flatbuffer so that no float is left, and TFLM runs all of it and runs it right.

Every pass is one file with `apply(model) -> int`, in place, on the object tree of the schema. They work on files of
any origin. A pass that finds nothing to do changes nothing.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

# In this order: tied weights before all that computes with scales; indices and tiles before islands, as they uncover
# some; islands before tables, as their forms need less RAM; scales at the end, when every operator has its final form.
PASSES = (
    "wrapped_indices",
    "tied_weights",
    "cast_pairs",
    "tile",
    "padded_batches",
    "narrow_positions",
    "native_islands",
    "lookup_tables",
    "stand_alone_clamps",
    "lstm_scales",
    "equal_scales",
)


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A flatbuffer after the passes.

    Attributes:
        flatbuffer: the .tflite file; the very bytes that came where no pass had anything to do.
        changes: (pass, number of changes), in order, without those that changed nothing.
    """

    flatbuffer: bytes
    changes: tuple[tuple[str, int], ...]


def rewrite(flatbuffer: bytes) -> Rewritten:
    """Run all passes.

    Args:
        flatbuffer: a .tflite file that `graph.parse` takes.

    Returns:
        The result; it has one subgraph where `flatbuffer` had one, and the same inputs and outputs.
    """
    # The schema that the passes need takes half a second to import.
    from edgekit.tflite.flatbuffer import pack, remove_unused, unpack

    model: Any = unpack(flatbuffer)
    changes = []
    for name in PASSES:
        count = importlib.import_module(f"edgekit.tflite.rewrite.{name}").apply(model)
        if count:
            changes.append((name, count))
    if not changes:
        return Rewritten(flatbuffer, ())
    remove_unused(model)
    return Rewritten(pack(model), tuple(changes))
