"""Events are declared: of the shipped sources by their mappings and samples, of Cairn by hand, and the user's own."""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from authoring.events.shipped import declared, documents, yaml_of
from authoring.journeys import check, read_catalogue
from authoring.journeys.events import CAIRNS, SHIPPED, Declarations, EventsFile, declarations_in, fits
from authoring.journeys.source import read_yaml
from authoring.sources.check import EXPECTED, vendors
from cairn.adapters.sources import VENDORS
from cairn.domain.event import MESSAGE_EVENTS, OWN_TYPES
from cli.main import app

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"^```yaml events\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)

KNOWN = Declarations(None)

THE_SENDER_NAMES_IT = {"hmac", "standard-webhooks"}

OWN = """
visit.booked:
  properties:
    visit_at: {type: date, example: "2026-03-06"}
    guests: {type: number, example: 4}
    name: {type: text, example: Mia}
    paid: {type: boolean, example: true}
    deposit: {type: amount, example: 4900}
    rooms: {type: list}
    currency: {type: text, example: EUR}
visit.moved:
  properties:
    visit_at: {type: date}
    moved_by: {type: text}
visit.noted:
  open: true
  properties:
    note: {type: text}
"""

Json = dict[str, Any]

JOURNEY: Json = {
    "journey": "visit",
    "entry": {"event": "visit.booked", "key": "event.properties.name"},
    "refresh_on": [{"event": "visit.moved", "key": "event.properties.moved_by"}],
    "steps": [{"id": "before", "wait": {"until": "data.visit_at"}}, {"id": "end", "exit": "done"}],
}


def events_of_samples() -> Iterator[tuple[str, dict[str, Any]]]:
    for vendor in vendors():
        file = VENDORS / vendor / EXPECTED
        for events in json.loads(file.read_text(encoding="utf-8")).values():
            yield from ((vendor, event) for event in events)


def written(root: Path, own: str | None = OWN, text: str = "Hello", **changed: Any) -> Path:
    templates = root / "visit" / "templates"
    templates.mkdir(parents=True)
    document = {**JOURNEY, **changed}
    if text != "Hello" or "hello" in json.dumps(document):
        send = {"channel": "sms", "template": "hello", "purpose": "transactional"}
        document["steps"] = [{"id": "hello", "send": send}, *document["steps"]]
        (templates / "hello.sms.txt").write_text(text, encoding="utf-8")
    (root / "visit" / "journey.yaml").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    if own is not None:
        (root / "events.yaml").write_text(own, encoding="utf-8")
    return root


def said(root: Path) -> list[str]:
    return [f"{one.field or one.file.name}: {one.message}. {one.fix}" for one in check(root)]


def condition(expression: str) -> list[Any]:
    return [{"id": "which", "branch": [{"if": expression, "then": []}]}, *JOURNEY["steps"]]


# Declarations of the shipped sources.


def test_what_is_checked_in_is_what_mappings_and_samples_say() -> None:
    for file, text in documents(ROOT).items():
        assert file.read_text(encoding="utf-8") == text, "run `python -m authoring.events` and commit what it writes"


def test_every_event_of_every_sample_is_declared_with_its_properties_and_their_types() -> None:
    shipped = declared()
    for vendor, event in events_of_samples():
        if event["type"].startswith(MESSAGE_EVENTS) or vendor in THE_SENDER_NAMES_IT:
            continue
        assert KNOWN.knows(event["type"]), (vendor, event["type"])
        known = shipped.get(event["type"], {"open": True, "properties": {}})
        for name, value in event.get("properties", {}).items():
            assert name in known["properties"] or known.get("open"), (vendor, event["type"], name)
            type_ = known["properties"].get(name, {"type": "any"})["type"]
            assert fits(value, type_), (vendor, event["type"], name, type_, value)


def test_declarations_survive_their_file() -> None:
    shipped = declared()

    again = read_yaml(yaml_of(shipped), Path("shipped.yaml"))

    assert again.problems == ()
    assert again.data.keys() == shipped.keys()
    for type_, event in shipped.items():
        for name, one in event["properties"].items():
            given = {key: value for key, value in one.items() if value not in (None, [])}
            assert again.data[type_]["properties"][name] == given


