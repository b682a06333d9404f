"""docs/journeys.md and its schema match the code: every example is checked like a real journey."""

import json
import re
import runpy
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from jinja2.filters import FILTERS
from jmespath.functions import Functions
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from authoring.journeys import check, json_schema, templates
from authoring.journeys.models import (
    EmailFront,
    Journey,
    PushFront,
    Sender,
    SmsFront,
    WhatsAppFront,
)
from authoring.journeys.schema import schema_text
from authoring.journeys.steps import WRITTEN_KINDS
from authoring.journeys.steps.send import Review, Send
from authoring.journeys.values import Channel as WrittenChannel
from authoring.journeys.values import IfMissed as WrittenIfMissed
from authoring.journeys.values import Purpose as WrittenPurpose
from authoring.shape import keys_of
from cairn.adapters.templates.language import environment
from cairn.domain.event import Event
from cairn.domain.journey import expressions
from cairn.domain.journey.conditions import FUNCTION_NAMES, Scope
from cairn.domain.journey.enrollment import Enrollment
from cairn.domain.journey.steps.wait import IfMissed
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import Channel, Purpose
from cli.main import app
from cli.options import POLICY

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

ROOT = Path(__file__).parents[4]
DOCS = ROOT / "docs"
TEXT = (DOCS / "journeys.md").read_text(encoding="utf-8")

KEYS = {"journey": "example", "entry": {"event": "trial.signup"}, "steps": [{"id": "end", "exit": "done"}]}


