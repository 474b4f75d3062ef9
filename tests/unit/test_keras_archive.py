"""Hostile .keras, .h5 and SavedModel files are refused before Keras sees them: soon, in little memory, nothing run."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from edgekit import child_process
from edgekit.errors import ModelError, ToolchainError
from edgekit.tflite.keras_archive import floor
from edgekit.tflite.model_files import ModelKind, examine
from edgekit.worker import Worker

_SECONDS, _RSS_BYTES = 5.0, 1 << 30


def layer(kind: str, module: Any = "keras.layers", registered: Any = None, **settings: Any) -> dict[str, Any]:
    return {"module": module, "class_name": kind, "config": {"name": "x", **settings}, "registered_name": registered}


def model(*layers: Any) -> dict[str, Any]:
    first = layer("InputLayer", batch_shape=[None, 4])
    return layer("Sequential", "keras", layers=[first, *layers])


def weights(change: Callable[[h5py.File], None] = lambda file: None) -> bytes:
    stored = io.BytesIO()
    with h5py.File(stored, "w") as file:
        file["layers/dense/vars/0"] = np.ones((4, 3), np.float32)
        change(file)
    return stored.getvalue()


def keras_file(path: Path, config: Any, *, extra: dict[str, bytes] | None = None, stored: bytes | None = None) -> None:
    text = config if isinstance(config, bytes) else json.dumps(config).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", b'{"keras_version": "3.15.1"}')
        archive.writestr("config.json", text)
        archive.writestr("model.weights.h5", weights() if stored is None else stored)
        for name, content in (extra or {}).items():
            archive.writestr(name, content)


def h5_file(path: Path, config: Any, change: Callable[[h5py.File], None] = lambda file: None) -> None:
    path.write_bytes(weights(change))
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = json.dumps(config)


def field(number: int, content: bytes | str | int) -> bytes:
    """One field of a protocol buffer."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    data = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def node(op: str, **functions: str) -> bytes:
    attributes = b"".join(
        field(5, field(1, name) + field(2, field(10, field(1, function)))) for name, function in functions.items()
    )
    return field(1, "n") + field(2, op) + attributes


def saved_model(path: Path, nodes: list[bytes], functions: dict[str, list[bytes]] | None = None) -> None:
    library = b"".join(
        field(1, field(1, field(1, name)) + b"".join(field(3, one) for one in body))
        for name, body in (functions or {}).items()
    )
    graph = b"".join(field(1, one) for one in nodes) + field(2, library)
    path.mkdir()
    (path / "saved_model.pb").write_bytes(field(1, 1) + field(2, field(2, graph)))


def _symlink_member(path: Path) -> None:
    keras_file(path, model())
    link = zipfile.ZipInfo("assets/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")


def _twice(path: Path) -> None:
    keras_file(path, model())
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("config.json", json.dumps(model(layer("Lambda"))))


def _cut(path: Path) -> None:
    keras_file(path, model())
    path.write_bytes(path.read_bytes()[:-40])


def _wrong_length(path: Path) -> None:
    """The directory of the archive claims a config of 3 GiB."""
    keras_file(path, model())
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 4)
    struct.pack_into("<I", content, entry + 24, 3 << 30)
    path.write_bytes(content)


def _deep_groups(file: h5py.File) -> None:
    file.create_group("/".join(["deep"] * 100))


def _shape_bomb(file: h5py.File) -> None:
    file.create_dataset("bomb", (1 << 20, 1 << 20), np.float32, chunks=(1024, 1024))


def _compressed_bomb(file: h5py.File) -> None:
    file.create_dataset("bomb", data=np.zeros((4096, 4096), np.float32), chunks=(4096, 4096), compression="gzip")


def _external_data(file: h5py.File) -> None:
    file.create_dataset("stolen", (4,), np.uint8, external=[("/etc/passwd", 0, 4)])


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), np.float32)
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "x", (4,))
    file.create_virtual_dataset("stolen", layout)


