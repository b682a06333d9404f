"""Journeys are checked as a whole: every problem at once, each with its line and its fix."""

import ast
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

import authoring.journeys
from authoring.journeys import (
    InvalidJourneysError,
    Problem,
    check,
    compile_catalogue,
    worst_case_messages,
    write_catalogue,
)
from authoring.journeys.steps import WRITTEN_KINDS
from cairn.adapters.documents.journey import journey_from_document
from cairn.domain.journey.steps.send import Send
from cairn.domain.message.message import Review
from cairn.domain.shared.errors import CairnError

CASES = Path(__file__).parent

JOURNEY = """\
journey: visit
time_zone: Europe/Madrid
entry: {event: booking.created, key: event.properties.id, again: 30d}
goal: {event: invoice.paid, within: 14d}
holdout: 10%
exit_on:
  - event: booking.cancelled
steps:
  - id: confirm
    send: {channel: sms, template: confirm, purpose: transactional}
  - id: day-3
    wait: {at: "10:00", day: 3}
  - id: paid
    wait_for:
      event: invoice.paid
      timeout: 2d
      then:
        - id: thanks
          update: {set: {stage: paid}, tags: {add: [paid]}}
      else:
        - id: call
          task: {queue: sales, title: Call them, context: {phone: profile.phone}}
  - id: size
    branch:
      - if: data.amount > `100`
        then: []
      - else:
          - id: small
            exit: too-small
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with one journey, which has no problems."""
    write(tmp_path, "visit/journey.yaml", JOURNEY)
    write(tmp_path, "visit/templates/confirm.sms.txt", "See you {{ data.visit_at | local('%A') }}")
    return tmp_path


def write(root: Path, name: str, text: str) -> Path:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def problems(root: Path) -> list[str]:
    return [str(problem).replace(f"{root}/", "") for problem in check(root)]


def test_a_journey_without_problems_has_none(root: Path) -> None:
    assert problems(root) == []


def cases(name: str) -> list[dict[str, Any]]:
    """The cases of a file beside this one."""
    loaded: list[dict[str, Any]] = yaml.safe_load((CASES / name).read_text(encoding="utf-8"))
    return loaded


def test_what_the_end_changes_is_read_by_no_template(root: Path) -> None:
    """The message of a last step is written after `finally`."""
    over = "finally:\n  - {id: over, update: {set: {offer: null}}}\n"
    write(root, "visit/journey.yaml", JOURNEY.replace("steps:\n  - id: confirm", over + "steps:\n  - id: confirm"))
    assert problems(root) == []

    write(root, "visit/templates/confirm.sms.txt", "Your code: {{ profile.offer }}")

    (problem,) = problems(root)
    assert problem.startswith("visit/journey.yaml:9: step over: templates/confirm.sms.txt reads profile.offer")


@pytest.mark.parametrize("text", ["{{ enrollment.key }}", "{{ enrollment.valeus.x }}"])
def test_a_template_sees_the_values_of_an_enrollment_and_nothing_else_of_it(root: Path, text: str) -> None:
    write(root, "visit/templates/confirm.sms.txt", text)

    assert [one.endswith("It sees enrollment.values.") for one in problems(root)] == [True]


def test_the_arms_of_a_split_with_a_winner_are_measured_by_a_goal(root: Path) -> None:
    split = "split: {winner: person, arms: [{arm: a, weight: 1}, {arm: b, weight: 1}]}"
    measured = JOURNEY.partition("    branch:")[0] + f"    {split}\n"
    write(root, "visit/journey.yaml", measured)
    assert problems(root) == []

    write(root, "visit/journey.yaml", measured.replace("goal: {event: invoice.paid, within: 14d}\n", ""))

    (problem,) = problems(root)
    said = "its arms are measured by the journey's goal, and there is none"
    mend = "Add `goal: {event: …}`, or remove `winner`."
    assert problem == f"visit/journey.yaml:23: step size, split.winner: {said}. {mend}"


