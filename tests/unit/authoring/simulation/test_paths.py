"""All paths: every one that the picture has, by the real engine, each once, and no other."""

from collections import Counter
from datetime import timedelta
from itertools import count, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authoring.journeys import worst_case_messages
from authoring.preflight.samples import MIDDAY, Sample
from authoring.simulation import paths
from authoring.simulation.customers import trial_of
from authoring.simulation.observed import Choose
from authoring.simulation.paths import all_paths, every_choice, path_of
from authoring.simulation.run import Simulation, Trial
from cairn.domain.consent.contact import Contact
from cairn.domain.effects import SendMessage

MANY = 10_000

SEND = {"send": {"channel": "sms", "template": "hello", "purpose": "marketing"}}
EXIT = {"exit": "enough"}
LEAVES = st.sampled_from([SEND, SEND, {"wait": "30m"}, {"task": {"queue": "sales", "title": "Call"}}])


def with_arms(steps: st.SearchStrategy[list[dict[str, Any]]]) -> st.SearchStrategy[dict[str, Any]]:
    one = st.builds(
        lambda then, otherwise: {"wait_for": {"event": "a.b", "timeout": "2d", "then": then, "else": otherwise}},
        steps,
        steps,
    )
    several = st.builds(
        lambda arms, otherwise: {
            "wait_for": {
                "any": [{"event": f"a.b{number}", "where": "data.x", "then": arm} for number, arm in enumerate(arms)],
                "timeout": "2d",
                "else": otherwise,
            }
        },
        st.lists(steps, min_size=2, max_size=2),
        steps,
    )
    every = st.builds(
        lambda then: {"wait_for": {"all": [{"event": "a.b"}, {"event": "a.c"}], "timeout": "2d", "then": then}}, steps
    )
    branches = st.builds(
        lambda arm, last: {"branch": [{"if": "data.x", "then": arm}, {"else": last}]},
        steps,
        steps,
    )
    splits = st.builds(
        lambda arms: {
            "split": {"arms": [{"arm": f"a{number}", "weight": 1, "then": arm} for number, arm in enumerate(arms)]}
        },
        st.lists(steps, min_size=2, max_size=2),
    )
    return one | several | every | branches | splits


STEPS = st.recursive(
    LEAVES,
    lambda inner: with_arms(
        st.builds(lambda steps, exits: [*steps, *exits], st.lists(inner, max_size=2), st.sampled_from([[], [EXIT]]))
    ),
    max_leaves=8,
)


def document(steps: list[Any], **more: Any) -> dict[str, Any]:
    """A journey of these steps; each has its own id."""
    numbers = count()

    def named(value: Any) -> Any:
        if isinstance(value, list):
            return [named(one) for one in value]
        if not isinstance(value, dict):
            return value
        inner = {key: named(one) for key, one in value.items()}
        kinds = {"send", "wait", "task", "wait_for", "branch", "split", "exit"}
        return {"id": f"s{next(numbers)}", **inner} if len(value) == 1 and value.keys() & kinds else inner

    return {"journey": "made", "entry": {"event": "trial.signup"}, "steps": named(steps), **more}


def trial(written: dict[str, Any], data: dict[str, Any] | None = None) -> Trial:
    sample = Sample("Mia", {"id": "c_mia"}, data or {}, {}, MIDDAY, Contact())
    return trial_of({"document": written, "version": "v1"}, sample)


def sends(simulation: Simulation) -> int:
    return sum(isinstance(entry.what, SendMessage) for entry in simulation.entries)