def _link(target: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file["link"] = target

    return change


def _objects(file: h5py.File) -> None:
    file.create_dataset("objects", data=["text"], dtype=h5py.string_dtype())


def _big_constant() -> bytes:
    shape = b"".join(field(2, field(1, 1 << 20)) for _ in range(2))
    tensor = field(1, 1) + field(2, shape) + field(5, b"\0\0\0\0")
    return field(1, "n") + field(2, "Const") + field(5, field(1, "value") + field(2, field(8, tensor)))


def _linked_folder(path: Path) -> None:
    saved_model(path, [node("Const")])
    (path / "variables").symlink_to("/etc")


def _cut_graph(path: Path) -> None:
    saved_model(path, [node("Const")] * 50)
    graph = path / "saved_model.pb"
    graph.write_bytes(graph.read_bytes()[:-100])


_TOUCH = "touch {marker}"
_SAVE = "__inference__traced_save_12"
# Name of the file -> how it is made. {marker} would be written by code of the file.
KERAS: dict[str, Callable[[Path], None]] = {
    "lambda": lambda p: keras_file(p, model(layer("Lambda", function={"class_name": "__lambda__", "config": {}}))),
    "lambda_in_a_model": lambda p: keras_file(p, model(model(model(layer("Lambda"))))),
    "lambda_in_a_wrapper": lambda p: keras_file(p, model(layer("TimeDistributed", layer=layer("Lambda")))),
    "lambda_by_registered_name": lambda p: keras_file(p, model(layer("Dense", None, "keras>Lambda"))),
    "saved_model_in_a_layer": lambda p: keras_file(p, model(layer("TFSMLayer", filepath="/tmp/evil"))),
    "pickle_of_torch": lambda p: keras_file(p, model(layer("TorchModuleWrapper", module_bytes="gASV"))),
    "os_system": lambda p: keras_file(p, model(layer("system", "os", "system", command=_TOUCH))),
    "posix_function": lambda p: keras_file(
        p, model(layer("Dense", activation={"class_name": "function", "module": "posix", "config": "system"}))
    ),
    "unsafe_switch": lambda p: keras_file(p, model(layer("enable_unsafe_deserialization", "keras.config"))),
    "download": lambda p: keras_file(
        p, model(layer("Dense", activation={"class_name": "function", "module": "keras.utils", "config": "get_file"}))
    ),
    "download_as_class": lambda p: keras_file(p, model(layer("get_file", "keras.utils", origin="http://localhost"))),
    "load_model": lambda p: keras_file(p, model(layer("load_model", "keras.saving", filepath="/tmp/evil.keras"))),
    "hidden_module": lambda p: keras_file(p, model(layer("Dense", "keras.src.saving.serialization_lib"))),
    "tensorflow_module": lambda p: keras_file(p, model(layer("Dense", "tensorflow.python.eager.def_function"))),
    "type_of_tensorflow": lambda p: keras_file(p, model(layer("__typespec__", "os", spec_name="x"))),
    "name_that_is_none": lambda p: keras_file(p, model(layer("__import__('os').system('x')"))),
    "vocabulary_file": lambda p: keras_file(p, model(layer("StringLookup", vocabulary="/etc/passwd"))),
    "units_without_measure": lambda p: keras_file(p, model(layer("Dense", units=2**40))),
    "more_units_than_weights": lambda p: keras_file(p, model(layer("Dense", units=5000))),
    "input_without_measure": lambda p: keras_file(p, model(layer("InputLayer", batch_shape=[1, 2**20, 2**20]))),
    "number_of_a_million_digits": lambda p: keras_file(p, b'{"x": ' + b"9" * 1_000_000 + b"}"),
    "config_bomb": lambda p: keras_file(p, b'{"x": "' + b" " * (300 << 20) + b'"}'),
    "config_of_many_lists": lambda p: keras_file(p, b"[" + b"[]," * 5_000_000 + b"[]]"),
    "config_too_deep": lambda p: keras_file(p, b"[" * 100_000 + b"]" * 100_000),
    "config_deep": lambda p: keras_file(p, b'{"x":' * 300 + b"1" + b"}" * 300),
    "config_no_json": lambda p: keras_file(p, b"\x80\x04"),
    "asset_bomb": lambda p: keras_file(p, model(), extra={"assets/big": bytes(300 << 20)}),
    "zip_slip": lambda p: keras_file(p, model(), extra={"../../evil": b"x"}),
    "zip_slip_backwards": lambda p: keras_file(p, model(), extra={"..\\evil": b"x"}),
    "absolute_path": lambda p: keras_file(p, model(), extra={"/tmp/evil": b"x"}),
    "drive": lambda p: keras_file(p, model(), extra={"C:/evil": b"x"}),
    "symlink": _symlink_member,
    "member_twice": _twice,
    "truncated": _cut,
    "wrong_length": _wrong_length,
    "no_weights": lambda p: keras_file(p, model(), stored=b""),
    "weights_shape_bomb": lambda p: keras_file(p, model(), stored=weights(_shape_bomb)),
    "weights_compressed_bomb": lambda p: keras_file(p, model(), stored=weights(_compressed_bomb)),
    "weights_from_outside": lambda p: keras_file(p, model(), stored=weights(_external_data)),
    "weights_deep": lambda p: keras_file(p, model(), stored=weights(_deep_groups)),
    "weights_external_link": lambda p: keras_file(p, model(), stored=weights(_link(h5py.ExternalLink("o.h5", "/x")))),
}
H5: dict[str, Callable[[Path], None]] = {
    "h5_lambda": lambda p: h5_file(p, model(layer("Lambda", None))),
    "h5_soft_link": lambda p: h5_file(p, model(), _link(h5py.SoftLink("/layers"))),
    "h5_external_link": lambda p: h5_file(p, model(), _link(h5py.ExternalLink("/etc/passwd", "/x"))),
    "h5_external_data": lambda p: h5_file(p, model(), _external_data),
    "h5_virtual": lambda p: h5_file(p, model(), _virtual),
    "h5_shape_bomb": lambda p: h5_file(p, model(), _shape_bomb),
    "h5_objects": lambda p: h5_file(p, model(), _objects),
    "h5_truncated": lambda p: p.write_bytes(weights()[:1000]),
    "h5_damaged": lambda p: p.write_bytes(weights()[:96] + b"\xff" * 400 + weights()[496:]),
}
SAVED: dict[str, Callable[[Path], None]] = {
    "py_function": lambda p: saved_model(p, [node("Const")], {"__inference_serve_1": [node("EagerPyFunc")]}),
    "reads_a_file": lambda p: saved_model(p, [node("ReadFile")]),
    "writes_a_file": lambda p: saved_model(p, [node("Const")], {"f": [node("WriteFile")]}),
    "prints": lambda p: saved_model(p, [node("PrintV2")]),
    "saves": lambda p: saved_model(p, [node("SaveV2")]),
    "calls_the_saver": lambda p: saved_model(
        p, [node("Const")], {_SAVE: [node("SaveV2")], "serve": [node("PartitionedCall", f=_SAVE)]}
    ),
    "table_from_a_file": lambda p: saved_model(p, [node("InitializeTableFromTextFileV2")]),
    "constant_without_measure": lambda p: saved_model(p, [_big_constant()]),
    "link_in_the_folder": _linked_folder,
    "graph_cut": _cut_graph,
    "graph_empty": lambda p: (p.mkdir(), (p / "saved_model.pb").write_bytes(b""), None)[-1],
    "graph_of_noise": lambda p: (p.mkdir(), (p / "saved_model.pb").write_bytes(bytes(range(256)) * 9), None)[-1],
}
_LOOK = """
import json, resource, sys, time
from pathlib import Path
from edgekit.errors import ModelError, ToolchainError
from edgekit.tflite.keras_archive import floor
from edgekit.tflite.model_files import examine
answers = {}
for path in map(Path, sys.argv[1:]):
    started = time.monotonic()
    try:
        examine(path)
        answers[path.stem] = ["", 0]
    except ModelError as error:
        answers[path.stem] = [error.what, time.monotonic() - started]
print(json.dumps({"answers": answers, "rss": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024}))
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What was said of every hostile file, and the memory that the largest child took."""
    folder = tmp_path_factory.mktemp("hostile")
    paths = []
    for suffix, made in ((".keras", KERAS), (".h5", H5), ("", SAVED)):
        for name, make in made.items():
            paths.append(folder / f"{name}{suffix}")
            make(paths[-1])
    done = subprocess.run(
        [sys.executable, "-c", _LOOK, *map(str, paths)],
        capture_output=True,
        check=True,
        cwd=folder,
        env=child_process.child_environment(),
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    answer["left"] = sorted(path.name for path in folder.iterdir() if path not in paths)
    return answer


@pytest.mark.parametrize("name", [*KERAS, *H5, *SAVED])
def test_hostile_files_are_refused_in_time(name: str, seen: dict[str, Any]) -> None:
    what, seconds = seen["answers"][name]
    assert what, "it passed"
    assert "\n" not in what
    assert "looks at it was ended" not in what, "the reader crashed instead of saying no"
    assert seconds < _SECONDS


def test_looking_takes_little_memory_and_writes_nothing(seen: dict[str, Any]) -> None:
    assert seen["rss"] < _RSS_BYTES
    assert seen["left"] == []
    assert len(seen["answers"]) >= 25


def test_what_is_said_names_the_layer(seen: dict[str, Any]) -> None:
    assert "'Lambda' named 'x': the class Lambda is not loaded" in seen["answers"]["lambda_in_a_wrapper"][0]
    assert "units is 1,099,511,627,776" in seen["answers"]["units_without_measure"][0]
    assert "inflates from" in seen["answers"]["config_bomb"][0]
    assert "leads outside" in seen["answers"]["zip_slip"][0]
    assert "operation EagerPyFunc" in seen["answers"]["py_function"][0]


def test_honest_configs_pass(tmp_path: Path) -> None:
    custom = layer("Mine", "my_layers", "Custom>Mine", units=3)
    function = {"module": "builtins", "class_name": "function", "config": "relu", "registered_name": "function"}
    dense = layer("Dense", units=3, activation=function, seed=2**40, dtype=layer("DTypePolicy", "keras"))
    config = model(custom, dense, layer("Abs", "keras.src.ops.numpy", "Abs"))
    keras_file(tmp_path / "m.keras", config)
    assert examine(tmp_path / "m.keras") is ModelKind.KERAS
    h5_file(
        tmp_path / "m.h5", {"class_name": "Sequential", "config": [{"class_name": "Dense", "config": {"units": 3}}]}
    )
    assert examine(tmp_path / "m.h5") is ModelKind.H5
    saved_model(tmp_path / "saved", [node("StatefulPartitionedCall", f=_SAVE)], {_SAVE: [node("SaveV2")]})
    assert examine(tmp_path / "saved") is ModelKind.SAVED_MODEL


def test_models_of_this_project_and_the_reference_models_pass(repository: Path) -> None:
    paths = [*repository.glob("models/*/model.keras"), *repository.parent.glob("shared/models/*.h5")]
    assert len(paths) >= 3
    for path in paths:
        examine(path)


def test_an_older_keras_loads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    floor.require_safe_keras()
    monkeypatch.setattr(floor.importlib.metadata, "version", lambda name: "3.15.0")
    with pytest.raises(ToolchainError, match=r"Keras 3\.15\.0 is installed, expected 3\.15\.1 or newer"):
        floor.require_safe_keras()


@pytest.mark.slow
def test_what_keras_writes_passes(tmp_path: Path, tensorflow_worker: Worker) -> None:
    tensorflow_worker.call("honest_models:write", {"folder": str(tmp_path)})
    written = sorted(tmp_path.iterdir())
    assert len(written) > 10
    refused = []
    for path in written:
        try:
            examine(path)
        except ModelError as error:
            refused.append(f"{path.name}: {error}")
    assert not refused, "\n".join(refused)