@pytest.mark.parametrize("file", [SHIPPED, CAIRNS, ROOT / "events" / "club" / "journeys" / "events.yaml"])
def test_every_file_of_declarations_is_right(file: Path) -> None:
    EventsFile.model_validate(read_yaml(file.read_text(encoding="utf-8"), file).data)


def test_every_type_that_cairn_gives_an_event_about_a_message_is_declared() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "layers/core/python/cairn").rglob("*.py"))
    named = set(re.findall(r'"(message\.[a-z_]+)"', code)) - {
        "message.possible_stop",
        "message.html",
    }  # a kind of task, a page

    assert {one for one in named if not KNOWN.knows(one)} == set()


def test_every_type_that_no_source_may_send_is_declared() -> None:
    assert {one for one in OWN_TYPES if not KNOWN.knows(one)} == set()


def test_a_source_of_the_users_own_is_declared_by_a_command(tmp_path: Path) -> None:
    shutil.copytree(VENDORS / "calendly", tmp_path / "sources" / "parkside")
    (tmp_path / "sources.toml").write_text("", encoding="utf-8")

    answer = CliRunner().invoke(app, ["sources", "events", "--configuration", str(tmp_path / "sources.toml")])

    assert answer.exit_code == 0
    found = yaml.safe_load(answer.stdout)
    assert found["appointment.booked"]["sources"] == ["parkside"]
    assert found["appointment.booked"]["properties"]["starts_at"]["type"] == "date"
    EventsFile.model_validate(found)


# The user's file.


def test_the_example_of_the_docs_is_right(tmp_path: Path) -> None:
    (tmp_path / "events.yaml").write_text(EXAMPLE, encoding="utf-8")

    known = declarations_in(tmp_path)

    assert known.problems == ()
    assert known.names(["visit.booked"]).types["deposit"] == "amount"
    assert known.knows("shop.opened")
    assert {"our_reference", "amount_due"} <= known.names(["payment.failed"]).types.keys()


@pytest.mark.parametrize(
    ("own", "line"),
    [
        ("- a\n", "events.yaml: this file declares no events. Write `visit.booked:`, and below it `properties:`."),
        (
            "Visit: {}\n",
            'Visit: "Visit" is not an event type. Write object.action in lower case, such as visit.booked.',
        ),
        ("visit.booked: {opne: true}\n", "visit.booked.opne: there is no such key. Did you mean open?"),
        (
            "visit.booked:\n  properties:\n    a: {typ: text}\n",
            "visit.booked.properties.a.typ: there is no such key. Did you mean type?",
        ),
        (
            "visit.booked:\n  properties:\n    a: {type: date, example: soon}\n",
            "visit.booked.properties.a: the example 'soon' is no date. Correct the example, or the type.",
        ),
        ("visit.booked: [\n", "events.yaml: not YAML"),
    ],
)
def test_a_mistake_in_the_file_is_reported(tmp_path: Path, own: str, line: str) -> None:
    assert any(one.startswith(line) for one in said(written(tmp_path, own)))


@given(st.text(max_size=60) | st.text(alphabet="visit.bookd:{} \n-type[]&*!\"'", max_size=80))
def test_no_text_of_the_file_makes_the_check_fail(text: str) -> None:
    source = read_yaml(text, Path("events.yaml"))

    assert isinstance(Declarations(source).problems, tuple)


# Types and properties.


