"""Pictures of numbers, as SVG that reads without colour: each mark has its number beside it."""

from collections.abc import Callable, Sequence
from typing import Any

from markupsafe import Markup

WIDTH, HEIGHT, MARGIN = 640, 132, 24


def interval_chart(difference: dict[str, Any]) -> Markup:
    """The difference to the holdout: the interval that is valid at each look, the one of one look, and no effect."""
    estimate, wide, narrow = (difference[name] for name in ("estimate", "at_each_look", "at_one_look"))
    if estimate is None or wide is None:
        return Markup("")
    ends = [0.0, estimate, *wide, *(narrow or ())]
    low, high = float(min(ends)), float(max(ends))
    room = (high - low or 0.02) * 0.08
    low, high = low - room, high + room

    def x(value: float) -> float:
        return round(MARGIN + (value - low) / (high - low) * (WIDTH - 2 * MARGIN), 1)

    rows = [
        Markup(
            '<line class="axis" x1="{x}" x2="{x}" y1="14" y2="104"/><text class="note" x="{x}" y="124" '
            'text-anchor="middle">no effect</text>'
        ).format(x=x(0.0)),
        _bar(x, wide, 44, "wide"),
    ]
    if narrow is not None:
        rows.append(_bar(x, narrow, 84, "narrow"))
    point = Markup('<circle class="point" cx="{}" cy="{}" r="6"/>')
    rows += [point.format(x(estimate), y) for y in ((44, 84) if narrow is not None else (44,))]
    said = f"Difference {_points(estimate)}, between {_points(wide[0])} and {_points(wide[1])} however often one looks"
    return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, HEIGHT, said, Markup("").join(rows)
    )


def _bar(x: Callable[[float], float], interval: Sequence[float], y: int, kind: str) -> Markup:
    title = {"wide": "however often one looks", "narrow": "at one look"}[kind]
    return Markup(
        '<line class="{kind}" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>'
        '<text class="note" x="{left}" y="{above}">{low}</text>'
        '<text class="note" x="{right}" y="{above}" text-anchor="end">{high} · {title}</text>'
    ).format(
        kind=kind,
        left=x(interval[0]),
        right=x(interval[1]),
        y=y,
        above=y - 14,
        low=_points(interval[0]),
        high=_points(interval[1]),
        title=title,
    )


def _points(share: float) -> str:
    return f"{share * 100:+.1f} points"
