"""The graph of a journey: every step once, every way once, and what holds at each step."""

from collections import defaultdict
from typing import Any

import pytest

from authoring.drawing.counts import InvalidCountsError, read_counts
from authoring.drawing.mermaid import TONES
from cairn.adapters.documents.journey import journey_from_document
from cairn.adapters.drawing.graph import END, NO_STEP, Graph, UnknownStepsError, graph_of
from cairn.adapters.drawing.looks import LOOKS, moment_text
from cairn.adapters.drawing.svg import STYLE, svg
from cairn.domain.journey.moves import BEFORE_STEPS
from cairn.domain.journey.steps import STEP_KINDS

SEND = {"channel": ["push", "sms"], "template": "hello", "purpose": "marketing"}

DOCUMENT: dict[str, Any] = {
    "journey": "visit",
    "entry": {"any": [{"event": "trial.signup"}, {"event": "trial.renewed", "where": "event.properties.paid"}]},
    "goal": {"event": "invoice.paid", "within": "30d"},
    "holdout": "10%",
    "exit_on": [{"event": "trial.cancelled"}],
    "refresh_on": [{"event": "trial.changed"}],
    "finally": [{"id": "last", "update": {"set": {"stage": None}}}],
    "steps": [
        {"id": "hello", "send": SEND},
        {
            "id": "answer",
            "wait_for": {
                "any": [
                    {"event": "message.clicked", "then": [{"id": "gone", "exit": "clicked"}]},
                    {"event": "message.replied", "where": "event.properties.keyword == 'YES'"},
                ],
                "timeout": {"day": 3, "at": "10:00", "weekdays": ["mon"]},
                "else": [{"id": "call", "task": {"queue": "sales", "title": "Call"}}],
            },
        },
        {"id": "large", "branch": [{"if": "data.total > `9`", "then": []}, {"else": []}]},
        {
            "id": "offer",
            "split": {
                "arms": [
                    {"arm": "gift", "weight": 1, "then": [{"id": "mark", "set": {"gift": "`1`"}}]},
                    {"arm": "nothing", "weight": 3},
                ]
            },
        },
        {"id": "change", "update": {"set": {"stage": "x"}, "set_from": {"a": "data.a"}, "tags": {"add": ["vip"]}}},
        {
            "id": "ask",
            "webhook": {"endpoint": "crm", "type": "lead.won", "else": [{"id": "say", "emit": {"event": "a.b"}}]},
        },
        {"id": "pause", "wait": {"until": "data.visit_at", "offset": "-48h"}},
    ],
}


def ways(graph: Graph) -> dict[str, list[tuple[str, str]]]:
    """By source, the targets with their words."""
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for edge in graph.edges:
        found[edge.source].append((edge.target, edge.label))
    return found


def test_a_graph_has_each_step_with_what_it_does_and_each_way_with_its_words() -> None:
    graph = graph_of(DOCUMENT)

    assert {node.id: node.says for node in graph.nodes if node.kind} == {
        "hello": "hello by push, sms",
        "answer": "at most day 3 at 10:00 on mon",
        "gone": "ends: clicked",
        "call": "Call (sales)",
        "large": "",
        "offer": "2 arms by weight",
        "mark": "gift",
        "change": "stage, a, +vip",
        "ask": "lead.won to crm",
        "say": "a.b",
        "pause": "48h before data.visit_at",
    }
    assert ways(graph) == {
        NO_STEP: [("hello", "")],
        "hello": [("answer", "")],
        "answer": [
            ("gone", "message.clicked"),
            ("large", "message.replied if event.properties.keyword == 'YES'"),
            ("call", "nothing until day 3 at 10:00 on mon"),
        ],
        "call": [("large", "")],
        "large": [("offer", "data.total > `9`"), ("offer", "else")],
        "offer": [("mark", "gift 25%"), ("change", "nothing 75%")],
        "mark": [("change", "")],
        "change": [("ask", "")],
        "ask": [("pause", "answered"), ("say", "refused, or nothing for 1h")],
        "say": [("pause", "")],
        "pause": [(END, "")],
    }


def test_a_graph_says_what_counts_at_every_step() -> None:
    graph = graph_of(DOCUMENT)

    assert graph.nodes[0].title == "trial.signup or trial.renewed if event.properties.paid"
    assert graph.notes == (
        "goal: invoice.paid within 30d",
        "holdout: 10%",
        "ends at any step: trial.cancelled",
        "new data: trial.changed",
        "finally: last",
    )


