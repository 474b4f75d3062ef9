"""What tells a model in flash from a damaged one: a CRC-32 over all of its constants."""

from __future__ import annotations

import binascii

from edgekit.engine import schedule
from edgekit.engine.lowered import Constant
from edgekit.engine.program import Program

ADD = "uint32_t (*add)(uint32_t crc, const uint8_t *data, uint32_t bytes)"
"""The parameter that computes: the application may have a CRC unit, or a CRC-32 already."""


def crc32(made: Program) -> int:
    """Return the CRC-32 (of zlib and Ethernet) of all constants, in the order of the layers, low byte first."""
    crc = 0
    for _, constant in _constants(made):
        values = constant.values
        crc = binascii.crc32(values.astype(values.dtype.newbyteorder("<")).tobytes(), crc)
    return crc


def declaration(made: Program, stem: str) -> str:
    """Return what `<stem>.h` says."""
    return "\n".join(
        [
            "/* Whether the constants in flash are whole: what this returns is then the number above it. `add` goes on",
            " * with a CRC-32 as zlib's crc32 does, from 0; nothing calls it but the application. */",
            f"#define {stem.upper()}_CONSTANTS_CRC {crc32(made):#010x}u",
            f"uint32_t {stem}_constants_crc({ADD});",
            "",
        ]
    )


def function(made: Program, stem: str) -> str:
    """Return the C of `<stem>_constants_crc`."""
    names = [name for name, _ in _constants(made)]
    lines = [f"  crc = add(crc, (const uint8_t *){name}, (uint32_t)sizeof {name});" for name in names]
    body = ["  uint32_t crc = 0;", *lines, "  return crc;"] if lines else ["  (void)add;", "  return 0;"]
    return "\n".join([f"uint32_t {stem}_constants_crc({ADD}) {{", *body, "}", ""])


def _constants(made: Program) -> list[tuple[str, Constant]]:
    """(C name, constant), as `edgekit.engine.c_layers` writes them."""
    found = []
    for index in schedule.constant_inputs(made.graph, made.lowered):
        data = made.graph.tensors[index].data
        assert data is not None
        found.append((f"tensor_{index}", Constant("", data.reshape(-1), "")))
    for item in made.lowered:
        if item.kernel:
            found += [(f"{item.name}_{constant.name}", constant) for constant in item.constants]
    return found
