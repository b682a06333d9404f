"""A journey's graph as an SVG that stands alone: no script, no font, no other file, in light and dark."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from textwrap import shorten, wrap
from xml.sax.saxutils import escape

from cairn.adapters.drawing.graph import Edge, Graph, Node
from cairn.adapters.drawing.layout import Layout, Point, layout

WIDTH = 218
PADDING = 14
LINE = 17
MARGIN = 24
GAP = (26, 26)

ADVANCE = 6.9
"""Pixels of a wide font's character at 12 pixels, so that a text fits in whatever font the reader has."""

MOST_CHARACTERS = int((WIDTH - 2 * PADDING) / ADVANCE)
MOST_LINES = 3
MOST_IN_LABEL = 30
THIN, THICK = 1.4, 7.0
"""Of ways that are counted: the way that nobody took, and the one that most took."""

STYLE = """
  svg { --paper: #ffffff; --ink: #1c2430; --dim: #5b6675; --box: #ffffff; --line: #9aa5b1; --edge: #d5dbe2;
    --entry: #3b6fb6; --message: #23895a; --time: #6b7785; --choice: #a87408; --person: #96439a; --change: #1f7f8c;
    --finish: #4b5563; --walked: #c2410c }
  @media (prefers-color-scheme: dark) {
    svg { --paper: #0e1116; --ink: #e8ecf1; --dim: #9aa6b4; --box: #171c23; --line: #5a6674; --edge: #2c3540;
      --entry: #7fb0f0; --message: #5fcf98; --time: #9fb0c0; --choice: #e3b04b; --person: #d894dc; --change: #5cc5d3;
      --finish: #aab4c0; --walked: #fb923c }
  }
  text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; fill: var(--dim) }
  .title { font-size: 13px; font-weight: 600; fill: var(--ink) }
  .name { font-size: 17px; font-weight: 600; fill: var(--ink) }
  .kind { font-size: 10.5px; letter-spacing: .04em; fill: var(--tone) }
  .label { font-size: 11px; text-anchor: middle }
  .middle { text-anchor: middle }
  .count { font-size: 11px; font-weight: 600; text-anchor: middle; fill: var(--paper) }
  .paper { fill: var(--paper) }
  .box { fill: var(--box); stroke: var(--edge) }
  .tone { fill: var(--tone) }
  .outline { fill: var(--box); stroke: var(--tone); stroke-width: 1.4 }
  .way { fill: none; stroke: var(--line); stroke-width: 1.4 }
  .tip { fill: var(--line) }
  .walked .box, .walked .outline { stroke: var(--walked); stroke-width: 2.6 }
  .way.walked { stroke: var(--walked); stroke-width: 3.2 }
  .tip.walked { fill: var(--walked) }
"""

STYLE_OF_FLOW = """\
  .went { font-size: 12px; font-weight: 700; text-anchor: middle; fill: var(--ink) }
  .empty { stroke-dasharray: 3 4 }
"""

Id = str | Edge
"""A node by its id, or an edge's words by the edge."""


def svg(graph: Graph) -> str:
    """The picture."""
    sizes: dict[Id, tuple[float, float]] = {node.id: _size(node) for node in graph.nodes}
    sizes |= {edge: _label_size(edge) for edge in graph.edges if _has_words(edge)}
    parts = [(edge, one) for edge in graph.edges for one in _parts(edge)]
    placed = layout(sizes, [one for _, one in parts], gap=GAP)
    head = HEAD + LINE * len(graph.notes)
    widest = max(_width(text) for text in (*graph.notes, graph.journey * 2))
    width = round(max(placed.size[0], widest) + 2 * MARGIN)
    height = round(placed.size[1] + head + 2 * MARGIN)
    size = f' width="{width}" height="{height}"'
    shift = ((width - placed.size[0]) / 2, head + MARGIN)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}"{size}>',
        f"<title>{escape(graph.journey)}</title>",
        f"<style>{STYLE}{STYLE_OF_FLOW if any(edge.went for edge in graph.edges) else ''}</style>",
        f'<rect class="paper"{size} rx="10"/>',
        *_head(graph),
        f'<g transform="translate({_number(shift[0])} {_number(shift[1])})">',
        *_ways(parts, placed),
        *(one for edge in graph.edges if _has_words(edge) for one in _label(edge, placed.boxes[edge], sizes[edge])),
        *(one for node in graph.nodes for one in _node(node, placed.boxes[node.id], sizes[node.id])),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


HEAD = 26
"""Pixels of the journey's name."""


def _size(node: Node) -> tuple[float, float]:
    if not node.kind:
        lines = _wrapped(node.title, MOST_IN_LABEL)
        return max(max(map(_width, lines), default=0) * 1.1 + 2 * PADDING, 96), LINE * max(len(lines), 1) + 17
    return WIDTH, 2 * PADDING + LINE * (1 + len(_lines(node))) - 4


def _label_size(edge: Edge) -> tuple[float, float]:
    lines = [*_wrapped(edge.label, MOST_IN_LABEL), *([edge.went] if edge.went else [])]
    return max(map(_width, lines)), (LINE - 2) * len(lines) + 3


def _has_words(edge: Edge) -> bool:
    return bool(edge.label or edge.went)


def _wrapped(text: str, most: int) -> list[str]:
    return wrap(text, most, max_lines=MOST_LINES, placeholder=" …", break_on_hyphens=False)


