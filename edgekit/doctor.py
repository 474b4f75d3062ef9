"""What is installed, what it is needed for, and the line that installs what is not.

Every look is quick and harmless: versions of Python packages come from their metadata (nothing heavy is
imported), programs are asked for their version side by side, and no finding ever ends in an error.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from edgekit.tflite.interpreters import Interpreter, available, tflite_runtime_python, tflite_runtime_setup
from edgekit.tflite.keras_archive.floor import KERAS_FLOOR, version_tuple

_VERSION_SECONDS = 5.0
_PACKAGE_LIST = Path(__file__).with_name("system-packages.txt")
_DPKG = Path("/var/lib/dpkg/info")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that EdgeKit looked for.

    Attributes:
        name: the program, Python package or right.
        needed_for: what does not work without it.
        present: it is there, and new enough.
        version: as it names itself; None when absent or without a version.
        install: the line to run; empty when nothing is to do.
    """

    name: str
    needed_for: str
    present: bool
    version: str | None
    install: str


@dataclass(frozen=True, slots=True)
class SystemPackage:
    """One row of `system-packages.txt`.

    Attributes:
        group: "build", "develop" or "retrain".
        probe: a command, an absolute path, or "dpkg".
        packages: Debian names that bring it; they differ between releases.
        needed_for: what does not work without it.
    """

    group: str
    probe: str
    packages: tuple[str, ...]
    needed_for: str

    @property
    def name(self) -> str:
        """What a person calls it: the command, or the package where there is no command."""
        return self.packages[-1] if self.probe == "dpkg" or self.probe.startswith("/") else self.probe


def examine() -> tuple[Finding, ...]:
    """Look at everything that a build, an emulation or a board needs.

    Returns:
        Python first, then its packages, programs, and the serial port; in the same order on every machine.

    Example:
        >>> findings = examine()
        >>> findings[0].name, findings[0].present
        ('Python', True)
        >>> all(finding.present or finding.install for finding in findings)
        True
    """
    looks: list[Callable[[], Finding]] = [_python, *map(_python_look, _PYTHON_PACKAGES), _tflite_runtime]
    looks += [_system_look(package) for package in system_packages()]
    looks += [_serial_rights, _serial_ports, _modem_manager, _brltty]
    with ThreadPoolExecutor(max_workers=len(looks)) as pool:
        return tuple(pool.map(lambda look: look(), looks))


def system_packages() -> tuple[SystemPackage, ...]:
    """Return the rows of `system-packages.txt`, the one list that `make` installs from too.

    Example:
        >>> {row.group for row in system_packages()} == {"build", "develop", "retrain"}
        True
    """
    rows = []
    for line in _PACKAGE_LIST.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            group, probe, packages, needed_for = (part.strip() for part in line.split("|"))
            rows.append(SystemPackage(group, probe, tuple(packages.split()), needed_for))
    return tuple(rows)


# name in the registry -> what it is needed for
_PYTHON_PACKAGES = (
    ("tensorflow", "compressing, converting"),
    ("keras", "loading models (before 3.15.1, a model file can run code)"),
    ("ai-edge-litert", "reading .tflite files, a judge"),
    ("tflite-micro", "the judge that counts (Linux x86-64 only)"),
    ("esptool", "flashing ESP32 boards"),
)


def _python() -> Finding:
    new_enough = sys.version_info >= (3, 11)
    install = "" if new_enough else "install Python 3.11 or newer"
    return Finding("Python", "everything", new_enough, platform.python_version(), install)


def _tflite_runtime() -> Finding:
    """It lives in an environment of its own, since it wants NumPy 1 and Python 3.11 at most."""
    present = available(Interpreter.TFLITE_RUNTIME)
    folder = tflite_runtime_python().parent.parent
    metadata = next(folder.glob("lib/python*/site-packages/tflite_runtime-*.dist-info"), None)
    version = metadata.name.removesuffix(".dist-info").partition("-")[2] if metadata is not None else None
    install = "" if present else tflite_runtime_setup()
    return Finding("tflite-runtime", "verify: what older phones and gateways run", present, version, install)


