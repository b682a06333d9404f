"""audiences.toml is checked as a whole: every problem at once, each with its line and a fix."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from authoring.audiences import (
    FILE,
    InvalidAudiencesError,
    check_audiences,
    compile_audiences,
    write_audiences,
)
from cairn.adapters.documents.audiences import audiences_at, audiences_from_document

CASES = yaml.safe_load((Path(__file__).parent / "broken_audiences.yaml").read_text(encoding="utf-8"))

LEAST = """\
[[audiences]]
audience = "investors"
when = "contains(profile.tags, 'investor') && count('listing.seen') > `1`"
partition = "profile.district"
sort = "profile.budget_from"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / FILE


def said(file: Path, text: str, journeys: Any = None) -> list[str]:
    file.write_text(text, encoding="utf-8")
    return [str(problem).replace(f"{file}:", "") for problem in check_audiences(file, journeys)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["said"])[:60])
def test_a_problem_is_said_with_its_line_and_the_way_on(file: Path, case: dict[str, Any]) -> None:
    if "leads" in case:
        file.with_name("leads.toml").write_text(case["leads"], encoding="utf-8")

    expected = case["said"] if isinstance(case["said"], list) else [case["said"]]

    assert said(file, case["text"]) == expected


def test_without_a_file_there_are_no_audiences_and_an_older_one_goes(tmp_path: Path, file: Path) -> None:
    target = tmp_path / "audiences.json"
    file.write_text(LEAST, encoding="utf-8")
    write_audiences(file, target)
    (one,) = audiences_at(target).all
    assert (one.name, one.partition, one.says) == ("investors", "profile.district", frozenset())

    file.unlink()
    write_audiences(file, target)

    assert not target.exists()
    assert compile_audiences(file) is None


def test_what_the_expressions_read_is_found_when_they_are_compiled(file: Path) -> None:
    file.write_text(LEAST, encoding="utf-8")

    document = compile_audiences(file)

    assert document is not None
    assert document["audiences"][0]["watches"] == ["budget_from", "district", "listing.seen", "tags"]
    audiences = audiences_from_document(document)
    assert [one.name for one in audiences.reading(["tags", "first_name"])] == ["investors"]
    assert list(audiences.reading(["first_name"])) == []


def test_whatever_decides_who_is_a_member_makes_another_version_and_nothing_else_does(file: Path) -> None:
    def version(text: str, leads: str = "") -> str:
        file.write_text(text, encoding="utf-8")
        file.with_name("leads.toml").write_text(leads, encoding="utf-8")
        return str(compile_audiences(file)["audiences"][0]["version"])  # type: ignore[index]

    same = version(LEAST)
    by_stage = LEAST.replace("profile.district", "profile.stage")

    assert version(LEAST + "shards = 4\n") != same
    assert version(LEAST.replace("investor'", "buyer'")) != same
    assert version(LEAST.replace('"investors"', '"others"')) == same
    assert version(LEAST, '[[groups]]\ngroup = "g"\n') == same
    assert version(by_stage, '[[groups]]\ngroup = "g"\n') != version(by_stage)


def journey(where: str, event: str = "audience.joined") -> dict[str, Any]:
    return {"journey": "match", "document": {"entry": {"event": event, "where": where}}}


def test_journeys_that_listen_are_said_in_the_document_and_their_audiences_are_checked(file: Path) -> None:
    asks = journey("event.properties.audience == 'investor'")
    assert said(file, LEAST, [asks]) == [
        '1: match asks for the audience "investor", and there is none. Did you mean investors?'
    ]

    document = compile_audiences(file, [journey("event.properties.audience == 'investors'")])
    assert document is not None
    assert document["audiences"][0]["says"] == ["audience.joined"]


def test_a_journey_that_asks_without_a_file_is_a_problem(file: Path) -> None:
    asks = journey("event.properties.audience == 'investors'")

    (problem,) = check_audiences(file, [asks])

    assert "Write audiences.toml" in str(problem)
    with pytest.raises(InvalidAudiencesError):
        write_audiences(file, file.with_suffix(".json"), [asks])


def test_the_document_is_json_whatever_the_file_says(file: Path) -> None:
    file.write_text(LEAST, encoding="utf-8")

    assert json.loads(json.dumps(compile_audiences(file))) == compile_audiences(file)
