"""TFLITE_METADATA: what phone libraries read of a model beside its numbers, and the files packed behind it.

The metadata is a flatbuffer of its own (schema `metadata_schema.fbs`, identifier M001) in one of the model's buffers.
Files such as labels stand in a ZIP archive at the end of the .tflite, whose offsets count from the file's start.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import number_types

from edgekit.errors import UsageError
from edgekit.tflite import flatbuffer, graph
from edgekit.tflite.flatbuffer import SharingBuilder
from edgekit.tflite.graph import Graph, Tensor

METADATA_NAME = "TFLITE_METADATA"
LABELS_FILE = "labels.txt"
_IDENTIFIER = b"M001"
# Everything written here was in the schema's first version.
_MIN_PARSER_VERSION = "1.0.0"
_FEATURE, _IMAGE = 1, 2
_COLOR_SPACES = {3: 1, 1: 2}
_NORMALIZATION = 1
_AXIS_LABELS = 2


@dataclass(frozen=True, slots=True)
class Description:
    """What the metadata say of a model.

    Attributes:
        name: of the model.
        description, version, author, license: free text; "" leaves the field out.
        labels: class names, in the order of the output's elements; empty where there are none.
    """

    name: str
    description: str = ""
    version: str = ""
    author: str = ""
    license: str = ""
    labels: tuple[str, ...] = ()


def with_metadata(model: bytes, description: Description) -> bytes:
    """Return a .tflite with metadata, which replace any that were there; other packed files stay.

    Images (one input of rank 4 with 1 or 3 channels) get the normalization that turns a pixel 0..255 into the code
    that the model expects: real = (pixel - mean) / std.

    Args:
        model: the .tflite.
        description: what to say of it.

    Returns:
        The .tflite; equal arguments give equal bytes.

    Raises:
        ModelError: the model is damaged.
        UsageError: there are not as many labels as the output has elements, or one is no line of text.
    """
    parsed = graph.parse(model)
    _check_labels(parsed, description.labels)
    tree = flatbuffer.unpack(model)
    tree.metadata = [note for note in tree.metadata or () if _text(note.name) != METADATA_NAME]
    note = schema.MetadataT()
    note.name, note.buffer = METADATA_NAME, len(tree.buffers)
    tree.metadata.append(note)
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(_model_metadata(parsed, description), np.uint8)
    tree.buffers.append(buffer)
    flatbuffer.remove_unused(tree)
    files = {name: content for name, content in packed_files(model).items() if name != LABELS_FILE}
    if description.labels:
        files[LABELS_FILE] = "".join(f"{label}\n" for label in description.labels).encode()
    return with_files(flatbuffer.pack(tree), files)


def packed_files(model: bytes) -> dict[str, bytes]:
    """Return name -> content of the files in the ZIP archive behind a .tflite; none where there is no archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(model)) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, EOFError):
        return {}


