"""Outputs killed at every call that changes a file: each is the old file or the new one, and a second run heals."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edgekit.child_process import child_environment

_SHIM = Path(__file__).with_name("kill_shim.c")
_RUNS = ("atomic", "cache", "build")
# The child imports all, then forks for each call and each way to die at it; the shim reads its orders anew each time.
_CHILD = """
import filelock, json, os, sys, traceback
from pathlib import Path
from edgekit.atomic import write_atomically
from edgekit.build_folder import REPORT, write_files
from edgekit.cache import Cache

OLD, NEW = b"old" * 50_000, b"new" * 50_000
name, base = sys.argv[1], Path(sys.argv[2])
OUTPUTS = {"atomic": ["deep/model.bin"], "cache": [], "build": ["model.bin", "sub/weights.bin", REPORT]}[name]

def work(folder):
    if name == "atomic":
        write_atomically(folder / OUTPUTS[0], NEW)
    elif name == "cache":
        assert Cache(folder).stage("convert", ["key"], lambda: {"model.bin": NEW}) == {"model.bin": NEW}
    else:
        write_files(folder, {output: NEW for output in OUTPUTS})

def forked(folder, at, how):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.environ.update(KILL_AT=str(at), KILL_HOW=how, KILL_COUNT_FD=str(writing))
        os.close(2)
        os.access("/arm", 0)
        try:
            work(folder)
            code = 0
        except OSError:
            code = 1
        os.access("/report", 0)
        os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        calls = int(stream.read() or 0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), calls

def prepared(folder):
    folder.mkdir()
    for output in OUTPUTS:
        (folder / output).parent.mkdir(parents=True, exist_ok=True)
        (folder / output).write_bytes(OLD)
    return folder

code, calls = forked(prepared(base / "count"), 0, "before")
assert code == 0, "the run fails without a kill"
found = []
for how in ("before", "half", "full"):
    for at in range(1, calls + 1):
        folder = prepared(base / f"{how}-{at}")
        ended, _ = forked(folder, at, how)
        states = [{OLD: "old", NEW: "new"}.get((folder / output).read_bytes(), "torn") for output in OUTPUTS]
        known = {folder / output for output in OUTPUTS}
        left = [str(path) for path in folder.rglob("*") if path.is_file() and path not in known]
        again, _ = forked(folder, 0, "before")
        healed = all((folder / output).read_bytes() == NEW for output in OUTPUTS)
        kill = {"at": at, "how": how, "ended": ended, "states": states}
        found.append({**kill, "left": left, "again": again, "healed": healed})
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler on the PATH")
    library = tmp_path_factory.mktemp("shim") / "kill.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, _SHIM, "-ldl"], check=True)
    return library


def _all_kills(name: str, shim: Path, folder: Path) -> list[dict[str, Any]]:
    environment = child_environment(LD_PRELOAD=str(shim))
    command = [sys.executable, "-c", _CHILD, name, str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert len(found) >= 3 * 4, "the shim sees too little to say anything"
    return found


@pytest.mark.parametrize("name", _RUNS)
def test_every_output_is_the_old_one_or_the_new_one(name: str, shim: Path, tmp_path: Path) -> None:
    for kill in _all_kills(name, shim, tmp_path):
        assert kill["ended"] in ((0, 1) if kill["how"] == "full" else (-9,)), kill
        assert "torn" not in kill["states"], kill
        assert kill["again"] == 0, kill
        assert kill["healed"], kill


def test_a_full_disk_leaves_nothing_behind(shim: Path, tmp_path: Path) -> None:
    full = [kill for kill in _all_kills("atomic", shim, tmp_path) if kill["how"] == "full"]
    assert any(kill["ended"] == 1 for kill in full)
    assert not [kill for kill in full if kill["left"]]
