"""A story file is checked whole: every problem at once, with file, line and the way to mend it."""

import ast
import json
import runpy
import sys
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from authoring.stories import load, problems_of
from authoring.stories.models import FIELDS, KINDS
from authoring.stories.schema import json_schema, schema_text

ROOT = Path(__file__).parents[4]
STORIES = sorted((ROOT / "events" / "scenarios").glob("*.yaml"))

BROKEN = """\
scenario: Everything is wrong
starts: yesterday
for: 3 days
jurneys: ../journeys
posts:
  - {at: 0s, evnt: {}}
  - {at: noon, event: {id: one, type: trial.signup, customer: {user_id: mia}}}
  - {at: 0s, source: strip, event: {id: two, type: trial.signup, customer: {user_id: mia}}}
  - {at: 0s, file: no-such-file.json}
  - {at: -2h, event: {id: three, at: $at+soon}}
  - {at: 0s, event: {list: [1]}, set: {list.4: 2}}
orders:
  - {at: 1d, do: aprove, step: estimate}
clicks:
  - {at: 1d, link: unsubscribe}
answers:
  - {endpont: shop}
  - {endpoint: shop, where: "data.member ==", times: 0}
expect:
  - {at: 0s, kind: mesage, step: confirm}
  - {at: 0s, kind: message, chanel: sms}
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "broken.story.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_problem_is_named_at_once_with_its_line_and_a_mend(tmp_path: Path) -> None:
    path = written(tmp_path, BROKEN)

    found = [(one.line, one.field, one.message, one.fix) for one in problems_of(path)]

    assert found == [
        (2, "starts", '"yesterday" is no instant', "Write an instant such as 2026-03-02T14:00:00Z."),
        (
            3,
            "for",
            '"3 days" is no length of time',
            "Write a number and a unit (s, m, h, d, w), such as 30m or 60d.",
        ),
        (4, "jurneys", "there is no such key", "Did you mean journeys?"),
        (6, "posts[0].evnt", "there is no such key", "Did you mean event?"),
        (
            7,
            "posts[1].at",
            '"noon" is neither an offset nor an instant',
            "Write an offset from `starts` such as 0s, 20m or 3d9h, or an instant such as 2026-03-02T14:00:00Z.",
        ),
        (13, "orders[0].do", one_of("aprove"), "Did you mean approve?"),
        (15, "clicks[0].step", "it is missing", "Add `step: onboarding`."),
        (17, "answers[0].endpoint", "it is missing", "Add `endpoint: shop`."),
        (17, "answers[0].endpont", "there is no such key", "Did you mean endpoint?"),
        (18, "answers[1].times", "0 is out of range", "Write a number such as 2."),
        (
            18,
            "answers[1].where",
            '"data.member ==" is no condition',
            "Write JMESPath on the post, such as data.customer == 'mia' or type == 'coupon.requested'.",
        ),
        (20, "expect[0].kind", 'there is no kind "mesage"', "Did you mean message?"),
        (21, "expect[1].chanel", "there is no such key", "Did you mean channel?"),
    ]


def one_of(written: str) -> str:
    orders = (
        "'pause', 'resume', 'stop', 'start', 'approve', 'reject', 'answer', 'choose', 'reopen', "
        "'consent', 'detach', 'export', 'erase', 'claim', 'assign', 'note', 'done' or 'withdraw'"
    )
    return f'"{written}" is not one of {orders}'


def test_posts_are_checked_beside_what_is_wrong_elsewhere(tmp_path: Path) -> None:
    mended = BROKEN.replace("yesterday", "2026-03-02T14:00:00Z").replace("3 days", "3d")

    found = {one.line: (one.field, one.message, one.fix) for one in problems_of(written(tmp_path, mended))}

    assert found[8][:2] == ("posts[2].source", 'there is no source "strip"')
    assert found[8][2] == "Did you mean stripe?"
    assert found[9][0] == "posts[3].file"
    assert "no-such-file.json cannot be read: No such file" in found[9][1]
    assert found[10] == ("posts[4].at", "this is before the story begins", "Write a later instant, or begin earlier.")
    assert found[11] == (
        "posts[5].set",
        "a path leads nowhere in the body",
        "Name keys, and positions of a list from 0, with a dot between them.",
    )
    assert {6, 7, 13, 15, 17, 18} < found.keys(), "and all the others are still named"


WHOLE = """\
scenario: Mia signs up
starts: 2026-03-02T14:00:00Z
for: 3d
posts:
  - &signup {at: 0s, event: {id: one, type: trial.signup, customer: {user_id: mia, phone: "(201) 555-0123"}}}
  - {<<: *signup, at: 1h}
expect:
  - {at: 0s, kind: message, customer: mia, step: confirm}
