"""What is measured: models on targets with plans, each cell built and run as `edgekit bench` does it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from elftools.elf.elffile import ELFFile

from edgekit import build_folder, targets
from edgekit.atomic import write_atomically
from edgekit.bench import BenchOptions, bench
from edgekit.build import BuildOptions
from edgekit.errors import DoesNotFitError, EdgeKitError, ToolMissingError
from edgekit.tflite import graph

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = REPOSITORY.parent / "shared" / "models"
FOLDER = REPOSITORY / "build" / "measurements"
RUNS = 3
PLANS = ("speed", "balanced", "ram")
# The cores that the goals name; each has kernels of its own.
CORES = ("cortex-m4", "cortex-m55", "esp32", "esp32c3")
# MLPerf Tiny's reference models, by their names in the goals.
REFERENCES = {
    "ic": "image_classification_int8",
    "vww": "visual_wake_words_int8",
    "kws": "keyword_spotting_int8",
    "ad": "anomaly_detection_int8",
}
# Models of models/ that compression made for small forms of weights, and the dense ones that they are beside.
COMPRESSED = {
    "keyword-4bit": "keyword",
    "keyword-clustered": "keyword",
    "keyword-sparse": "keyword",
    "tiny-mobilenet-4bit": "tiny-mobilenet",
}
# Made by large_models.py, by seed.
LARGE = ("dense_1000", "vgg16")
# What the other cores run: a small model, and one that they may not hold.
ELSEWHERE = ("digits", "keyword")

_LINEAR = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
# Bias and multiplier of four bytes, shift of one.
_CHANNEL_BYTES = 9
# Arrays of a layer in the emitted C, and constant inputs of layers.
_CONSTANT = re.compile(r"(?:layer_\d+\w*_(?!settings)[a-z_]+|tensor_\d+)")


@dataclass(frozen=True, slots=True)
class Cell:
    """One model on one target with one plan.

    Attributes:
        model: folder in models/, stem of a file in ../shared/models, or name of a large model.
        target: name of a target.
        plan: "speed", "balanced", "ram" or "flash"; "streamed" is "ram" with the input handed over row by row.
        form: of the weights, where one is forced; "" where the engine chooses.
    """

    model: str
    target: str
    plan: str
    form: str = ""

    @property
    def key(self) -> str:
        """Its name in the file of results."""
        return f"{self.model} {self.target} {self.plan} {self.form}".rstrip()


def own_models() -> list[str]:
    """Return the models of models/ with a committed flatbuffer: it measures the same bytes everywhere.

    Those that compression made for small forms of weights have cells of their own: compression.py.
    """
    names = {path.parent.name for path in (REPOSITORY / "models").glob("*/model.tflite")}
    return sorted(names - set(COMPRESSED))


def path_of(model: str) -> Path:
    """Return where a model lies; a large one is made first."""
    if model in LARGE:
        return _made(model)
    own = REPOSITORY / "models" / model / "model.tflite"
    return own if own.is_file() else SHARED / f"{model}.tflite"


def _made(model: str) -> Path:
    path = FOLDER / "models" / f"{model}.tflite"
    if not path.is_file():
        import large_models

        write_atomically(path, getattr(large_models, model)())
    return path


def wanted() -> Iterator[Cell]:
    """Yield all cells; those of one model together, since they share the stages before the compiler."""
    for model in REFERENCES.values():
        if path_of(model).is_file():
            yield from (Cell(model, target, plan) for target in CORES for plan in PLANS)
            if model != REFERENCES["ad"]:  # its input has one row
                yield Cell(model, "cortex-m4", "streamed")
    others = [name for name in targets.names() if name not in (*CORES, "host")]
    for model in own_models():
        yield from (Cell(model, target, "speed") for target in CORES)
        yield from (Cell(model, "cortex-m4", plan) for plan in ("balanced", "ram"))
        if model in ELSEWHERE:
            yield from (Cell(model, target, "speed") for target in others)


def measure(cell: Cell) -> dict[str, Any]:
    """Build and run one cell; returns the report of `edgekit bench --json`, or why there is none."""
    began = time.monotonic()
    try:
        found = _measured(cell)
    except (ToolMissingError, DoesNotFitError) as error:
        return {"reason": error.what}
    except EdgeKitError as error:
        return {"reason": error.what, "failed": True}
    return {**found, "seconds": round(time.monotonic() - began, 1)}


def _out(cell: Cell) -> Path:
    return FOLDER / cell.model / "-".join(filter(None, (cell.target, cell.plan, cell.form)))


def _measured(cell: Cell) -> dict[str, Any]:
    per_layer = cell.plan == "speed" and cell.model in REFERENCES.values()
    streamed = cell.plan == "streamed"
    plan = "ram" if streamed else cell.plan
    build = BuildOptions(optimize=plan, stream_input=streamed, form=cell.form or None)
    options = BenchOptions(runs=RUNS, build=build, out=_out(cell), per_layer=per_layer)
    report = bench(path_of(cell.model), cell.target, options=options).to_json()
    return {**report, **constants(_out(cell))}


def constants(folder: Path) -> dict[str, int]:
    """Return the bytes of weights, biases and scales: those of the built model's graph, and those in the firmware.

    A scale counts 8 bytes, the multiplier and the shift that every engine makes of it. The settings of the layers,
    which say where what lies, are neither. Weights without the rest: less what bias, multiplier and shift take in
    every form.
    """
    built = build_folder.read(folder)
    model = graph.parse((folder / f"{built.stem}.tflite").read_bytes())
    used = {index for op in model.ops for index in op.inputs if index >= 0 and model.tensors[index].data is not None}
    tensors = [model.tensors[index] for index in used]
    scales = sum(8 * len(tensor.quant.scale) for tensor in tensors if tensor.dtype == "int8" and tensor.quant)
    with built.firmware.elf.open("rb") as stream:
        symbols = ELFFile(stream).get_section_by_name(".symtab").iter_symbols()
        stored = sum(symbol["st_size"] for symbol in symbols if _CONSTANT.fullmatch(symbol.name))
    channels = sum(model.tensors[op.outputs[0]].shape[-1] for op in model.ops if op.kind in _LINEAR)
    return {
        "constants_bytes": sum(tensor.size_bytes for tensor in tensors) + scales,
        "stored_bytes": stored,
        "weights_alone_bytes": stored - _CHANNEL_BYTES * channels,
    }


def load() -> dict[str, dict[str, Any]]:
    """Return the results that earlier runs left, by the cells' keys."""
    path = FOLDER / "cells.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def save(results: dict[str, dict[str, Any]]) -> None:
    """Keep the results."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "cells.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