def test_what_is_declared_is_no_problem(tmp_path: Path) -> None:
    text = "{{ data.name }} {{ data['guests'] }} {{ data.deposit | money(data.currency) }}"

    assert said(written(tmp_path, text=text)) == []


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"entry": {"event": "visit.boked"}}, "entry.event"),
        ({"entry": {"any": [{"event": "visit.boked"}, {"event": "visit.booked"}]}}, "entry.any[0].event"),
        ({"goal": {"event": "visit.boked"}}, "goal.event"),
        ({"exit_on": [{"event": "visit.boked", "key": "any"}]}, "exit_on[0].event"),
        ({"refresh_on": [{"event": "visit.boked"}]}, "refresh_on[0].event"),
        ({"entry": {"none_of": ["a.b", "visit.boked"], "for": "90d"}}, "entry.none_of[1]"),
        ({"steps": [{"id": "a", "emit": {"event": "visit.boked"}}]}, "emit.event"),
        (
            {
                "steps": [
                    {"id": "a", "repeat": {"times": 2, "every": "1d", "until": "seen('visit.boked')", "steps": []}}
                ]
            },
            "repeat.until",
        ),
        ({"steps": [{"id": "a", "wait_for": {"event": "visit.boked", "timeout": "1d"}}]}, "wait_for.event"),
        (
            {
                "steps": [
                    {"id": "a", "wait_for": {"all": [{"event": "a.b"}, {"event": "visit.boked"}], "timeout": "1d"}}
                ]
            },
            "wait_for.all[1].event",
        ),
        *(
            ({"steps": condition(expression)}, "branch[0].if")
            for expression in (
                "seen('visit.boked')",
                "seen_since('visit.boked', enrollment.since)",
                "count('visit.boked') > `1`",
                "days_since('visit.boked') > `1`",
            )
        ),
    ],
)
@pytest.mark.parametrize("own", [True, False])
def test_a_mistyped_event_is_a_problem_wherever_it_stands(
    tmp_path: Path, changed: Mapping[str, Any], where: str, *, own: bool
) -> None:
    """Without a file of the user's it is one where it is nearly a type that is declared."""
    known, mistyped = ("visit.booked", "visit.boked") if own else ("payment.failed", "payment.faild")
    document = json.loads(json.dumps({**JOURNEY, **changed}).replace("visit.boked", mistyped))

    found = said(written(tmp_path, f"{OWN}\na.b: {{}}" if own else None, **document))

    line = f"{where}: no event {mistyped} is declared. Did you mean {known}? "
    assert line + "Declare one of your own in events.yaml (docs/events.md)." in found


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"entry": {"event": "visit.booked", "key": "event.properties.nmae"}}, "entry.key: visit.booked has no nmae."),
        ({"entry": {"event": "visit.booked", "where": "data.gests > `1`"}}, "entry.where: visit.booked has no gests."),
        ({"steps": condition("data.gests > `1`")}, "branch[0].if: visit.booked or visit.moved has no gests."),
        (
            {"steps": condition("data.rooms[0].price || data.nobody")},
            "branch[0].if: visit.booked or visit.moved has no nobody.",
        ),
        (
            {"steps": [{"id": "a", "update": {"set_from": {"x": "data.gests"}}}]},
            "update.set_from.x: visit.booked or visit.moved has no gests.",
        ),
        (
            {"steps": [{"id": "a", "wait_for": {"event": "visit.moved", "timeout": {"until": "data.vist_at"}}}]},
            "wait_for.timeout.until: visit.booked or visit.moved has no vist_at.",
        ),
        (
            {"steps": [{"id": "a", "emit": {"event": "visit.moved", "properties": {"moved_bye": "data.name"}}}]},
            "emit.properties.moved_bye: visit.moved has no moved_bye. Did you mean moved_by?",
        ),
        (
            {"exit_on": [{"event": "visit.moved", "where": "event.properties.guests == `1`", "key": "any"}]},
            "exit_on[0].where: visit.moved has no guests.",
        ),
    ],
)
def test_a_mistyped_property_is_a_problem_wherever_it_stands(
    tmp_path: Path, changed: Mapping[str, Any], line: str
) -> None:
    assert any(one.startswith(line) for one in said(written(tmp_path, **changed)))


@pytest.mark.parametrize(
    "step",
    [
        {"task": {"queue": "sales", "title": "Call", "context": {"event": "data.name"}}},
        {"set": {"event": "data.name"}},
        {"update": {"set": {"event": "a.bb"}, "set_from": {"event2": "data.name"}}},
        {"emit": {"event": "visit.noted", "properties": {"event": "data.name"}}},
    ],
)
def test_a_name_of_the_users_that_is_event_names_no_event(tmp_path: Path, step: dict[str, Any]) -> None:
    assert said(written(tmp_path, steps=[{"id": "a", **step}])) == []


