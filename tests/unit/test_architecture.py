"""The shape of the code, held by tests: what may import what, what comes in pairs, how long things get."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgekit import doctor, targets

_REPOSITORY = Path(__file__).resolve().parents[2]
_PACKAGE = _REPOSITORY / "edgekit"
_MODULES = sorted(_PACKAGE.rglob("*.py"))

# The stages in the order of the data: a folder or module imports from lines above its own, or from its own.
_ORDER = """
errors
progress
atomic firmware_files child_process
settings cache sizes
data metrics
worker worker_main
targets
tflite
golden
engine
architectures
compress
model_folder
model_source
conversion conversion_child
toolchains
deploy
harness
doctor
stage_files
host_engine
budget
build_options
pipeline
report
build_folder
build_plan
build single_stages plan_model
layer_profile
bench
verify
cli
"""

_FILE_LINES = 300
_FUNCTION_LINES = 40
# Named exceptions, each with its reason. This list may only get shorter.
_LONG_FILES: dict[str, str] = {}
_LONG_FUNCTIONS: dict[str, str] = {}

_HEAVY = ("tensorflow", "keras", "numpy")
# Only these may import TensorFlow or Keras anywhere: they run in the child process that converts.
_IN_THE_CHILD = re.compile(
    r"edgekit/(architectures/|compress/|conversion_child|tflite/(convert|keras_|to_int8)|worker_main|data|metrics)"
)


def _trees() -> Iterator[tuple[str, ast.Module]]:
    for path in _MODULES:
        yield path.relative_to(_REPOSITORY).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def _stage(dotted: str) -> str:
    """edgekit.tflite.graph -> tflite"""
    return [*dotted.split("."), ""][1]


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "edgekit":
            yield from (f"edgekit.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, the docstring left out."""
    first = function.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or 0) - first.lineno + 1 if is_docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=_REPOSITORY, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("this is no git checkout, so there is no list of tracked files")
    paths = [_REPOSITORY / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


def test_imports_point_only_to_earlier_stages() -> None:
    rank = {name: line for line, names in enumerate(_ORDER.split("\n")) for name in names.split()}
    wrong = []
    for name, tree in _trees():
        own = _stage(name.removesuffix(".py").replace("/", "."))
        if own == "__init__":
            continue
        assert own in rank, f"{own} has no place in the order of the stages: put it into _ORDER"
        for imported in _imports(tree):
            stage = _stage(imported)
            if imported.startswith("edgekit.") and stage in rank and rank[stage] > rank[own]:
                wrong.append(f"{name} imports {imported}")
    assert not wrong, "\n".join(wrong)


def test_the_children_alone_import_tensorflow() -> None:
    wrong = [
        f"{name} imports {imported}"
        for name, tree in _trees()
        for imported in _imports(tree)
        if imported.split(".")[0] in ("tensorflow", "keras") and not _IN_THE_CHILD.match(name)
    ]
    assert not wrong, "\n".join(wrong)


def test_operators_come_in_pairs() -> None:
    lowered = [path for path in (_PACKAGE / "engine" / "ops").glob("*.py") if path.stem[0] != "_"]
    kernels = {path.stem: path for path in (_REPOSITORY / "firmware" / "engine").glob("*_s8.h")}
    # An operator that only moves or renames its input lowers to a kernel that it shares with others, or to none.
    shared = ('Lowered("",', "from edgekit.engine.ops import _", "from edgekit.engine.ops._")
    alone = {
        path.stem
        for path in lowered
        if f"{path.stem}_s8" not in kernels and not any(mark in path.read_text(encoding="utf-8") for mark in shared)
    }
    assert lowered
    assert not alone, f"no firmware/engine/<op>_s8.h for {sorted(alone)}"
    included = {
        name
        for path in (_REPOSITORY / "firmware" / "engine").glob("*.h")
        for name in re.findall(r'#include "([a-z0-9_]+)[.]h"', path.read_text(encoding="utf-8"))
    }
    folders = [_PACKAGE / "engine" / name for name in ("ops", "forms")]
    texts = "".join(path.read_text(encoding="utf-8") for folder in folders for path in folder.rglob("*.py"))
    packings = "|".join(path.stem for path in (_PACKAGE / "engine" / "packings").glob("*.py") if path.stem[0] != "_")
    for_any = {name: re.sub(f"_({packings})_s8$", r"_\\{[\\w.]+\\}_s8", name) for name in kernels}
    named = {
        name
        for name in kernels
        if re.search(f'"({name}|{name.removesuffix("_s8")}|{for_any[name]})"', texts) is not None
    }
    unused = set(kernels) - {f"{path.stem}_s8" for path in lowered} - included - named
    assert not unused, f"no edgekit/engine/ops/<op>.py for {sorted(unused)}"


def test_a_header_for_a_feature_replaces_what_it_stands_beside() -> None:
    # x.<feature>.h beside x.h is taken for every layer: it must define the same names, so it has the same guard.
    folder = _REPOSITORY / "firmware" / "engine"
    beside = [path for path in folder.glob("*.*.h") if (folder / f"{path.name.split('.')[0]}.h").is_file()]
    assert beside
    wrong = [path.name for path in beside if f"#ifndef EK_{path.name.split('.')[0].upper()}_H" not in path.read_text()]
    assert not wrong, f"kernels of a feature whose stem a portable kernel has: {wrong}"


@pytest.mark.parametrize("name", targets.names())
def test_every_target_loads_and_what_it_names_exists(name: str) -> None:
    target = targets.load(name)
    assert target.description
    assert target.ram_bytes > 0
    assert target.flash_bytes > 0
    assert (_PACKAGE / "toolchains" / f"{target.toolchain}.py").is_file()
    assert (_REPOSITORY / "firmware" / "ports" / target.port).is_dir()
    if target.flasher is not None:
        assert (_PACKAGE / "deploy" / f"flash_{target.flasher}.py").is_file()
    if target.emulator is not None:
        assert (_PACKAGE / "deploy" / f"emulate_{target.emulator.kind}.py").is_file()


_HELP = """
import contextlib, io, sys
from edgekit.cli._root import root
import click

def run(*arguments):
    with contextlib.redirect_stdout(io.StringIO()) as shown, contextlib.suppress(SystemExit):
        root.main(args=[*arguments, "--help"], prog_name="edgekit")
    return shown.getvalue()

assert "Usage: edgekit" in run()
context = click.Context(root)
for name in root.list_commands(context):
    command = root.get_command(context, name)
    assert command.help, f"{name} has no help"
    for parameter in command.params:
        assert isinstance(parameter, click.Argument) or parameter.help, f"{name} {parameter.name} has no help"
    assert f"Usage: edgekit {name}" in run(name)
print(" ".join(module for module in sys.argv[1:] if module in sys.modules))
"""


def test_help_of_every_command_is_there_and_loads_nothing_heavy() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", _HELP, *_HEAVY], capture_output=True, text=True, timeout=120, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.strip() == "", f"--help loads {answer.stdout.strip()}"


def test_files_stay_short() -> None:
    long = {
        path.relative_to(_REPOSITORY).as_posix(): lines
        for path in _MODULES
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > _FILE_LINES
    }
    assert set(long) == set(_LONG_FILES), f"more than {_FILE_LINES} lines: {long}"


def test_functions_stay_short() -> None:
    long = {
        f"{name}:{function.name}": lines
        for name, tree in _trees()
        for function in _functions(tree)
        if (lines := _code_lines(function)) > _FUNCTION_LINES
    }
    assert set(long) == set(_LONG_FUNCTIONS), f"more than {_FUNCTION_LINES} lines: {long}"


def _promised() -> set[str]:
    """Methods whose words stand in a Protocol: what implements it need not repeat them."""
    return {
        method.name
        for _, tree in _trees()
        for node in tree.body
        if isinstance(node, ast.ClassDef) and any("Protocol" in ast.unparse(base) for base in node.bases)
        for method in _functions(node)
        if ast.get_docstring(method)
    }


def test_everything_public_is_documented() -> None:
    undocumented = []
    promised = _promised()
    for name, tree in _trees():
        if not ast.get_docstring(tree):
            undocumented.append(name)
        scopes = [
            tree,
            *(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_"),
        ]
        for scope in scopes:
            for node in scope.body:
                if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name.startswith("_"):
                    continue
                is_promised = isinstance(scope, ast.ClassDef) and node.name in promised
                if not is_promised and not ast.get_docstring(node):
                    undocumented.append(f"{name}:{node.lineno} {node.name}")
    assert not undocumented, "\n".join(undocumented)


def test_the_library_does_not_print() -> None:
    wrong = [
        f"{name}:{node.lineno}"
        for name, tree in _trees()
        if not name.startswith(("edgekit/cli/", "edgekit/report/", "edgekit/worker_main"))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not wrong, "\n".join(wrong)


# Written as patterns that do not match their own text.
_MACHINE_PATHS = re.compile(rb"/(?:work|farm|root|home/[a-z]+|Users/[a-z]+)/|/tmp/bash[_]jobs")
_REGISTRIES = re.compile(rb"\b(?:pypi[.]org|pythonhosted[.]org|npmjs[.]org|crates[.]io|deb[.]debian[.]org)")


def test_no_file_names_a_machine_or_a_registry() -> None:
    wrong = []
    for path in _tracked():
        content = path.read_bytes()
        for pattern in (_MACHINE_PATHS, _REGISTRIES):
            found = pattern.search(content)
            if found:
                wrong.append(f"{path.relative_to(_REPOSITORY)}: {found.group().decode()}")
    assert not wrong, "\n".join(wrong)


def test_no_tracked_file_is_large() -> None:
    large = {path.name: size for path in _tracked() if (size := path.stat().st_size) > 2_500_000}
    assert not large


def test_versions_are_stated_once() -> None:
    project = tomllib.loads((_REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=3.11"
    floor = ".".join(map(str, doctor.KERAS_FLOOR))
    assert f"keras>={floor}" in project["dependencies"]
    assert doctor.version_tuple(importlib.metadata.version("keras")) >= doctor.KERAS_FLOOR


def _error_codes() -> set[str]:
    codes = set()
    for _, tree in _trees():
        for node in ast.walk(tree):
            if not isinstance(node, ast.ClassDef) or not node.name.endswith("Error"):
                continue
            for statement in node.body:
                codes.update(_assigned_codes(statement))
    return codes


def _assigned_codes(statement: ast.stmt) -> Iterator[str]:
    """code = "x", or exit_code, code = 1, "x" """
    if not isinstance(statement, ast.Assign):
        return
    target, value = statement.targets[0], statement.value
    pairs: list[tuple[ast.expr, ast.expr]] = [(target, value)]
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = list(zip(target.elts, value.elts, strict=True))
    for name, constant in pairs:
        if isinstance(name, ast.Name) and name.id == "code" and isinstance(constant, ast.Constant):
            yield str(constant.value)


def test_every_error_code_has_a_paragraph_in_troubleshooting() -> None:
    text = (_REPOSITORY / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^### `([a-z_]+)`", text, flags=re.MULTILINE))
    assert _error_codes() == explained


def test_links_of_the_documents_lead_somewhere() -> None:
    broken = []
    for page in [_REPOSITORY / "README.md", *sorted((_REPOSITORY / "docs").glob("*.md"))]:
        for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if "://" not in link and not (page.parent / link).exists():
                broken.append(f"{page.name}: {link}")
    assert not broken, "\n".join(broken)
