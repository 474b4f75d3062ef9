"""What the guard lets through of damaged models, the aot engine lowers or refuses: never a traceback."""

from __future__ import annotations

from campaign import mutant
from seeds import seeds

from edgekit.engine.program import program
from edgekit.errors import EdgeKitError
from edgekit.tflite import graph

SEED, COUNT = 1, 400


def test_mutants_are_lowered_or_refused() -> None:
    sources = {name: model for name, model in seeds().items() if "/" in name}
    lowered = 0
    for number in range(COUNT):
        damaged, made = mutant(number, SEED, sources)
        try:
            program(graph.parse(damaged))
            lowered += 1
        except EdgeKitError:
            continue
        except Exception as error:
            raise AssertionError(f"mutant {number}: {made}") from error
    assert lowered > COUNT // 20
