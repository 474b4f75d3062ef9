"""A SavedModel: what its graph would run, read off the protocol buffer without TensorFlow.

Wire format: https://protobuf.dev/programming-guides/encoding; the numbers of the fields are those of
saved_model.proto, meta_graph.proto, graph.proto, function.proto, node_def.proto and attr_value.proto.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgekit.errors import ModelError

_GRAPH_LIMIT_BYTES = 256 * 1024 * 1024
_TOTAL_LIMIT_BYTES = 2 * 1024 * 1024 * 1024
_LIMIT_NODES = 500_000
_LIMIT_ELEMENTS = 2**28
_AGAIN = "export the model again with model.export(folder)"
_HOSTILE = "export the model again without preprocessing from files; if you did not make it, do not use it"

# Operations that touch files, start other code or print; a model that only computes has none.
_FORBIDDEN = re.compile(
    r"(Read|Write)File|MatchingFiles|DeleteFile|.*PyFunc.*|.*Reader(V2)?|Reader.*|.*Dataset(V\d)?|Print(V2)?|"
    r".*Summary.*|Save(V2|Slices)?|Restore(V2|Slice)?|MergeV2Checkpoints|InitializeTableFromTextFile.*|"
    r"(En|De)codeProto.*|RemoteCall|Rpc.*|Debug(Identity|NanCount|Numeric).*|LoadAndRemapMatrix|"
    r"GenerateVocabRemapping|Lmdb.*|.*Iterator(V\d)?|XlaLaunch.*|TPU.*|CopyHost|.*Server.*|ImportEvent|Fact|"
    r"CheckpointHasKey|.*OptionalFrom.*|DatasetTo.*"
)
# Every SavedModel has two functions that write and read its checkpoint; nothing else calls them.
_CHECKPOINT = re.compile(r"__inference_+traced_(save|restore)_\d+")
_CHECKPOINT_OPS = {"SaveV2", "RestoreV2", "MergeV2Checkpoints"}


@dataclass(frozen=True, slots=True)
class _Node:
    """What a node runs, and the functions that its attributes name."""

    op: str
    functions: tuple[str, ...]


def check(folder: Path) -> None:
    """Check a SavedModel before it is loaded.

    Args:
        folder: with saved_model.pb.

    Raises:
        ModelError: damaged, too large, with links to other places, or with operations that do more than compute.
    """
    _check_files(folder)
    content = (folder / "saved_model.pb").read_bytes()
    if not content:
        raise ModelError(f"{folder.name}/saved_model.pb is empty (0 bytes)", hint=_AGAIN)
    try:
        top, functions = _graphs(memoryview(content))
    except (IndexError, ValueError) as error:
        raise ModelError(f"{folder.name}/saved_model.pb is truncated or damaged ({error})", hint=_AGAIN) from error
    _check_nodes(folder.name, top, functions)


def _check_files(folder: Path) -> None:
    total = 0
    for path in folder.rglob("*"):
        if path.is_symlink():
            raise ModelError(f"SavedModel {folder.name}: {path.name!r} is a link to another place", hint=_HOSTILE)
        total += path.stat().st_size if path.is_file() else 0
    graph = (folder / "saved_model.pb").stat().st_size
    if total > _TOTAL_LIMIT_BYTES or graph > _GRAPH_LIMIT_BYTES:
        raise ModelError(
            f"SavedModel {folder.name} has {total:,} bytes (its graph {graph:,}), "
            f"the limits are {_TOTAL_LIMIT_BYTES:,} and {_GRAPH_LIMIT_BYTES:,}",
            hint="no model for a small device is of that size",
        )


def _check_nodes(name: str, top: list[_Node], functions: dict[str, list[_Node]]) -> None:
    for function, nodes in [("", top), *functions.items()]:
        is_checkpoint = _CHECKPOINT.fullmatch(function) is not None
        where = f"SavedModel {name}" + (f", function {function[:80]!r}" if function else "")
        for node in nodes:
            if _FORBIDDEN.fullmatch(node.op) and not (is_checkpoint and node.op in _CHECKPOINT_OPS):
                raise ModelError(
                    f"{where}: operation {node.op} touches files, prints or runs other code", hint=_HOSTILE
                )
            called = [called for called in (node.op, *node.functions) if _CHECKPOINT.fullmatch(called)]
            if called and function:
                raise ModelError(f"{where} calls {called[0]!r}, which writes files", hint=_HOSTILE)


def _graphs(content: memoryview) -> tuple[list[_Node], dict[str, list[_Node]]]:
    """Return the nodes of all graphs, and those of each function in their libraries."""
    top: list[_Node] = []
    functions: dict[str, list[_Node]] = {}
    count = 0
    for meta in _children(content, 2):
        for graph in _children(meta, 2):
            top += [_node(node) for node in _children(graph, 1)]
            for library in _children(graph, 2):
                for function in _children(library, 1):
                    nodes = [_node(node) for node in _children(function, 3)]
                    functions.setdefault(_text(next(_children(next(_children(function, 1)), 1))), []).extend(nodes)
                    count += len(nodes)
    if len(top) + count > _LIMIT_NODES:
        raise ValueError(f"{len(top) + count:,} nodes, the limit is {_LIMIT_NODES:,}")
    if not top and not functions:
        raise ValueError("no graph in it")
    return top, functions


def _node(node: memoryview) -> _Node:
    op, functions = "", []
    for number, value in _fields(node):
        if number == 2:
            op = _text(value)
        elif number == 5:
            for attribute in _children(value, 2):
                functions += [_text(name) for call in _children(attribute, 10) for name in _children(call, 1)]
                for tensor in _children(attribute, 8):
                    _check_tensor(tensor, op)
    return _Node(op, tuple(functions))


def _check_tensor(tensor: memoryview, op: str) -> None:
    """A constant's shape may claim what its content does not hold: the rest is filled up."""
    elements = 1
    for shape in _children(tensor, 2):
        for dimension in _children(shape, 2):
            elements *= max(1, _number(dimension, 1))
    if elements > _LIMIT_ELEMENTS:
        raise ValueError(f"a constant of {op or 'a node'} claims {elements:,} elements")


def _text(value: memoryview) -> str:
    return bytes(value).decode("utf-8", errors="replace")


def _children(content: memoryview, field: int) -> Iterator[memoryview]:
    return (value for number, value in _fields(content) if number == field)


def _number(content: memoryview, field: int) -> int:
    """Return an integer field; 0 where it is absent."""
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        if key & 7 == 0:
            value, at = _varint(content, at)
            if key >> 3 == field:
                return value
        else:
            at = _skip(content, key & 7, at)
    return 0


def _fields(content: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield (number, content) of the fields that have a length; others are skipped."""
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        if key & 7 != 2:
            at = _skip(content, key & 7, at)
            continue
        length, at = _varint(content, at)
        if at + length > len(content):
            raise ValueError("a part is longer than what holds it")
        yield key >> 3, content[at : at + length]
        at += length


def _skip(content: memoryview, wire_type: int, at: int) -> int:
    if wire_type == 0:
        return _varint(content, at)[1]
    if wire_type == 2:
        length, at = _varint(content, at)
        return at + length
    if wire_type in (1, 5):
        return at + (8 if wire_type == 1 else 4)
    raise ValueError(f"wire type {wire_type}")


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number without an end")
