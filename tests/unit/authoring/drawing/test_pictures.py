"""The pictures: valid, complete, and of nothing but the journey."""

import re
import runpy
import sys
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authoring.drawing.mermaid import mermaid
from authoring.drawing.text import text
from cairn.adapters.drawing.graph import END, Edge, Graph, Node, graph_of
from cairn.adapters.drawing.looks import LOOKS
from cairn.adapters.drawing.svg import THICK, svg
from cairn.domain.journey.moves import BEFORE_STEPS
from tests.unit.authoring.drawing.test_graph import DOCUMENT

ROOT = Path(__file__).parents[4]
SVG = "{http://www.w3.org/2000/svg}"
NODE = r'n\d+(?:\(\["[^"]*"\]\)|\["[^"]*"\]|\("[^"]*"\)|\{"[^"]*"\}|\{\{"[^"]*"\}\}):::[a-z]+'
LINE = re.compile(
    rf'flowchart TD|    (?:{NODE}|n\d+ -->(?:\|"[^"|]*"\|)? n\d+|notes\["[^"]*"\]:::[a-z]+|classDef [a-z]+ [\w#:,]+)'
)
RESERVED = {"end", "graph", "subgraph", "class", "click", "style", "default"}
"""Words at which Mermaid's flowcharts break."""

texts = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), max_size=40)
texts |= st.sampled_from(['a "b" | <c> & #35;', "]) --> {{", "`9` || 'x'", "end"])


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any texts."""
    looks = st.sampled_from(list(LOOKS.items()))
    nodes = [
        Node(f"s{number}", draw(texts), draw(texts), look, kind, draw(st.none() | st.integers(0, 10**6)))
        for number, (kind, look) in enumerate(draw(st.lists(looks, min_size=1, max_size=4)))
    ]
    edges = [Edge(one.id, other.id, draw(texts)) for one, other in pairwise(nodes)]
    return Graph(draw(texts), tuple(nodes), tuple(edges), tuple(draw(st.lists(texts.filter(str.strip), max_size=2))))


@given(graphs())
def test_whatever_the_texts_the_svg_is_xml_with_every_text(graph: Graph) -> None:
    root = ET.fromstring(svg(graph))  # noqa: S314  our own

    titles = [one.text or "" for one in root.iter(f"{SVG}title")]
    for node in graph.nodes:
        assert any(node.title in title and node.says in title for title in titles)
    for edge in graph.edges:
        assert not edge.label or edge.label in titles


@given(graphs())
def test_whatever_the_texts_each_line_of_mermaid_is_one_of_its_own(graph: Graph) -> None:
    for line in mermaid(graph).splitlines():
        assert LINE.fullmatch(line), line


def test_mermaids_words_are_not_among_the_names() -> None:
    words = set(re.findall(r"(?::::|classDef )(\w+)", mermaid(graph_of(DOCUMENT))))

    assert words
    assert words & RESERVED == set()


def test_each_step_and_each_way_is_in_both_pictures() -> None:
    graph = graph_of(DOCUMENT).counting({"answer": 1234})
    drawn, text = svg(graph), mermaid(graph)

    for node in graph.nodes:
        assert f">{node.id}</text>" in drawn or not node.kind
        assert f"<b>{node.id}</b>" in text or not node.kind
    assert ">completed</text>" in drawn
    assert text.count(" --> ") + text.count(" -->|") == len(graph.edges)
    assert "message.replied if event.properties.keyword == " in drawn
    assert ">1,234</text>" in drawn
    assert "<b>answer</b> · 1,234" in text


def test_the_flow_is_in_all_pictures_as_a_number_and_by_more_than_a_colour() -> None:
    along = {(BEFORE_STEPS, 0): 1240, ("hello", 0): 1240, ("answer", 0): 310, ("answer", 2): 930}
    graph = graph_of(DOCUMENT).flowing(along)

    drawn = svg(graph)

    assert drawn.count(">1,240</text>") == 2
    assert ">310 · 25%</text>" in drawn
    assert "<title>message.clicked: 310 · 25%</title>" in drawn
    widths = {float(one) for one in re.findall(r"stroke-width: ([\d.]+)\"", drawn)}
    assert (min(widths), max(widths)) == (2.8, THICK)
    assert 'class="way empty"' in drawn, "nobody went there: a dashed line"
    assert "message.clicked<br/>310" in mermaid(graph)
    assert "└─ (1,240)" in text(graph)
    assert "├─ message.clicked (310 · 25%)" in text(graph)


def test_an_svg_needs_nothing_else_and_knows_light_and_dark() -> None:
    drawn = svg(graph_of(DOCUMENT))

    assert re.findall(r"https?://[^\"]+", drawn) == ["http://www.w3.org/2000/svg"]
    assert re.findall(r"<(script|image|use|a|foreignObject)\b|@import|url\(", drawn) == []
    assert "@media (prefers-color-scheme: dark)" in drawn
    used = set(re.findall(r"var\(--([a-z]+)\)", drawn))
    for scheme in drawn.split("@media")[:2]:
        assert used - {"tone"} <= set(re.findall(r"--([a-z]+):", scheme))


def test_an_empty_journey_leads_to_its_end() -> None:
    graph = graph_of({"journey": "visit", "entry": {"event": "a.b"}, "steps": []})

    assert [node.id for node in graph.nodes] == ["(entry)", END]
    assert svg(graph).startswith("<svg")


def test_the_picture_in_the_docs_is_that_of_the_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = tmp_path / "drawn.svg"
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["drawing", str(drawn)])

    runpy.run_module("authoring.drawing", run_name="__main__")

    checked_in = (ROOT / "docs/trial-welcome.svg").read_text(encoding="utf-8")
    assert checked_in == drawn.read_text(encoding="utf-8"), "run `python -m authoring.drawing` and commit its picture"


@pytest.mark.parametrize("page", ["README.md", "docs/journeys.md"])
def test_the_picture_is_shown(page: str) -> None:
    assert "trial-welcome.svg)" in (ROOT / page).read_text(encoding="utf-8")


def test_the_text_has_each_step_once_and_each_way_to_it() -> None:
    graph = graph_of(DOCUMENT)

    lines = text(graph).splitlines()

    drawn = [line.lstrip(" │").partition("  ")[0] for line in lines]
    for node in graph.nodes:
        assert drawn.count(node.title) == 1, node
        arriving = [edge for edge in graph.edges if edge.target == node.id]
        assert drawn.count(f"→ {node.title}") == max(0, len(arriving) - 1), node
    for edge in graph.edges:
        assert not edge.label or any(line.endswith(f"─ {edge.label}") for line in lines), edge
