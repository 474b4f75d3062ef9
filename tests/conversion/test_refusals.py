"""What cannot be converted is told with the layer's name, also where the converter crashes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgekit.conversion import convert
from edgekit.data import Data
from edgekit.errors import ModelError, UsageError
from edgekit.worker import Worker, WorkerCrashError

HERE = Path(__file__).parent
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def looping(worker: Worker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("looping")
    worker.call("matrix_rows:write_looping", {"folder": str(folder)})
    return folder / "looping.keras"


DATA = Data(np.random.default_rng(0).normal(size=(20, 5, 4)).astype(np.float32))


def test_a_crash_of_the_converter_names_the_layer(looping: Path) -> None:
    with pytest.raises(WorkerCrashError, match=r"^layer 'own_loop' \(Looping\): .*SIGSEGV") as caught:
        convert(looping, data=DATA, objects=str(HERE / "custom_layers.py"))
    assert caught.value.exit_code == 3 and "replace this layer" in caught.value.hint


def test_without_its_objects_a_model_is_refused_with_the_way_on(looping: Path) -> None:
    with pytest.raises(ModelError, match="Looping") as caught:
        convert(looping, data=DATA)
    assert "--objects" in caught.value.hint


def test_objects_that_cannot_be_imported(looping: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import no_such_module_of_anyone")
    with pytest.raises(UsageError, match=r"objects .*broken.py.*no_such_module_of_anyone"):
        convert(looping, data=DATA, objects=str(tmp_path / "broken.py"))