def test_a_step_sees_the_properties_of_the_event_that_was_waited_for(tmp_path: Path) -> None:
    then = [{"id": "b", "branch": [{"if": "event.properties.guests > `1`", "then": []}]}]
    steps = [
        {"id": "a", "wait_for": {"any": [{"event": "visit.moved", "then": then}, {"event": "a.b"}], "timeout": "1d"}}
    ]

    (found,) = said(written(tmp_path, f"{OWN}\na.b: {{}}", steps=steps))

    assert found.startswith("branch[0].if: a.b or visit.moved has no guests.")


@pytest.mark.parametrize("own", [None, "payment.failed: {}"])
def test_a_property_that_no_shipped_event_has_is_a_problem_where_the_user_declares_theirs(
    tmp_path: Path, own: str | None
) -> None:
    changed = {"entry": {"event": "payment.failed", "where": "data.whatever"}, "refresh_on": []}

    found = said(written(tmp_path, own, steps=[{"id": "end", "exit": "done"}], **changed))

    line = "entry.where: payment.failed has no whatever. Declare what you send in events.yaml (docs/events.md)."
    assert found == ([line] if own else [])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{{ data.nmae }}", 1),
        ("Hi\n{% if data['nmae'] is defined %}x{% endif %}", 2),
        ("---\nmax_parts: 2\n---\n{{ data.nmae }}", 4),
    ],
)
def test_a_mistyped_property_in_a_template_is_a_problem_in_its_line(tmp_path: Path, text: str, line: int) -> None:
    (problem,) = check(written(tmp_path, text=text))

    assert problem.line == line
    assert "has no nmae. Did you mean data.name? " in str(problem)


BY_DATE = {"date": "profile.birthday", "every": "year", "at": "09:00"}
BY_CONDITION = {"when": "profile.stage == 'lapsed'", "again": "when-ended"}
BY_SILENCE = {"none_of": ["visit.booked"], "for": "30d"}


@pytest.mark.parametrize("own", [None, OWN])
@pytest.mark.parametrize(
    ("entry", "refresh_on", "name", "said_of_it"),
    [
        (BY_DATE, [], "date", None),
        (BY_DATE, [], "dat", "an entry by `date` has no dat. Did you mean data.date? Read it from the profile"),
        (BY_DATE, [], "guests", "an entry by `date` has no guests. Read it from the profile"),
        (BY_DATE, ["visit.moved"], "moved_by", None),
        (BY_CONDITION, [], "date", "an entry by `when` has no date. Read it from the profile"),
        (BY_SILENCE, [], "guests", None),
    ],
)
def test_without_a_starting_event_data_has_a_day_or_nothing(  # noqa: PLR0913, PLR0917  one argument for each part
    tmp_path: Path, own: str | None, entry: Json, refresh_on: list[str], name: str, said_of_it: str | None
) -> None:
    refreshing = [{"event": one} for one in refresh_on]
    root = written(tmp_path, own, f"{{{{ data.{name} }}}}", entry=entry, refresh_on=refreshing, steps=[])

    found = [one for one in said(root) if " has no " in one]

    assert [one.partition(": ")[2].partition(": no event")[0] for one in found] == ([said_of_it] if said_of_it else [])


def test_what_refreshes_a_date_is_declared_too(tmp_path: Path) -> None:
    refreshing = [{"event": "visit.moved"}]
    root = written(tmp_path, OWN, "{{ data.whatever }}", entry=BY_DATE, refresh_on=refreshing, steps=[])

    (problem,) = [one for one in said(root) if " has no " in one]

    assert "an entry by `date` or visit.moved has no whatever. Declare what you send" in problem


def test_an_event_that_may_have_other_properties_is_not_checked_for_them(tmp_path: Path) -> None:
    entry = {"event": "visit.noted", "key": "event.properties.anything"}

    assert said(written(tmp_path, entry=entry, steps=condition("data.something_else"))) == []


