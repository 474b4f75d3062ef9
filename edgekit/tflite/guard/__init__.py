"""Is a .tflite file fit to be read and run? Asked in front of every interpreter and every build.

TFLM and LiteRT execute a flatbuffer largely on trust; a damaged or hostile one crashes or hangs them. The guard
first checks the structure of the file (`structure`), then its meaning: tensors and buffers (`tensors`), order and
indices (`wiring`), and what each operator asks (`rules`).
"""

from __future__ import annotations

from edgekit.tflite.guard import structure


def check(flatbuffer: bytes, *, will_run: bool = False) -> None:
    """Check a .tflite file.

    Args:
        flatbuffer: the whole file.
        will_run: an interpreter is about to run it. Then operators that the guard does not know are refused, and
            those whose bounds only an interpreter could check; else they pass, for a report to name them.

    Raises:
        ModelError: names operator (index and kind), tensor (index and name) and field.
    """
    structure.verify(flatbuffer)
    # The schema takes half a second to import, and a file of another kind does not need it.
    from edgekit.tflite.guard import wiring

    wiring.check(flatbuffer, will_run=will_run)
