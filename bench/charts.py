"""Charts as SVG: lines over a logarithmic scale, and bars. They follow the reader's dark or light page."""

from collections.abc import Mapping, Sequence
from html import escape
from math import log10
from typing import NamedTuple

WIDTH = 720
PANEL = 340
COLOURS = ("#2f6f9f", "#c2703d", "#4c8c4a", "#8a5a9e")
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#333}.title{font-weight:600;font-size:13px}.faint{fill:#777}"
    ".axis{stroke:#bbb;stroke-width:1;fill:none}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}.faint{fill:#999}.axis{stroke:#555}.page{fill:#1e2129}}"
)


class Bar(NamedTuple):
    name: str
    usd: float
    note: str = ""


class Panel(NamedTuple):
    """One chart of lines: for each line its value at each size."""

    title: str
    sizes: Sequence[int]
    lines: Mapping[str, Sequence[float]]


def lines(panels: Sequence[Panel], *, unit: str, label: str) -> str:
    """Two panels in a row, all with the same scale from 1 on, both axes logarithmic."""
    highest = max(value for panel in panels for values in panel.lines.values() for value in values)
    top = max(1.0, log10(highest)) * 1.05
    height, rows = 250, -(-len(panels) // 2)
    parts = [
        _panel(panel, index % 2 * (PANEL + 40), 50 + index // 2 * height, top) for index, panel in enumerate(panels)
    ]
    names = list(panels[0].lines)
    legend = "".join(
        f'<circle cx="{16 + at * 230}" cy="30" r="5" fill="{COLOURS[at]}"/>'
        f'<text x="{26 + at * 230}" y="34">{escape(name)}</text>'
        for at, name in enumerate(names)
    )
    title = f'<text class="title" x="10" y="14">{escape(unit)}</text>'
    return _svg(60 + rows * height, label, title + legend + "".join(parts))


def _panel(panel: Panel, left: int, top: int, most: float) -> str:
    x0, y0, wide, high = left + 40, top + 190, PANEL - 70, 160
    first, last = log10(panel.sizes[0]), log10(panel.sizes[-1])

    def x(size: float) -> float:
        return x0 + wide * (log10(size) - first) / ((last - first) or 1)

    def y(value: float) -> float:
        return y0 - high * log10(max(value, 1)) / most

    parts = [f'<text class="title" x="{x0}" y="{top + 14}">{escape(panel.title)}</text>']
    parts.append(f'<path class="axis" d="M{x0} {y0 - high}V{y0}H{x0 + wide}"/>')
    parts += [
        f'<text class="faint" x="{x0 - 6}" y="{y(value) + 4:.0f}" text-anchor="end">{value}</text>'
        for value in (1, 3, 10, 30, 100, 300, 1000, 3000)
        if log10(value) <= most
    ]
    parts += [
        f'<text class="faint" x="{x(size):.0f}" y="{y0 + 16}" text-anchor="middle">{size:,}</text>'
        for size in panel.sizes
    ]
    for at, values in enumerate(panel.lines.values()):
        points = [(x(size), y(value)) for size, value in zip(panel.sizes, values, strict=True)]
        drawn = " ".join(f"{across:.1f},{up:.1f}" for across, up in points)
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{COLOURS[at]}" stroke-width="2"/>')
        parts += [f'<circle cx="{across:.1f}" cy="{up:.1f}" r="3" fill="{COLOURS[at]}"/>' for across, up in points]
    return "".join(parts)


def bars(rows: Sequence[Bar], *, title: str, label: str) -> str:
    """One bar a row, with its value at its end."""
    left, row, high = 220, 26, max(bar.usd for bar in rows) or 1
    wide = WIDTH - left - 150
    parts = [f'<text class="title" x="10" y="18">{escape(title)}</text>']
    for at, bar in enumerate(rows):
        top = 32 + at * row
        length = wide * bar.usd / high
        parts.append(f'<text x="{left - 8}" y="{top + 14}" text-anchor="end">{escape(bar.name)}</text>')
        parts.append(f'<rect x="{left}" y="{top}" width="{max(length, 1):.1f}" height="18" fill="{COLOURS[0]}"/>')
        value = f"{bar.usd:,.2f}" if bar.usd < 10 else f"{bar.usd:,.0f}"  # noqa: PLR2004  cents where they matter
        parts.append(f'<text x="{left + length + 8:.1f}" y="{top + 14}">{value} {escape(bar.note)}</text>')
    return _svg(44 + len(rows) * row, label, "".join(parts))


def _svg(height: int, label: str, content: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(label)}"><style>{STYLE}</style>'
        f'<rect class="page" width="{WIDTH}" height="{height}" fill="#fff"/>{content}</svg>\n'
    )
