"""A journey as lines of text: each step once, below the way that leads to it, for a terminal."""

from collections.abc import Iterator
from textwrap import shorten

from cairn.adapters.drawing.graph import Edge, Graph, Node


def text(graph: Graph) -> str:
    """From the entry downwards. A step that several ways lead to is drawn at the first, and at others `→ step`."""
    lines = [graph.journey, *(f"  {note}" for note in graph.notes), *_Drawing(graph).below(graph.nodes[0].id)]
    return "".join(f"{line}\n" for line in lines)


WIDTH = 72
"""Of a condition; the picture has all of it."""


class _Drawing:
    def __init__(self, graph: Graph) -> None:
        self._nodes = {node.id: node for node in graph.nodes}
        self._ways: dict[str, list[Edge]] = {}
        for edge in graph.edges:
            self._ways.setdefault(edge.source, []).append(edge)
        self._drawn: set[str] = set()

    def below(self, step: str, before: str = "  ") -> Iterator[str]:
        """The lines of a step and of what follows it; `before` is what stands before each."""
        while step not in self._drawn:
            self._drawn.add(step)
            yield f"{before}{_named(self._nodes[step])}"
            ways = self._ways.get(step, [])
            if len(ways) != 1 or ways[0].label or ways[0].went:
                yield from self._branches(ways, before)
                return
            step = ways[0].target
        yield f"{before}→ {self._nodes[step].title}"

    def _branches(self, ways: list[Edge], before: str) -> Iterator[str]:
        for number, way in enumerate(ways, 1):
            corner, side = ("└─", "  ") if number == len(ways) else ("├─", "│ ")
            went = f"({way.went})" if way.went else ""
            words = filter(None, (shorten(way.label, WIDTH, placeholder="…"), went))
            yield f"{before}{corner} {' '.join(words)}"
            yield from self.below(way.target, f"{before}{side} ")


def _named(node: Node) -> str:
    about = ": ".join(one for one in (node.kind, node.says) if one)
    standing = f" ({node.count})" if node.count else ""
    return f"{shorten(node.title, WIDTH, placeholder='…')}  {about}{standing}".rstrip()