def test_the_ways_are_the_successors_of_the_steps() -> None:
    journey, graph = journey_from_document(DOCUMENT, "v1"), graph_of(DOCUMENT)

    for id_, step in journey.steps.items():
        if not LOOKS[next(node.kind for node in graph.nodes if node.id == id_)].ends:  # type: ignore[index]
            assert [target for target, _ in ways(graph)[id_]] == [target or END for target in step.successors]


@pytest.mark.parametrize("kind", STEP_KINDS)
def test_each_kind_of_step_has_a_look_of_its_own(kind: Any) -> None:
    assert kind in LOOKS, f"write a row for the step {kind} in cairn/adapters/drawing/looks.py"


@pytest.mark.parametrize("tone", sorted({look.tone for look in LOOKS.values()}))
def test_each_tone_has_its_colours(tone: str) -> None:
    assert tone in TONES
    assert STYLE.count(f"--{tone}:") == 2  # light and dark


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("2d", "2d"),
        ({"for": "1h", "open": {"hours": []}}, "1h in opening hours"),
        ({"open": {"hours": []}}, "in opening hours"),
        ({"at": "10:00"}, "at 10:00"),
        ({"until": "data.at"}, "data.at"),
        ({"until": "data.at", "offset": "0s"}, "data.at"),
        ({"until": "data.at", "offset": "1h30m"}, "1h30m after data.at"),
    ],
)
def test_a_moment_in_words(moment: Any, text: str) -> None:
    assert moment_text(moment) == text


@pytest.mark.parametrize(
    ("entry", "title"),
    [
        ({"date": "profile.birthday", "every": "year", "at": "09:00"}, "profile.birthday, every year"),
        ({"date": "profile.ends", "day": -30, "where": "profile.paid"}, "day -30 of profile.ends if profile.paid"),
        ({"none_of": ["app.opened", "a.b"], "for": "90d"}, "none of app.opened, a.b for 90d"),
        ({"when": "profile.score >= `50`"}, "when profile.score >= `50`"),
    ],
)
def test_an_entry_that_is_no_event_is_said_in_words(entry: dict[str, Any], title: str) -> None:
    graph = graph_of({**DOCUMENT, "entry": entry})

    assert graph.nodes[0].title == title
    assert ways(graph)[graph.nodes[0].id] == [("hello", "")]


def test_who_waits_for_the_beginning_stands_at_the_entry() -> None:
    graph = graph_of({**DOCUMENT, "entry": {"none_of": ["app.opened"], "for": "90d"}}).counting({"entry": 5})

    assert graph.nodes[0].count == 5


def test_counts_stand_at_their_steps() -> None:
    graph = graph_of(DOCUMENT).counting({"answer": 12})

    assert {node.id: node.count for node in graph.nodes if node.count is not None} == {"answer": 12}


def test_each_arrow_says_how_many_went_along_it_and_which_part_of_several() -> None:
    along = {(BEFORE_STEPS, 0): 1240, ("answer", 0): 300, ("answer", 1): 100, ("large", 1): 7, ("old", 0): 5}

    flowing = graph_of(DOCUMENT).flowing(along)

    went = {(edge.source, edge.label.partition(" ")[0]): edge.went for edge in flowing.edges}
    assert went[NO_STEP, ""] == "1,240"
    assert [went["answer", word] for word in ("message.clicked", "message.replied", "nothing")] == [
        "300 · 75%",
        "100 · 25%",
        "0 · 0%",
    ]
    assert (went["large", "data.total"], went["large", "else"]) == ("0 · 0%", "7 · 100%"), "both lead to one step"
    assert went["offer", "gift"] == "0", "nobody came there, so there are no parts"
    assert all(edge.went == "" for edge in graph_of(DOCUMENT).edges)


def test_of_a_wait_for_the_beginning_the_entry_is_what_is_left() -> None:
    graph = graph_of({**DOCUMENT, "entry": {"none_of": ["app.opened"], "for": "90d"}})

    assert graph.flowing({(BEFORE_STEPS, 0): 3}).edges[0].count == 3


