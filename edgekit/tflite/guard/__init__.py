"""Is a .tflite file fit to be read and run? Asked in front of every interpreter and every build.

TFLM and LiteRT execute a flatbuffer largely on trust; a damaged or hostile one crashes or hangs them. The guard
first checks the structure of the file (`structure`), then its meaning: tensors and buffers (`tensors`), order and
indices (`wiring`), and what each operator asks (`rules`).
"""

from __future__ import annotations

from edgekit.tflite.guard import structure


def check(flatbuffer: bytes, *, runner: str = "") -> None:
    """Check a .tflite file.

    Args:
        flatbuffer: the whole file.
        runner: the interpreter about to run it, as `interpreters.Interpreter` spells it; "" where none is. A runner
            gets no operator that the guard does not know, nothing whose bounds only it could check, and nothing that
            it is known to crash on; for a report these pass.

    Raises:
        ModelError: names operator (index and kind), tensor (index and name) and field.
    """
    structure.verify(flatbuffer)
    # The schema takes half a second to import, and a file of another kind does not need it.
    from edgekit.tflite.guard import wiring

    wiring.check(flatbuffer, runner=runner)
