"""Random int8 graphs, written directly as flatbuffers; a seed names a graph."""

from __future__ import annotations

import growers
import numpy as np
from growers import Grower
from sketch import Sketch

from edgekit.engine import ops

_LONGEST = 12


def random_graph(seed: int) -> bytes:
    """Return a graph of 2 to 12 operators that the aot engine has kernels for."""
    rng = np.random.default_rng([seed, 4])
    sketch = Sketch(rng)
    sketch.value((1, sketch.number(3, 10), sketch.number(3, 10), sketch.number(1, 8)))
    if sketch.chance(0.2):
        sketch.value(sketch.values[0].shape)
    known = available()
    wanted = sketch.number(2, _LONGEST)
    while len(sketch.ops) < wanted:
        readable = [value for value in sketch.values if sketch.fits(value)]
        # Mostly the newest value, so that graphs get deep; now and then an older one, so that they branch.
        value = readable[-1] if sketch.chance(0.75) else sketch.pick(readable)
        known[sketch.pick(sorted(known))](sketch, value)
    return sketch.pack()


def available() -> dict[str, Grower]:
    """The operators that can be grown and run, by name."""
    kinds = {name.lower() for name in ops.names()}
    return {name: grow for name, grow in vars(growers).items() if name in kinds and callable(grow)}
