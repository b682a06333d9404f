"""`cairn import pinpoint`: writes journeys, or says what is wrong and writes nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app

SMS = {"SMS": {"TemplateName": "Hello"}}
HOURS = {"SMS": {"MONDAY": [{"StartTime": "09:00", "EndTime": "17:00"}]}}


def run(folder: Path, document: Any, *options: str) -> Result:
    file = folder / "pinpoint.json"
    text = document if isinstance(document, str) else json.dumps(document, indent=1)
    file.write_text(text, encoding="utf-8")
    return CliRunner().invoke(app, ["import", "pinpoint", str(file), "-o", str(folder / "journeys"), *options])


def journey(name: str, **more: Any) -> dict[str, Any]:
    return {"Name": name, "StartActivity": "a", "Activities": {"a": SMS}, **more}


@pytest.mark.parametrize(
    "document",
    [
        journey("One"),
        {"JourneyResponse": journey("One", Id="1", ApplicationId="2")},
        {"ApplicationId": "2", "WriteJourneyRequest": journey("One")},
        {"JourneysResponse": {"Item": [journey("One"), journey("one"), journey("Two")]}, "ResponseMetadata": {}},
        [journey("One")],
    ],
)
def test_every_form_in_which_aws_gives_journeys_is_read(tmp_path: Path, document: Any) -> None:
    done = run(tmp_path, document)

    assert done.exit_code == 0, done.output
    written = sorted(path.parent.name for path in (tmp_path / "journeys").glob("*/journey.yaml"))
    assert written == (["one", "one-2", "two"] if "JourneysResponse" in document else ["one"])
    assert "one: template Hello: its sms is not given, and no message is sent." in done.stdout


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ('{"Name": "x",\n "Activities": {', "pinpoint.json:2: not JSON"),
        ('{"Name": NaN}', "pinpoint.json:1: not JSON: NaN is no number of JSON"),
        ("[" * 100_000, "pinpoint.json:1: not JSON"),
        ("{}", "pinpoint.json:1: there is no journey in this file. Write it with `aws pinpoint get-journey`"),
        (
            journey("x", Activities={"a": {"Wait": {"WaitTime": {"WaitFor": 3}}}}),
            "pinpoint.json:8: Activities.a.Wait.WaitTime.WaitFor: 3 is not text. Write text in double quotes.",
        ),
        (
            journey("x", Activities={"a": {"Wiat": {}}}),
            "pinpoint.json:6: Activities.a.Wiat: there is no such key. Did you mean Wait?",
        ),
        (
            journey("x", Activities={"a": {"Wait": {"NextActivity": "b"}}, "b": {"Wait": {"NextActivity": "a"}}}),
            "these activities form a circle: ",
        ),
        (journey("x", State="RUNNING"), "State: \"RUNNING\" is not one of 'DRAFT', 'ACTIVE'"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_journey_is_named_with_its_line_and_nothing_is_written(
    tmp_path: Path, document: Any, problem: str
) -> None:
    done = run(tmp_path, document)

    assert done.exit_code == 1
    assert problem in done.stderr
    assert not (tmp_path / "journeys").exists()


def test_half_a_character_is_written_as_a_question_mark(tmp_path: Path) -> None:
    done = run(tmp_path, journey("One", StartCondition={"Description": "caf\ud800"}))

    assert done.exit_code == 0, done.output
    assert 'description: "caf?"' in (tmp_path / "journeys" / "one" / "journey.yaml").read_text(encoding="utf-8")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["import", "pinpoint", str(tmp_path / "none.json")])

    assert (done.exit_code, done.stderr.count("none.json:1: it cannot be read: No such file")) == (1, 1)


def test_nothing_that_exists_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "journeys" / "one").mkdir(parents=True)
    (tmp_path / "journeys" / "_calendars.yaml").write_text("calendars: {}", encoding="utf-8")

    done = run(tmp_path, journey("One", SendingSchedule=True, OpenHours=HOURS))

    assert done.exit_code == 1
    assert done.stderr.count("it exists already. Name another folder with -o, or move it away.") == 2
    assert not list((tmp_path / "journeys" / "one").iterdir())


def test_a_broken_template_is_named(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "a.json").write_text('{"SMSTemplateResponse": {"Body": 1}}', encoding="utf-8")
    (tmp_path / "templates" / "b.json").write_text('{"Templates": []}', encoding="utf-8")

    done = run(tmp_path, journey("One"), "--templates", str(tmp_path / "templates"))

    assert done.exit_code == 1
    assert "a.json:1: SMSTemplateResponse.Body: 1 is not text" in done.stderr
    assert "a.json:1: SMSTemplateResponse.TemplateName: it is missing" in done.stderr
    assert "b.json:1: this holds no EmailTemplateResponse" in done.stderr
