"""In a repository of one's own, `cairn` and pytest take the same journeys, policy and sources."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

JOURNEY = """\
journey: welcome
entry: {event: trial.signup}
steps:
  - {id: hello, send: {channel: sms, template: hello, purpose: transactional}}
"""
POLICY = """\
brand = "Harbour Gym"
contact = "help@harbour.example.com"
postal_address = "1 Quay Street, Boston, MA 02110, USA"

[answers.en]
stop = "{brand}: you are unsubscribed. Reply START to come back."
help = "{brand}: for help, {contact}. Reply STOP to stop."
start = "{brand}: you are subscribed again. Reply STOP to stop."
"""
STORY = """\
scenario: A member asks for help
starts: 2026-03-02T15:00:00Z
for: 1h
posts:
  - at: 0s
    event:
      id: one
      type: trial.signup
      customer: {user_id: noor, phone: "+12015550199"}
expect:
  - {at: 0s, kind: message, step: hello, contains: Welcome to Harbour}
"""
NAMED = '[tool.pytest.ini_options]\ncairn_journeys = "flows"\ncairn_policy = "rules.toml"\n'


@pytest.fixture(params=["journeys", "flows"])
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A repository, whose files have the usual names or other ones."""
    folder = request.param
    named = folder == "flows"
    files = {
        f"{folder}/welcome/journey.yaml": JOURNEY,
        f"{folder}/welcome/templates/hello.sms.txt": "Welcome to Harbour!",
        "rules.toml" if named else "policy.toml": POLICY,
        "hello.story.yaml": STORY,
        **({"pyproject.toml": NAMED} if named else {"pytest.ini": "[pytest]\n"}),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def run(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "core" / "python")])
    return subprocess.run(  # noqa: S603  our own commands
        [sys.executable, *arguments],
        cwd=repository,
        env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200", "PYTEST_ADDOPTS": "-p no:cacheprovider"},
        capture_output=True,
        text=True,
        check=False,
    )


def cairn(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(repository, "-c", "from cli.main import app; app()", *arguments)


def story(repository: Path) -> str:
    return (repository / "hello.story.yaml").read_text(encoding="utf-8")


def test_a_story_passes_alike_with_cairn_and_with_pytest(repository: Path) -> None:
    updated = cairn(repository, "replay", "hello.story.yaml", "--update")
    tested = run(repository, "-m", "pytest", "-q", "-p", "no:cairn", "-p", "pytest_cairn.plugin")

    assert updated.stdout == "hello.story.yaml: every expectation holds\n", updated.stderr
    assert story(repository) == STORY
    assert "1 passed" in tested.stdout, tested.stdout


def test_the_policy_and_the_sources_are_those_of_the_repository(repository: Path) -> None:
    rules = next(one for one in (repository / "rules.toml", repository / "policy.toml") if one.exists())
    checked = cairn(repository, "check")
    rules.write_text(POLICY.replace("brand", "brnad", 1), encoding="utf-8")
    (repository / "sources.toml").write_text("disabled = ['nobody']\n", encoding="utf-8")
    broken = cairn(repository, "check")
    replayed = cairn(repository, "replay", "hello.story.yaml")

    assert checked.stdout == "1 journey and the policy, no problems\n", checked.stderr
    assert broken.returncode == 1
    assert f"{rules.name}:1: brnad: there is no such key. Did you mean brand?\n" in broken.stdout
    assert "sources.toml: " in broken.stdout
    assert "sources.toml: " in replayed.stderr


PEOPLE = """\
[queues.success]
due = "1d"

[members.ana]
name = "Ana"
email = "ana@harbour.example.com"
queues = ["success"]
"""


def cairn_fails(folder: Path, *arguments: str) -> str:
    """What a command says that fails, in one line."""
    failed = cairn(folder, *arguments)

    assert failed.returncode, failed.stdout
    return " ".join((failed.stdout + failed.stderr).replace("│", " ").split())


def files_of(folder: Path) -> set[str]:
    return {str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file()}


@pytest.mark.parametrize("command", [["check"], ["serve"], ["preflight"], ["preview"], ["graph", "welcome"]])
def test_a_folder_without_journeys_never_gets_those_of_cairn(tmp_path: Path, command: list[str]) -> None:
    said = cairn_fails(tmp_path, *command)

    assert "there is no folder journeys: `cairn new NAME` begins a journey there, and --journeys names another" in said


def test_what_is_new_is_written_into_the_working_folder(tmp_path: Path) -> None:
    made = cairn(tmp_path, "new", "hello"), cairn(tmp_path, "sources", "new", "acme")
    checked, tried = cairn(tmp_path, "check"), cairn(tmp_path, "sources", "try", "acme/order_paid")

    assert [one.returncode for one in made] == [0, 0]
    assert {"journeys/hello/journey.yaml", "sources/acme/mapping.toml"} <= files_of(tmp_path)
    assert not (ROOT / "layers" / "journeys" / "hello").exists()
    assert not (ROOT / "sources" / "acme").exists()
    assert checked.stdout == "1 journey and the policy, no problems\n", checked.stderr
    assert "This folder has no policy.toml: that of Cairn's example is used" in checked.stderr
    assert '"type": "order.paid"' in tried.stdout, tried.stderr


def test_a_folder_with_sources_alone_is_checked(tmp_path: Path) -> None:
    cairn(tmp_path, "sources", "new", "acme")

    checked = cairn(tmp_path, "check")

    assert checked.stdout == "0 journeys and the policy, no problems\n", checked.stderr


def test_cairns_own_vendors_are_changed_in_its_own_repository_alone(tmp_path: Path) -> None:
    before = (ROOT / "layers/core/python/cairn/adapters/sources/stripe/README.md").stat().st_mtime_ns

    said = cairn_fails(tmp_path, "sources", "accept", "stripe")

    assert "is Cairn's own: work in that checkout to change it" in said
    assert (ROOT / "layers/core/python/cairn/adapters/sources/stripe/README.md").stat().st_mtime_ns == before


@pytest.mark.parametrize("file", ["people.toml", "leads.toml", "replies.toml", "audiences.toml"])
def test_a_file_beside_the_policy_calls_for_a_policy(tmp_path: Path, file: str) -> None:
    cairn(tmp_path, "new", "hello")
    (tmp_path / file).write_text(PEOPLE if file == "people.toml" else "", encoding="utf-8")

    assert "policy.toml:1: this file is missing. Write it; docs/policy.md says how." in cairn_fails(tmp_path, "check")


@pytest.mark.parametrize("repository", ["journeys"], indirect=True)
def test_the_files_beside_the_journeys_that_are_named_are_taken(repository: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    rules = repository / "policy.toml"
    rules.write_text(POLICY.replace("brand", "brnad", 1), encoding="utf-8")

    said = cairn_fails(elsewhere, "replay", "../hello.story.yaml", "--journeys", "../journeys")

    assert f"{rules.resolve()}:1: brnad: there is no such key. Did you mean brand?" in said