def written_paths(steps: list[Any], behind: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Every path of a list of steps, read off the document: its ids and the ends of its waits, then what follows."""
    for step in reversed(steps):
        (id_,), (kind,) = (step["id"],), step.keys() - {"id"}
        behind = {(id_, *rest) for rest in _ways(kind, step[kind], behind)}
    return behind


def _ways(kind: str, value: Any, behind: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    match kind:
        case "exit":
            return {("=enough",)}
        case "branch":
            arms = [written_paths(arm.get("then", arm.get("else")), behind) for arm in value]
            return set().union(*arms)
        case "split":
            return set().union(*(written_paths(arm["then"], behind) for arm in value["arms"]))
        case "wait_for":
            won = [value.get("then", [])] if "any" not in value else [one["then"] for one in value["any"]]
            ways = {("won", *rest) for arm in won for rest in written_paths(arm, behind)}
            return ways | {("lost", *rest) for rest in written_paths(value.get("else", []), behind)}
        case _:
            return behind


def walked(simulation: Simulation) -> tuple[str, ...]:
    """The same of a simulation."""
    ends = {"happened": "won", "timed_out": "lost"}
    steps: list[str] = []
    for entry in simulation.entries:
        kind = getattr(entry.what, "kind", "")
        if entry.step and entry.step not in steps:
            steps.append(entry.step)
        if kind in ends and not entry.what.detail.get("left"):  # type: ignore[union-attr]
            steps.append(ends[kind])
    return (*steps, f"={simulation.enrollment.outcome}")


@given(st.lists(STEPS, max_size=3))
def test_the_paths_are_those_that_are_written(steps: list[Any]) -> None:
    made = document(steps)

    found = all_paths(trial(made), MIDDAY, most=MANY)

    assert Counter(map(walked, found.shown)) == Counter(written_paths(made["steps"], {("=completed",)}))
    assert (found.left_out, found.all_counted) == (0, True)


@given(st.lists(STEPS, min_size=1, max_size=3))
def test_no_path_has_more_messages_than_the_worst_case(steps: list[Any]) -> None:
    made = document(steps)

    found = all_paths(trial(made), MIDDAY, most=MANY)

    assert max(map(sends, found.shown)) == worst_case_messages(made)


@given(st.lists(STEPS, max_size=3), st.integers(1, 4))
def test_of_many_paths_the_first_are_shown_and_the_rest_counted(steps: list[Any], most: int) -> None:
    made = trial(document(steps))

    every, few = all_paths(made, MIDDAY, most=MANY), all_paths(made, MIDDAY, most=most)

    assert [path_of(one) for one in few.shown] == [path_of(one) for one in every.shown[:most]]
    assert len(few.shown) + few.left_out == len(every.shown)


def test_of_more_ways_than_anybody_reads_the_rest_is_only_said_to_be_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "MOST_WAYS", 100)
    wait = {"wait_for": {"event": "a.b", "timeout": "2d", "then": [SEND]}}

    found = all_paths(trial(document([wait] * 12)), MIDDAY, most=3)

    assert (len(found.shown), found.left_out, found.all_counted) == (3, 97, False)


def test_with_a_customers_data_a_branch_takes_that_customers_arm() -> None:
    branch = {"branch": [{"if": "data.large", "then": [SEND, SEND]}, {"else": [SEND]}]}
    made = trial(document([branch, {"wait_for": {"event": "a.b", "timeout": "2d"}}]), {"large": True})

    everybody = all_paths(made, MIDDAY, most=MANY)
    this_one = all_paths(made, MIDDAY, most=MANY, by_data=True)

    assert [sends(one) for one in everybody.shown] == [2, 2, 1, 1]
    assert [sends(one) for one in this_one.shown] == [2, 2]


def test_a_condition_of_a_wait_counts_as_met_and_its_event_comes_half_way() -> None:
    wait = {"wait_for": {"event": "order.paid", "where": "event.properties.total > `100`", "timeout": "2d"}}

    won, lost = all_paths(trial(document([wait])), MIDDAY, most=MANY).shown

    assert won.enrollment.ended_at == MIDDAY + timedelta(days=1)
    assert lost.enrollment.ended_at == MIDDAY + timedelta(days=2)


def test_of_several_matches_each_has_its_way_though_one_event_met_two_or_no_key_can_be_made_up() -> None:
    key = "join('-', [event.properties.a, event.properties.b])"
    matches = [
        {"event": "order.paid", "where": "event.properties.total > `100`", "key": key, "then": [SEND, SEND]},
        {"event": "order.paid", "key": key, "then": [SEND]},
    ]
    entry = {"event": "trial.signup", "key": "event.id"}
    made = document([{"wait_for": {"any": matches, "timeout": "2d"}}], entry=entry)

    assert [sends(one) for one in all_paths(trial(made), MIDDAY, most=MANY).shown] == [2, 1, 0]


def test_the_condition_of_an_entry_that_waits_counts_as_met_unless_the_customers_data_decides() -> None:
    entry = {"none_of": ["app.opened"], "for": "90d", "where": "profile.vip"}
    made = trial(document([SEND], entry=entry))

    assert [sends(one) for one in all_paths(made, MIDDAY, most=MANY).shown] == [1]
    assert [sends(one) for one in all_paths(made, MIDDAY, most=MANY, by_data=True).shown] == [0]


def test_a_webhook_is_answered_refused_or_neither() -> None:
    steps = [{"id": "ask", "webhook": {"endpoint": "crm", "timeout": "1h", "else": [{"id": "alas", **SEND}]}}]
    made = {"journey": "made", "entry": {"event": "trial.signup"}, "steps": steps}

    found = all_paths(trial(made), MIDDAY, most=MANY)

    minutes = [(sends(one), (one.now - MIDDAY) / timedelta(minutes=1)) for one in found.shown]
    assert minutes == [(0, 30), (1, 30), (1, 60)]


def test_an_event_that_also_ends_the_journey_ends_it() -> None:
    wait = {"wait_for": {"event": "order.paid", "timeout": "2d", "then": [SEND]}}
    made = document([wait], exit_on=[{"event": "order.paid"}])

    won, lost = all_paths(trial(made), MIDDAY, most=MANY).shown

    assert (won.enrollment.outcome, sends(won)) == ("exit_on", 0)
    assert lost.enrollment.outcome == "completed"


def test_events_of_which_all_are_waited_for_may_come_in_any_order_or_not_all() -> None:
    wait = {"wait_for": {"all": [{"event": "a.b"}, {"event": "a.c"}], "timeout": "2d", "then": [SEND]}}

    found = all_paths(trial(document([wait])), MIDDAY, most=MANY)

    assert [(sends(one), one.enrollment.ended_at) for one in found.shown] == [
        (1, MIDDAY + timedelta(days=1, hours=12)),
        (0, MIDDAY + timedelta(days=2)),
    ]


@given(st.lists(st.integers(1, 4), max_size=5))
def test_every_sequence_of_choices_is_tried_once_in_order(ways: list[int]) -> None:
    def move(choose: Choose) -> tuple[int, ...]:
        return tuple(map(choose, ways))

    assert list(every_choice(move)) == list(product(*map(range, ways)))
