"""Damaged models against the guard, and what it lets through against the interpreters.

python tests/fuzz/campaign.py --mutants 20000 --seed 1
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from mutants import mutate
from runner import INTERPRETERS, Runner
from seeds import seeds

from edgekit.errors import ModelError
from edgekit.tflite import guard

_GUARD_LIMIT_S = 2.0
# Elements of a tensor; more is slow, which is no fault.
_LIMIT_RUN = 1 << 22
# Whole networks are some of hundreds of seeds: they get this share of the mutants.
_NETWORKS = 0.15


@dataclass
class Outcome:
    """What a campaign found.

    Attributes:
        refused, passed: mutants that the guard refused and let through.
        too_large: of those let through: not run, because they would take long, sound as they are.
        findings: one line each: the mutant's number, its seed model, what was done to it, what happened.
        slowest_guard_s: of processor time, the longest check.
        slowest_run_s: the longest run of an interpreter.
        models: the mutants of the findings, by their number.
    """

    refused: int = 0
    passed: int = 0
    too_large: int = 0
    findings: list[str] = field(default_factory=list)
    slowest_guard_s: float = 0.0
    slowest_run_s: float = 0.0
    models: dict[int, bytes] = field(default_factory=dict)


def mutant(number: int, seed: int, sources: dict[str, bytes]) -> tuple[bytes, str]:
    """Return mutant `number` of the campaign `seed`, and how it was made."""
    rng = np.random.default_rng([seed, number])
    networks = [name for name in sources if "/" not in name]
    small = [name for name in sources if "/" in name]
    group = networks if networks and rng.random() < _NETWORKS else small
    name, other = group[int(rng.integers(len(group)))], small[int(rng.integers(len(small)))]
    damaged, done = mutate(sources[name], sources[other], rng)
    return damaged, f"{name}: {done}"


def campaign(
    count: int,
    seed: int,
    *,
    first: int = 0,
    folder: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> Outcome:
    """Judge mutants `first` .. `first + count - 1`; of the models in `folder` too, where one is given."""
    sources, outcome = seeds(), Outcome()
    if folder is not None:
        sources |= {f"given/{path.stem}": path.read_bytes() for path in sorted(folder.glob("*.tflite"))}
    with Runner() as runner:
        for number in range(first, first + count):
            if progress is not None and (number - first) % 1000 == 999:
                progress(f"{number - first + 1} mutants, {len(outcome.findings)} findings")
            damaged, made = mutant(number, seed, sources)
            fault = _judge(damaged, outcome, runner)
            if fault is not None:
                outcome.findings.append(f"mutant {number} of seed {seed}: {made}: {fault}")
                outcome.models[number] = damaged
                if progress is not None:
                    progress(outcome.findings[-1])
        outcome.slowest_run_s = runner.slowest_s
    return outcome


def _judge(damaged: bytes, outcome: Outcome, runner: Runner) -> str | None:
    """Return what went wrong with a mutant, None where nothing did."""
    ready = []
    for interpreter in ("", *INTERPRETERS):
        started = time.process_time()
        try:
            guard.check(damaged, runner=interpreter)
            ready.append(interpreter)
        except ModelError:
            pass
        # Anything else is the finding that this looks for.
        except Exception as error:  # noqa: BLE001
            return f"the guard raised {type(error).__name__}: {error}"
        seconds = time.process_time() - started
        outcome.slowest_guard_s = max(outcome.slowest_guard_s, seconds)
        if seconds > _GUARD_LIMIT_S:
            return f"the guard took {seconds:.1f} s"
    who = [interpreter for interpreter in INTERPRETERS if interpreter in ready]
    outcome.passed += bool(who)
    outcome.refused += not who
    if who and _largest_tensor(damaged) > _LIMIT_RUN:
        outcome.too_large += 1
        return None
    faults = (runner.fault(damaged, interpreter) for interpreter in who)
    return next((fault for fault in faults if fault is not None), None)


def _largest_tensor(flatbuffer: bytes) -> int:
    """Elements of the largest tensor."""
    view = schema.Model.GetRootAs(flatbuffer, 0).Subgraphs(0)
    return max(
        math.prod(view.Tensors(index).Shape(axis) for axis in range(view.Tensors(index).ShapeLength()))
        for index in range(view.TensorsLength())
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Run a campaign from the command line; 1 where it found something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mutants", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for the models of the findings")
    parser.add_argument("--models", type=Path, help="folder with more models to damage")
    arguments = parser.parse_args()
    _say(f"seed {arguments.seed}, {arguments.mutants} mutants")
    outcome = campaign(arguments.mutants, arguments.seed, first=arguments.first, folder=arguments.models, progress=_say)
    if arguments.keep is not None:
        arguments.keep.mkdir(parents=True, exist_ok=True)
        for number, model in outcome.models.items():
            (arguments.keep / f"{arguments.seed}-{number}.tflite").write_bytes(model)
    kinds = Counter(finding.rpartition(": ")[2] for finding in outcome.findings)
    _say(
        f"{outcome.refused} refused, {outcome.passed} let through ({outcome.too_large} of them too "
        f"large to run here), {len(outcome.findings)} findings {dict(kinds)}"
    )
    _say(f"the slowest check took {outcome.slowest_guard_s:.3f} s, the slowest run {outcome.slowest_run_s:.3f} s")
    return 1 if outcome.findings else 0


if __name__ == "__main__":
    sys.exit(main())