@pytest.mark.parametrize("case", cases("broken_journeys.yaml"), ids=lambda case: case["instead"])
def test_a_problem_of_a_journey_is_reported_with_its_line_and_its_fix(root: Path, case: dict[str, Any]) -> None:
    assert case["written"] in JOURNEY

    write(root, "visit/journey.yaml", JOURNEY.replace(case["written"], case["instead"], 1))

    assert problems(root) == [
        f"visit/{one}" if "/" in one.split(":")[0] else f"visit/journey.yaml:{one}" for one in expected(case)
    ]


def expected(case: dict[str, Any]) -> list[str]:
    """The problems of a case, as they are reported."""
    said = case["said"] if isinstance(case["said"], list) else [case["said"]]
    return [one.replace("{step kinds}", ", ".join(WRITTEN_KINDS)) for one in said]


def sentences_of_the_check() -> Iterator[tuple[str, list[str]]]:
    """Each message that the models of journeys and templates write, in its parts."""
    for file in Path(authoring.journeys.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "wrong":
                parts = [one.value for one in ast.walk(node.args[0]) if isinstance(one, ast.Constant)]
                yield (
                    f"{file.name}:{node.lineno}",
                    [part.strip() for part in map(str, parts) if len(part) > len("is no ")],
                )


def test_each_sentence_of_the_check_has_a_case() -> None:
    said = "\n".join(file.read_text(encoding="utf-8") for file in CASES.iterdir() if file.is_file()).replace("''", "'")

    assert [where for where, parts in sentences_of_the_check() if not any(part in said for part in parts)] == []


def test_a_folder_of_broken_journeys_has_exactly_the_problems_that_were_planted(tmp_path: Path) -> None:
    """All at once, in one folder: no problem hides another, and none is there that was not planted."""
    planted = []
    for number, case in enumerate(cases("broken_journeys.yaml")):
        name = f"visit-{number:03}"
        journey = JOURNEY.replace(case["written"], case["instead"], 1)
        write(tmp_path, f"{name}/journey.yaml", journey.replace("journey: visit\n", f"journey: {name}\n"))
        write(tmp_path, f"{name}/templates/confirm.sms.txt", "See you {{ data.visit_at | local('%A') }}")
        for one in expected(case):
            file = f"{name}/{one}" if "/" in one.split(":")[0] else f"{name}/journey.yaml:{one}"
            planted.append(file.replace("visit/", f"{name}/").replace("`journey: visit`", f"`journey: {name}`"))

    found = problems(tmp_path)

    assert sorted(found) == sorted(planted)
    assert len(cases("broken_journeys.yaml")) >= 150


@pytest.mark.parametrize(
    "expression",
    [
        "data.items[?price > `5`].name | [0]",
        "sort_by(data.items, &price)[-1].name",
        "{first: data.items[0].name, all: data.*.name, flat: data.rows[]}.first",
        "data.items[0].[name, price]",
        "not_null(profile.phone, profile.email, data.phone)",
        "merge(data.a, data.b, profile.c)",
        "seen(data.type) && days_since(data.created_at) < `3` && !contains(profile.tags, 'vip')",
        "hours_until(data.visit_at) > `48` || seen_since('app.opened', enrollment.since)",
        "data.signed_on < '2026-03-01' && data.grade >= `\"b\"`",
        "@",
    ],
)
def test_every_construct_of_jmespath_is_allowed(root: Path, expression: str) -> None:
    write(root, "visit/journey.yaml", JOURNEY.replace("data.amount > `100`", json.dumps(expression)))

    assert problems(root) == []


def test_an_event_is_in_scope_from_the_wait_that_it_won_to_the_next_one(root: Path) -> None:
    won = JOURNEY.replace("{set: {stage: paid}, tags: {add: [paid]}}", "{set_from: {total: event.properties.total}}")
    write(root, "visit/journey.yaml", won)
    assert problems(root) == []

    waited = won.replace("        - id: thanks\n", "        - id: an-hour\n          wait: 1h\n        - id: thanks\n")
    write(root, "visit/journey.yaml", waited)

    assert [(problem.step, problem.field) for problem in check(root)] == [("thanks", "update.set_from.total")]


def test_an_event_needs_an_alternative_where_only_some_paths_have_one(root: Path) -> None:
    both = JOURNEY.replace("data.amount > `100`", "(event.properties.amount || data.amount) > `100`")

    write(root, "visit/journey.yaml", both)

    assert problems(root) == []


def test_a_date_of_an_event_is_lost_at_a_refresh(root: Path) -> None:
    waits = "        - id: later\n          wait: {until: event.properties.due_at}\n        - id: thanks\n"
    journey = JOURNEY.replace("        - id: thanks\n", waits)
    write(root, "visit/journey.yaml", journey)
    assert problems(root) == []

    write(root, "visit/journey.yaml", journey.replace("exit_on:", "refresh_on: [{event: booking.moved}]\nexit_on:"))

    (problem,) = check(root)
    assert (problem.step, problem.field) == ("later", "wait.until")
    assert "update.set_from" in problem.fix


def test_ids_are_unique_across_nested_steps(root: Path) -> None:
    write(root, "visit/journey.yaml", JOURNEY.replace("id: thanks", "id: size").replace("id: call", "id: small"))

    assert [(problem.line, problem.step) for problem in check(root)] == [(23, "size"), (28, "small")]


def test_all_problems_are_reported_at_once_in_the_order_of_lines(root: Path) -> None:
    broken = (
        JOURNEY.replace("10%", "2")
        .replace('"10:00"', "24:00")
        .replace("invoice.paid\n", "Paid\n")
        .replace("then: []", "")
    )
    write(root, "visit/journey.yaml", broken)
    write(root, "visit/templates/confirm.sms.txt", "{{ nobody }}")
    write(root, "another/journey.yaml", "journey: another\n")

    found = [(problem.file.parent.name, problem.line, problem.field) for problem in check(root)]

    assert found == [
        ("another", 1, "entry"),
        ("another", 1, "steps"),
        ("visit", 5, "holdout"),
        ("visit", 12, "wait.at"),
        ("visit", 15, "wait_for.event"),
        ("visit", 25, "branch[0].then"),
        ("templates", 1, ""),
    ]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "this file is empty"),
        ("journey: visit\n\tsteps: []\n", 2, "not YAML: found a tab character that violates indentation"),
        ("journey: visit\nentry: {event: a.b\nsteps: []\n", 3, "not YAML: did not find expected ',' or '}'"),
        (
            "journey: visit\ndescription: on time: always\n",
            2,
            "not YAML: mapping values are not allowed in this context",
        ),
        ("journey: visit\n---\njourney: other\n", 2, "not YAML: but found another document"),
        ("journey: &a [*a]\n", 1, "this alias stands for something that contains it"),
        ("- journey\n", 1, '["journey"] is not a mapping'),
        ("journey: \x07\n", 1, "not YAML: control characters are not allowed"),
    ],
)
def test_a_file_that_is_not_a_journey_is_reported_with_its_line(root: Path, text: str, line: int, message: str) -> None:
    write(root, "visit/journey.yaml", text)

    found = [problem for problem in check(root) if problem.file.name == "journey.yaml"]

    assert (line, message) in [(problem.line, problem.message) for problem in found]


