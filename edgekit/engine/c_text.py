"""Arrays, structs and headers as C text that a person can read."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from edgekit.engine.lowered import Constant
from edgekit.firmware_files import firmware_path

C_TYPES = {
    "int8": "int8_t",
    "uint8": "uint8_t",
    "int16": "int16_t",
    "uint16": "uint16_t",
    "int32": "int32_t",
    "int64": "int64_t",
    "bool": "uint8_t",
}
_LINE = 100
_LISTED_BYTES = 1 << 16
_WORDS_A_LINE = 5


def array(name: str, constant: Constant) -> str:
    """Return the definition of a constant array.

    Example:
        >>> import numpy as np
        >>> print(array("layer_0_shift", Constant("shift", np.array([-7, -8], np.int8), "(2)")), end="")
        static const int8_t layer_0_shift[2] = { /* (2) */
          -7, -8,
        };
    """
    if constant.values.nbytes > _LISTED_BYTES:
        return _in_words(name, constant)
    kind = C_TYPES[constant.values.dtype.name]
    head = f"static const {kind} {name}[{constant.values.size}] = {{ /* {constant.shape} */"
    return "\n".join([head, *_wrapped([int(value) for value in constant.values]), "};", ""])


def _in_words(name: str, constant: Constant) -> str:
    """The definition of a large array: a compiler takes some fifty bytes of memory for each number that it reads.

    A string would be as short as these words, but C++ wants a zero behind it in the array.
    """
    values = constant.values
    stored = values.astype(values.dtype.newbyteorder("<")).tobytes()
    words = np.frombuffer(stored + bytes(-len(stored) % 8), "<u8").tolist()
    kind = C_TYPES[values.dtype.name]
    rows = (words[start : start + _WORDS_A_LINE] for start in range(0, len(words), _WORDS_A_LINE))
    return "\n".join(
        [
            *comment(f"{constant.shape}, as words whose low byte comes first."),
            "static const union {",
            f"  uint64_t words[{len(words)}];",
            f"  {kind} values[{values.size}];",
            f"}} {name}_stored = {{{{",
            *("  " + " ".join([f"{word:#x}," for word in row]) for row in rows),
            "}};",
            f"#define {name} {name}_stored.values",
            "",
        ]
    )


def comment(text: str) -> list[str]:
    """Return a comment of as many lines as it takes.

    Example:
        >>> comment("Short.")
        ['/* Short. */']
    """
    lines = textwrap.wrap(text, _LINE + 6, break_long_words=False, break_on_hyphens=False)
    return ("/* " + "\n * ".join(lines) + " */").split("\n")


def hex_array_lines(data: bytes) -> list[str]:
    """Return the lines of a byte array, twelve bytes a line."""
    return ["  " + " ".join(f"0x{byte:02x}," for byte in data[start : start + 12]) for start in range(0, len(data), 12)]


def _wrapped(values: Sequence[int]) -> Iterable[str]:
    line = " "
    for value in values:
        item = f" {_literal(value)},"
        if len(line) + len(item) > _LINE:
            yield line
            line = " "
        line += item
    yield line


def _literal(value: int) -> str:
    # C has no negative literals: -2147483648 would be minus a value that int32 cannot hold.
    if value == -(2**31):
        return "INT32_MIN"
    if value == -(2**63):
        return "INT64_MIN"
    return str(value) if -(2**31) < value < 2**31 else f"INT64_C({value})"


def _value(value: Any, prefix: str) -> str:
    """The text of a struct's field."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return f"{prefix}_{value}"
    if isinstance(value, tuple):
        return "{" + ", ".join(_literal(int(item)) for item in value) + "}"
    return _literal(int(value))


def initializer(fields: Mapping[str, Any], prefix: str, indent: int = 1) -> list[str]:
    """Return the lines of a struct initializer; see `Lowered.fields` for what values mean.

    By position, with the name of each field beside it: what C++17 has not, and C++20 and C99 have, are designators.

    Example:
        >>> initializer({"window": {"rows": 3, "zero_point": -1}, "weights": "weights"}, "layer_0")
        ['  /* window */ {', '    /* rows */ 3, /* zero_point */ -1,', '  },', '  /* weights */ layer_0_weights,']
    """
    pad = "  " * indent
    lines: list[str] = []
    line = pad
    for name, value in fields.items():
        if isinstance(value, Mapping):
            lines += [line] if line.strip() else []
            lines += [f"{pad}/* {name} */ {{", *initializer(value, prefix, indent + 1), f"{pad}}},"]
            line = pad
            continue
        item = f"/* {name} */ {_value(value, prefix)},"
        if line.strip() and len(line) + 1 + len(item) > _LINE:
            lines.append(line)
            line = pad
        line += item if line == pad else f" {item}"
    return [*lines, line] if line.strip() else lines


def kernel_texts(kernels: Iterable[str], features: Sequence[str]) -> list[str]:
    """Return the text of the kernels and of all they include, each once, what is needed first.

    Args:
        kernels: header stems, e.g. ``conv_2d_s8``.
        features: of the target, best first: `<stem>.<feature>.h` wins over `<stem>.h`.

    Returns:
        One text a header, without include guards, local includes and what every emitted file includes.
    """
    done: dict[str, str] = {}

    def visit(stem: str) -> None:
        if stem in done:
            return
        text = _variant(stem, features)
        for needed in re.findall(r'^#include "([\w.]+)\.h"$', text, flags=re.MULTILINE):
            visit(needed)
        done[stem] = _body(text)

    for kernel in kernels:
        visit(kernel)
    return list(done.values())


def _variant(stem: str, features: Sequence[str]) -> str:
    folder = firmware_path("engine")
    for feature in features:
        path = folder / f"{stem}.{feature}.h"
        if path.is_file():
            return path.read_text()
    return (folder / f"{stem}.h").read_text()


def _body(text: str) -> str:
    text = re.sub(r"(?:\s|\n \*)*Twin:[\s\S]*?\.py\.(?=\s)", "", text)
    lines = [line for line in text.splitlines() if not re.match(r'#include ("|<(stdint|stddef|string)\.h>)', line)]
    kept = [line for line in lines if not re.fullmatch(r"#(ifndef|define) EK_\w+_H", line)]
    body = "\n".join(kept).strip()
    assert body.endswith("#endif"), "a kernel header ends with the #endif of its include guard"
    return re.sub(r"\n{3,}", "\n\n", body.removesuffix("#endif").strip()) + "\n"
