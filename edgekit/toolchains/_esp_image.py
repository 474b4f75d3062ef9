"""Flashable images of Espressif's chips: what the ROM loads into RAM, and what the start-up maps from flash.

The ROM cannot load an image with flash segments (it would need padding segments, loaded to address 0), so the image
that it boots holds the RAM sections alone; code and constants are raw binaries at flash pages of their own.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile

from edgekit.atomic import write_atomically
from edgekit.errors import ToolchainError
from edgekit.targets import Target
from edgekit.toolchains._gcc import Images, run

ESPTOOL = (sys.executable, "-m", "esptool")
# Section of the ELF, symbol with its flash page, file.
_MAPPED = ((".irom", "_ek_code_page", "code.bin"), (".drom", "_ek_data_page", "constants.bin"))
_PAGE_BITS = 16


@dataclass(frozen=True, slots=True)
class EspImage:
    """How one chip boots; an instance is the `images` of a compiler.

    Attributes:
        boot_address: where the ROM looks for the image in flash.
        objcopy: the compiler's objcopy.
        package: the Debian package that brings it.
    """

    boot_address: int
    objcopy: str
    package: str

    def __call__(self, elf: Path, target: Target) -> Images:
        """Write `boot.bin`, `code.bin` and `constants.bin` beside the ELF.

        Args:
            elf: linked with sections .irom and .drom for what stays in flash.
            target: its port is the chip's name in esptool.

        Returns:
            (flash address, file), lowest address first.

        Raises:
            ToolchainError: esptool or objcopy failed, or the images overlap.
        """
        boot = elf.parent / "boot.bin"
        write_atomically(boot, self._boot_image(elf, target))
        images = [(self.boot_address, boot)]
        with elf.open("rb") as stream:
            file = ELFFile(stream)
            symbols = file.get_section_by_name(".symtab")
            for section, symbol, name in _MAPPED:
                page = symbols.get_symbol_by_name(symbol)[0]["st_value"]
                path = elf.parent / name
                write_atomically(path, file.get_section_by_name(section).data())
                images.append((page << _PAGE_BITS, path))
        _check_overlap(images)
        return tuple(images)

    def _boot_image(self, elf: Path, target: Target) -> bytes:
        with tempfile.TemporaryDirectory(prefix="edgekit-") as folder:
            work = Path(folder)
            (work / "full.elf").write_bytes(elf.read_bytes())
            removed = [f"--remove-section={section}" for section, _, _ in _MAPPED]
            run([self.objcopy, *removed, "full.elf", "ram.elf"], work, package=self.package)
            # 40 MHz, dual I/O: what every board's flash can do.
            flash = ["--flash-mode", "dio", "--flash-freq", "40m", "--flash-size", f"{target.flash_bytes >> 20}MB"]
            command = [*ESPTOOL, "--chip", target.port, "elf2image", *flash, "--output", "boot.bin", "ram.elf"]
            run(command, work, package="python3-esptool")
            return (work / "boot.bin").read_bytes()


def _check_overlap(images: list[tuple[int, Path]]) -> None:
    for (address, path), (following, _) in itertools.pairwise(images):
        if address + path.stat().st_size > following:
            raise ToolchainError(
                f"{path.name} at 0x{address:x} ({path.stat().st_size:,} B) reaches into the image at 0x{following:x}",
                hint="move the pages in the port's linker script apart",
            )
