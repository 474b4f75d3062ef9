"""Prefix codes of runs of zeros and of the weights behind them. Twin: firmware/engine/unpack_prefix.h.

Where there are many zeros, a code of whole bits for each of them would be longer than it need be. So a unit is runs of
zeros, each with a weight behind it that is none; the longest run stands for so many zeros and no weight. Where there
are few, the weights stand alone, zeros among them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgekit.engine.lowered import Constant
from edgekit.engine.packings import Packed
from edgekit.engine.packings._prefix_code import PrefixCode, prefix_code

_LONGEST_RUNS = (1, 3, 7, 15, 31, 63)
_AT_ONCE = 1 << 20  # weights whose bits are spread out in memory
_BEHIND = 4  # bytes that may be read behind the last code
_AS_THEY_ARE = PrefixCode(np.full(256, 8, np.uint8), np.arange(256, dtype=np.uint16), np.zeros(0, np.uint8))


@dataclass(frozen=True, slots=True, eq=False)
class _Coding:
    """What stands in the table of a layer.

    Attributes:
        longest_run: of zeros; 0 where the weights stand alone.
        runs, values: their codes; `_AS_THEY_ARE` has no table.
        bits: of the table and all codes.
    """

    longest_run: int
    runs: PrefixCode
    values: PrefixCode
    bits: int

    @property
    def table(self) -> NDArray[np.int8]:
        """Longest run; where the code of weights begins, 0 where they are 8 bits each; both codes."""
        begin = 2 + len(self.runs.table) if len(self.values.table) else 0
        return (
            np.concatenate([[self.longest_run, begin], self.runs.table, self.values.table]).astype(np.uint8).view("i1")
        )


def pack(weights: NDArray[np.int8], unit: int) -> Packed | None:
    """Pack weights, first bits in the highest bits of a byte; see `edgekit.engine.packings.Packing`.

    Example:
        >>> made = pack(np.array([0, 0, 5, 0, 0, 0, 0, 0, 5, 0, 0, 5], np.int8), 12)
        >>> f"{made.codes.values[0]:08b}"
        '00100000'
    """
    chunk = max(unit, _AT_ONCE // unit * unit)
    chunks = [weights[start : start + chunk] for start in range(0, len(weights), chunk)]
    lengths = np.sum([_Zeros(part, unit).lengths for part in chunks], axis=0)
    coding = _coding(lengths, np.bincount(weights.view(np.uint8), minlength=256))
    codes = np.concatenate([*(_written(_Zeros(part, unit), coding) for part in chunks), np.zeros(_BEHIND, np.uint8)])
    return Packed(
        "prefix",
        Constant("codes", codes, f"{len(weights)} weights, and {_BEHIND} bytes that may be read"),
        Constant("values", coding.table, "codes of runs of zeros and of weights"),
    )


class _Zeros:
    """Where whole units of a stream are zero.

    Attributes:
        weights: the stream.
        unit: weights of a unit.
        places: of those that are not zero.
        before: zeros in front of each of those, in its unit.
        behind: zeros at the end of each unit.
    """

    def __init__(self, weights: NDArray[np.int8], unit: int) -> None:
        self.weights, self.unit = weights, unit
        self.places = np.flatnonzero(weights)
        self.before = self.places - np.maximum(np.concatenate([[0], self.places + 1])[:-1], self.places // unit * unit)
        begins = np.arange(0, len(weights), unit)
        ends = np.minimum(begins + unit, len(weights))
        last = np.concatenate([[0], self.places + 1])[np.searchsorted(self.places, ends)]
        self.behind = ends - np.maximum(last, begins)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How often so many zeros stand in front of a weight, and at the end of a unit, shape (2, unit + 1)."""
        return np.stack([np.bincount(zeros, minlength=self.unit + 1) for zeros in (self.before, self.behind)])


def _coding(lengths: NDArray[np.int64], counts: NDArray[np.int64]) -> _Coding:
    """The one of fewest bits, where runs of zeros are so long, and weights occur so often, shape (256)."""
    alone = prefix_code(counts)
    codings = [_Coding(0, _AS_THEY_ARE, alone, _bits(alone, counts))]
    counts = np.concatenate([[0], counts[1:]])
    values = _AS_THEY_ARE
    if counts.any() and _bits(prefix_code(counts), counts) < _bits(values, counts):
        values = prefix_code(counts)
    for longest_run in _LONGEST_RUNS:
        of_runs = _runs(lengths, longest_run)
        runs = prefix_code(of_runs)
        codings.append(_Coding(longest_run, runs, values, _bits(runs, of_runs) + _bits(values, counts)))
    return min(codings, key=lambda coding: coding.bits)


def _runs(lengths: NDArray[np.int64], longest_run: int) -> NDArray[np.int64]:
    """How often each run occurs, shape (256); see `_Zeros.lengths`."""
    before, behind = lengths
    zeros = np.arange(len(before))
    counts = np.bincount(zeros % longest_run, before, minlength=256)
    counts[longest_run] = (before * (zeros // longest_run) + behind * -(-zeros // longest_run)).sum()
    return counts.astype(np.int64)


def _bits(code: PrefixCode, counts: NDArray[np.int64]) -> int:
    return int((counts * code.lengths).sum()) + 8 * len(code.table)


def _tokens(zeros: _Zeros, coding: _Coding) -> tuple[NDArray[np.uint16], NDArray[np.uint8], NDArray[np.int64]]:
    """Codes, their lengths, and the unit of each."""
    if coding.longest_run == 0:
        symbols = zeros.weights.view(np.uint8)
        return coding.values.codes[symbols], coding.values.lengths[symbols], np.arange(len(symbols)) // zeros.unit
    # An item is a weight with the zeros in front of it, or the zeros at the end of a unit.
    units = np.concatenate([zeros.places // zeros.unit, np.arange(len(zeros.behind))])
    order = np.argsort(units, kind="stable")
    whole = np.concatenate([zeros.before // coding.longest_run, -(-zeros.behind // coding.longest_run)])
    tokens = (whole + np.where(np.arange(len(units)) < len(zeros.places), 2, 0))[order]
    ends = np.cumsum(tokens)
    codes = np.full(tokens.sum(), coding.runs.codes[coding.longest_run])
    lengths = np.full(tokens.sum(), coding.runs.lengths[coding.longest_run])
    last = ends[order < len(zeros.places)] - 1
    for places, code, symbols in (
        (last - 1, coding.runs, zeros.before % coding.longest_run),
        (last, coding.values, zeros.weights[zeros.places].view(np.uint8)),
    ):
        codes[places], lengths[places] = code.codes[symbols], code.lengths[symbols]
    return codes, lengths, np.repeat(units[order], tokens)


def _written(zeros: _Zeros, coding: _Coding) -> NDArray[np.uint8]:
    """The codes of all units, each filled up to whole bytes."""
    codes, lengths, units = _tokens(zeros, coding)
    unit_bits = np.bincount(units, lengths, minlength=len(zeros.behind)).astype(np.int64)
    fill = -unit_bits % 8
    filled = np.concatenate([[0], np.cumsum(fill)])
    ends = np.cumsum(lengths.astype(np.int64)) + filled[units]
    bits = np.zeros(unit_bits.sum() + filled[-1], np.uint8)
    for place in range(int(lengths.max(initial=0))):
        longer = lengths > place
        bits[ends[longer] - 1 - place] = codes[longer] >> place & 1
    return np.packbits(bits)