def test_ways_with_the_same_words_are_one_arrow_for_all_of_them() -> None:
    arms = [{"if": "data.a", "then": []}, {"if": "data.a", "then": []}]
    document = {**DOCUMENT, "steps": [{"id": "large", "branch": arms}]}

    ways_on = [edge for edge in graph_of(document).flowing({("large", 0): 2, ("large", 1): 3}).edges if edge.label]

    assert [(edge.label, edge.count) for edge in ways_on] == [("data.a", 5), ("else", 0)]


def test_the_ways_into_arms_say_what_they_have_brought_and_which_is_chosen() -> None:
    arms = [{"arm": "gift", "weight": 3}, {"arm": "nothing", "weight": 1, "then": [{"id": "bye", "exit": "none"}]}]
    document = {**DOCUMENT, "steps": [{"id": "offer", "split": {"arms": arms}}, {"id": "last", "wait": "1d"}]}
    brought = [
        {"arm": "gift", "share": 0.75, "entered": 1400, "reached": 90},
        {"arm": "nothing", "share": 0.25, "entered": 460, "reached": 10},
    ]

    graph = graph_of(document).comparing([{"step": "offer", "arms": brought, "in_force": "gift"}])

    labels = {edge.target: edge.label for edge in graph.edges if edge.source == "offer"}
    assert labels == {"last": "gift 75% · 90 of 1,400 · chosen", "bye": "nothing 25% · 10 of 460"}


def test_counts_of_another_version_name_the_step_that_is_not_there() -> None:
    with pytest.raises(UnknownStepsError, match="the counts name old, and visit has no such step"):
        graph_of(DOCUMENT).counting({"old": 1, "answer": 2})


def test_counts_are_read_from_numbers_or_from_a_timeline() -> None:
    timeline = """
        {"kind": "event", "type": "trial.signup"}
        {"kind": "waiting", "journey": "visit", "enrollment": "a", "step": "answer", "via": "(entry) hello"}
        {"kind": "waiting", "journey": "visit", "enrollment": "b", "step": "answer", "via": "(entry) hello"}
        {"kind": "waiting", "journey": "visit", "enrollment": "c", "step": "answer", "via": "(entry) hello"}
        {"kind": "waiting", "journey": "other", "enrollment": "d", "step": "answer", "via": "(entry) hello"}
        {"kind": "waiting", "journey": "visit", "enrollment": "b", "step": "answer"}
        {"kind": "waiting", "journey": "visit", "enrollment": "b", "step": "pause", "via": "answer:1 large:0"}
        {"kind": "ended", "journey": "visit", "enrollment": "c", "outcome": "exit_on", "step": "answer"}
    """

    assert read_counts('{\n"answer": 2,\n"pause": 0\n}', "visit") == ({"answer": 2, "pause": 0}, None)
    standing, moves = read_counts(timeline, "visit")
    assert standing == {"answer": 1, "pause": 1}
    assert moves is not None
    assert moves.along[BEFORE_STEPS, 0] == 3
    assert moves.along["answer", 1] == 1
    assert moves.ended == {"answer": 1}


@pytest.mark.parametrize("text", ["", "answer: 2", "[1]", '{"answer": "2"}', '{"answer": true}', '{"answer": -1}'])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(InvalidCountsError):
        read_counts(text, "visit")


def walked(graph: Graph) -> list[tuple[str, str]]:
    return [(edge.source, edge.target) for edge in graph.edges if edge.walked]


def test_a_path_is_drawn_to_the_next_step_where_the_customer_was() -> None:
    graph = graph_of(DOCUMENT)
    assert walked(graph.walking([])) == []

    path = graph.walking(["large", "hello", "answer", "call", "step-of-an-older-version"])

    assert [node.id for node in path.nodes if node.walked] == [NO_STEP, "hello", "answer", "call", "large"]
    assert walked(path) == [(NO_STEP, "hello"), ("hello", "answer"), ("answer", "call"), ("call", "large")]
    assert ("answer", "large") in {(edge.source, edge.target) for edge in path.edges}


def test_the_end_is_on_the_path_of_a_customer_who_came_there() -> None:
    graph = graph_of(DOCUMENT)
    steps = [node.id for node in graph.nodes if node.kind]

    assert END in {target for _, target in walked(graph.walking(steps, to_the_end=True))}
    assert END not in {target for _, target in walked(graph.walking(steps))}
    assert 'class="way walked"' in svg(graph.walking(steps))
    assert 'class="way walked"' not in svg(graph)