def with_files(model: bytes, files: Mapping[str, bytes]) -> bytes:
    """Return a .tflite with an archive of these files behind it; uncompressed, so that readers can map it."""
    if not files:
        return model
    whole = io.BytesIO(model)
    with zipfile.ZipFile(whole, "a", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            # No date: equal files give equal bytes.
            archive.writestr(zipfile.ZipInfo(name), files[name])
    return whole.getvalue()


def _check_labels(parsed: Graph, labels: tuple[str, ...]) -> None:
    elements = parsed.tensors[parsed.outputs[0]].shape[-1] if parsed.tensors[parsed.outputs[0]].shape else 1
    if labels and len(labels) != elements:
        raise UsageError(
            f"{len(labels)} labels came for an output of {elements} elements, expected one an element",
            hint="check the labels of model.toml or of the data",
        )
    wrong = [label for label in labels if not label.strip() or len(label.splitlines()) != 1]
    if wrong:
        raise UsageError(f"label {wrong[0]!r} is no line of text", hint="a label file holds one label a line")


def _text(name: Any) -> str:
    return name if isinstance(name, str) else bytes(name or b"").decode("utf-8", errors="replace")


def _table(builder: SharingBuilder, *fields: tuple[Any, Any]) -> int:
    """Write a table; fields are (type, value) by slot, type None for an offset; 0 and None are left out."""
    builder.StartObject(len(fields))
    for slot, (kind, value) in enumerate(fields):
        if kind is None:
            builder.PrependUOffsetTRelativeSlot(slot, value or 0, 0)
        else:
            builder.PrependSlot(kind, slot, value or 0, 0)
    return builder.EndObject()


def _vector(builder: SharingBuilder, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _string(builder: SharingBuilder, text: str) -> int:
    return builder.CreateString(text) if text else 0


def _floats(builder: SharingBuilder, *values: float) -> int:
    return builder.CreateNumpyVector(np.asarray(values, np.float32))


def _model_metadata(parsed: Graph, said: Description) -> bytes:
    """ModelMetadata: name, description, version, subgraphs, author, license, files, min_parser_version."""
    builder = SharingBuilder(1024)
    inputs = [_input(builder, parsed.tensors[index]) for index in parsed.inputs]
    labels = [said.labels if position == 0 else () for position in range(len(parsed.outputs))]
    outputs = [_output(builder, parsed.tensors[index], own) for index, own in zip(parsed.outputs, labels, strict=True)]
    subgraph = _table(
        builder, (None, 0), (None, 0), (None, _vector(builder, inputs)), (None, _vector(builder, outputs))
    )
    texts = [_string(builder, text) for text in (said.name, said.description, said.version, said.author, said.license)]
    name, description, version, author, licence = texts
    root = _table(
        builder,
        (None, name),
        (None, description),
        (None, version),
        (None, _vector(builder, [subgraph])),
        (None, author),
        (None, licence),
        (None, 0),
        (None, builder.CreateString(_MIN_PARSER_VERSION)),
    )
    builder.Finish(root, file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


def _input(builder: SharingBuilder, tensor: Tensor) -> int:
    channels = tensor.shape[-1] if len(tensor.shape) == 4 else 0
    if channels not in _COLOR_SPACES:
        return _tensor(builder, tensor, _content(builder, _FEATURE, _table(builder)), 0, 0)
    image = _table(builder, (number_types.Int8Flags, _COLOR_SPACES[channels]))
    units = 0
    if tensor.quant is not None and tensor.dtype in ("int8", "uint8"):
        lowest = -128 if tensor.dtype == "int8" else 0
        # Pixel p becomes code p + lowest, which stands for (p + lowest - zero_point) * scale.
        mean, std = tensor.quant.zero_point[0] - lowest, 1 / tensor.quant.scale[0]
        options = _table(builder, (None, _floats(builder, mean)), (None, _floats(builder, std)))
        unit = _table(builder, (number_types.Uint8Flags, _NORMALIZATION), (None, options))
        units = _vector(builder, [unit])
    return _tensor(builder, tensor, _content(builder, _IMAGE, image), units, 0)


def _output(builder: SharingBuilder, tensor: Tensor, labels: tuple[str, ...]) -> int:
    files = 0
    if labels:
        name = builder.CreateString(LABELS_FILE)
        text = builder.CreateString("Class names, one a line, in the order of the output's elements.")
        files = _vector(builder, [_table(builder, (None, name), (None, text), (number_types.Int8Flags, _AXIS_LABELS))])
    return _tensor(builder, tensor, _content(builder, _FEATURE, _table(builder)), 0, files)


def _content(builder: SharingBuilder, kind: int, properties: int) -> int:
    return _table(builder, (number_types.Uint8Flags, kind), (None, properties))


def _tensor(builder: SharingBuilder, tensor: Tensor, content: int, units: int, files: int) -> int:
    """TensorMetadata: name, description, dimension_names, content, process_units, stats, files."""
    return _table(
        builder,
        (None, _string(builder, tensor.name)),
        (None, 0),
        (None, 0),
        (None, content),
        (None, units),
        (None, _stats(builder, tensor)),
        (None, files),
    )


def _stats(builder: SharingBuilder, tensor: Tensor) -> int:
    """Largest and smallest real value that the tensor's codes stand for."""
    if tensor.quant is None or len(tensor.quant.scale) != 1 or tensor.dtype not in ("int8", "uint8", "int16"):
        return 0
    limits, scale, zero_point = np.iinfo(tensor.dtype), tensor.quant.scale[0], tensor.quant.zero_point[0]
    highest, lowest = ((code - zero_point) * scale for code in (limits.max, limits.min))
    return _table(builder, (None, _floats(builder, highest)), (None, _floats(builder, lowest)))
