"""leads.toml is checked as a whole: every problem at once, each with its line and a fix."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from authoring.journeys import compile_catalogue
from authoring.leads import InvalidLeadsError, check_leads, compile_leads, leads_of, write_leads
from cairn.adapters.documents.leads import rules_from_document

ROOT = Path(__file__).parents[4]
CASES = yaml.safe_load((Path(__file__).parent / "broken_leads.yaml").read_text(encoding="utf-8"))

LEAST = """\
[[value]]
event = "order.paid"
amount = "event.properties.amount"
currency = "'USD'"
[[pipelines]]
pipeline = "sales"
[[pipelines.stages]]
stage = "talking"
when = "profile.calls > `0` && seen('call.made')"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "leads.toml"


def said(file: Path, text: str, journeys: Any = None) -> list[str]:
    file.write_text(text, encoding="utf-8")
    return [str(problem).replace(f"{file}:", "") for problem in check_leads(file, journeys)]


def test_what_we_ship_has_no_problems() -> None:
    journeys = compile_catalogue(ROOT / "layers" / "journeys") + compile_catalogue(ROOT / "events/leads/journeys")

    assert check_leads(ROOT / "leads.toml", journeys) == []
    assert leads_of(ROOT / "policy.toml") == ROOT / "leads.toml"


def test_without_a_file_there_are_no_rules_and_an_older_one_goes(tmp_path: Path, file: Path) -> None:
    target = tmp_path / "leads.json"
    file.write_text(LEAST, encoding="utf-8")
    write_leads(file, target)
    assert rules_from_document(json.loads(target.read_bytes())).pipelines[0].name == "sales"

    file.unlink()
    write_leads(file, target)

    assert not target.exists()
    assert compile_leads(file) is None
    assert check_leads(file) == []


def test_a_condition_without_an_event_names_what_it_reads(file: Path) -> None:
    file.write_text(LEAST, encoding="utf-8")

    document = compile_leads(file)

    assert document is not None
    assert document["pipelines"][0]["stages"][0]["watches"] == ["call.made", "calls"]
    assert rules_from_document(document).watches == {"call.made", "calls"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["said"][0][:50])
def test_each_problem_has_its_line_and_a_fix(file: Path, case: dict[str, Any]) -> None:
    found = said(file, case["text"])

    assert found == (case["said"] if "only" not in case else case["said"][case["only"] :])
    with pytest.raises(InvalidLeadsError):
        compile_leads(file)


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        (
            {"update": {"set": {"orders": 3}}},
            "1: journey j sets profile.orders, which follows from the rules here. Emit an event that a rule hears",
        ),
        ({"update": {"set": {"stage": "gold"}}}, ""),
        ({"update": {"set": {"stage": "talking"}}}, "1: journey j sets profile.stage"),
        (
            {"branch": [{"if": "profile.lifetime_value > `5`", "then": []}]},
            "1: journey j compares profile.lifetime_value with 5: it is by currency. Write profile.lifetime_value.USD",
        ),
        ({"branch": [{"if": "profile.lifetime_value.USD > `5`", "then": []}]}, ""),
        (
            {"branch": [{"if": "profile.stage == 'talkin'", "then": []}]},
            "1: journey j asks for a stage talkin, and no pipeline has it. Did you mean talking?",
        ),
        ({"branch": [{"if": "profile.stage == 'talking'", "then": []}]}, ""),
    ],
)
def test_journeys_fit_to_the_rules(file: Path, step: dict[str, Any], problem: str) -> None:
    journeys = [{"journey": "j", "document": {"steps": [{"id": "one", **step}]}}]

    found = said(file, LEAST, journeys)

    assert len(found) == bool(problem)
    assert all(one.startswith(problem) for one in found)
