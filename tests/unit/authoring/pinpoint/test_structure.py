"""Nesting leaves every path as it was: the same activities, in the same order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authoring.pinpoint.structure import Position, StructureError, nested

Graph = dict[str, list[str | None]]
NAMES = "abcdefgh"


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    def ways(number: int) -> st.SearchStrategy[list[str | None]]:
        return st.lists(st.sampled_from([*NAMES[number + 1 :], None]), max_size=3)

    return {name: draw(ways(number)) for number, name in enumerate(NAMES)}


@given(graphs())
def test_the_paths_through_the_steps_are_those_through_the_graph(graph: Graph) -> None:
    steps = nested("a", graph)

    assert paths_of_steps(steps) == paths_of_graph("a", graph)


@given(graphs())
def test_where_an_activity_is_reached_by_one_way_alone_it_is_written_once(graph: Graph) -> None:
    one_way = {name: [ways[0]] if ways else [] for name, ways in graph.items()}

    assert [one.activity for one in nested("a", one_way) if one] == list(paths_of_graph("a", one_way).pop())


def test_arms_that_meet_are_written_once_behind_them() -> None:
    graph: Graph = {"a": ["b", "c", "d"], "b": ["e"], "c": ["e"], "d": [None], "e": ["f"], "f": []}

    assert shown(nested("a", graph)) == "a(b | c | d exit) e f"


def test_arms_that_meet_within_arms_that_meet_are_written_once() -> None:
    graph: Graph = {"a": ["b", "c"], "b": ["d", "e"], "c": ["f"], "d": ["f"], "e": ["f"], "f": []}

    assert shown(nested("a", graph)) == "a(b(d | e) | c) f"


def test_where_arms_cross_the_fewest_are_written_again() -> None:
    graph: Graph = {"a": ["b", "c"], "b": ["d", "e"], "c": ["d", "e"], "d": ["f"], "e": ["f"], "f": []}

    assert shown(nested("a", graph)) == "a(b(d | e) | c(d | e)) f"


def test_what_stands_behind_the_outer_arms_is_not_written_again_inside() -> None:
    inner: Graph = {"b": ["c", "d", "e"], "c": ["j"], "d": ["j"], "e": ["s"], "j": [None]}
    graph: Graph = {"a": ["b", "s"], "s": ["t"], "t": ["u"], "u": []} | inner

    assert shown(nested("a", graph)) == "a(b(c j exit | d j exit | e) | ) s t u"


def test_a_circle_is_named() -> None:
    with pytest.raises(StructureError, match=r"circle: (b → c → b|c → b → c)"):
        nested("a", {"a": ["b"], "b": ["c"], "c": ["b"]})


def test_a_knot_that_cannot_be_nested_is_refused() -> None:
    ladder: Graph = {f"{side}{n}": [f"l{n + 1}", f"r{n + 1}"] for n in range(30) for side in "lr"}
    crossed = {name: [*ways, None] for name, ways in ladder.items()} | {"l30": ["z"], "r30": [None], "z": []}

    with pytest.raises(StructureError, match="more than 1,000 steps or 50 levels"):
        nested("l0", crossed)


def test_arms_in_arms_without_end_are_refused() -> None:
    deep: Graph = {f"n{number}": [f"n{number + 1}", f"e{number}"] for number in range(2_000)}
    ends: Graph = {f"e{number}": [] for number in range(2_000)}

    with pytest.raises(StructureError, match="50 levels"):
        nested("n0", deep | ends | {"n2000": []})


def paths_of_graph(start: str | None, graph: Graph) -> set[tuple[str, ...]]:
    if start is None:
        return {()}
    return {(start, *path) for way in graph[start] or [None] for path in paths_of_graph(way, graph)}


def paths_of_steps(positions: tuple[Position | None, ...]) -> set[tuple[str, ...]]:
    return {path for path, _ in _paths(positions)}


def _paths(positions: tuple[Position | None, ...]) -> set[tuple[tuple[str, ...], bool]]:
    """Each path, and whether it has left the journey."""
    if not positions:
        return {((), False)}
    first, *rest = positions
    if first is None:
        return {((), True)}
    behind = _paths(tuple(rest))
    found = set()
    for path, has_left in set().union(*(_paths(arm) for arm in first.arms or ((),))):
        for further, left_later in {((), True)} if has_left else behind:
            found.add(((first.activity, *path, *further), left_later))
    return found


def shown(positions: tuple[Position | None, ...]) -> str:
    each = []
    for one in positions:
        arms = " | ".join(map(shown, one.arms)) if one else ""
        each.append("exit" if one is None else f"{one.activity}({arms})" if arms else one.activity)
    return " ".join(each)