"""


@pytest.mark.parametrize(
    ("said", "instead", "line", "message", "fix"),
    [
        ("customer: mia, step", "customer: mai, step", 8, 'no post names a customer "mai"', "Did you mean mia?"),
        (
            "customer: mia, step",
            "customer: ada@example.com, step",
            8,
            'no post names a customer "ada@example.com"',
            "Name one by the user id, address or number of its post.",
        ),
        ("at: 1h", "at: -1h", 6, "this is before the story begins", "Write a later instant, or begin earlier."),
        (
            "{at: 0s, kind",
            "{at: 4d, kind",
            8,
            "this is after the end of the story",
            "Make `for` longer, or write an earlier instant.",
        ),
        (
            "for: 3d",
            "for: 3d\njourneys: nowhere",
            4,
            "there is no {folder}/nowhere",
            "Name it by its path from the story's folder.",
        ),
        (
            "at: 1h}",
            "at: 1h, file: a.json}",
            6,
            "this post has two bodies",
            "Write `event:` with the body, `file:` with its path from the story's folder, or `sample:` with its name.",
        ),
        (
            "{<<: *signup, at: 1h}",
            "{at: 1h, source: stripe, sample: invoice_payment_faild}",
            6,
            'stripe has no sample "invoice_payment_faild"',
            "Did you mean invoice_payment_failed?",
        ),
        ("at: 1h}", "at: 1h, times: 0}", 6, "0 is out of range", "Write a number such as 2."),
        (
            "at: 1h}",
            "at: 1h, customer: mia}",
            6,
            "only a provider's report is about a customer's message",
            "Leave it out, or write `source: aws`: any other body says itself who it is about.",
        ),
        (
            "event: {id: one,",
            "event: {id: $at+soon,",
            5,
            "its body cannot be made: a duration is a number and a unit (s, m, h, d, w), such as 30m or 2d",
            "Mend the JSON of its file, or the offset in `$at+…`.",
        ),
        ("*signup", "3", 6, "this is no mapping", "Write `<<: *name`, where `&name` stands before a mapping."),
    ],
)
def test_a_problem_names_its_line_and_how_to_mend_it(  # noqa: PLR0913, PLR0917  one argument for each part
    tmp_path: Path, said: str, instead: str, line: int, message: str, fix: str
) -> None:
    path = written(tmp_path, WHOLE.replace(said, instead))

    (problem, *_) = problems_of(path)

    assert (problem.line, problem.message, problem.fix) == (line, message.format(folder=tmp_path), fix)


def test_customers_are_found_however_a_source_writes_them(tmp_path: Path) -> None:
    for name in ("MIA", "'+12015550123'", "c_0123"):
        assert problems_of(written(tmp_path, WHOLE.replace("customer: mia, step", f"customer: {name}, step"))) == []


def test_what_is_no_story_at_all_is_a_problem_too(tmp_path: Path) -> None:
    assert "this file is empty" in str(problems_of(written(tmp_path, ""))[0])
    assert "not YAML" in str(problems_of(written(tmp_path, "a: ["))[0])
    assert "cannot be read: No such file" in str(problems_of(tmp_path / "none.story.yaml")[0])
    assert problems_of(written(tmp_path, "- a list")) != []


def test_a_merged_mapping_is_that_of_the_anchor_with_its_own_keys_first(tmp_path: Path) -> None:
    story = load(written(tmp_path, WHOLE))

    first, again = story.posts
    assert again.event == first.event
    assert again.at != first.at
    assert [one.line for one in (*story.posts, *story.expect)] == [5, 6, 8]


def test_the_schema_in_the_docs_is_that_of_the_models() -> None:
    checked_in = (ROOT / "docs" / "scenario.schema.json").read_text(encoding="utf-8")

    assert checked_in == schema_text(), "run `python -m authoring.stories` and commit what it writes"


def test_a_command_writes_the_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["stories", str(tmp_path / "schema.json")])

    runpy.run_module("authoring.stories", run_name="__main__")

    assert json.loads((tmp_path / "schema.json").read_text(encoding="utf-8")) == json_schema()


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_each_story_of_ours_has_no_problem_and_matches_the_schema_that_it_names(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    document = yaml.load(text, yaml.BaseLoader)  # noqa: S506  it builds texts only

    assert problems_of(path) == []
    assert text.startswith("# yaml-language-server: $schema=../../docs/scenario.schema.json\n")
    assert [error.message for error in VALIDATOR.iter_errors(document) if not as_text(error.validator_value)] == []


def as_text(wanted: object) -> bool:
    """BaseLoader reads numbers as texts."""
    return wanted in {"integer", "number"}


VALIDATOR = Draft202012Validator(json_schema())


def test_the_schema_finds_a_wrong_key_and_a_wrong_kind() -> None:
    Draft202012Validator.check_schema(json_schema())
    story = {"scenario": "One", "starts": "2026-03-02T14:00:00Z", "for": "1d", "posts": []}

    assert list(VALIDATOR.iter_errors(story)) == []
    assert list(VALIDATOR.iter_errors({**story, "exspect": []})) != []
    assert list(VALIDATOR.iter_errors({**story, "expect": [{"at": "0s", "kind": "mesage"}]})) != []


def test_kinds_and_fields_are_named_once() -> None:
    assert len(set(KINDS)) == len(KINDS)
    assert len(set(FIELDS)) == len(FIELDS)


def test_every_detail_that_a_decision_of_a_journey_notes_can_be_expected() -> None:
    domain = ROOT / "layers" / "core" / "python" / "cairn" / "domain" / "journey"
    calls = [
        node
        for path in domain.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "note"
    ]
    named = {keyword.arg for call in calls for keyword in call.keywords if keyword.arg}

    assert {"until", "because", "arm"} < named
    assert named <= set(FIELDS)
