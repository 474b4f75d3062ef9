"""tools/setup.sh, on a pretended machine: a PATH of stubs that write down how they were called."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgekit import doctor

_TOOLS = ("sh", "awk", "cat", "cut", "dirname", "env", "grep", "head", "ln", "mkdir", "sed", "sha256sum", "sort", "tr")

_PYTHON = """#!/bin/sh
case "$*" in
  "-m venv"*) mkdir -p .venv/bin && ln -sf "$0" .venv/bin/python ;;
  "-m pip --version") [ -e .venv/bin/python ] ;;
  "-m pip"*) echo "pip $*" >>"$LOG" ;;
  -V*) echo "Python 3.11.2" ;;
esac
"""

# As apt-get would, it makes the programs appear: all of them, whatever is asked for.
_APT_GET = """#!/bin/sh
echo "apt-get $*" >>"$LOG"
case "$*" in *install*) for name in $COMMANDS; do ln -sf "$STUBS/true" "$STUBS/$name"; done ;; esac
"""


@dataclass(frozen=True)
class Machine:
    """A checkout and a PATH."""

    checkout: Path
    stubs: Path
    log: Path

    def stub(self, name: str, body: str) -> None:
        path = self.stubs / name
        path.write_text(body)
        path.chmod(0o755)

    def setup(self) -> subprocess.CompletedProcess[str]:
        commands = [row.probe for row in doctor.system_packages() if "/" not in row.probe and row.probe != "dpkg"]
        environment = {
            "PATH": str(self.stubs),
            "LOG": str(self.log),
            "STUBS": str(self.stubs),
            "COMMANDS": " ".join(commands),
        }
        return subprocess.run(
            [self.checkout / "tools" / "setup.sh"],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def machine(repository: Path, tmp_path: Path) -> Machine:
    made = Machine(tmp_path / "a checkout", tmp_path / "bin", tmp_path / "log")
    made.stubs.mkdir()
    for name in ("tools/setup.sh", "edgekit/system-packages.txt", "pyproject.toml"):
        (made.checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(repository / name, made.checkout / name)
    for name in _TOOLS:
        found = shutil.which(name)
        assert found is not None
        (made.stubs / name).symlink_to(found)
    made.stub("true", "#!/bin/sh\n")
    made.stub("python3", _PYTHON)
    made.stub("apt-get", _APT_GET)
    made.stub("apt-cache", '#!/bin/sh\necho "Package: $2"\n')
    made.stub("id", "#!/bin/sh\necho 0\n")
    return made


def test_a_fresh_machine_is_set_up_and_a_second_run_installs_nothing(machine: Machine) -> None:
    first = machine.setup()
    assert first.returncode == 0, first.stderr
    calls = machine.calls()
    assert "gcc-xtensa-lx106" in next(call for call in calls if " install " in call)
    assert "espeak-ng" not in " ".join(calls)
    assert [call.split()[0] for call in calls] == ["apt-get", "apt-get", "pip"]
    second = machine.setup()
    assert second.returncode == 0, second.stderr
    assert machine.calls() == calls
    assert second.stderr == ""


def test_changed_requirements_are_installed_again(machine: Machine) -> None:
    assert machine.setup().returncode == 0
    before = len(machine.calls())
    with (machine.checkout / "pyproject.toml").open("a") as stream:
        stream.write("# changed\n")
    assert machine.setup().returncode == 0
    assert [call.split()[0] for call in machine.calls()[before:]] == ["pip"]


def test_without_rights_it_prints_the_one_line_to_run(machine: Machine) -> None:
    machine.stub("id", "#!/bin/sh\necho 1000\n")
    answer = machine.setup()
    assert answer.returncode == 4
    (hint,) = [line for line in answer.stderr.splitlines() if line.startswith("hint:")]
    assert "sudo apt-get update && sudo apt-get install -y" in hint
    assert "gcc-xtensa-lx106" in hint
    assert machine.calls() == []


def test_sudo_is_used_where_it_asks_nothing(machine: Machine) -> None:
    machine.stub("id", "#!/bin/sh\necho 1000\n")
    machine.stub("sudo", '#!/bin/sh\n[ "$1" = -n ] && shift\necho "sudo $*" >>"$LOG"\nexec "$@"\n')
    assert machine.setup().returncode == 0
    assert any(call.startswith("sudo env DEBIAN_FRONTEND=noninteractive apt-get") for call in machine.calls())


def test_an_old_python_is_named(machine: Machine) -> None:
    machine.stub("python3", '#!/bin/sh\ncase "$1" in -V) echo "Python 3.9.2" ;; -c) exit 1 ;; esac\n')
    answer = machine.setup()
    assert answer.returncode == 4
    assert "Python 3.9.2" in answer.stderr
    assert "hint:" in answer.stderr


def test_a_failed_installation_is_tried_again(machine: Machine) -> None:
    machine.stub("python3", _PYTHON.replace('echo "pip $*" >>"$LOG"', 'echo "pip $*" >>"$LOG"; exit 1'))
    assert machine.setup().returncode == 4
    machine.stub("python3", _PYTHON)
    assert machine.setup().returncode == 0
    assert [call.split()[0] for call in machine.calls()].count("pip") == 2