def _width(text: str) -> float:
    return min(len(text), MOST_IN_LABEL * 3) * ADVANCE + 8


def _lines(node: Node) -> list[str]:
    return _wrapped(node.says, MOST_CHARACTERS)


def _short(text: str) -> str:
    return shorten(text, MOST_IN_LABEL, placeholder=" …") if " " in text else text[:MOST_IN_LABEL]


def _parts(edge: Edge) -> Sequence[tuple[Id, Id]]:
    """An edge with words is two: to them and on. So they never lie on another edge or box."""
    return ((edge.source, edge), (edge, edge.target)) if _has_words(edge) else ((edge.source, edge.target),)


def _head(graph: Graph) -> Iterator[str]:
    yield f'<text class="name" x="{MARGIN}" y="{MARGIN + 14}">{escape(graph.journey)}</text>'
    for number, note in enumerate(graph.notes, start=1):
        yield f'<text x="{MARGIN}" y="{MARGIN + 16 + LINE * number}">{escape(note)}</text>'


def _ways(parts: Sequence[tuple[Edge, tuple[Id, Id]]], placed: Layout) -> Iterator[str]:
    drawn = sorted(zip(parts, placed.routes, strict=True), key=lambda one: one[0][0].walked)  # the path above the rest
    most = max((edge.count or 0 for edge, _ in parts), default=0)
    for (edge, (_, target)), route in drawn:
        walked = " walked" if edge.walked else ""
        empty = " empty" if edge.count == 0 else ""
        wide = THIN + (THICK - THIN) * edge.count / most if edge.count else THIN
        width = f' style="stroke-width: {_number(wide)}"' if edge.count else ""
        yield f'<path class="way{walked}{empty}"{width} d="{_path(route)}"/>'
        if not isinstance(target, Edge):
            (x, y), up = route[-1], route[-1][1] < route[0][1]
            half = 4 + (wide / 2 if edge.count else 0)
            tip = f"l-{_number(half)} {_number(half * (1.75 if up else -1.75))}h{_number(2 * half)}z"
            yield f'<path class="tip{walked}" d="M{_number(x)} {_number(y)}{tip}"/>'


def _path(route: Sequence[Point]) -> str:
    """Straight inside the layers, and between them a curve that begins and ends upright."""
    text = f"M{_number(route[0][0])} {_number(route[0][1])}"
    for (x0, y0), (x1, y1) in pairwise(route):
        middle = _number((y0 + y1) / 2)
        curve = f"C{_number(x0)} {middle} {_number(x1)} {middle} {_number(x1)} {_number(y1)}"
        text += curve if abs(x0 - x1) > 0.5 else f"L{_number(x1)} {_number(y1)}"  # noqa: PLR2004  half a pixel
    return text


def _label(edge: Edge, at: Point, size: Point) -> Iterator[str]:
    x, y = at
    box = f'x="{_number(x)}" y="{_number(y)}" width="{_number(size[0])}" height="{size[1]}"'
    says = ": ".join(filter(None, (edge.label, edge.went)))
    yield f'<g><title>{escape(says)}</title><rect class="paper" {box}/>'
    words = _wrapped(edge.label, MOST_IN_LABEL)
    for number, line in enumerate([*words, *([edge.went] if edge.went else [])]):
        middle, base = _number(x + size[0] / 2), _number(y + 13 + (LINE - 2) * number)
        kind = "label" if number < len(words) else "went"
        yield f'<text class="{kind}" x="{middle}" y="{base}">{escape(line)}</text>'
    yield "</g>"


def _node(node: Node, at: Point, size: Point) -> Iterator[str]:
    x, y = at
    width, height = size
    walked = ' class="walked"' if node.walked else ""
    yield f'<g{walked} style="--tone: var(--{node.look.tone})" transform="translate({_number(x)} {_number(y)})">'
    yield f"<title>{escape(': '.join(filter(None, (node.title, node.says))))}</title>"
    if not node.kind:
        yield f'<rect class="outline" width="{_number(width)}" height="{height}" rx="17"/>'
        for number, line in enumerate(_wrapped(node.title, MOST_IN_LABEL)):
            yield f'<text class="title middle" x="{_number(width / 2)}" y="{22 + LINE * number}">{escape(line)}</text>'
    else:
        yield f'<rect class="box" width="{width}" height="{height}" rx="8"/>'
        yield f'<path class="tone" d="M5 0h3v{height}h-3a5 8 0 0 1-5-8v-{height - 16}a5 8 0 0 1 5-8z"/>'
        yield f'<text class="title" x="{PADDING + 4}" y="{PADDING + 11}">{escape(_short(node.title))}</text>'
        yield f'<text class="kind" x="{width - PADDING}" y="{PADDING + 10}" text-anchor="end">{node.kind}</text>'
        for number, line in enumerate(_lines(node), start=1):
            yield f'<text x="{PADDING + 4}" y="{PADDING + 12 + LINE * number}">{escape(line)}</text>'
    if node.count is not None:
        yield from _count(f"{node.count:,}", width)
    yield "</g>"


def _count(text: str, width: float) -> Iterator[str]:
    wide = 8 * len(text) + 12
    yield f'<rect class="tone" x="{_number(width - wide + 8)}" y="-9" width="{wide}" height="18" rx="9"/>'
    yield f'<text class="count" x="{_number(width - wide / 2 + 8)}" y="4">{text}</text>'


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
