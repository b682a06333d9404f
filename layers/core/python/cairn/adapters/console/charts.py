"""Pictures of numbers, as SVG that reads without colour: each mark has its number beside it."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from markupsafe import Markup

WIDTH, HEIGHT, MARGIN = 640, 132, 24
HALF_A_LABEL = 170
TOP, BOTTOM, LAST_X = 16, 216, 540
"""Of the picture over time: its right margin has the numbers."""


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


def lift_chart(looks: Sequence[dict[str, Any]]) -> Markup:
    """The difference day by day: a line, the band in which it lies however often one looks, and no effect.

    Empty for fewer than two days with an interval. The numbers of its ends stand beside it.
    """
    shown = [one for one in looks if one["at_each_look"] is not None]
    if len(shown) < 2:  # noqa: PLR2004  a line has two ends
        return Markup("")
    days = [date.fromisoformat(one["on"]).toordinal() for one in shown]
    later = shown[len(shown) // 3 :]  # the band of the first days is so wide that nothing else would be seen
    ends = [0.0, *(end for one in later for end in one["at_each_look"])]
    low, high = min(ends), max(ends)

    def y(value: float) -> float:
        down = (high - min(max(value, low), high)) / (high - low or 1.0)
        return float(round(TOP + down * (BOTTOM - TOP), 1))

    def drawn(values: Iterable[float]) -> list[str]:
        across = ((day - days[0]) / (days[-1] - days[0]) for day in days)
        return [f"{MARGIN + x * (LAST_X - MARGIN):.1f},{y(one):.1f}" for x, one in zip(across, values, strict=True)]

    lower, upper = (drawn(one["at_each_look"][end] for one in shown) for end in (0, 1))
    first, last = shown[0], shown[-1]
    least, most = last["at_each_look"]
    said = (
        f"From {first['on']} to {last['on']}: the difference is now {_points(last['estimate'])}, between "
        f"{_points(least)} and {_points(most)}"
    )
    return Markup(
        '<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="{said}">'
        '<polygon class="band" points="{band}"/><line class="axis" x1="{left}" x2="{right}" y1="{zero}" y2="{zero}"/>'
        '<text class="note" x="{left}" y="{above_zero}">no effect</text>'
        '<polyline class="lift" points="{line}"/>{labels}'
        '<text class="note" x="{left}" y="{foot}">{start}</text>'
        '<text class="note" x="{right}" y="{foot}" text-anchor="end">{end}</text></svg>'
    ).format(
        width=WIDTH,
        height=BOTTOM + 28,
        said=said,
        band=" ".join([*upper, *reversed(lower)]),
        left=MARGIN,
        right=LAST_X,
        zero=y(0.0),
        above_zero=y(0.0) - 5,
        line=" ".join(drawn(one["estimate"] for one in shown)),
        labels=_beside([(value, y(value)) for value in (most, last["estimate"], least)]),
        foot=BOTTOM + 22,
        start=first["on"],
        end=last["on"],
    )


def _beside(ends: Sequence[tuple[float, float]]) -> Markup:
    """The numbers at the right, from top to bottom, no two on one another."""
    lines, free = [], 0.0
    for value, y in ends:
        free = max(y + 4, free)
        lines.append(Markup('<text class="note" x="{}" y="{:.1f}">{}</text>').format(LAST_X + 8, free, _points(value)))
        free += 15
    return Markup("").join(lines)


def _bar(x: Callable[[float], float], interval: Sequence[float], y: int, kind: str) -> Markup:
    title = {"wide": "however often one looks", "narrow": "at one look"}[kind]
    return Markup(
        '<line class="{kind}" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>'
        '<text class="note" x="{middle}" y="{above}" text-anchor="middle">{low} to {high} · {title}</text>'
    ).format(
        kind=kind,
        left=x(interval[0]),
        right=x(interval[1]),
        y=y,
        middle=min(max(x((interval[0] + interval[1]) / 2), HALF_A_LABEL), WIDTH - HALF_A_LABEL),
        above=y - 14,
        low=f"{interval[0] * 100:+.1f}",
        high=_points(interval[1]),
        title=title,
    )


def _points(share: float) -> str:
    return f"{share * 100:+.1f} points"
