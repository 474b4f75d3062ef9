"""What lies where in the ELF and in the flashable images. Emulators forgive what chips do not: byte data in RAM
for instructions, segments over the ROM's own memory, padding that the ROM would load to address 0."""

from __future__ import annotations

import dataclasses
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from fake_sources import table
from test_toolchains import board, compiled

from edgekit import toolchains
from edgekit.deploy import emulate_qemu
from edgekit.deploy.flash_esptool import merge_flash_image
from edgekit.engine import emit_aot
from edgekit.engine.options import EngineOptions
from edgekit.errors import ToolchainError
from edgekit.tflite.graph import read as graph_of
from edgekit.toolchains import Firmware

# Name of the target, section of the weights, [low, high) of flash as the core sees it.
FLASH = {
    "cortex-m0": (".rodata", 0x0000_0000, 0x0004_0000),
    "cortex-m3": (".rodata", 0x0000_0000, 0x0008_0000),
    "cortex-m33": (".rodata", 0x1000_0000, 0x1010_0000),
    "cortex-m4": (".rodata", 0x0000_0000, 0x0010_0000),
    "cortex-m55": (".rodata", 0x1100_0000, 0x1120_0000),
    "esp32": (".drom", 0x3F40_0000, 0x3F80_0000),
    "cortex-m7": (".rodata", 0x0000_0000, 0x0020_0000),
    "esp32c3": (".drom", 0x3C00_0000, 0x3C80_0000),
    "riscv32": (".rodata", 0x8000_0000, 0x8010_0000),
}
# [low, high) that the ROM's loader may fill, and that only 32-bit loads reach.
LOADABLE = {
    "esp32": ((0x3FFB_0000, 0x3FFE_0000), (0x4008_0000, 0x400A_0000)),
    "esp32c3": ((0x3FC8_0000, 0x3FCD_C710), (0x4038_0000, 0x403D_C710)),
}
WORDS_ONLY = {"esp32": ((0x4008_0000, 0x400A_0000), (0x400D_0000, 0x4040_0000)), "esp32c3": ()}
WEIGHTS = bytes(value % 256 for value in table(1009))


