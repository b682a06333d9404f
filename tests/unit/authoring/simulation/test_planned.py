"""Events of a simulation as people write them, and when they come."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authoring.preflight.samples import MIDDAY
from authoring.simulation.outcomes import InvalidEventError
from authoring.simulation.planned import Planned, planned_answer, to_the_end, ways_on
from authoring.simulation.run import Simulation
from cairn.domain.event import Event
from tests.unit.authoring.simulation.test_run import trial

WAITS = (
    {"id": "first", "wait": "1d"},
    {"id": "paid", "wait_for": {"event": "order.paid", "where": "event.properties.total > `9`", "timeout": "2d"}},
)


def begun(**more: Any) -> Simulation:
    return trial(*WAITS, **more).begin(MIDDAY)


def happened(simulation: Simulation) -> list[tuple[str, timedelta]]:
    """The events after the first, with their offsets."""
    events = [entry.what for entry in simulation.entries if isinstance(entry.what, Event)]
    return [(event.type, event.occurred_at - MIDDAY) for event in events[1:]]


@pytest.mark.parametrize(
    ("text", "planned"),
    [
        ("order.paid", Planned("order.paid")),
        ("order.paid@2d12h", Planned("order.paid", timedelta(days=2, hours=12))),
        (' order.paid:{"total": 40} ', Planned("order.paid", None, {"total": 40})),
        ('order.paid@0s:{"at": "10:00"}', Planned("order.paid", timedelta(), {"at": "10:00"})),
    ],
)
def test_an_event_is_a_type_an_offset_and_properties(text: str, planned: Planned) -> None:
    assert Planned.read(text) == planned


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no event: write TYPE, TYPE@OFFSET or TYPE@OFFSET:{"),
        ("paid", "“paid” is not a type of event, such as invoice.paid"),
        ("order.paid@soon", "“soon” after the @: a duration is a number and a unit"),
        ("order.paid@-2d", "“-2d” is before the start"),
        ("order.paid:{total}", "“{total}” is not JSON"),
        ("order.paid:40", "is no event"),
    ],
)
def test_what_is_no_event_says_how_to_write_one(text: str, why: str) -> None:
    with pytest.raises(InvalidEventError) as raised:
        Planned.read(text)

    assert why in str(raised.value)


@given(
    st.sampled_from(["order.paid", "a.b.c"]),
    st.none() | st.integers(0, 10**7).map(lambda seconds: timedelta(seconds=seconds)),
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=2),
)
def test_what_is_written_reads_the_same(type_: str, after: timedelta | None, properties: dict[str, Any]) -> None:
    planned = Planned(type_, after, properties)

    assert Planned.read(planned.written()) == planned


def test_without_events_every_wait_times_out() -> None:
    walked = to_the_end(begun(), [])

    assert walked.simulation.enrollment.ended_at == MIDDAY + timedelta(days=3)


def test_an_event_without_an_offset_comes_half_way_through_the_first_wait_that_hears_it() -> None:
    walked = to_the_end(begun(), [Planned("order.paid", None, {"total": 10})])

    assert happened(walked.simulation) == [("order.paid", timedelta(days=2))]
    assert walked.simulation.enrollment.ended_at == MIDDAY + timedelta(days=2)


def test_an_events_condition_is_the_journeys_own() -> None:
    walked = to_the_end(begun(), [Planned("order.paid", timedelta(days=2), {"total": 9})])

    assert walked.simulation.enrollment.ended_at == MIDDAY + timedelta(days=3)


def test_an_event_at_the_very_end_of_a_wait_is_in_time() -> None:
    walked = to_the_end(begun(), [Planned("order.paid", timedelta(days=3), {"total": 10})])

    assert walked.simulation.enrollment.outcome == "completed"
    assert not any(getattr(entry.what, "kind", "") == "timed_out" for entry in walked.simulation.entries)


def test_events_happen_in_the_order_of_their_instants_also_after_the_end() -> None:
    planned = [Planned("b.c", timedelta(days=9)), Planned("a.b", timedelta(hours=2)), Planned("a.b", timedelta(0))]

    walked = to_the_end(begun(goal={"event": "b.c", "within": "30d"}), planned)

    hours = [0, 2, 9 * 24]
    assert happened(walked.simulation) == [
        (type_, timedelta(hours=hour)) for type_, hour in zip(("a.b", "a.b", "b.c"), hours, strict=True)
    ]
    assert walked.simulation.enrollment.goal_at == MIDDAY + timedelta(days=9)


def test_an_event_that_no_wait_hears_is_named() -> None:
    walked = to_the_end(begun(), [Planned("foo.bar")])

    assert walked.unheard == (Planned("foo.bar"),)


def test_the_answers_given_at_the_waits_lead_the_same_way_as_flags() -> None:
    answers = iter([None, Planned("order.paid", None, {"total": 10})])

    asked = to_the_end(begun(), [], lambda _: next(answers))
    again = to_the_end(begun(), asked.planned)

    assert asked.planned == (Planned("order.paid", timedelta(days=2), {"total": 10}),)
    assert asked.simulation.entries == again.simulation.entries


def test_a_wait_offers_its_own_events_and_those_that_count_everywhere() -> None:
    simulation = begun(
        exit_on=[{"event": "order.returned"}, {"event": "order.paid", "where": "event.properties.total > `99`"}],
        goal={"event": "order.paid", "within": "30d"},
        refresh_on=[{"event": "order.changed"}],
    ).timed_out()

    assert ways_on(simulation) == [
        ("order.paid", "ends the wait if event.properties.total > `9`, exit_on if event.properties.total > `99`, goal"),
        ("order.returned", "exit_on"),
        ("order.changed", "refresh_on"),
    ]


@pytest.mark.parametrize(
    ("text", "planned"),
    [
        ("0", None),
        ("", None),
        ("1", Planned("order.paid", timedelta(days=2))),
        ('1@30h:{"total": 10}', Planned("order.paid", timedelta(hours=30), {"total": 10})),
        ("foo.bar@1d", Planned("foo.bar", timedelta(days=1))),
    ],
)
def test_an_answer_is_a_number_or_an_event(text: str, planned: Planned | None) -> None:
    simulation = begun().timed_out()

    assert planned_answer(text, ways_on(simulation), simulation, MIDDAY) == planned


@pytest.mark.parametrize(
    ("text", "why"), [("2", "there is no 2: answer 0 to 1"), ("1@1h", "@1h is over"), ("1@x", "“x” after the @")]
)
def test_an_answer_that_cannot_be_is_refused(text: str, why: str) -> None:
    simulation = begun().timed_out()

    with pytest.raises(InvalidEventError) as raised:
        planned_answer(text, ways_on(simulation), simulation, MIDDAY)

    assert why in str(raised.value)