def _python_look(package: tuple[str, str]) -> Callable[[], Finding]:
    return lambda: _python_package(*package)


def _python_package(name: str, needed_for: str) -> Finding:
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, needed_for, False, None, f"pip install {name}")
    if name == "keras" and version_tuple(version) < KERAS_FLOOR:
        return Finding(name, needed_for, False, version, "pip install --upgrade 'keras>=3.15.1'")
    return Finding(name, needed_for, True, version, "")


def _system_look(package: SystemPackage) -> Callable[[], Finding]:
    return lambda: _system(package)


def _system(package: SystemPackage) -> Finding:
    install = f"sudo apt-get install {package.packages[-1]}"
    if package.probe == "dpkg":
        present = any(_DPKG.glob(f"{package.packages[-1]}[.:]*list"))
        return Finding(package.name, package.needed_for, present, None, "" if present else install)
    if package.probe.startswith("/"):
        present = Path(package.probe).exists()
        return Finding(package.name, package.needed_for, present, None, "" if present else install)
    command = shutil.which(package.probe)
    version = program_version(command) if command else None
    if command and version is None:
        install = f"it does not start: {install.replace('install', 'install --reinstall')}"
    return Finding(package.name, package.needed_for, version is not None, version, "" if version else install)


def program_version(command: str) -> str | None:
    """Ask a program for its version.

    Args:
        command: a name on the PATH, or a path.

    Returns:
        The number in the first line that `command --version` prints, or that line where there is none; None when
        the program does not start, fails or does not answer.

    Example:
        >>> program_version("no-such-program") is None
        True
    """
    try:
        answer = subprocess.run(
            [command, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_VERSION_SECONDS,
            check=True,
            text=True,
            errors="replace",
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return version_number((answer.stdout.strip() or answer.stderr.strip() or "unknown version").splitlines()[0])


def version_number(line: str) -> str:
    """Return the version in a program's first line, without the packager's in brackets.

    Example:
        >>> version_number("arm-none-eabi-gcc (15:12.2.rel1-1) 12.2.1 20221205")
        '12.2.1'
        >>> version_number("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)")
        '7.2.22'
    """
    found = re.search(r"\d+(?:[.]\d+)+", re.sub(r"[(][^)]*[)]", "", line))
    return found.group() if found else line


def _serial_rights() -> Finding:
    name, needed_for = "right to open serial ports", "boards"
    if sys.platform != "linux" or os.geteuid() == 0:
        return Finding(name, needed_for, True, None, "")
    import grp

    for group in ("dialout", "uucp"):
        with contextlib.suppress(KeyError):
            if grp.getgrnam(group).gr_gid in os.getgroups():
                return Finding(name, needed_for, True, f"group {group}", "")
    install = 'sudo usermod -aG dialout "$USER", then log out and in again'
    return Finding(name, needed_for, False, None, install)


def _serial_ports() -> Finding:
    needed_for = "boards"
    try:
        from serial.tools.list_ports import comports

        # A port without a hardware id is one that the mainboard could have, not one that is there.
        found = sorted(port.device for port in comports() if port.hwid not in (None, "", "n/a"))
    except (ImportError, OSError):
        found = []
    hint = "connect a board with a USB data cable"
    return Finding("serial port", needed_for, bool(found), ", ".join(found) or None, "" if found else hint)


def _modem_manager() -> Finding:
    return _absent(
        "no ModemManager",
        "boards (it writes to every new serial port)",
        "ModemManager",
        "sudo systemctl disable --now ModemManager",
    )


def _brltty() -> Finding:
    return _absent(
        "no brltty",
        "boards (it takes CH340 and CP210x ports)",
        "brltty",
        "sudo apt-get remove brltty",
    )


def _absent(name: str, needed_for: str, process: str, install: str) -> Finding:
    running = process in _process_names()
    return Finding(name, needed_for, not running, None, install if running else "")


def _process_names() -> set[str]:
    names = set()
    for path in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            names.add(path.read_text(encoding="utf-8", errors="replace").strip())
    return names
