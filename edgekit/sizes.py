"""Sizes in bytes and counts as people write them."""

from __future__ import annotations

import re

from edgekit.errors import UsageError

_THOUSANDS = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3}
_UNITS = {"": 1, "b": 1, "kb": 1000, "kib": 1024, "mb": 1000**2, "mib": 1024**2}


def size_bytes(text: str | int, *, name: str) -> int:
    """Return how many bytes a text means.

    Args:
        text: a number of bytes, or a number with kB, KiB, MB or MiB behind it.
        name: of the option or setting, for the error.

    Raises:
        UsageError: it is no such text, or no whole number of bytes above zero.

    Example:
        >>> size_bytes("36KiB", name="--max-ram"), size_bytes("37 kB", name="--max-ram"), size_bytes(512, name="x")
        (36864, 37000, 512)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", str(text).replace(",", "").lower(), flags=re.ASCII)
    size = float(found.group(1)) * _UNITS.get(found.group(2), 0) if found is not None else 0.0
    if size < 1 or not size.is_integer():
        raise UsageError(
            f"{name} is {text!r}, expected a size in bytes", hint=f"write {name} as 37000, 36KiB, 37kB or 1MiB"
        )
    return int(size)


def count(text: str | int, *, name: str) -> int:
    """Return the number that a text means.

    Args:
        text: a whole number above zero, or one with k, M or G behind it.
        name: of the option or setting, for the error.

    Raises:
        UsageError: it is no such text.

    Example:
        >>> count("5M", name="--max-instructions"), count("1.5k", name="x"), count(70, name="x")
        (5000000, 1500, 70)
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmg]?)\s*", str(text).replace(",", "").lower(), flags=re.ASCII)
    number = float(found.group(1)) * _THOUSANDS[found.group(2)] if found is not None else 0.0
    if number < 1 or not number.is_integer():
        raise UsageError(f"{name} is {text!r}, expected a number", hint=f"write {name} as 5000000, 5M or 800k")
    return int(number)