def test_files_that_are_not_utf_8_are_reported(root: Path) -> None:
    (root / "visit/journey.yaml").write_bytes(b"journey: \xff")
    (root / "visit/templates/confirm.sms.txt").write_bytes(b"\xff")

    assert [problem.message for problem in check(root)] == ["this file is not UTF-8", "this file is not UTF-8"]


def test_a_time_without_quotes_is_a_time_and_not_a_number_of_minutes(root: Path) -> None:
    write(root, "visit/journey.yaml", JOURNEY.replace('"10:00", day: 3', "10:00"))

    (compiled,) = compile_catalogue(root)

    assert compiled["document"]["steps"][1]["wait"] == {"at": "10:00"}


def test_words_and_dates_stay_text(root: Path) -> None:
    write(
        root,
        "visit/journey.yaml",
        JOURNEY.replace("{stage: paid}", "{on: no, since: 2026-03-02, count: 010, rate: .5, sure: true, plan: null}"),
    )

    (compiled,) = compile_catalogue(root)

    attributes = compiled["document"]["steps"][2]["wait_for"]["then"][0]["update"]["set"]
    assert attributes == {"on": "no", "since": "2026-03-02", "count": 10, "rate": 0.5, "sure": True, "plan": None}


def test_a_folder_needs_a_journey_and_the_root_folder_must_exist(root: Path) -> None:
    (root / "empty").mkdir()
    (root / ".hidden").mkdir()

    assert problems(root) == ["empty/journey.yaml:1: this file is missing. Write it, or remove the folder."]
    assert str(*check(root / "nowhere")) == (
        f"{root}/nowhere:1: there is no such folder. Name the folder that holds the journeys."
    )