def blocks(language: str, what: str) -> list[str]:
    return re.findall(rf"^```{language} {what}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def written(root: Path, document: dict[str, Any], text: str | None = None) -> Path:
    """The journey in its folder, with a template for every message that it sends."""
    folder = root / document["journey"]
    (folder / "templates").mkdir(parents=True)
    (folder / "journey.yaml").write_text(text or yaml.safe_dump(document), encoding="utf-8")
    fronts = {"push": "---\ntitle: Hello\n---\n", "email": "---\nsubject: Hello\n---\n"}
    (root / "_calendars.yaml").write_text(*blocks("yaml", "calendars"), encoding="utf-8")
    for send in sends([document["steps"], *document.get("paths", {}).values()]):
        channels = send["channel"] if isinstance(send["channel"], list) else [send["channel"]]
        channels = [*channels, *([again["channel"]] if (again := send.get("follow_up")) else [])]
        for channel in channels:
            kind = "html" if channel == "email" else "txt"
            file = folder / "templates" / f"{send['template']}.{channel}.{kind}"
            file.write_text(f"{fronts.get(channel, '')}Hello", encoding="utf-8")
    return folder


def sends(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [send for one in value for send in sends(one)]
    if isinstance(value, dict):
        own = [value["send"]] if "send" in value else []
        return own + [send for one in value.values() for send in sends(one)]
    return []


def test_the_whole_journey_of_the_docs_can_be_deployed(tmp_path: Path) -> None:
    (example,) = blocks("yaml", "journey")
    written(tmp_path, yaml.safe_load(example), example)

    assert check(tmp_path) == []


def test_the_report_in_the_docs_is_that_of_their_journey(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("authoring.sources.check.all_problems", lambda _: [])
    (example,) = blocks("yaml", "journey")
    (report,) = blocks("text", "report")
    written(tmp_path, yaml.safe_load(example), example)

    alone = tmp_path / "policy.toml"  # without people.toml beside it, whose queues are others
    alone.write_text(POLICY.read_text(encoding="utf-8"), encoding="utf-8")

    printed = CliRunner().invoke(app, ["check", str(tmp_path), "--report", "--policy", str(alone)]).stdout

    assert [line.rstrip() for line in printed.splitlines()] == report.splitlines()


def test_the_invites_of_the_docs_find_one_another(tmp_path: Path) -> None:
    for example in blocks("yaml", "invites"):
        written(tmp_path, yaml.safe_load(example), example)

    assert check(tmp_path) == []
    assert len(list(tmp_path.glob("*/journey.yaml"))) == 3


@pytest.mark.parametrize("fragment", blocks("yaml", "steps"))
def test_the_steps_of_the_docs_can_be_written(tmp_path: Path, fragment: str) -> None:
    written(tmp_path, {**KEYS, "steps": yaml.safe_load(fragment)})

    assert check(tmp_path) == []


@pytest.mark.parametrize("fragment", blocks("yaml", "keys"))
def test_the_keys_of_the_docs_can_be_written(tmp_path: Path, fragment: str) -> None:
    written(tmp_path, {**KEYS, **yaml.safe_load(fragment)})

    assert check(tmp_path) == []


@pytest.mark.parametrize("file", re.findall(r"^```jinja (?!_layouts/)(.*)$", TEXT, re.MULTILINE))
def test_the_templates_of_the_docs_can_be_sent(tmp_path: Path, file: str) -> None:
    (text,) = blocks("jinja", file)
    template, channel, _ = file.split(".")
    send = {"channel": channel, "template": template, "purpose": "marketing"}
    folder = written(tmp_path, {**KEYS, "steps": [{"id": "a", "send": send}]})

    for one in (folder / "templates").iterdir():
        one.unlink()
    (folder / "templates" / file).write_text(text, encoding="utf-8")
    (tmp_path / "_layouts").mkdir()
    for name in re.findall(r"^```jinja _layouts/(.*)$", TEXT, re.MULTILINE):
        (tmp_path / "_layouts" / name).write_text(blocks("jinja", f"_layouts/{name}")[0], encoding="utf-8")

    assert check(tmp_path) == []


def test_every_example_of_the_docs_is_tested() -> None:
    assert len(re.findall(r"^```yaml", TEXT, re.MULTILINE)) == sum(
        len(blocks("yaml", what)) for what in ("journey", "steps", "keys", "samples", "calendars", "invites")
    )


def test_the_docs_name_every_kind_of_step_key_and_function() -> None:
    functions = re.findall(r"^\| `(\w+)\([^)]*\)` \|.*?\| `+ ?(.*?) ?`+ \|$", TEXT, re.MULTILINE)

    assert {name for name, _ in functions} == FUNCTION_NAMES - frozenset(Functions.FUNCTION_TABLE)
    for _, example in functions:
        assert expressions.problems_of(example, expressions.STEP) == []
    for kind in WRITTEN_KINDS:
        assert f"### {kind}\n" in TEXT
    for key in keys_of(Journey):
        assert f"| `{key}` |" in TEXT
    for model in (Send, Review, Sender, SmsFront, WhatsAppFront, EmailFront, PushFront):
        for key in keys_of(model):
            assert f"`{key}`" in TEXT or f"`{key}:" in TEXT
    for name in environment(escape=False).filters.keys() - FILTERS.keys():
        assert f"`{name}(" in TEXT


def test_the_schema_in_the_docs_is_that_of_the_models() -> None:
    checked_in = (DOCS / "journey.schema.json").read_text(encoding="utf-8")

    assert checked_in == schema_text(), "run `python -m authoring.journeys` and commit what it writes"


def test_a_command_writes_the_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["journey_yaml", str(tmp_path / "schema.json")])

    runpy.run_module("authoring.journeys", run_name="__main__")

    assert json.loads((tmp_path / "schema.json").read_text(encoding="utf-8")) == json_schema()


def test_the_schema_is_valid_and_distinguishes_journeys_from_other_documents() -> None:
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    (example,) = blocks("yaml", "journey")

    assert list(validator.iter_errors(yaml.safe_load(example))) == []
    assert list(validator.iter_errors({**KEYS, "steps": [{"id": "a", "wait": "3 days"}]})) != []
    assert list(validator.iter_errors({**KEYS, "entry": {}})) != []


@pytest.mark.parametrize(
    "folder", sorted((ROOT / "layers/journeys").glob("*/journey.yaml")), ids=lambda file: file.parent.name
)
def test_each_journey_of_ours_names_the_schema_for_editors(folder: Path) -> None:
    first = folder.read_text(encoding="utf-8").split("\n")[0]

    assert first == "# yaml-language-server: $schema=../../../docs/journey.schema.json"


@pytest.mark.parametrize(
    ("literal", "enum"), [(WrittenChannel, Channel), (WrittenPurpose, Purpose), (WrittenIfMissed, IfMissed)]
)
def test_journey_files_may_use_all_values_that_the_domain_knows(literal: Any, enum: type[StrEnum]) -> None:
    assert set(get_args(literal)) == {one.value for one in enum}


def test_expressions_are_checked_against_their_real_scope() -> None:
    event = Event(id="1", source="track", type="a.b", occurred_at=NOW)
    enrollment = Enrollment(id="e", journey="j", version="v", key="", entered_at=NOW, since=NOW)
    scope = Scope(Profile("c", NOW), NOW, {}, event.view(), enrollment.view()).names()

    assert set(expressions.STEP.roots) == set(scope)
    assert {root: set(fields) for root, fields in expressions.FIELDS.items()} == {
        "event": set(scope["event"]),
        "enrollment": set(scope["enrollment"]),
    }
    assert set(expressions.OWN_ARGUMENTS) == FUNCTION_NAMES - frozenset(Functions.FUNCTION_TABLE)


def test_every_channel_has_a_template_file() -> None:
    assert set(templates.MAIN_KIND) == {channel.value for channel in Channel}
