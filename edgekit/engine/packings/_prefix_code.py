"""Canonical prefix codes of limited length (Huffman 1952; Larmore and Hirschberg 1990, package-merge)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LONGEST = 12  # bits: two codes and less than a byte of others fill no more than a window of 32 bits
_SHORT = 8


@dataclass(frozen=True, slots=True, eq=False)
class PrefixCode:
    """A code for symbols 0..255; symbols of one length have codes one behind the other, longer ones behind shorter.

    Attributes:
        lengths: of each symbol's code, in bits, shape (256); 0 too where there is one symbol only.
        codes: shape (256).
        table: what `firmware/engine/unpack_prefix.h` decodes with. The shortest length; where the symbols begin; for
            each length up to 8 the largest 8 bits that begin with a code of it or of a shorter one, and what a code of
            it is to be increased by, modulo 256, to be the place of its symbol; where there are longer ones 255, and
            the same of them with the largest 16 bits, the lower byte first; the symbols.
    """

    lengths: NDArray[np.uint8]
    codes: NDArray[np.uint16]
    table: NDArray[np.uint8]


def prefix_code(counts: NDArray[np.int64]) -> PrefixCode:
    """Return the best code for symbols that occur so often.

    Args:
        counts: shape (256).

    Example:
        >>> made = prefix_code(np.bincount([3, 3, 3, 9, 7], minlength=256))
        >>> [(int(made.lengths[symbol]), int(made.codes[symbol])) for symbol in (3, 7, 9)]
        [(1, 0), (2, 2), (2, 3)]
    """
    used = np.flatnonzero(counts)
    lengths = np.zeros(256, np.uint8)
    lengths[used] = _lengths([int(count) for count in counts[used]])
    symbols = used[np.argsort(lengths[used], kind="stable")]
    codes = np.zeros(256, np.uint16)
    rows: list[int] = []
    shortest, longest = (int(lengths[symbols[end]]) for end in (0, -1))
    code = place = 0
    for length in range(shortest, longest + 1):
        code <<= length > shortest
        base = (place - code) % 256
        for symbol in symbols[lengths[symbols] == length]:
            codes[symbol] = code
            code, place = code + 1, place + 1
        if length <= _SHORT:
            rows += [(code << _SHORT - length) - 1, base]
            continue
        largest = (code << 16 - length) - 1
        rows += [*([255] if length == _SHORT + 1 else []), largest % 256, largest // 256, base]
    table = np.array([shortest, 2 + len(rows), *rows, *symbols], np.uint8)
    return PrefixCode(lengths, codes, table)


def _lengths(counts: list[int]) -> list[int]:
    """Bits of each symbol's code, at most LONGEST: the cheapest 2n - 2 of the symbols and of pairs of such."""
    if len(counts) < 2:
        return [0] * len(counts)
    leaves = [(count, (symbol,)) for symbol, count in enumerate(counts)]
    merged: list[tuple[int, tuple[int, ...]]] = []
    for _ in range(LONGEST):
        pairs = zip(merged[0::2], merged[1::2], strict=False)
        merged = sorted([*leaves, *((first[0] + second[0], first[1] + second[1]) for first, second in pairs)])
    lengths = [0] * len(counts)
    for _, symbols in merged[: 2 * len(counts) - 2]:
        for symbol in symbols:
            lengths[symbol] += 1
    return lengths
