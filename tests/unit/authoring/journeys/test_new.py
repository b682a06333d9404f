"""A new journey works as it is written, and so does a copy."""

from pathlib import Path

import pytest

from authoring.journeys import InvalidJourneysError, check, compile_catalogue
from authoring.journeys.new import NewJourneyError, begin_journey
from authoring.policy import compile_policy
from authoring.preflight.check import preflight
from cairn.adapters.documents.policy import policy_from_document

ROOT = Path(__file__).parents[4]
SCHEMA = ROOT / "docs/journey.schema.json"
RESCUE = ROOT / "layers/journeys/payment-failure-rescue"


def test_a_new_journey_has_no_problems_and_passes_preflight(tmp_path: Path) -> None:
    files = begin_journey(tmp_path / "trial-welcome", schema=SCHEMA)

    assert [file.name for file in files] == ["journey.yaml", "samples.yaml", "welcome.email.html"]
    assert check(tmp_path) == []
    policy = policy_from_document(compile_policy(ROOT / "policy.toml", ROOT / "law.toml"))
    report = preflight(tmp_path, "trial-welcome", policy, email_sender="hello@example.com")
    assert report.findings == ()
    assert {one.what for one in report.outcomes} == {"sent"}


def test_a_copy_is_the_same_journey_under_another_name_without_its_stamp(tmp_path: Path) -> None:
    begin_journey(tmp_path / "spring-rescue", schema=SCHEMA, source=RESCUE)

    (copy,), (original,) = compile_catalogue(tmp_path), compile_catalogue(RESCUE)
    assert copy["journey"] == "spring-rescue"
    assert copy["document"] == original["document"] | {"journey": "spring-rescue"}
    assert copy["templates"] == original["templates"]
    assert not (tmp_path / "spring-rescue/preflight.json").exists()
    samples = (tmp_path / "spring-rescue/samples.yaml").read_text(encoding="utf-8")
    assert "`cairn preflight spring-rescue`" in samples
    assert "payment-failure-rescue" not in samples
    assert "# Every further failure updates the data" in (tmp_path / "spring-rescue/journey.yaml").read_text()


@pytest.mark.parametrize("source", [None, RESCUE])
def test_an_editor_finds_the_schema(tmp_path: Path, source: Path | None) -> None:
    begin_journey(tmp_path / "visit", schema=SCHEMA, source=source)

    first, *rest = (tmp_path / "visit/journey.yaml").read_text(encoding="utf-8").splitlines()
    schema = first.removeprefix("# yaml-language-server: $schema=")
    assert (tmp_path / "visit" / schema).resolve() == SCHEMA
    assert not any("yaml-language-server" in line for line in rest)


def test_nothing_is_replaced(tmp_path: Path) -> None:
    begin_journey(tmp_path / "visit", schema=SCHEMA)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}

    with pytest.raises(NewJourneyError, match="exists: choose another name"):
        begin_journey(tmp_path / "visit", schema=SCHEMA, source=RESCUE)

    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize("name", ["Visit", "9-lives", "a b", "_shared", "v" * 65])
def test_a_name_that_no_journey_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(NewJourneyError, match="is no name"):
        begin_journey(tmp_path / name, schema=SCHEMA)

    assert list(tmp_path.iterdir()) == []


def test_a_journey_with_problems_is_not_copied(tmp_path: Path) -> None:
    begin_journey(tmp_path / "visit", schema=SCHEMA)
    (tmp_path / "visit/templates/welcome.email.html").unlink()

    with pytest.raises(InvalidJourneysError, match="there is no template"):
        begin_journey(tmp_path / "other", schema=SCHEMA, source=tmp_path / "visit")

    assert not (tmp_path / "other").exists()
