"""`cairn quality run` on a deployment: from an export of the table, however often it is interrupted."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from authoring.quality import run as counting
from cli.main import app
from cli.quality_client import Run
from tests.conftest import SHORT_JOURNEY
from tests.operations.stack import STACK, DeployedStack, deployed_stack

ANNA = {"first_name": "Anna", "last_name": "Lindqvist", "birth_date": "1984-05-12"}


class Deployed(DeployedStack):
    @property
    def work(self) -> Path:
        return self.folder / "quality.sqlite"

    def runs(self, journeys: Path = SHORT_JOURNEY) -> Result:
        words = ("--stack", STACK, "--to", self.url, "--work", str(self.work), "--journeys", str(journeys))
        return CliRunner().invoke(app, ["quality", "run", *words, "--why", "ticket 1"], env={"LOGNAME": "ada"})

    def asks(self, *words: str) -> Any:
        done = CliRunner().invoke(app, ["quality", *words, "--to", self.url, "--json"], env={"LOGNAME": "ada"})
        return json.loads(done.stdout) if done.exit_code == 0 else done.output


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    """Two records of Anna, and eight other customers without an address."""
    monkeypatch.setattr(counting, "CUSTOMERS_AT_ONCE", 3)
    with deployed_stack(tmp_path, monkeypatch) as (story, url):
        story.happens("x.y", "1", customer={"email": "anna.lindqvist@example.com"}, attributes=ANNA)
        story.happens("x.y", "2", customer={"phone": "+12015550101"}, attributes=ANNA)
        for number in range(8):
            story.happens("x.y", f"other-{number}", customer={"user_id": f"u-{number}"})
        yield Deployed(story, url, tmp_path)


def test_a_deployment_is_counted_from_an_export(deployed: Deployed) -> None:
    done = deployed.runs()

    assert done.exit_code == 0, done.output
    assert "customers: 10; pairs to look at: 1" in done.output
    assert "counting customers" in done.output
    report = deployed.asks()
    assert report["addresses"]["email"] == {"none": 9, "usable": 1}
    assert len(deployed.asks("pairs")["pairs"]) == 1
    assert not deployed.work.exists()
    assert deployed.objects() == [], "neither the export nor the file stays"


def test_a_run_that_is_interrupted_anywhere_goes_on_and_counts_nobody_twice(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert deployed.runs().exit_code == 0
    whole = deployed.asks()
    own_steps = Run.steps
    interrupted = 0
    for after in range(1, 30):

        def steps(run: Run, why: str, after: int = after) -> Iterator[Any]:
            for number, step in enumerate(own_steps(run, why)):
                yield step
                if number == after % 4:
                    raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(Run, "steps", steps)
            done = deployed.runs()
        if done.exit_code == 0:
            break
        interrupted += 1
        assert done.exit_code == 130
        assert deployed.work.stat().st_mode & 0o777 == 0o600
        assert deployed.asks()["run"] == whole["run"], "until it ends, the report before is shown"
    else:
        assert deployed.runs().exit_code == 0
    assert interrupted >= 3

    again = deployed.asks()

    assert again["run"] != whole["run"]
    same = whole.keys() - {"run", "at", "losses_since", "losses_until"}
    assert {name: again[name] for name in same} == {name: whole[name] for name in same}
    assert not deployed.work.exists()
    assert deployed.objects() == []


def test_a_half_run_is_not_continued_with_other_journeys(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Run, "_publish", interrupted)
        assert deployed.runs().exit_code == 130
    others = deployed.folder / "journeys"
    others.mkdir()

    done = deployed.runs(others)

    assert done.exit_code == 1
    assert "is of another deployment or other journeys: delete it" in done.output


def test_a_stack_without_a_table_is_named(deployed: Deployed) -> None:
    words = ("quality", "run", "--stack", "Other", "--to", deployed.url, "--work", str(deployed.work), "--why", "x")
    done = CliRunner().invoke(app, words, env={"LOGNAME": "ada"})

    assert done.exit_code == 1
    assert "Other-Data" in done.output
    assert not deployed.work.exists()
