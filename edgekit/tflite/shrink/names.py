"""Names and notes that only people and tools read.

Names of the model's inputs and outputs stay unless told otherwise (who looks at a file wants to know its ends), and so
does TFLITE_METADATA, which phones read. Signatures go unless told otherwise: no microcontroller calls a model by one,
LiteRT's `get_signature_runner` and the Android API with named inputs do.
"""

from __future__ import annotations

from typing import Any

from edgekit.tflite.shrink import Names

PHONE_METADATA = b"TFLITE_METADATA"


def apply(model: Any, names: Names = Names.ENDS, *, keep_signatures: bool = False) -> int:
    """Remove names, descriptions, converter's notes and shapes said twice.

    Args:
        model: a `schema.ModelT`, changed in place.
        names: which names of tensors stay; with ALL everything but converter's notes does.
        keep_signatures: leave signature definitions in.

    Returns:
        How many things went.
    """
    notes = [note for note in model.metadata or () if _bytes(note.name) != PHONE_METADATA]
    removed = len(notes)
    kept = [note for note in model.metadata or () if _bytes(note.name) == PHONE_METADATA]
    model.metadata = kept or None
    if names is Names.ALL:
        return removed
    if not keep_signatures:
        removed += len(model.signatureDefs or ())
        model.signatureDefs = None
    removed += model.description is not None
    model.description = None
    for subgraph in model.subgraphs or ():
        removed += _strip(subgraph, names)
    return removed


def _strip(subgraph: Any, names: Names) -> int:
    ends = {int(index) for index in (*subgraph.inputs, *subgraph.outputs)} if names is Names.ENDS else set()
    removed = int(subgraph.name is not None)
    subgraph.name = None
    for index, tensor in enumerate(subgraph.tensors):
        if index in ends:
            continue
        removed += int(tensor.name is not None) + int(tensor.shapeSignature is not None)
        # Only a model's ends can be resized; the shapes between follow.
        tensor.name = tensor.shapeSignature = None
    return removed


def _bytes(name: Any) -> bytes:
    return name.encode() if isinstance(name, str) else bytes(name or b"")