def test_two_journeys_cannot_have_one_name(root: Path) -> None:
    write(root, "wander/journey.yaml", JOURNEY)
    write(root, "wander/templates/confirm.sms.txt", "Hello")

    assert [problem.message.replace(f"{root}/", "") for problem in check(root)] == [
        '"visit" is not the name of its folder',
        '"visit" is the journey of visit/journey.yaml too',
    ]


def test_a_journey_that_is_too_large_for_the_table_is_a_problem(root: Path) -> None:
    noise = "".join(chr(0x4E00 + (number * 7919) % 20_000) for number in range(200_000))
    write(root, "visit/templates/confirm.sms.txt", noise)

    (problem,) = check(root)

    assert "bytes compressed, above 390,000" in problem.message


@pytest.mark.parametrize("case", cases("broken_templates.yaml"), ids=lambda case: case["said"])
def test_a_problem_of_a_template_is_reported_with_its_line_and_its_fix(root: Path, case: dict[str, Any]) -> None:
    channel = case["file"].split(".")[1]
    wanted = channel if channel in {"email", "push"} or "---" in case["text"] else "sms"
    if wanted != "sms":
        write(root, "visit/journey.yaml", JOURNEY.replace("channel: sms", f"channel: [sms, {wanted}]"))

    write(root, f"visit/templates/{case['file']}", case["text"])

    assert problems(root) == [f"visit/templates/{case['file']}:{case['said']}"]


def test_a_template_may_define_names(root: Path) -> None:
    write(
        root,
        "visit/templates/confirm.sms.txt",
        "{% set name = profile.name | default(*['you']) %}{% for n in range(2) %}{{ loop.index }}{{ name }}{% endfor %}"
        "{% if data.rows is defined and data.n is divisibleby 3 %}"
        "{{ data.rows | map(attribute='x') | join(', ') }}{% endif %}",
    )

    assert problems(root) == []


def test_a_catalogue_carries_document_and_templates_of_every_journey(root: Path) -> None:
    write(root, "visit/journey.yaml", JOURNEY.replace("channel: sms", "channel: [push, email, sms]"))
    write(root, "visit/templates/confirm.push.txt", "---\ntitle: Soon\n---\nSee you\n")
    write(
        root,
        "visit/templates/confirm.email.html",
        "---\nsubject: See you\npreview: All you need\n---\n<h1>Hello</h1>\n",
    )
    write(root, "visit/templates/confirm.email.txt", "Hello, in plain words\n")

    (compiled,) = compile_catalogue(root)

    assert compiled["journey"] == "visit"
    assert compiled["templates"] == {
        "confirm.email": {
            "subject": "See you",
            "preview": "All you need",
            "html": "<h1>Hello</h1>",
            "text": "Hello, in plain words",
        },
        "confirm.push": {"subject": "Soon", "text": "See you"},
        "confirm.sms": {"text": "See you {{ data.visit_at | local('%A') }}"},
    }
    assert journey_from_document(compiled["document"], compiled["version"]).holdout == pytest.approx(0.1)


