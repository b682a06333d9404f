"""The layout of a graph: laws that hold for every graph."""

from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cairn.adapters.drawing.layout import Layout, layout

GAP = (20.0, 30.0)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[dict[str, tuple[float, float]], list[tuple[str, str]]]:
    """A few boxes of different sizes; every one but the first has an edge to it, and there may be circles."""
    count = draw(st.integers(1, 12))
    names = [f"n{number}" for number in range(count)]
    sizes = {name: (draw(st.sampled_from([40.0, 100.0, 220.0])), draw(st.sampled_from([20.0, 60.0]))) for name in names}
    edges = [(names[draw(st.integers(0, number - 1))], names[number]) for number in range(1, count)]
    more = st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda one: one[0] != one[1])
    return sizes, edges + draw(st.lists(more, max_size=6))


@given(graphs())
def test_no_two_boxes_meet_and_all_are_in_the_picture(
    graph: tuple[dict[str, tuple[float, float]], list[tuple[str, str]]],
) -> None:
    sizes, edges = graph

    placed = layout(sizes, edges, gap=GAP)

    for one, other in combinations(sizes, 2):
        assert apart(placed, sizes, one, other)
    for name, (x, y) in placed.boxes.items():
        assert -0.01 <= x <= placed.size[0] - sizes[name][0] + 0.01
        assert -0.01 <= y <= placed.size[1] - sizes[name][1] + 0.01


@given(graphs())
def test_each_edge_leads_from_its_source_to_its_target(
    graph: tuple[dict[str, tuple[float, float]], list[tuple[str, str]]],
) -> None:
    sizes, edges = graph

    placed = layout(sizes, edges, gap=GAP)

    assert len(placed.routes) == len(edges)
    for (source, target), route in zip(edges, placed.routes, strict=True):
        downward = route[0][1] <= route[-1][1]
        upper, lower = (source, target) if downward else (target, source)
        top, bottom = (route[0], route[-1]) if downward else (route[-1], route[0])
        assert top == pytest.approx(middle_of(placed, sizes, upper, 1.0))
        assert bottom == pytest.approx(middle_of(placed, sizes, lower, 0.0))


@given(graphs())
def test_no_edge_crosses_a_box(graph: tuple[dict[str, tuple[float, float]], list[tuple[str, str]]]) -> None:
    sizes, edges = graph

    placed = layout(sizes, edges, gap=GAP)

    for route in placed.routes:
        for (x0, y0), (x1, y1) in pairwise(route):
            if x0 == x1:  # straight, beside the boxes of a layer or between two layers
                for name, (x, y) in placed.boxes.items():
                    width, height = sizes[name]
                    inside = x < x0 < x + width and max(y, min(y0, y1)) + 0.01 < min(y + height, max(y0, y1))
                    assert not inside


@settings(max_examples=20)
@given(graphs())
def test_the_same_graph_gives_the_same_picture(
    graph: tuple[dict[str, tuple[float, float]], list[tuple[str, str]]],
) -> None:
    assert layout(*graph, gap=GAP) == layout(*graph, gap=GAP)


def test_a_chain_is_straight_and_arms_stand_around_their_branch() -> None:
    sizes = dict.fromkeys("abcdef", (100.0, 40.0))

    placed = layout(sizes, [("a", "b"), ("b", "c"), ("b", "d"), ("c", "e"), ("d", "f")], gap=GAP)

    x = {name: left for name, (left, _) in placed.boxes.items()}
    assert x["a"] == pytest.approx(x["b"])
    assert x["c"] == pytest.approx(x["e"])
    assert x["d"] == pytest.approx(x["f"])
    assert (x["c"] + x["d"]) / 2 == pytest.approx(x["b"])
    assert x["d"] - x["c"] == pytest.approx(100 + GAP[0])


def test_a_long_chain_beside_another_arm_is_straight() -> None:
    chain = [f"chain-{number}" for number in range(20)]
    sizes = dict.fromkeys([*"abcd", *chain, "y", "z"], (100.0, 40.0)) | {"x": (400.0, 40.0)}
    edges = [("a", "x"), ("a", chain[0]), *pairwise(chain), (chain[-1], "y"), (chain[-1], "z"), ("x", "b"), ("x", "c")]

    placed = layout(sizes, [*edges, ("b", "d")], gap=GAP)

    assert {placed.boxes[name][0] for name in chain} == {placed.boxes[chain[0]][0]}
    assert placed.boxes[chain[0]][0] != placed.boxes["a"][0]


def test_two_arms_do_not_cross_where_they_need_not() -> None:
    sizes = dict.fromkeys("abcde", (100.0, 40.0))

    placed = layout(sizes, [("a", "b"), ("a", "c"), ("c", "d"), ("b", "e")], gap=GAP)

    x = {name: left for name, (left, _) in placed.boxes.items()}
    assert (x["b"] < x["c"]) == (x["e"] < x["d"])


def apart(placed: Layout, sizes: dict[str, tuple[float, float]], one: str, other: str) -> bool:
    (x0, y0), (x1, y1) = placed.boxes[one], placed.boxes[other]
    (w0, h0), (w1, h1) = sizes[one], sizes[other]
    across = x0 + w0 + GAP[0] <= x1 + 0.01 or x1 + w1 + GAP[0] <= x0 + 0.01
    return across or y0 + h0 + GAP[1] <= y1 + 0.01 or y1 + h1 + GAP[1] <= y0 + 0.01


def middle_of(placed: Layout, sizes: dict[str, tuple[float, float]], name: str, share: float) -> tuple[float, float]:
    """The middle of the upper (0) or the lower edge (1) of a box."""
    (x, y), (width, height) = placed.boxes[name], sizes[name]
    return x + width / 2, y + height * share
