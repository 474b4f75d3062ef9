"""Measure what kernels cost on emulated cores; write `edgekit/engine/costs/<features>.toml`.

``python tools/costs [FEATURES ...]`` measures all sets of features that an emulated target has, or those named, e.g.
"dsp" or "mac16-mul32". The layers are generated: a kernel that is new is measured with the others.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import fit
import numpy as np
from cost_layers import model
from count import Counted, code_bytes, count

from edgekit import targets, toolchains
from edgekit.engine import costs
from edgekit.engine.costs import Work
from edgekit.targets import Target

FOLDER = Path(costs.__file__).parent
PRUNED = 32
# Of targets with the same features.
FIRST = ("cortex-m4", "esp32", "esp32c3")
_FIELDS = tuple(Work.__dataclass_fields__)


def main(words: list[str]) -> int:
    """Measure and write."""
    for features, target in cores().items():
        name = costs.file_stem(features)
        if words and name not in words:
            continue
        began = time.monotonic()
        (FOLDER / f"{name}.toml").write_text(measured(target), encoding="utf-8")
        sys.stderr.write(f"{name}: {time.monotonic() - began:.0f} s\n")
    return 0


def cores() -> dict[tuple[str, ...], Target]:
    """Return an emulated target for each set of features."""
    found: dict[tuple[str, ...], Target] = {}
    for name in sorted(targets.names(), key=lambda name: (name not in FIRST, name)):
        target = targets.load(name)
        if target.emulator is not None and target.emulator.tick_ns:
            found.setdefault(target.features, target)
    return found


def measured(target: Target) -> str:
    """Return the text of the file of a core."""
    graph = model(pruned=PRUNED)
    found = count(graph, target)
    enough = {kernel: layers for kernel, layers in sorted(found.items()) if len(layers) >= 2}
    code = code_bytes(graph, target, list(enough))
    compiler = toolchains.version(target.toolchain)
    head = (
        "# Written by `make costs`. A line for each kernel: the instructions of one inference of a layer for each of\n"
        "# the numbers of edgekit.engine.costs.Work that count; bytes of code; the relative error of the prediction\n"
        "# (root mean square over the layers measured), and how many layers were measured.\n"
        f'core = "{target.name}"\ncompiler = "{compiler}"\n\n[kernels]\n'
    )
    return head + "".join(_line(kernel, layers, code[kernel]) for kernel, layers in enough.items())


def _line(kernel: str, layers: list[Counted], code: int) -> str:
    numbers = np.array([[getattr(one.work, field) for field in _FIELDS] for one in layers], float)
    truth = np.array([one.instructions for one in layers], float)
    each = fit.costs(numbers, truth)
    error = fit.error(numbers, truth, each)
    shown = [f"{field} = {cost:.4g}" for field, cost in zip(_FIELDS, each, strict=True) if cost]
    shown += [f"code = {code}", f"error = {error:.3f}", f"layers = {len(layers)}"]
    sys.stderr.write(f"  {kernel}: {len(layers)} layers, error {100 * error:.1f} %\n")
    return f'"{kernel}" = {{ {", ".join(shown)} }}\n'


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