def test_the_plain_text_of_an_email_has_no_front_matter(root: Path) -> None:
    write(root, "visit/journey.yaml", JOURNEY.replace("channel: sms", "channel: [sms, email]"))
    write(root, "visit/templates/confirm.email.html", "---\nsubject: x\n---\n<p>Hello</p>")
    write(root, "visit/templates/confirm.email.txt", "---\nsubject: x\n---\nHello")

    (found,) = problems(root)

    assert found == (
        "visit/templates/confirm.email.txt:2: subject: no front matter belongs here. "
        "Remove it: this message is its text alone."
    )


def test_a_template_may_have_variants_in_other_languages(root: Path) -> None:
    write(root, "visit/journey.yaml", JOURNEY.replace("channel: sms", "channel: [sms, email]"))
    write(root, "visit/templates/confirm.es-MX.sms.txt", "Hola")
    write(root, "visit/templates/confirm.email.html", "---\nsubject: Hello\n---\n<p>Hello</p>")
    write(root, "visit/templates/confirm.zh-Hant.email.html", "---\nsubject: 你好\n---\n<p>你好</p>")
    write(root, "visit/templates/confirm.zh-Hant.email.txt", "你好!")

    (compiled,) = compile_catalogue(root)

    assert compiled["templates"]["confirm.es-mx.sms"] == {"text": "Hola"}
    assert compiled["templates"]["confirm.zh-hant.email"]["text"] == "你好!"
    assert compiled["templates"]["confirm.email"]["text"] == "Hello"


def test_a_template_needs_a_default_language(root: Path) -> None:
    (root / "visit/templates/confirm.sms.txt").rename(root / "visit/templates/confirm.es.sms.txt")

    (found,) = problems(root)

    assert 'there is no template "confirm" for sms' in found


def test_the_plain_text_in_a_language_belongs_to_an_email_in_that_language(root: Path) -> None:
    write(root, "visit/journey.yaml", JOURNEY.replace("channel: sms", "channel: [sms, email]"))
    write(root, "visit/templates/confirm.email.html", "---\nsubject: Hello\n---\n<p>Hello</p>")
    write(root, "visit/templates/confirm.es.email.txt", "Hola")

    (found,) = problems(root)

    assert found.startswith("visit/templates/confirm.es.email.txt:1: this e-mail has no HTML in es. Write ")


def test_a_registration_is_compiled_with_its_template(root: Path) -> None:
    write(root, "visit/journey.yaml", JOURNEY.replace("channel: sms", "channel: [whatsapp, sms]"))
    write(root, "visit/templates/confirm.sms.txt", "---\ndlt_template: '1107160000000012345'\n---\nHello")
    write(
        root,
        "visit/templates/confirm.whatsapp.txt",
        "---\nwhatsapp_template: visit_reminder\nwhatsapp_language: en_US\n"
        "whatsapp_parameters: ['{{ profile.name }}']\n---\nHello {{ profile.name }}",
    )

    (compiled,) = compile_catalogue(root)

    assert compiled["templates"] == {
        "confirm.sms": {"text": "Hello", "dlt_template": "1107160000000012345"},
        "confirm.whatsapp": {
            "text": "Hello {{ profile.name }}",
            "whatsapp_template": "visit_reminder",
            "whatsapp_language": "en_US",
            "whatsapp_parameters": ["{{ profile.name }}"],
        },
    }


def test_the_options_of_a_send_are_read_from_its_step(root: Path) -> None:
    review = "review: {queue: compliance, within: 12h, otherwise: send}"
    options = f"purpose: transactional, useful_for: 2d, hour: preferred, {review}"
    write(root, "visit/journey.yaml", JOURNEY.replace("purpose: transactional", options))

    (compiled,) = compile_catalogue(root)

    step = journey_from_document(compiled["document"], "v1").steps["confirm"]
    assert isinstance(step, Send)
    assert (step.useful_for, step.preferred_hour) == (timedelta(days=2), True)
    assert step.review == Review("compliance", timedelta(hours=12), "send")


def test_a_send_without_options_has_the_defaults(root: Path) -> None:
    (compiled,) = compile_catalogue(root)

    step = journey_from_document(compiled["document"], "v1").steps["confirm"]
    assert isinstance(step, Send)
    assert (step.useful_for, step.preferred_hour, step.review) == (None, False, None)


