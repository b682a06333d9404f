"""What a file says in short is written out: repeats, shared paths, and calendars by name."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authoring.journeys import check, compile_catalogue, worst_case_messages
from authoring.journeys.expansion import expanded
from cairn.adapters.documents.journey import journey_from_document
from cairn.domain.journey import engine
from cairn.domain.journey.enrollment import Status
from cairn.domain.journey.steps.send import Send
from tests.unit.makers import entered, event, profile, sent

TEXT = {"send": {"channel": "sms", "template": "hello", "purpose": "marketing"}}
OFFICE = "calendars:\n  office:\n    hours: {mon-fri: 09:00-17:00}\n"


def repeat(**more: Any) -> dict[str, Any]:
    return {"id": "remind", "repeat": {"times": 3, "every": "2d", "steps": [{"id": "text", **TEXT}]} | more}


def document(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"journey": "made", "entry": {"event": "trial.signup"}, "steps": list(steps)} | more


def checked(root: Path, written: dict[str, Any], calendars: str = "") -> list[str]:
    folder = root / "made"
    (folder / "templates").mkdir(parents=True)
    (folder / "journey.yaml").write_text(json.dumps(written), encoding="utf-8")
    (folder / "templates/hello.sms.txt").write_text("Hello", encoding="utf-8")
    if calendars:
        (root / "_calendars.yaml").write_text(calendars, encoding="utf-8")
    return [str(problem).removeprefix(f"{root}/") for problem in check(root)]


@given(st.integers(2, 6), st.booleans(), st.integers(0, 6))
def test_a_repeat_does_so_many_passes_until_its_condition_is_met(times: int, asks: bool, met_after: int) -> None:  # noqa: FBT001
    ends = {"until": f"count('invoice.paid') >= `{met_after}`"} if asks else {}
    otherwise = {"else": [{"id": "call", "task": {"queue": "sales", "title": "Call"}}]} if asks else {}
    written = expanded(document(repeat(times=times, **ends, **otherwise)), {}).document
    journey = journey_from_document(written, "v1")

    decision = entered(journey)
    messages, tasks = sent(decision), 0
    ada = profile()
    while decision.enrollment.status is Status.ACTIVE:
        waiting = decision.enrollment
        assert waiting.due_at is not None
        ada = ada.after(event("invoice.paid", waiting.due_at)) if asks else ada
        decision = engine.advance(journey, waiting, ada, engine.TimerFired(waiting.sequence), waiting.due_at)
        messages += sent(decision)
        tasks += sum(effect.NAME == "OpenTask" for effect in decision.effects)

    passes = min(times, met_after) if asks else times
    assert len(messages) == passes
    assert tasks == (asks and met_after > times)
    assert worst_case_messages(written) == times


@given(st.integers(2, 5), st.integers(1, 3))
def test_every_step_that_a_file_stands_for_has_an_id_of_its_own_and_says_where_it_is_written(
    times: int, uses: int
) -> None:
    use = [{"id": f"use-{number}", "path": "both"} for number in range(uses)]
    both = [{"id": "a", **TEXT}, {"id": "b", "path": "inner"}, repeat(times=times)]
    inner = [{"id": "c", "branch": [{"if": "data.x", "then": [{"id": "d", **TEXT}]}]}]
    whole = document(*use, paths={"both": both, "inner": inner})

    found = expanded(whole, {})

    ids = list(journey_from_document(found.document, "v1").steps)
    assert len(ids) == len(set(ids)) == uses * (1 + 2 + 2 * times)
    journey = journey_from_document(found.document, "v1")
    assert sum(isinstance(step, Send) for step in journey.steps.values()) == uses * (2 + times)
    assert found.findings == []
    for here in found.origins:
        value: Any = whole
        for part in found.written_at(here):
            value = value[part]


def test_what_is_wrong_inside_is_reported_once_where_it_is_written(tmp_path: Path) -> None:
    wrong = {"id": "text", "send": TEXT["send"] | {"template": "helo"}}
    whole = document(repeat(steps=[wrong]), {"id": "again", "path": "one"}, {"id": "more", "path": "one"})

    found = checked(
        tmp_path, whole | {"paths": {"one": [wrong | {"id": "d"}, {"id": "e", "branch": [{"if": "data.x"}]}]}}
    )

    assert sorted(one.split(": ")[1] for one in found if "no template" in one) == [
        "step d, send.template",
        "step text, send.template",
    ]


PATHS = {"one": [{"id": "a", **TEXT}]}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (document({"id": "use", "path": "on"}, paths=PATHS), 'there is no path "on". Did you mean one?'),
        (document({"id": "use", "path": "one"}), 'there is no path "one". Write its steps under `paths: {one: …}`.'),
        (document({"id": "a", **TEXT}, paths=PATHS), "paths.one: no step uses this path. Use it: `path: one`."),
        (
            document({"id": "use", "path": "one"}, paths={"one": [{"id": "b", "path": "one"}]}),
            "this path leads into itself: one → one. A path may use others, but never itself.",
        ),
        (document(repeat(steps=[repeat()])), "this repeats inside of what is repeated."),
        (document(repeat(), {"id": "text-2", **TEXT}), '"text-2" is the id of an earlier step.'),
        (document(repeat(times=31)), "step remind, repeat.times: 31 is out of range. Write a number such as 3."),
        (document(repeat(**{"else": [{"id": "x", **TEXT}]})), "`else` is for an `until` that never holds"),
        (
            document({"id": "a" * 31, "path": "one"}, paths=PATHS),
            f'the step stands for "{"a" * 31}-a", and an id has at most 32',
        ),
        (
            document(
                *({"id": f"r{number}", "path": "many"} for number in range(20)),
                paths={"many": [{"id": f"a{number}", **TEXT} for number in range(60)]},
            ),
            "written out, the journey has more than 1,000 steps.",
        ),
        (document({"id": "open", "wait": {"open": "ofice"}}), 'there is no calendar "ofice". Did you mean office?'),
    ],
)
def test_a_problem_says_how_to_mend_it(tmp_path: Path, written: dict[str, Any], said: str) -> None:
    assert said in "\n".join(checked(tmp_path, written, OFFICE))


@pytest.mark.parametrize(
    ("calendar", "said"),
    [
        ("{hours: {mon-fri: 9-5}}", '"9-5" are no hours. Write from and until'),
        ("{hours: {monday: 09:00-17:00}}", '"monday" is no weekday.'),
        ("{hours: {fri-mon: 09:00-17:00}}", '"fri-mon" is no weekday.'),
        ("{hours: {mon: '09:00-13:00, 12:00-17:00'}}", '"09:00-13:00, 12:00-17:00" overlap.'),
        ("{hours: {mon-fri: 09:00-17:00, fri: 09:00-14:00}}", "fri has hours twice."),
        ("{hours: {}}", "it is never open."),
        ("{hours: {mon: 09:00-17:00}, closed: [Christmas]}", '"Christmas" is no date. Write it as 2026-12-24.'),
        ("{hours: {mon: 09:00-17:00}, holidays: {country: SP, years: [2026, 2027]}}", 'no holidays are known of "SP".'),
        (
            "{hours: {mon: 09:00-17:00}, holidays: {country: ES, region: ZZ, years: [2026, 2027]}}",
            'ES has no region "ZZ". Write one of ',
        ),
        ("{hours: {mon: 09:00-17:00}, holidays: {country: ES, years: [2027, 2026]}}", "2027 to 2026 are no years."),
        ("{hours: {mon: 09:00-17:00}, zone: Europe/Madrid}", "there is no such key."),
    ],
)
def test_a_problem_of_a_calendar_says_how_to_mend_it(tmp_path: Path, calendar: str, said: str) -> None:
    found = checked(
        tmp_path,
        document({"id": "a", "wait": {"open": "office"}}, {"id": "b", **TEXT}),
        f"calendars:\n  office: {calendar}\n",
    )

    assert said in "\n".join(found)
    assert [one for one in found if not one.startswith("_calendars.yaml:2")] == []


def test_holidays_are_compiled_in(tmp_path: Path) -> None:
    calendar = (
        "calendars:\n  office:\n    hours: {mon-fri: '09:00-13:00, 16:00-20:00', sat: 10:00-24:00}\n"
        "    time_zone: Europe/Madrid\n    holidays: {country: ES, region: MD, years: [2026, 2027]}\n"
        "    closed: [2026-12-24]\n    open: [2026-12-08]\n"
    )
    written = document({"id": "a", "wait": {"for": "4h", "open": "office"}}, {"id": "b", **TEXT})

    assert checked(tmp_path, written, calendar) == []
    (compiled,) = compile_catalogue(tmp_path)
    office = compiled["document"]["steps"][0]["wait"]["open"]
    assert office["hours"][0] == [[540, 780], [960, 1200]]
    assert office["hours"][5:] == [[[600, 1440]], []]
    assert office["zone"] == "Europe/Madrid"
    assert {"2026-01-01", "2026-05-02", "2026-12-24", "2027-12-25"} <= set(office["closed"])
    assert "2026-12-08" not in office["closed"]
    assert not any(day.startswith(("2025", "2028")) for day in office["closed"])


FOLLOWED = {"id": "text", "send": TEXT["send"] | {"follow_up": {"unless": "opened", "within": "2d"}}}


@pytest.mark.parametrize(
    ("report", "step", "sends"),
    [
        ("message.opened", "text", 1),
        ("message.clicked", "text", 1),
        ("message.replied", "text", 1),
        ("message.bounced", "text", 2),
        ("message.failed", "text", 2),
        ("message.delivered", "text", 2),
        ("message.opened", "another", 2),
        ("", "", 2),
    ],
)
def test_a_follow_up_goes_out_where_the_message_failed_or_stayed_unopened(report: str, step: str, sends: int) -> None:
    journey = journey_from_document(expanded(document(FOLLOWED), {}).document, "v1")
    decision = entered(journey)
    ada, messages = profile(), sent(decision)

    if report:
        said = {"step": step, "enrollment": decision.enrollment.id}
        happened = engine.Happened(event(report, decision.enrollment.since, properties=said))
        decision = engine.advance(journey, decision.enrollment, ada, happened, decision.enrollment.since)
        messages += sent(decision)
    if decision.enrollment.due_at is not None:
        timer, due = engine.TimerFired(decision.enrollment.sequence), decision.enrollment.due_at
        decision = engine.advance(journey, decision.enrollment, ada, timer, due)
        messages += sent(decision)

    assert messages == ["hello"] * sends
    assert not decision.enrollment.open


def test_a_follow_up_by_another_template_or_channel_needs_its_file(tmp_path: Path) -> None:
    follow = {"unless": "delivered", "within": "2d", "channel": "email", "template": "again"}

    found = checked(tmp_path, document({"id": "text", "send": TEXT["send"] | {"follow_up": follow}}))

    (one,) = found
    assert 'step text, send.follow_up.template: there is no template "again" for email' in one


@pytest.mark.parametrize("last", [[], [{"id": "a", "path": "nowhere"}], [{"id": "a", "path": "p0"}]])
def test_paths_that_use_one_another_twice_are_written_out_no_further_than_a_thousand_steps(last: list[Any]) -> None:
    twice = {f"p{number}": [{"id": one, "path": f"p{number + 1}"} for one in "ab"] for number in range(40)}

    found = expanded(document({"id": "use", "path": "p0"}, paths=twice | {"p40": last}), {})

    assert any("more than 1,000 steps" in message for _, message, _ in found.findings)
    assert len(found.findings) < 2_000
