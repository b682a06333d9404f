"""people.toml is checked as a whole: every problem at once, each with its line and the mend."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from authoring.journeys import compile_catalogue
from authoring.people import InvalidPeopleError, check_people, compile_people, people_beside, write_people
from authoring.people.models import TABLES, WITHIN, PeopleFile
from cairn.adapters.documents.people import people_at
from cairn.domain.people.members import People, Strategy

ROOT = Path(__file__).parents[4]
CASES = yaml.safe_load((Path(__file__).parent / "broken_people.yaml").read_text(encoding="utf-8"))

WHOLE = """\
[queues.sales]
title = "Sales"

calendar = "office"
strategy = "weighted"
sticky = true
fallback = "desk"
due = "4h"
remind = "1h"
escalate_to = "desk"

[queues.sales.outcomes.no_answer]
title = "No answer"
again = "2h"

[queues.desk]
title = "Desk"

[members.ana]
queues = ["sales", "desk"]
name = "Ana"
capacity = 9
languages = ["en", "es"]
manager = "ben"

[members.ben]
name = "Ben"
queues = ["desk"]

"""

CALENDARS = """\
calendars:
  office: {hours: {mon-fri: "09:00-18:00"}, time_zone: America/New_York}
  anywhere: {hours: {mon-fri: "09:00-18:00"}}
"""

POLICY = """\
[[subscribers]]
name = "crm"

[[reviews]]
queue = "desk"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "_calendars.yaml").write_text(CALENDARS)
    (tmp_path / "policy.toml").write_text(POLICY)
    found = people_beside(tmp_path / "policy.toml")
    found.write_text(WHOLE)
    return found


def said(file: Path, journeys: Any = None) -> list[str]:
    found = check_people(file, file.parent, journeys, file.with_name("policy.toml"))
    return [str(problem).replace(f"{file}:", "") for problem in found]


def test_without_the_file_there_is_nobody(tmp_path: Path) -> None:
    write_people(tmp_path / "people.toml", tmp_path, tmp_path / "people.json")

    assert people_at(tmp_path / "people.json") == People()


def test_the_people_whom_we_ship_have_no_problems() -> None:
    journeys = compile_catalogue(ROOT / "layers" / "journeys")

    assert check_people(ROOT / "people.toml", ROOT / "layers" / "journeys", journeys, ROOT / "policy.toml") == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.get("to") or case.get("added", ""))
def test_a_mistake_is_named_with_its_line_and_its_mend(file: Path, case: dict[str, Any]) -> None:
    assert case.get("from", "") in WHOLE
    file.write_text(WHOLE.replace(case.get("from", ""), case.get("to", ""), 1) + case.get("added", ""))

    found = said(file)

    assert found[:1] == ([case["said"]] if case["said"] else [])
    assert len(found) == case.get("also", 0) + bool(case["said"])


def test_several_mistakes_are_named_at_once(file: Path) -> None:
    file.write_text(WHOLE.replace('"weighted"', '"robin"').replace("capacity = 9", "capacity = 0"))

    assert [line.partition(":")[0] for line in said(file)] == ["5", "22"]


def test_what_is_no_toml_says_where(file: Path) -> None:
    file.write_text(WHOLE + "capacity 9\n")

    assert said(file)[0].startswith("30: not TOML")


def task(queue: str) -> list[dict[str, Any]]:
    return [{"journey": "trial", "document": {"steps": [{"id": "call", "task": {"queue": queue, "title": "Call"}}]}}]


def test_a_step_of_an_unknown_queue_is_a_problem(file: Path) -> None:
    assert said(file, task("sales")) == []
    assert said(file, task("slaes")) == ['1: queues: trial/call: people.toml has no queue "slaes". Did you mean sales?']


def test_so_is_a_review_of_one(file: Path) -> None:
    file.with_name("policy.toml").write_text(POLICY.replace("desk", "compliance"))

    (found,) = said(file)
    assert found.startswith('1: queues: reviews[0] of policy.toml opens a task in the queue "compliance", and there is')
    assert found.endswith("Add [queues.compliance].")


def test_nothing_is_written_where_there_is_a_problem(file: Path) -> None:
    file.write_text(WHOLE.replace('"weighted"', '"robin"'))

    with pytest.raises(InvalidPeopleError, match="robin"):
        write_people(file, file.parent, file.with_name("people.json"))

    assert not file.with_name("people.json").exists()


def test_every_key_that_is_written_is_read(file: Path) -> None:
    more = (
        'zone = "Europe/Madrid"\nhours = {mon-fri = "15:00-19:00"}\nweight = 3\nskills = ["boats"]\n'
        'email = "a@b.example"\nphone = "+1 201 555 0100"\nwebhook = "crm"\n'
        'absences = [{from = "2026-07-06", to = "2026-07-06"}]\n'
        'territories = [{region = "US-NY"}, {latitude = 42.0, longitude = -73.0, kilometres = 9}]\ncapacity = 9'
    )
    file.write_text('deal_keys = ["tax_id"]\n' + WHOLE.replace("capacity = 9", more))

    write_people(file, file.parent, file.with_name("people.json"))
    people = people_at(file.with_name("people.json"))

    sales, ana = people.queues["sales"], people.members["ana"]
    assert people.deal_keys == ("tax_id",)
    assert (sales.strategy, sales.sticky, sales.fallback, dict(sales.members)) == (
        Strategy.WEIGHTED,
        True,
        "desk",
        {"ana": 3},
    )
    assert sales.calendar is not None
    assert sales.calendar.zone == "America/New_York"
    assert sales.outcomes["no_answer"].again is not None
    assert ana.calendar is not None
    assert (ana.calendar.hours[0], ana.zone, ana.capacity) == (((900, 1140),), "Europe/Madrid", 9)
    assert [one.start.isoformat() for one in ana.absences] == ["2026-07-05T22:00:00+00:00"]
    assert [one.end.isoformat() for one in ana.absences] == ["2026-07-06T22:00:00+00:00"]
    assert [one.country for one in ana.territories] == ["US", ""]
    assert people.members["ben"].zone == ""


def test_a_calendar_of_its_own_comes_before_that_of_the_journeys(file: Path) -> None:
    own = '[calendars.office]\nhours = {sat = "10:00-12:00"}\ntime_zone = "Europe/Madrid"\n'
    file.write_text(own + WHOLE)

    document = compile_people(file, file.parent)

    assert json.loads(json.dumps(document))["calendars"]["office"]["zone"] == "Europe/Madrid"


def test_the_page_explains_every_key() -> None:
    page = (ROOT / "docs" / "people.md").read_text(encoding="utf-8")
    models = (PeopleFile, *TABLES.values(), *WITHIN.values())

    keys = {field.alias or name for model in models for name, field in model.model_fields.items()}

    assert {key for key in keys if f"`{key}`" not in page and f"`[{key}" not in page} == set()