def test_a_review_without_otherwise_drops_the_message(root: Path) -> None:
    quiet = "purpose: transactional, review: {queue: compliance, within: 12h}"
    write(root, "visit/journey.yaml", JOURNEY.replace("purpose: transactional", quiet))

    (compiled,) = compile_catalogue(root)

    step = journey_from_document(compiled["document"], "v1").steps["confirm"]
    assert isinstance(step, Send)
    assert step.review == Review("compliance", timedelta(hours=12), "drop")


def test_a_version_depends_on_the_content_only(root: Path) -> None:
    def version() -> str:
        return str(compile_catalogue(root)[0]["version"])

    first = version()
    assert len(first) >= 16

    write(root, "visit/journey.yaml", "# a word on it\n" + JOURNEY.replace("  - event: b", "  # why\n  - event: b"))
    assert version() == first

    write(root, "visit/templates/confirm.sms.txt", "See you!")
    second = version()
    assert second != first

    write(root, "visit/journey.yaml", JOURNEY.replace("timeout: 2d", "timeout: 3d"))
    assert version() not in {first, second}


def test_a_catalogue_with_problems_is_neither_compiled_nor_written(root: Path, tmp_path: Path) -> None:
    write(root, "other/journey.yaml", "journey: other\nsteps: []\n")

    with pytest.raises(InvalidJourneysError) as caught:
        write_catalogue(root, tmp_path / "catalogue.json")

    assert isinstance(caught.value, CairnError)
    assert [problem.field for problem in caught.value.problems] == ["entry", "steps"]
    assert all(isinstance(problem, Problem) for problem in caught.value.problems)
    assert str(caught.value).count("\n") == 1
    assert not (tmp_path / "catalogue.json").exists()


def test_a_written_catalogue_reads_as_what_was_compiled(root: Path, tmp_path: Path) -> None:
    target = tmp_path / "catalogue.json"

    write_catalogue(root, target)

    assert json.loads(target.read_text()) == compile_catalogue(root)


def test_an_email_without_plain_text_gets_one_from_its_html(root: Path) -> None:
    write(root, "visit/journey.yaml", JOURNEY.replace("channel: sms", "channel: [sms, email]"))
    write(
        root,
        "visit/templates/confirm.email.html",
        """---
subject: Hello
---
<html><head><title>no</title><style>p { color: red }</style></head><body>
<h1>Hello{% if profile.age < 9 %}, little one{% endif %}</h1>
<p>Fish &amp; chips,<br>twice.
   See <a href="{{ data['url'] }}">your <b>ticket</b></a> or <a href="https://a.example">https://a.example</a>.</p>
<ul><li>one</li><li>two</li></ul>
<img src="x" alt="Bye"> <a href="https://b.example"></a>
</body></html>""",
    )

    (compiled,) = compile_catalogue(root)

    assert compiled["templates"]["confirm.email"]["text"] == (
        "Hello{% if profile.age < 9 %}, little one{% endif %}\n\n"
        "Fish & chips,\ntwice. See your ticket ({{ data['url'] }}) or https://a.example.\n\n"
        "- one\n- two\n\n"
        "Bye https://b.example"
    )


def test_the_worst_case_counts_the_messages_of_the_longest_path(root: Path) -> None:
    (compiled,) = compile_catalogue(root)
    assert worst_case_messages(compiled["document"]) == 1

    def send(name: str) -> dict[str, object]:
        return {"id": name, "send": {"channel": ["sms", "push"], "template": "x", "purpose": "marketing"}}

    forked = {
        **compiled["document"],
        "steps": [
            send("a"),
            {
                "id": "b",
                "branch": [
                    {"if": "data.x", "then": [send("c"), send("d"), send("e"), {"id": "f", "exit": "out"}]},
                    {"if": "data.y", "then": [send("g")]},
                ],
            },
            send("h"),
        ],
    }
    assert worst_case_messages(forked) == 4