def test_without_a_file_of_the_users_only_what_is_nearly_right_is_a_problem(tmp_path: Path) -> None:
    entry = {"event": "court.opened", "key": "event.properties.court"}
    steps = condition("data.whatever > `1` && seen('hall.opened') && event.properties.x || seen('stripe.plan.deleted')")

    root = written(tmp_path, None, entry=entry, refresh_on=[], steps=[one for one in steps if one["id"] == "which"])

    assert [one for one in said(root) if "declare" in one.lower()] == []
    assert read_catalogue(root).undeclared() == ["court.opened", "hall.opened"]


@pytest.mark.parametrize("checked", [".", "visit"])
def test_check_lists_the_events_that_are_declared_nowhere(tmp_path: Path, checked: str) -> None:
    root = written(tmp_path, None)

    answer = CliRunner().invoke(app, ["check", str(root / checked)])

    assert answer.exit_code == 0
    assert f"Declare them in {root / 'events.yaml'}" in answer.stderr.replace("\n", "")
    assert "2 events are declared nowhere: visit.booked, visit.moved." in answer.stderr


# Types of properties.


@pytest.mark.parametrize(
    ("expression", "line"),
    [
        ("data.guests == '4'", "data.guests is a number and '4' a text: == is never true"),
        ("data.name != `4`", "data.name is a text and 4 a number: != is always true"),
        ("data.paid == 'yes'", "data.paid is a boolean and 'yes' a text: == is never true"),
        (
            "data.name > `4`",
            "data.name is a text, and > compares numbers: this is never true. Write to_number(data.name).",
        ),
        ("data.guests >= '4'", "'4' is a text, and no number is more or less than it. Write `4`."),
        ("data.guests >= 'four'", "'four' is a text, and >= compares numbers: this is never true."),
        ("data.paid < `2`", "data.paid is a boolean, and < compares numbers: this is never true."),
        ("count('visit.booked') == '1'", "count() is a number and '1' a text: == is never true"),
        ("hours_until(data.guests) < `2`", "data.guests is a number, and no date."),
        ("days_since(data.name) < `2`", "data.name is a text, and no date."),
        ("seen_since('visit.booked', data.paid)", "data.paid is a boolean, and no date."),
    ],
)
def test_a_comparison_that_can_never_be_true_is_a_problem(tmp_path: Path, expression: str, line: str) -> None:
    found = said(written(tmp_path, steps=condition(expression)))

    assert len(found) == 1
    assert line in found[0]


@pytest.mark.parametrize(
    "expression",
    [
        "data.guests == `4` && data.name == 'Mia' && data.paid == `true` && data.deposit > `100`",
        "to_number(data.name) > `4` && hours_until(data.visit_at) < `2` && data.visit_at == '2026-03-06'",
        "data.visit_at < `1772785800` || data.visit_at == `1772785800`",
        "data.rooms[?price > `4` && name == `7`] && data.guests != `null`",
    ],
)
def test_a_comparison_that_may_be_true_is_none(tmp_path: Path, expression: str) -> None:
    assert said(written(tmp_path, steps=condition(expression))) == []


@pytest.mark.parametrize("name", ["guests", "name", "paid", "rooms", "deposit"])
def test_a_wait_until_what_is_no_date_is_a_problem(tmp_path: Path, name: str) -> None:
    (found,) = said(written(tmp_path, steps=[{"id": "a", "wait": {"until": f"data.{name}"}}]))

    assert found.startswith(f"wait.until: data.{name} is ")
    assert "and no date" in found


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{{ data.deposit }}", "in minor units, without its currency"),
        ("{{ data.deposit | default(0) }}", "in minor units, without its currency"),
        ("{{ data.deposit | money }}", "in US dollars, whatever its currency"),
        ("{{ data.deposit | money(data.currency) }}", None),
        ("{{ data.deposit | default(0) | money(data.currency) }}", None),
        ("{% if data.deposit > 100 %}{{ data.guests }}{% endif %}", None),
    ],
)
def test_an_amount_without_its_currency_is_a_problem(tmp_path: Path, text: str, what: str | None) -> None:
    found = said(written(tmp_path, text=text))

    line = f"hello.sms.txt: data.deposit is an amount of money, and is written {what}."
    assert found == ([f"{line} Write {{{{ data.deposit | money(data.currency) }}}}."] if what else [])
