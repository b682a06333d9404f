"""A draft of a journey lies over its files: tried in a copy, written only below the journey's own folder."""

from pathlib import Path

import pytest

from cli.mcp.drafts import MOST_BYTES, InvalidDraftError, Project, example


@pytest.fixture
def project(tmp_path: Path) -> Project:
    journeys = tmp_path / "journeys"
    (journeys / "welcome" / "templates").mkdir(parents=True)
    (journeys / "welcome" / "journey.yaml").write_text("journey: welcome\n")
    (journeys / "welcome" / "templates" / "hello.sms.txt").write_text("Hello")
    (tmp_path / "secret.txt").write_text("a secret")
    return Project(journeys, tmp_path / "policy.toml", tmp_path / "sources.toml")


def all_files_of(folder: Path) -> dict[str, str]:
    return {str(one.relative_to(folder)): one.read_text() for one in folder.rglob("*") if one.is_file()}


def test_a_draft_is_tried_in_a_copy(project: Project) -> None:
    before = all_files_of(project.journeys)

    with project.with_draft("welcome", {"templates/hello.sms.txt": "Good day"}) as folder:
        assert all_files_of(folder.parent) == {**before, "welcome/templates/hello.sms.txt": "Good day"}

    assert all_files_of(project.journeys) == before
    assert not folder.exists()


def test_a_draft_is_written_below_its_journey(project: Project) -> None:
    written = project.write("second", {"journey.yaml": "journey: second\n", "templates/a.sms.txt": "A"})

    assert written == ["journeys/second/journey.yaml", "journeys/second/templates/a.sms.txt"]
    assert project.files("second") == {"journey.yaml": "journey: second\n", "templates/a.sms.txt": "A"}


@pytest.mark.parametrize(
    "name",
    [
        "../other/journey.yaml",
        "templates/../../x.yaml",
        "/etc/cron.d/x.txt",
        "..",
        "",
        ".hidden.yaml",
        "templates/.x.txt",
        "a/b/c/d.txt",
        "templates\\..\\x.txt",
        "run.sh",
        "code.py",
        "journey",
        "preflight.json",
        "nul\0.txt",
        "line\n.txt",
    ],
)
def test_a_name_that_is_no_file_of_a_journey_is_refused_and_nothing_is_written(project: Project, name: str) -> None:
    before = all_files_of(project.journeys.parent)

    with pytest.raises(InvalidDraftError):
        project.write("welcome", {"journey.yaml": "changed", name: "x"})

    assert all_files_of(project.journeys.parent) == before


@pytest.mark.parametrize("journey", ["..", "../outside", "../journeys/welcome", "Welcome", "a/b", "_scripts", "/tmp"])  # noqa: S108
def test_a_name_that_is_no_journeys_is_neither_written_nor_read(project: Project, journey: str) -> None:
    (project.journeys.parent / "outside").mkdir()
    (project.journeys.parent / "outside" / "journey.yaml").write_text("journey: outside\n")

    with pytest.raises(InvalidDraftError, match="is no name"):
        project.write(journey, {"journey.yaml": "x"})
    with pytest.raises(InvalidDraftError, match="is no name"):
        project.files(journey)
    for draft in ({}, {"journey.yaml": "x"}):
        with pytest.raises(InvalidDraftError, match="is no name"), project.with_draft(journey, draft):
            pass


def test_a_draft_needs_the_name_of_its_journey(project: Project) -> None:
    with pytest.raises(InvalidDraftError, match="is no name"), project.with_draft("", {"journey.yaml": "x"}):
        pass


@pytest.mark.parametrize("link", ["welcome/templates/out.sms.txt", "welcome/linked", "other"])
def test_a_link_that_leads_out_of_the_folder_is_not_written_to_and_not_read(project: Project, link: str) -> None:
    outside = project.journeys.parent / "outside"
    outside.mkdir()
    (outside / "out.sms.txt").write_text("a secret")
    target = outside / "out.sms.txt" if link.endswith(".txt") else outside
    (project.journeys / link).symlink_to(target)
    journey, _, rest = link.partition("/")
    name = rest if rest.endswith(".txt") else f"{rest}/out.sms.txt".lstrip("/")

    with pytest.raises(InvalidDraftError, match="leads out"):
        project.write(journey, {"journey.yaml": "changed", name: "x"})

    assert (outside / "out.sms.txt").read_text() == "a secret"
    assert "a secret" not in project.files("welcome").values()
    assert not (outside / "journey.yaml").exists()


def test_a_draft_that_is_too_large_is_refused(project: Project) -> None:
    with pytest.raises(InvalidDraftError, match="larger"):
        project.write("welcome", {"journey.yaml": "x" * (MOST_BYTES + 1)})
    with pytest.raises(InvalidDraftError, match="101 files"):
        project.write("welcome", {f"templates/t{number}.sms.txt": "x" for number in range(101)})


def test_an_unknown_journey_is_refused_with_those_that_there_are(project: Project) -> None:
    with pytest.raises(InvalidDraftError, match="there are: welcome"):
        project.files("welcom")


def test_the_example_has_the_files_with_which_a_journey_begins() -> None:
    found = example("trial")

    assert set(found) == {"journey.yaml", "samples.yaml", "templates/welcome.email.html"}
    assert "journey: trial\n" in found["journey.yaml"]
    assert "$schema" not in found["journey.yaml"]