@pytest.fixture(scope="module", params=FLASH)
def firmware(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Firmware:
    """Firmware of the fake model, with a variable that has a value, so that there is a .data."""
    extra = "int counter = 5;\n"
    return compiled(board(request.param), tmp_path_factory.mktemp(request.param), extra=extra)


def sections(path: Path) -> dict[str, tuple[int, int, str, bytes]]:
    """Name -> (address, bytes, type, content) of what the program occupies."""
    with path.open("rb") as stream:
        return {
            section.name: (section["sh_addr"], section["sh_size"], section["sh_type"], section.data())
            for section in ELFFile(stream).iter_sections()
            if section["sh_flags"] & 2
        }


def objects(path: Path) -> list[tuple[str, int, int]]:
    """(name, address, bytes) of every data object."""
    with path.open("rb") as stream:
        symbols = ELFFile(stream).get_section_by_name(".symtab").iter_symbols()
        return [
            (symbol.name, symbol["st_value"], symbol["st_size"])
            for symbol in symbols
            if symbol["st_info"]["type"] == "STT_OBJECT" and symbol["st_size"] > 0
        ]


def test_weights_are_in_flash_and_nowhere_else(firmware: Firmware) -> None:
    section, low, high = FLASH[firmware.target.name]
    found = sections(firmware.elf)
    address, size, _, content = found[section]
    assert low <= address < address + size <= high
    assert content.count(WEIGHTS) == 1
    assert all(WEIGHTS not in item[3] for name, item in found.items() if name != section)
    table_at = next(at for name, at, _ in objects(firmware.elf) if name == "layer_0_table")
    assert address <= table_at < address + size


@pytest.mark.parametrize("name", FLASH)
def test_a_trained_model_stays_in_flash(name: str, repository: Path, tmp_path: Path) -> None:
    target = board(name)
    graph = graph_of(repository / "models" / "digits" / "model.tflite")
    sources = emit_aot.emit(graph, "digits", options=EngineOptions(target.features))
    built = toolchains.load(target.toolchain).compile(sources, target, tmp_path)
    section, _, _ = FLASH[name]
    found = sections(built.elf)
    address, size, _, _ = found[section]
    layers = [(at, length) for symbol, at, length in objects(built.elf) if symbol.startswith("layer_")]
    assert sum(length for _, length in layers) >= sources.weights_bytes > 1000
    assert all(address <= at and at + length <= address + size for at, length in layers)
    assert sources.weights_bytes <= built.weights_bytes <= sources.weights_bytes * 1.1 + 1024
    # What the harness and the self-test initialize; no tensor is that small.
    assert found[".data"][1] < 64


def test_arena_and_stack_are_not_stored(firmware: Firmware) -> None:
    found = sections(firmware.elf)
    for name in (".arena", ".stack", ".bss"):
        assert found[name][2] == "SHT_NOBITS"
        assert found[name][0] % 16 == 0
    assert found[".arena"][1] >= firmware.arena_bytes
    assert found[".stack"][1] == firmware.stack_reserved_bytes > 0


def test_no_byte_data_where_only_words_can_be_loaded(firmware: Firmware) -> None:
    for low, high in WORDS_ONLY.get(firmware.target.name, ()):
        assert [name for name, at, _ in objects(firmware.elf) if low <= at < high] == []
    found = sections(firmware.elf)
    assert set(found) <= {
        ".vectors",
        ".iram",
        ".irom",
        ".drom",
        ".data",
        ".bss",
        ".arena",
        ".stack",
        ".text",
        ".rodata",
    }


@pytest.mark.parametrize("name", LOADABLE)
def test_the_boot_image_is_one_that_the_rom_can_load(name: str, tmp_path: Path) -> None:
    built = compiled(board(name), tmp_path, extra="int counter = 5;\n")
    address, boot = built.images[0]
    assert address == {"esp32": 0x1000, "esp32c3": 0}[name]
    content = boot.read_bytes()
    magic, count, _, _, entry = struct.unpack_from("<BBBBI", content)
    assert magic == 0xE9
    offset, ranges = 24, LOADABLE[name]
    for _ in range(count):
        low, size = struct.unpack_from("<II", content, offset)
        assert any(first <= low and low + size <= last for first, last in ranges), hex(low)
        offset += 8 + size
    assert ranges[1][0] <= entry < ranges[1][1]
    said = subprocess.run(
        [sys.executable, "-m", "esptool", "--chip", name, "image-info", str(boot)],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert said.count("(valid)") == 2
    assert "PADDING" not in said


@pytest.mark.parametrize("name", LOADABLE)
def test_mapped_images_hold_the_sections_at_their_pages(name: str, tmp_path: Path) -> None:
    built = compiled(board(name), tmp_path)
    found = sections(built.elf)
    assert [at for at, _ in built.images[1:]] == [0x10000, 0x100000]
    assert [path.read_bytes() for _, path in built.images[1:]] == [found[".irom"][3], found[".drom"][3]]


def test_merged_flash_holds_every_image(tmp_path: Path) -> None:
    built = compiled(board("esp32"), tmp_path)
    merge_flash_image(built, tmp_path / "flash.bin")
    flash = (tmp_path / "flash.bin").read_bytes()
    assert len(flash) == 4 * 1024 * 1024
    for address, path in built.images:
        content = path.read_bytes()
        assert flash[address : address + len(content)] == content


def test_a_qemu_with_the_whole_chip_boots_the_flash_image(tmp_path: Path) -> None:
    """A program in QEMU's place keeps what it was given and ends; the real one is not packaged by Debian."""
    built = compiled(board("esp32"), tmp_path / "built")
    program = tmp_path / "qemu-system-fake"
    program.write_text(
        "#!/bin/sh\n"
        'if [ "$2" = help ]; then echo Supported machines are:; echo "esp32    Espressif ESP32"; exit 0; fi\n'
        f'echo "$@" > {tmp_path}/arguments\n'
        f'for word in "$@"; do case $word in file=*) name=${{word#file=}};'
        f' cp "${{name%%,*}}" {tmp_path}/booted;; esac; done\n'
        "echo no chip today >&2; exit 1\n"
    )
    program.chmod(0o755)
    assert built.target.emulator is not None
    emulator = dataclasses.replace(built.target.emulator, command=str(program))
    made = dataclasses.replace(built, target=dataclasses.replace(built.target, emulator=emulator))
    with pytest.raises(ToolchainError, match="no chip today"):
        emulate_qemu.open(made)
    arguments = (tmp_path / "arguments").read_text()
    assert "-M esp32 -drive file=" in arguments
    assert "kc705" not in arguments and "-kernel" not in arguments
    merge_flash_image(built, tmp_path / "flash.bin")
    assert (tmp_path / "booted").read_bytes() == (tmp_path / "flash.bin").read_bytes()
    assert not Path(arguments.partition("file=")[2].partition(",")[0]).exists()


def test_the_second_link_has_the_same_code_at_other_addresses(tmp_path: Path) -> None:
    built = compiled(board("esp32c3"), tmp_path)
    chip, emulated = sections(built.elf), sections(built.emulated_elf)
    assert set(chip) == set(emulated)
    assert emulated[".drom"][0] == 0x8040_0000
    assert WEIGHTS in emulated[".drom"][3]
    assert [chip[name][1] for name in (".bss", ".arena", ".stack")] == [
        emulated[name][1] for name in (".bss", ".arena", ".stack")
    ]
