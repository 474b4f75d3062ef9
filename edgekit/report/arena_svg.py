"""The arena over time as a picture: steps from left to right, bytes from bottom to top."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from xml.sax.saxutils import escape

from edgekit.report.arena_map import Band
from edgekit.report.plan import PlanReport

_WIDTH, _HEIGHT = 1000, 480
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 24, 56, 44
_LEGEND_ROW, _LEGEND_COLUMNS = 20, 2
_TICKS = 8
# A name is written into what is wide and tall enough for it.
_LETTER_WIDTH, _LINE_HEIGHT = 6.2, 14


def svg(report: PlanReport) -> str:
    """Draw the arena of a plan."""
    found, layers, arena_bytes = report.bands, report.layers, report.occupancy.arena_bytes
    legend = -(-len(found) // _LEGEND_COLUMNS) * _LEGEND_ROW
    total = _TOP + _HEIGHT + _BOTTOM + legend + 16
    width = _LEFT + _WIDTH + _RIGHT
    scale = _Scale(_WIDTH / max(1, len(layers)), _HEIGHT / max(1, arena_bytes))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{total}" '
        f'viewBox="0 0 {width} {total}" font-family="system-ui, sans-serif">',
        f'<rect width="{width}" height="{total}" fill="white"/>',
        f'<text x="{_LEFT}" y="24" font-size="16" font-weight="600">{escape(report.title)}</text>',
        f'<rect x="{_LEFT}" y="{_TOP}" width="{_WIDTH}" height="{_HEIGHT}" fill="#f6f6f6"/>',
        *_byte_axis(arena_bytes, scale),
        *(line for index, band in enumerate(found) for line in _band(band, index, scale)),
        *_layer_axis(layers, scale),
        *(_peak(report, scale) if layers else ()),
        f'<rect x="{_LEFT}" y="{_TOP}" width="{_WIDTH}" height="{_HEIGHT}" fill="none" stroke="#888"/>',
        *_legend(found),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


class _Scale:
    """Pixels of steps and of bytes."""

    def __init__(self, step: float, byte: float) -> None:
        self.step, self.byte = step, byte

    def x(self, step: float) -> float:
        return _LEFT + step * self.step

    def y(self, address: float) -> float:
        return _TOP + _HEIGHT - address * self.byte


def _color(index: int, kind: str) -> str:
    """Neighbors differ: hues go round by the golden angle; work memory is gray."""
    if kind == "scratch":
        return "#9a9a9a"
    parts = colorsys.hls_to_rgb(index * 137 % 360 / 360, 0.62 + index % 3 * 0.07, 0.6)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def _band(band: Band, index: int, scale: _Scale) -> list[str]:
    """Rectangles that touch are drawn as one shape, so that no seams show."""
    path = "".join(
        f"M{scale.x(piece.begin):.2f} {scale.y(piece.offset + piece.bytes):.2f}"
        f"H{scale.x(piece.end):.2f}V{scale.y(piece.offset):.2f}H{scale.x(piece.begin):.2f}Z"
        for piece in band.pieces
    )
    color = _color(index, band.kind)
    label = f"{band.name}: {band.bytes:,} B"
    lines = [
        f'<path d="{path}" fill="{color}" fill-opacity="0.85" stroke="{color}" stroke-width="0.6">'
        f"<title>{escape(label)}</title></path>"
    ]
    # The name stands in the middle of the rows.
    middle = sorted(band.pieces, key=lambda piece: piece.offset)[len(band.pieces) // 2]
    text = _short(band.name, int((middle.end - middle.begin) * scale.step / _LETTER_WIDTH) - 1)
    if text and band.rows == band.all_rows and band.bytes * scale.byte >= _LINE_HEIGHT:
        x, y = scale.x((middle.begin + middle.end) / 2), scale.y(middle.offset + middle.bytes / 2) + 4
        lines.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="11" text-anchor="middle">{escape(text)}</text>')
    return lines


def _short(name: str, letters: int) -> str:
    """The last two parts of a name in so many letters, or one; "" where hardly any would be left."""
    parts = [part for part in name.partition(";")[0].split("/") if part] or [name]
    last = parts[-1]
    for text in ("/".join(parts[-2:]), last):
        if len(text) <= letters:
            return text
    return f"{last[: letters - 1]}…" if letters >= 5 else ""


def _byte_axis(arena_bytes: int, scale: _Scale) -> list[str]:
    unit = max(1, 1 << max(0, (arena_bytes // _TICKS).bit_length() - 1))
    lines = []
    for address in [*range(0, arena_bytes - unit // 2, unit), arena_bytes]:
        y = scale.y(address)
        lines.append(f'<line x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        text = f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" font-size="11" text-anchor="end">{address:,}</text>'
        lines.append(text)
    return lines


def _layer_axis(layers: Sequence[str], scale: _Scale) -> list[str]:
    """Numbers of operators below the steps, as far as there is room."""
    lines, free = [], float("-inf")
    for step, layer in enumerate(layers):
        number = layer.split(" ")[0]
        x = scale.x(step + 0.5)
        if x - len(number) * _LETTER_WIDTH / 2 > free:
            free = x + (len(number) + 1) * _LETTER_WIDTH / 2
            y = _TOP + _HEIGHT + 16
            lines.append(f'<text x="{x:.1f}" y="{y}" font-size="11" text-anchor="middle">{escape(number)}</text>')
    caption = f"{len(layers)} steps, named by operator" if len(layers) != 1 else "1 step"
    y = _TOP + _HEIGHT + 34
    lines.append(f'<text x="{_LEFT + _WIDTH}" y="{y}" font-size="11" text-anchor="end">{escape(caption)}</text>')
    return lines


def _peak(report: PlanReport, scale: _Scale) -> list[str]:
    x = scale.x(report.occupancy.peak_step + 0.5)
    live = f"peak: {report.peak_bytes:,} B live"
    anchor = "start" if x < _LEFT + _WIDTH / 2 else "end"
    return [
        f'<path d="M{x:.1f} {_TOP - 10}V{_TOP + _HEIGHT}" stroke="#c00" stroke-dasharray="4 3"/>',
        f'<text x="{x:.1f}" y="{_TOP - 14}" font-size="11" fill="#c00" text-anchor="{anchor}">{live}</text>',
    ]


def _legend(found: Sequence[Band]) -> list[str]:
    lines = []
    for index, band in enumerate(found):
        x = _LEFT + index % _LEGEND_COLUMNS * _WIDTH / _LEGEND_COLUMNS
        y = _TOP + _HEIGHT + _BOTTOM + index // _LEGEND_COLUMNS * _LEGEND_ROW + 8
        color = _color(index, band.kind)
        ring = f", {band.rows} of {band.all_rows} rows" if band.rows < band.all_rows else ""
        work = "work memory of " if band.kind == "scratch" else ""
        text = f"{work}{_short(band.name, 48)}, {band.bytes:,} B{ring}"
        lines.append(f'<rect x="{x:.0f}" y="{y - 10}" width="12" height="12" fill="{color}"/>')
        lines.append(f'<text x="{x + 18:.0f}" y="{y}" font-size="12">{escape(text)}</text>')
    return lines
