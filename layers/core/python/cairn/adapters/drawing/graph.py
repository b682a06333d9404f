"""The graph of a checked journey: what is drawn, whatever the picture."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, Self

from cairn.adapters.documents.journey import journey_from_document
from cairn.adapters.drawing.looks import Look, kind_of, look_of, ways_out
from cairn.domain.journey.definition import ENTRY, Journey, Match
from cairn.domain.journey.enrollment import COMPLETED
from cairn.domain.journey.moves import BEFORE_STEPS, Way
from cairn.domain.journey.steps import step_from_document
from cairn.domain.shared.errors import CairnError
from cairn.domain.shared.instants import duration_text

NO_STEP, END = BEFORE_STEPS, "(end)"
"""The ids of the entry and the end; no step has such an id."""

START = Look("entry", ("([", "])"), str)
FINISH = Look("finish", ("([", "])"), str)

Document = Mapping[str, Any]


class UnknownStepsError(CairnError):
    """Counts name steps that the journey does not have."""


@dataclass(frozen=True, slots=True)
class Node:
    id: str
    title: str
    says: str
    look: Look
    kind: str = ""
    """The kind of the step; empty for what is none."""
    count: int | None = None
    """How many stand there."""
    walked: bool = False
    """Whether the customer whose path is drawn was there."""


@dataclass(frozen=True, slots=True)
class Edge:
    source: str
    target: str
    label: str = ""
    walked: bool = False
    ways: tuple[int, ...] = (0,)
    """The numbers of the ways on from the source that it stands for."""
    count: int | None = None
    """How many went along it."""
    share: float | None = None
    """Their part of all who left the source, where that has several ways on."""

    @property
    def went(self) -> str:
        """In words, how many went along it; empty where that was not counted."""
        if self.count is None:
            return ""
        return f"{self.count:,}" if self.share is None else f"{self.count:,} · {self.share:.0%}"


@dataclass(frozen=True, slots=True)
class Graph:
    journey: str
    nodes: tuple[Node, ...]
    """Each before those that it leads to."""
    edges: tuple[Edge, ...]
    notes: tuple[str, ...] = ()
    """What counts at every step: the goal, the holdout, what ends it."""

    def counting(self, counts: Mapping[str, int]) -> Self:
        """With how many stand at each step. Raises UnknownStepsError."""
        unknown = sorted(counts.keys() - {node.id for node in self.nodes})
        if unknown:
            raise UnknownStepsError(
                f"the counts name {', '.join(unknown)}, and {self.journey} has no such step: count the same version"
            )
        return replace(self, nodes=tuple(replace(node, count=counts.get(node.id)) for node in self.nodes))

    def flowing(self, along: Mapping[Way, int]) -> Self:
        """With how many went along each edge; ways that the journey does not have do not count."""
        entry = self.nodes[0].id
        counts = [
            sum(along.get((BEFORE_STEPS if edge.source == entry else edge.source, way), 0) for way in edge.ways)
            for edge in self.edges
        ]
        left, ways = Counter[str](), Counter(edge.source for edge in self.edges)
        for edge, count in zip(self.edges, counts, strict=True):
            left[edge.source] += count if ways[edge.source] > 1 else 0
        edges = (
            replace(edge, count=count, share=count / left[edge.source] if left[edge.source] else None)
            for edge, count in zip(self.edges, counts, strict=True)
        )
        return replace(self, edges=tuple(edges))

    def walking(self, steps: Collection[str], *, to_the_end: bool = False) -> Self:
        """With the path of one customer: the steps where they were, in any order. Those of other versions are ignored.

        Of several ways on from a step, the path takes the one to the next step of theirs.
        """
        entry = self.nodes[0].id
        path = {entry, *steps, *([END] if to_the_end else [])} if steps else set()
        nodes = tuple(replace(node, walked=node.id in path) for node in self.nodes)
        position = {node.id: number for number, node in enumerate(nodes) if node.walked}
        ways: dict[str, str] = {}
        for edge in self.edges:
            if edge.source in position and edge.target in position:
                ways[edge.source] = min(ways.get(edge.source, edge.target), edge.target, key=lambda id_: position[id_])
        edges = tuple(replace(edge, walked=ways.get(edge.source) == edge.target) for edge in self.edges)
        return replace(self, nodes=nodes, edges=edges)

    def comparing(self, splits: Iterable[Mapping[str, Any]]) -> Self:
        """With how many reached the goal after each arm, and the chosen arm: as /manage/splits says it."""
        of = {one["step"]: one for one in splits}
        return replace(
            self, edges=tuple(_compared(edge, of[edge.source]) if edge.source in of else edge for edge in self.edges)
        )


def _compared(edge: Edge, split: Mapping[str, Any]) -> Edge:
    """The way into an arm, with what the arm has brought."""
    for arm in split["arms"]:
        if edge.label.rpartition(" ")[0] == arm["arm"]:
            chosen = " · chosen" if split["in_force"] == arm["arm"] else ""
            return replace(edge, label=f"{edge.label} · {arm['reached']:,} of {arm['entered']:,}{chosen}")
    return edge


def graph_of(document: Document) -> Graph:
    """The graph of a checked document."""
    journey = journey_from_document(document, "")
    entry, first = NO_STEP, journey.start
    if journey.entry.waits:  # then the wait for the beginning is a step of the engine's
        entry, (first,) = ENTRY, journey.steps[ENTRY].successors
    written = {step["id"]: step for step in steps_in(document["steps"])}
    nodes = [Node(entry, _entry(document["entry"], journey), "", START)]
    edges = [Edge(entry, first or END)]
    for id_, step in written.items():  # a step comes after those that lead to it, as it is written
        kind = kind_of(step)
        look = look_of(kind)
        nodes.append(Node(id_, id_, look.says(step[kind]), look, kind))
        if not look.ends:
            pairs = zip_longest(journey.steps[id_].successors, ways_out(step), fillvalue="")
            ways: dict[tuple[str, str], tuple[int, ...]] = {}
            for number, (target, label) in enumerate(pairs):
                ways[target or END, label] = (*ways.get((target or END, label), ()), number)
            edges += [Edge(id_, target, label, ways=numbers) for (target, label), numbers in ways.items()]
    if any(edge.target == END for edge in edges):
        nodes.append(Node(END, COMPLETED, "", FINISH))
    return Graph(document["journey"], tuple(nodes), tuple(edges), tuple(_notes(document, journey)))


def steps_in(steps: Any) -> Iterator[Document]:
    """Every step of a checked document, those inside others too, in the order in which they are written."""
    for step in steps or ():
        yield step
        for nested in _nested(step):
            yield from steps_in(nested)


def _nested(step: Document) -> Sequence[Sequence[Document]]:
    """The lists of steps inside a step, those of its `else` last."""
    lists: list[Sequence[Document]] = []
    step_from_document(step, None, lists.append)
    value = step[kind_of(step)]
    otherwise = value.get("else") if isinstance(value, Mapping) else None
    return sorted(lists, key=lambda one: one is otherwise)


def _entry(written: Document, journey: Journey) -> str:
    """How it starts, in words."""
    entry = journey.entry
    if "none_of" in written:
        text = f"none of {', '.join(written['none_of'])} for {written['for']}"
    elif entry.condition:
        text = f"when {entry.condition}"
    elif entry.day_of:
        days = f"day {entry.day_of.day} of " if entry.day_of.day else ""
        text = f"{days}{entry.day_of.date}{', every year' if entry.is_yearly else ''}"
    else:
        return " or ".join(map(_match, entry.matches))
    return f"{text} if {written['where']}" if written.get("where") else text


def _match(match: Match) -> str:
    return f"{match.event} if {match.where}" if match.where else match.event


def _notes(document: Document, journey: Journey) -> Iterator[str]:
    if journey.goal:
        yield f"goal: {_match(journey.goal.match)} within {duration_text(journey.goal.within)}"
    if journey.holdout:
        yield f"holdout: {document['holdout']}"
    if journey.exit_on:
        yield f"ends at any step: {', '.join(dict.fromkeys(map(_match, journey.exit_on)))}"
    if journey.refresh_on:
        yield f"new data: {', '.join(dict.fromkeys(map(_match, journey.refresh_on)))}"
    if journey.at_end:
        yield f"finally: {', '.join(step.id for step in journey.at_end)}"
