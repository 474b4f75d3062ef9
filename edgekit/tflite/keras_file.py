"""The .keras file of a model: the same bytes for the same model, its quantization plan inside."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.tflite.keras_archive.members import PLAN_MEMBER
from edgekit.tflite.quantization_plan import QuantizationPlan

if TYPE_CHECKING:
    import keras


def keras_bytes(model: keras.Model, plan: QuantizationPlan = QuantizationPlan()) -> bytes:
    """Return the .keras file of a model; the same model gives the same bytes (Keras stores the time of day).

    Args:
        model: any model that Keras can save.
        plan: what the file says of the quantization; the default one is not written.
    """
    with tempfile.TemporaryDirectory(prefix="edgekit-") as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in sorted(archive.namelist())}
    metadata = json.loads(members["metadata.json"]) | {"date_saved": "1980-01-01@00:00:00"}
    members["metadata.json"] = json.dumps(metadata).encode()
    if plan != QuantizationPlan():
        members[PLAN_MEMBER] = json.dumps(plan.to_json()).encode()
    saved = io.BytesIO()
    with zipfile.ZipFile(saved, "w") as archive:
        for name, member in members.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), member)
    return saved.getvalue()


def plan_of(path: Path) -> QuantizationPlan:
    """Read the quantization plan of a model file; the default one where it has none.

    Args:
        path: a .keras file that was checked; any other file has no plan.
    """
    if path.suffix != ".keras" or not zipfile.is_zipfile(path):
        return QuantizationPlan()
    with zipfile.ZipFile(path) as archive:
        if PLAN_MEMBER not in archive.namelist():
            return QuantizationPlan()
        return QuantizationPlan.from_json(json.loads(archive.read(PLAN_MEMBER)))
