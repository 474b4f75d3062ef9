"""TFLITE_METADATA, read back by a reader that shares nothing with the writer: flatbuffer slots by hand, zipfile."""

from __future__ import annotations

import struct
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from click.testing import CliRunner
from tiny_models import dense_int8

from edgekit.cli._root import root
from edgekit.errors import UsageError
from edgekit.tflite import flatbuffer, graph
from edgekit.tflite.metadata import Description, packed_files, with_metadata
from edgekit.tflite.shrink import Answer, Names, ShrinkOptions, chain

_DENSE = dense_int8(weights=np.arange(6).reshape(2, 3), bias=np.zeros(2), output_scale=0.5)
_SAID = Description("net", "Says yes or no.", "2", "someone", "Apache-2.0", ("yes", "no"))


class Table:
    """A flatbuffer's table, walked by hand."""

    def __init__(self, data: bytes, position: int) -> None:
        self.data, self.position = data, position

    @classmethod
    def root(cls, data: bytes) -> Table:
        return cls(data, struct.unpack_from("<I", data, 0)[0])

    def _place(self, slot: int) -> int | None:
        vtable = self.position - struct.unpack_from("<i", self.data, self.position)[0]
        size = struct.unpack_from("<H", self.data, vtable)[0]
        if 4 + 2 * slot >= size:
            return None
        offset = struct.unpack_from("<H", self.data, vtable + 4 + 2 * slot)[0]
        return self.position + offset if offset else None

    def byte(self, slot: int) -> int:
        place = self._place(slot)
        return 0 if place is None else self.data[place]

    def _target(self, slot: int) -> int:
        place = self._place(slot)
        assert place is not None, f"slot {slot} is absent"
        return place + struct.unpack_from("<I", self.data, place)[0]

    def table(self, slot: int) -> Table:
        return Table(self.data, self._target(slot))

    def text(self, slot: int) -> str:
        at = self._target(slot)
        return self.data[at + 4 : at + 4 + struct.unpack_from("<I", self.data, at)[0]].decode()

    def tables(self, slot: int) -> list[Table]:
        at = self._target(slot)
        places = [at + 4 + 4 * index for index in range(struct.unpack_from("<I", self.data, at)[0])]
        return [Table(self.data, place + struct.unpack_from("<I", self.data, place)[0]) for place in places]

    def floats(self, slot: int) -> list[float]:
        at = self._target(slot)
        return list(struct.unpack_from(f"<{struct.unpack_from('<I', self.data, at)[0]}f", self.data, at + 4))


def _metadata(model: bytes) -> Table:
    tree = schema.ModelT.InitFromPackedBuf(model, 0)
    (note,) = [note for note in tree.metadata if note.name == b"TFLITE_METADATA"]
    content = bytes(tree.buffers[note.buffer].data)
    assert content[4:8] == b"M001"
    return Table.root(content)


def _image_model() -> bytes:
    """The dense layer behind an image: its input becomes (1, 1, 1, 3), scale 1/255."""
    model: Any = flatbuffer.unpack(_DENSE)
    tensor = model.subgraphs[0].tensors[0]
    tensor.shape, tensor.quantization.scale = [1, 1, 1, 3], [1 / 255]
    tensor.quantization.zeroPoint = [-128]
    return flatbuffer.pack(model)


def test_what_is_said_can_be_read() -> None:
    said = _metadata(with_metadata(_DENSE, _SAID))
    assert [said.text(slot) for slot in (0, 1, 2, 4, 5, 7)] == [
        "net", "Says yes or no.", "2", "someone", "Apache-2.0", "1.0.0",
    ]  # fmt: skip
    (subgraph,) = said.tables(3)
    (output,) = subgraph.tables(3)
    assert output.text(0) == "output"
    assert output.table(5).floats(0) == [63.5]
    assert output.table(5).floats(1) == [-64.0]
    (file,) = output.tables(6)
    assert (file.text(0), file.byte(2)) == ("labels.txt", 2)


def test_images_get_the_normalization_that_makes_pixels_codes() -> None:
    (subgraph,) = _metadata(with_metadata(_image_model(), _SAID)).tables(3)
    (image,) = subgraph.tables(2)
    content = image.table(3)
    assert content.byte(0) == 2, "ImageProperties"
    assert content.table(1).byte(0) == 1, "RGB"
    (unit,) = image.tables(4)
    assert unit.byte(0) == 1, "NormalizationOptions"
    assert unit.table(1).floats(0) == [0.0]
    assert unit.table(1).floats(1) == pytest.approx([255.0])


def test_labels_lie_in_an_archive_behind_the_model_and_stay_when_it_is_shrunk() -> None:
    model = with_metadata(_DENSE, _SAID)
    assert zipfile.ZipFile(BytesIO(model)).read("labels.txt") == b"yes\nno\n"
    assert graph.parse(model).outputs == (3,)
    shrunk = chain.shrink(
        model, {"any": lambda *_: Answer((b"",), "")}, (b"",), "none", ShrinkOptions(Names.NONE)
    ).flatbuffer
    assert len(shrunk) < len(model)
    assert packed_files(shrunk) == {"labels.txt": b"yes\nno\n"}
    assert _metadata(shrunk).text(0) == "net"
    # Offsets of the archive count from the file's start: readers on phones do not search.
    directory = shrunk.rindex(b"PK\x01\x02")
    assert shrunk[struct.unpack_from("<I", shrunk, directory + 42)[0] :].startswith(b"PK\x03\x04")


def test_written_again_they_replace_the_old_ones() -> None:
    once = with_metadata(_DENSE, _SAID)
    assert with_metadata(once, _SAID) == once
    other = with_metadata(once, Description("other"))
    assert _metadata(other).text(0) == "other"
    assert packed_files(other) == {}


@pytest.mark.parametrize("labels", [("yes",), ("yes", "no\nmaybe"), ("yes", " ")])
def test_labels_that_do_not_fit(labels: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="label"):
        with_metadata(_DENSE, Description("net", labels=labels))


def test_convert_writes_them(tmp_path: Path) -> None:
    (tmp_path / "net.tflite").write_bytes(_DENSE)
    out = tmp_path / "out.tflite"
    done = CliRunner().invoke(root, ["convert", str(tmp_path / "net.tflite"), "--metadata", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert _metadata(out.read_bytes()).text(0) == "net"
