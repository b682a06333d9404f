"""A simulation: the engine's own decisions, in the order of the steps."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from authoring.preflight.samples import MIDDAY, Sample
from authoring.simulation.customers import trial_of
from authoring.simulation.paths import all_paths
from authoring.simulation.planned import Planned, to_the_end
from authoring.simulation.run import Simulation, Trial
from cairn.adapters.documents.leads import rules_from_document
from cairn.domain.consent.contact import Contact
from cairn.domain.effects import EmitEvent, OpenTask, SendMessage, WakeAt
from cairn.domain.event import Event
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.engine import Entered, Happened, TimerFired, advance
from cairn.domain.lead.leads import Leads
from cairn.domain.profile.profile import Profile
from tests.unit.strategies import events, journeys, payloads, profiles

SEND = {"channel": "sms", "template": "hello", "purpose": "marketing"}


def trial(*steps: dict[str, Any], data: dict[str, Any] | None = None, **more: Any) -> Trial:
    document = {"journey": "made", "entry": {"event": "trial.signup"}, "steps": list(steps), **more}
    sample = Sample("Mia", {"id": "c_mia"}, data or {}, {}, MIDDAY, Contact())
    return trial_of({"document": document, "version": "v1"}, sample)


def kinds(simulation: Simulation) -> list[str]:
    """Each entry with its step."""
    names = {SendMessage: "send", OpenTask: "task", EmitEvent: "emit", Event: "event"}
    return [
        f"{names.get(type(entry.what), getattr(entry.what, 'kind', ''))} {entry.step}".strip()
        for entry in simulation.entries
    ]


def test_facts_and_effects_stand_in_the_order_of_the_steps() -> None:
    steps = [
        {"id": "a", "send": SEND},
        {"id": "b", "branch": [{"if": "`true`", "then": []}]},
        {"id": "c", "task": {"queue": "sales", "title": "Call"}},
        {"id": "d", "wait": "1h"},
        {"id": "e", "update": {"set": {"stage": "x"}}},
        {"id": "f", "send": SEND},
        {"id": "g", "exit": "done"},
    ]

    simulation = trial(*steps).begin(MIDDAY).timed_out()

    began = ["event", "entered", "send a", "branched b", "task c", "waiting d"]
    assert kinds(simulation) == [*began, "updated e", "send f", "ended g"]
    assert simulation.steps == ("a", "b", "c", "d", "e", "f", "g")


@given(journeys(holdout=0.5), profiles, payloads, st.lists(events(), max_size=4))
def test_a_simulation_decides_as_the_engine_does(
    journey: Journey, profile: Profile, data: dict[str, Any], later: list[Event]
) -> None:
    simulation = Trial(journey, {}, profile, data).begin(MIDDAY)
    first, everybody = simulation.entries[0], replace(journey, holdout=0.0)
    decision = advance(everybody, first.enrollment, first.profile, Entered(), MIDDAY)
    decided = [*decision.facts, *decision.effects]
    now = MIDDAY

    for event in sorted(later, key=lambda one: one.occurred_at):
        if (due := simulation.due) is not None:
            now, simulation = max(now, due), simulation.timed_out()
            fired = TimerFired(decision.enrollment.sequence)
            decision = advance(everybody, decision.enrollment, decision.profile, fired, now)
            decided += [*decision.facts, *decision.effects]
        moved = replace(event, occurred_at=max(now, event.occurred_at))
        now, simulation = moved.occurred_at, simulation.after(moved)
        decision = advance(everybody, decision.enrollment, decision.profile.after(moved), Happened(moved), now)
        decided += [*decision.facts, *decision.effects]

    assert (simulation.enrollment, simulation.profile) == (decision.enrollment, decision.profile)
    seen = [entry.what for entry in simulation.entries if not isinstance(entry.what, Event)]
    expected = [one for one in decided if not isinstance(one, WakeAt)]
    assert sorted(map(repr, seen)) == sorted(map(repr, expected))


@settings(max_examples=30)
@given(journeys(), profiles, payloads)
def test_the_same_simulation_is_always_the_same(journey: Journey, profile: Profile, data: dict[str, Any]) -> None:
    one, other = (Trial(journey, {}, profile, data).begin(MIDDAY).timed_out() for _ in range(2))

    assert repr((one.entries, one.enrollment)) == repr((other.entries, other.enrollment))


def test_nobody_is_in_the_holdout() -> None:
    assert kinds(trial({"id": "a", "send": SEND}, holdout=1).begin(MIDDAY))[:3] == ["event", "entered", "send a"]


def test_the_first_entry_that_the_data_meets_begins_it() -> None:
    entry = {
        "any": [
            {"event": "order.placed", "key": "event.properties.order_id"},
            {"event": "message.replied", "where": "event.properties.keyword == 'HELP'", "key": "event.id"},
        ]
    }
    helped = trial({"id": "a", "send": SEND}, data={"keyword": "HELP"}, entry=entry)
    ordered = trial({"id": "a", "send": SEND}, data={"keyword": "HELP", "order_id": 7}, entry=entry)
    neither = trial({"id": "a", "send": SEND}, entry=entry)

    assert _begun(helped) == ("message.replied", "simulation-0", True)
    assert _begun(ordered) == ("order.placed", "7", True)
    assert _begun(neither) == ("order.placed", "", False)


def test_whether_a_customer_enters_may_depend_on_the_instant() -> None:
    entry = {"event": "booking.made", "where": "hours_until(event.properties.visit_at) > `0`"}
    made = trial({"id": "a", "send": SEND}, data={"visit_at": "2026-03-04T10:00:00Z"}, entry=entry)

    assert made.enters(MIDDAY)
    assert not made.enters(MIDDAY + timedelta(days=2))


def test_a_made_up_event_has_the_enrollments_key_wherever_the_journey_looks_for_it() -> None:
    made = trial(
        {"id": "a", "wait": "2d"},
        data={"booking_id": "B-1", "reason": {"text": "late"}},
        entry={"event": "booking.made", "key": "event.properties.booking_id"},
        exit_on=[{"event": "refund.issued", "key": "event.properties.reason.booking"}],
    )

    simulation = made.begin(MIDDAY)
    event = simulation.event("refund.issued", MIDDAY + timedelta(hours=1), {"total": 3})

    assert event.properties == {"booking_id": "B-1", "reason": {"text": "late", "booking": "B-1"}, "total": 3}
    assert simulation.after(event).enrollment.outcome == "exit_on"


def test_a_report_on_a_message_belongs_to_the_enrollment() -> None:
    wait = {"id": "a", "wait_for": {"event": "message.clicked", "timeout": "2d"}}
    made = trial(wait, entry={"event": "trial.signup", "key": "event.id"})
    simulation = made.begin(MIDDAY)

    clicked = simulation.after(simulation.event("message.clicked", MIDDAY + timedelta(hours=1)))

    assert kinds(clicked)[-2:] == ["happened a", "ended"]


def test_a_report_on_a_message_is_about_the_last_one() -> None:
    about = "event.properties.step == 'b' && event.properties.channel == 'sms'"
    wait = {"id": "c", "wait_for": {"event": "message.opened", "where": about, "timeout": "2d"}}
    simulation = trial({"id": "a", "send": SEND}, {"id": "b", "send": SEND}, wait).begin(MIDDAY)

    opened = simulation.after(simulation.event("message.opened", MIDDAY + timedelta(hours=1)))

    assert kinds(opened)[-2:] == ["happened c", "ended"]


def test_an_answer_belongs_to_the_step_that_waits_for_it() -> None:
    ask = {"id": "ask", "webhook": {"endpoint": "crm", "answer": {"score": "answer.score"}}}
    simulation = trial(ask, {"id": "a", "wait": "1d"}).begin(MIDDAY)

    answer = {"status": 200, "answer": {"score": 7}}
    answered = simulation.after(simulation.event("webhook.answered", MIDDAY + timedelta(minutes=1), answer))

    assert answered.enrollment.step == "a"
    assert answered.enrollment.values == {"score": 7}


def test_an_event_counts_for_later_conditions() -> None:
    condition = "seen_since('app.opened', enrollment.since)"
    seen = {"id": "b", "branch": [{"if": condition, "then": [{"id": "c", "exit": "in"}]}]}
    simulation = trial({"id": "a", "wait": "2d"}, seen).begin(MIDDAY)

    opened = simulation.after(simulation.event("app.opened", MIDDAY + timedelta(hours=1)))

    assert opened.timed_out().enrollment.outcome == "in"
    assert simulation.timed_out().enrollment.outcome == "completed"


def _begun(made: Trial) -> tuple[str, str, bool]:
    simulation = made.begin(MIDDAY)
    event = simulation.entries[0].what
    assert isinstance(event, Event)
    return event.type, simulation.enrollment.key, made.enters(MIDDAY)


def test_a_journey_that_begins_by_a_date_waits_for_it() -> None:
    entry = {"date": "profile.birthday", "every": "year", "at": "09:00"}
    made = born("1990-03-10", entry=entry)

    simulation = made.begin(MIDDAY).timed_out()

    assert made.enters(MIDDAY)
    assert kinds(simulation) == ["event", "waiting entry", "entered", "send a", "emit", "ended"]
    assert simulation.now.isoformat() == "2026-03-10T09:00:00+00:00"


def test_a_date_that_never_comes_to_anything_is_waited_for_a_few_years() -> None:
    entry = {"date": "profile.birthday", "every": "year", "where": "profile.vip"}
    walked = to_the_end(born("1990-03-10", entry=entry).begin(MIDDAY), [])

    assert walked.simulation.enrollment.step == "entry"
    assert kinds(walked.simulation) == ["event", *["waiting entry"] * 4]


def test_silence_that_is_broken_begins_later() -> None:
    made = born("1990-03-10", entry={"none_of": ["app.opened"], "for": "90d"})
    opened = Planned("app.opened", timedelta(days=10))

    quiet, broken = (to_the_end(made.begin(MIDDAY), planned).simulation for planned in ([], [opened]))

    assert quiet.enrollment.ended_at == MIDDAY + timedelta(days=90)
    assert broken.enrollment.ended_at == MIDDAY + timedelta(days=100)


def test_a_customer_enters_by_a_condition_that_is_met() -> None:
    made = born("1990-03-10", entry={"when": "profile.birthday == '1990-03-10'"})
    other = born("1991-03-10", entry={"when": "profile.birthday == '1990-03-10'"})

    assert (made.enters(MIDDAY), other.enters(MIDDAY)) == (True, False)
    assert kinds(other.begin(MIDDAY)) == ["event", "entered", "send a", "ended"]


def test_nobody_enters_outside_of_the_entrys_days() -> None:
    made = trial({"id": "a", "send": SEND}, entry={"event": "trial.signup", "until": "2026-03-03"})

    assert (made.enters(MIDDAY), made.enters(MIDDAY + timedelta(days=1))) == (True, False)


def born(birthday: str, **more: Any) -> Trial:
    made = trial({"id": "a", "send": SEND}, **more)
    return replace(made, profile=made.profile.patched({"birthday": birthday}, made.profile.created_at))


RULES = rules_from_document(
    {
        "score": {"hot": 60, "cool": 40, "cap": 100},
        "groups": [{"group": "fit"}, {"group": "engagement", "half_life": "14d"}],
        "points": [
            {
                "rule": "large",
                "group": "fit",
                "when": "profile.employees >= `50`",
                "points": 30,
                "watches": ["employees"],
            },
            {"rule": "prices", "group": "engagement", "event": "price_list.opened", "points": 40},
        ],
        "tags": [
            {"tag": "wants-prices", "event": "price_list.opened"},
            {"tag": "large", "when": "profile.employees >= `50`", "watches": ["employees"]},
        ],
        "pipelines": [
            {
                "pipeline": "sales",
                "stages": [{"stage": "new", "event": "trial.signup"}, {"stage": "ready", "event": "price_list.opened"}],
            }
        ],
    }
)


def lead(*steps: dict[str, Any], **attributes: Any) -> Trial:
    """A trial with rules of leads, on a customer who has these attributes before."""
    made = trial(*steps)
    return replace(made, profile=made.profile.patched(attributes, made.profile.created_at), leads=Leads(RULES))


def test_conditions_and_templates_see_what_the_rules_of_leads_give() -> None:
    steps = [{"id": "w", "wait": "1d"}, {"id": "see", "set": {"score": "profile.score", "stage": "profile.stage"}}]
    opened = Planned("price_list.opened", timedelta(hours=1))

    quiet, seen = (
        to_the_end(lead(*steps, employees=80).begin(MIDDAY), planned).simulation for planned in ([], [opened])
    )

    assert quiet.enrollment.values == {"score": 30, "stage": "new"}
    assert seen.enrollment.values == {"score": 68, "stage": "ready"}
    assert seen.profile.view(seen.now)["tags"] == ["large", "wants-prices"]


def test_a_customer_becomes_hot_and_cools_when_nothing_happens() -> None:
    steps = [
        {"id": "hot", "wait_for": {"event": "lead.became_hot", "timeout": "5d"}},
        {"id": "cold", "wait_for": {"event": "lead.cooled", "timeout": "60d"}},
    ]
    opened = Planned("price_list.opened", timedelta(days=1))

    seen = to_the_end(lead(*steps, employees=80).begin(MIDDAY), [opened]).simulation

    assert kinds(seen) == [
        *("event", "staged", "entered", "waiting hot", "event", "staged", "event", "happened hot", "waiting cold"),
        *("event", "happened cold", "ended"),
    ]
    assert [entry.what.type for entry in seen.entries if isinstance(entry.what, Event)][2:] == [
        "lead.became_hot",
        "lead.cooled",
    ]
    days = (seen.now - MIDDAY - timedelta(days=1)) / timedelta(days=1)
    assert 29 < days < 29.1, "40 points have become 9.5, beside 30 that stay"


def test_every_path_counts_its_own_events_for_the_score() -> None:
    steps = [
        {"id": "look", "wait_for": {"event": "price_list.opened", "timeout": "5d"}},
        {"id": "cold", "wait_for": {"event": "lead.cooled", "timeout": "60d"}},
    ]

    paths = all_paths(lead(*steps, employees=80), MIDDAY, most=20)

    scores = {round(one.profile.view(MIDDAY + timedelta(days=4))["score"]) > 60 for one in paths.shown}
    assert (scores, paths.left_out) == ({True, False}, 0)
