"""A layered layout (Sugiyama, Tagawa and Toda, 1981) of a small directed graph, from top to bottom.

Boxes in one layer keep their distance, edges bend only between layers, and the same graph gives the same picture.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf
from typing import Any

Id = Hashable
Size = tuple[float, float]
Point = tuple[float, float]

ORDERINGS, ALIGNMENTS = 24, 60
"""Rounds. A journey of a hundred steps takes half a second."""

STRAIGHT = 8
"""How much more a long edge wants to be straight than a short one."""


@dataclass(frozen=True, slots=True)
class Layout:
    size: Size
    boxes: Mapping[Id, Point]
    """The upper left corner of each box."""
    routes: Sequence[Sequence[Point]]
    """Of each edge, in the order given: points in pairs, each with a straight way between. Between pairs it bends."""


@dataclass(frozen=True, slots=True)
class _Bend:
    """An invisible box, where an edge passes through a layer."""

    edge: int
    layer: int


@dataclass
class _Layers:
    sizes: dict[Id, Size]
    level: dict[Id, int]
    rows: list[list[Id]]
    chains: list[list[Id]] = field(default_factory=list)
    """Of each edge, the boxes from its upper end to its lower one, with a bend in each layer between."""
    above: dict[Id, list[Id]] = field(default_factory=lambda: defaultdict(list))
    below: dict[Id, list[Id]] = field(default_factory=lambda: defaultdict(list))


def layout(sizes: Mapping[Any, Size], edges: Sequence[tuple[Id, Id]], *, gap: Size) -> Layout:
    """Positions of boxes, in the order of their layers, and the ways of the edges. `gap` is between the boxes."""
    upward = _upward(sizes, edges)
    downward = [(b, a) if number in upward else (a, b) for number, (a, b) in enumerate(edges)]
    layers = _layered(sizes, downward)
    _order(layers)
    across = _across(layers, gap[0])
    left = min(across[one] - layers.sizes[one][0] / 2 for row in layers.rows for one in row)
    right = max(across[one] + layers.sizes[one][0] / 2 for row in layers.rows for one in row)
    tops, bottom = [], 0.0
    heights = [max((layers.sizes[one][1] for one in row), default=0.0) for row in layers.rows]
    for height in heights:
        tops.append(bottom)
        bottom += height + gap[1]
    level = layers.level
    boxes = {one: (across[one] - layers.sizes[one][0] / 2 - left, tops[level[one]]) for one in sizes}
    routes = []
    for number, chain in enumerate(layers.chains):
        route = [
            (across[one] - left, tops[level[one]] + y)
            for one in chain
            for y in _passed(one, chain, layers.sizes[one][1], heights[level[one]])
        ]
        routes.append(route[::-1] if number in upward else route)
    return Layout((right - left, bottom - gap[1]), boxes, routes)


def _passed(one: Id, chain: Sequence[Id], own: float, height: float) -> tuple[float, float]:
    """From where to where, in its layer, an edge is beside the others and does not bend."""
    if one == chain[0]:
        return own, height
    return (0.0, 0.0) if one == chain[-1] else (0.0, height)


def _upward(sizes: Mapping[Id, Size], edges: Sequence[tuple[Id, Id]]) -> set[int]:
    """The numbers of the edges that close a circle."""
    ways: dict[Id, list[tuple[int, Id]]] = defaultdict(list)
    for number, (source, target) in enumerate(edges):
        ways[source].append((number, target))
    closing: set[int] = set()
    done: set[Id] = set()
    for root in sizes:
        path, open_ = [(root, iter(ways[root]))] if root not in done else [], {root}
        while path:
            here, left = path[-1]
            number, target = next(left, (-1, here))
            if number < 0:
                path.pop()
                open_.discard(here)
                done.add(here)
            elif target in open_:
                closing.add(number)
            elif target not in done:
                open_.add(target)
                path.append((target, iter(ways[target])))
    return closing


def _layered(sizes: Mapping[Id, Size], edges: Sequence[tuple[Id, Id]]) -> _Layers:
    level: dict[Id, int] = dict.fromkeys(sizes, 0)
    for _ in sizes:  # each as deep as its longest way
        for source, target in edges:
            level[target] = max(level[target], level[source] + 1)
    layers = _Layers(dict(sizes), level, [[] for _ in range(max(level.values(), default=0) + 1)])
    for one in sizes:
        layers.rows[level[one]].append(one)
    for number, (source, target) in enumerate(edges):
        between: list[Id] = [_Bend(number, at) for at in range(level[source] + 1, level[target])]
        for at, one in enumerate(between, start=level[source] + 1):
            layers.rows[at].append(one)
            level[one] = at
            layers.sizes[one] = (0.0, 0.0)
        chain = [source, *between, target]
        layers.chains.append(chain)
        for upper, lower in pairwise(chain):
            layers.below[upper].append(lower)
            layers.above[lower].append(upper)
    return layers


def _order(layers: _Layers) -> None:
    """Order each layer by its neighbours' middle, back and forth, and keep the order with the fewest crossings."""
    best, fewest = [list(row) for row in layers.rows], _crossings(layers)
    for number in range(ORDERINGS):
        downward = number % 2 == 0
        rows = layers.rows[1:] if downward else layers.rows[-2::-1]
        for row in rows:
            neighbours = layers.above if downward else layers.below
            _sort(row, neighbours, {one: index for other in layers.rows for index, one in enumerate(other)})
        crossings = _crossings(layers)
        if crossings < fewest:
            best, fewest = [list(row) for row in layers.rows], crossings
    layers.rows = best


