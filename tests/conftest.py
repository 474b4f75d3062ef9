"""What all tests share: the options for boards, and folders that belong to one test run alone."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from edgekit.worker import Worker

_REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the two options without which no test touches hardware, and those that make campaigns longer."""
    group = parser.getgroup("edgekit", "boards")
    group.addoption("--port", metavar="PORT", help="serial port of a real board: runs the tests marked hardware")
    group.addoption("--target", metavar="NAME", help="what the board at --port is, e.g. esp32")
    campaigns = parser.getgroup("edgekit campaigns")
    campaigns.addoption("--graphs", type=int, default=50, help="random graphs of each kind to judge (default 50)")
    campaigns.addoption("--every-plan", action="store_true", help="compile random graphs for every core and plan")
    campaigns.addoption("--first-graph", type=int, default=0, help="seed of the first one (default 0)")
    campaigns.addoption("--layers", type=int, default=60, help="layers at their limits to judge (default 60)")
    campaigns.addoption("--first-layer", type=int, default=0, help="seed of the first one (default 0)")


def pytest_configure() -> None:
    """Let Ctrl-C reach the programs under test, also where this run was started in the background.

    A shell starts background jobs with SIGINT ignored, and what they start inherits that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests for boards out unless a board was named."""
    if config.getoption("--port") and config.getoption("--target"):
        return
    left_out = [item for item in items if item.get_closest_marker("hardware")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return _REPOSITORY


@pytest.fixture(scope="session")
def shared_models() -> Path:
    """The MLPerf Tiny reference models; a test that needs them is skipped where the folder is absent."""
    folder = _REPOSITORY.parent / "shared" / "models"
    if not folder.is_dir():
        pytest.skip("the reference models are not here: ../shared/models beside the checkout is absent")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep stage results of this run in a folder of its own: no test meets those of an earlier run.

    All workers of one run share it, so that a model is converted once.
    """
    base = tmp_path_factory.getbasetemp()
    run = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    os.environ["EDGEKIT_CACHE"] = str(run / "edgekit-cache")


@pytest.fixture(scope="session")
def keras() -> ModuleType:
    """Keras, imported by the first test that asks for it."""
    return pytest.importorskip("keras")


@pytest.fixture(scope="session")
def tensorflow_worker() -> Iterator[Worker]:
    """One warm TensorFlow child for all conversions of a test process; it finds the helpers of all test folders.

    A test that makes its child crash starts one of its own.
    """
    folders = [_REPOSITORY / "tests" / name for name in ("unit", "fuzz", "conversion", "kernels")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, folders)))
        with Worker() as running:
            yield running


@pytest.fixture(scope="session")
def serial_port(request: pytest.FixtureRequest) -> str:
    """The port of the board under test."""
    return str(request.config.getoption("--port"))


@pytest.fixture(scope="session")
def board(request: pytest.FixtureRequest) -> str:
    """The target name of the board under test."""
    return str(request.config.getoption("--target"))
