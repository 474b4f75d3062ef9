"""Whose bytes an ELF holds, read from its sections and from the linker's map."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

from edgekit.errors import ToolchainError

_WRITABLE, _ALLOCATED = 1, 2
# " .rodata.layer_0_weights  0x3f400000  0x120 model/keyword.o"; a long name puts the rest on the next line.
_MAP_LINE = re.compile(r"^ (\.\S+)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S+)$", re.MULTILINE)
# Constants that the compiler made for code, not for the model.
_CODE_CONSTANTS = (".rodata.str", ".rodata.cst", ".eh_frame")
_NAMED = {".arena": "arena", ".stack": "stack"}


@dataclass(frozen=True, slots=True)
class Split:
    """Bytes of an ELF by what they are.

    Attributes:
        weights: constants of the model.
        kernels: the engine's code, its literals included.
        application: every other byte that is stored.
        static: .data and .bss without arena and stack.
        arena: section .arena, the canaries around the arena included.
        stack: section .stack.
    """

    weights: int
    kernels: int
    application: int
    static: int
    arena: int
    stack: int


def split_bytes(elf: Path, link_map: str, model_object: str) -> Split:
    """Account for every byte of an ELF.

    Args:
        elf: linked with one section a function and a constant.
        link_map: text of the linker's map of that link.
        model_object: the model's object file as the map names it.

    Raises:
        ToolchainError: the map and the ELF contradict each other.
    """
    stored = 0
    ram = {"static": 0, "arena": 0, "stack": 0}
    with elf.open("rb") as stream:
        for section in ELFFile(stream).iter_sections():
            flags, size = section["sh_flags"], section["sh_size"]
            if not flags & _ALLOCATED:
                continue
            named = _NAMED.get(section.name)
            if section["sh_type"] != "SHT_NOBITS" and named is None:
                stored += size
            if flags & _WRITABLE:
                ram[named or "static"] += size
    weights, kernels = _model_bytes(link_map, model_object)
    if weights + kernels > stored:
        raise ToolchainError(
            f"{elf.name} stores {stored:,} B, but its map gives the model {weights + kernels:,} B",
            hint="the linker's map has an unknown form: report it with the linker's version (`ld --version`)",
        )
    return Split(weights, kernels, stored - weights - kernels, **ram)


def _model_bytes(link_map: str, model_object: str) -> tuple[int, int]:
    """Return (weights, kernels) of one object; what the linker dropped stands before the memory map."""
    placed = link_map.partition("Linker script and memory map")[2]
    weights = kernels = 0
    for name, _, size, owner in _MAP_LINE.findall(placed):
        if owner != model_object:
            continue
        if name.startswith((".text", ".literal", *_CODE_CONSTANTS)):
            kernels += int(size, 16)
        elif name.startswith((".rodata", ".srodata", ".data.rel.ro")):
            weights += int(size, 16)
    return weights, kernels