def _sort(row: list[Id], neighbours: Mapping[Id, list[Id]], there: Mapping[Id, int]) -> None:
    def middle(one: Id) -> float:
        found = [there[other] for other in neighbours[one]]
        return sum(found) / len(found) if found else there[one]

    row.sort(key=middle)


def _crossings(layers: _Layers) -> int:
    count = 0
    for upper, lower in pairwise(layers.rows):
        there = {one: index for index, one in enumerate(lower)}
        ends = [sorted(there[other] for other in layers.below[one]) for one in upper]
        flat = [(number, end) for number, row in enumerate(ends) for end in row]
        count += sum(a < c and b > d for a, b in flat for c, d in flat)
    return count


def _across(layers: _Layers, gap: float) -> dict[Id, float]:
    """The middle of each box: as close to its neighbours as the others in its layer allow."""
    across: dict[Id, float] = {}
    for row in layers.rows:
        x = 0.0
        for one in row:
            width = layers.sizes[one][0]
            across[one] = x + width / 2
            x += width + gap
    chains = _chains(layers)
    for number in range(ALIGNMENTS):
        for row in layers.rows if number % 2 == 0 else reversed(layers.rows):
            wanted = [_wanted(layers, across, [one]) for one in row]
            distances = [_distance(layers, a, b, gap) for a, b in pairwise(row)]
            across.update(zip(row, _apart(wanted, distances), strict=True))
        for chain in chains if number % 2 == 0 else reversed(chains):
            _straighten(layers, across, chain, gap)
    return across


def _chains(layers: _Layers) -> list[list[Id]]:
    """The boxes of which each has the next one alone below it, and is alone above that."""
    found: list[list[Id]] = []
    for one in (one for row in layers.rows for one in row):
        above = layers.above[one]
        before = next((chain for chain in found if [chain[-1]] == above), None)
        if before is not None and layers.below[above[0]] == [one]:
            before.append(one)
        else:
            found.append([one])
    return found


def _straighten(layers: _Layers, across: dict[Id, float], chain: list[Id], gap: float) -> None:
    """Put a whole chain on one line, as near to its neighbours as the boxes beside it allow; else each half of it."""
    least, most = -inf, inf
    for one in chain:
        row = layers.rows[layers.level[one]]
        at = row.index(one)
        if at:
            least = max(least, across[row[at - 1]] + _distance(layers, row[at - 1], one, gap))
        if at + 1 < len(row):
            most = min(most, across[row[at + 1]] - _distance(layers, one, row[at + 1], gap))
    if least <= most:
        across.update(dict.fromkeys(chain, min(max(_wanted(layers, across, chain)[0], least), most)))
    elif len(chain) > 1:
        half = len(chain) // 2
        _straighten(layers, across, chain[:half], gap)
        _straighten(layers, across, chain[half:], gap)


def _distance(layers: _Layers, one: Id, other: Id, gap: float) -> float:
    return (layers.sizes[one][0] + layers.sizes[other][0]) / 2 + gap


def _wanted(layers: _Layers, across: Mapping[Id, float], chain: Sequence[Id]) -> tuple[float, float]:
    """The middle of a chain's neighbours, and how much it matters."""
    own = set(chain)
    near = [(one, other) for one in chain for other in (*layers.above[one], *layers.below[one]) if other not in own]
    if not near:
        return sum(across[one] for one in chain) / len(chain), 1
    pulls = [(across[other], _pull(one, other)) for one, other in near]
    weight = sum(strength for _, strength in pulls)
    return sum(x * strength for x, strength in pulls) / weight, weight


def _pull(one: Id, other: Id) -> int:
    invisible = sum(isinstance(each, _Bend) for each in (one, other))
    return (1, 2, STRAIGHT)[invisible]


def _apart(wanted: Sequence[tuple[float, float]], distances: Sequence[float]) -> list[float]:
    """Positions nearest to the wanted ones (least squares) that keep their distances: pool adjacent violators."""
    shifts = [0.0]
    for distance in distances:
        shifts.append(shifts[-1] + distance)
    pools: list[tuple[float, float, int]] = []
    for (want, weight), shift in zip(wanted, shifts, strict=True):
        mean, total, count = want - shift, weight, 1
        while pools and pools[-1][0] > mean:
            other, its, many = pools.pop()
            mean, total, count = (other * its + mean * total) / (its + total), its + total, many + count
        pools.append((mean, total, count))
    means = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + shift for mean, shift in zip(means, shifts, strict=True)]
