"""The studio without a browser: its run, its state, its stories and its server."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from typer.testing import CliRunner
from werkzeug.test import Client

from cli.main import app
from infra.local.signing import local_secrets
from infra.local.studio import posting
from infra.local.studio.acts import ACTS, CLOCK, State, StateError
from infra.local.studio.saved import save
from infra.local.studio.server import StudioServer, watch
from infra.local.studio.studio import Project, Studio, StudioError, studio

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)

CORRECT, WRONG = "timeout: 3d", "timeout: 3 days"

Json = dict[str, Any]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A folder with the journey that `cairn new` begins, and nothing else."""
    from authoring.journeys.new import begin_journey

    (tmp_path / "club").mkdir()
    monkeypatch.chdir(tmp_path / "club")
    begin_journey(tmp_path / "club" / "journeys" / "trial-welcome", schema=ROOT / "docs" / "journey.schema.json")
    return project_at(tmp_path / "club")


def project_at(folder: Path) -> Project:
    folder.mkdir(exist_ok=True)
    return Project(folder, folder / "journeys", ROOT / "policy.toml", ROOT / "sources.toml")


@contextmanager
def opened(project: Project, state: Path | None = None) -> Iterator[Studio]:
    secrets = local_secrets({}, project.sources())
    with studio(
        project, secrets=secrets, state=State.of(state), public_url="http://127.0.0.1:8787", real_now=lambda: NOON
    ) as made:
        yield made


def happens(here: Studio, type_: str, who: str = "Mia", properties: str = "") -> None:
    event = posting.event_of(here, type_, who, properties, may_be_asked=True)
    posting.post(here, "track", json.dumps(event))


def kinds(here: Studio) -> list[str]:
    return [line["kind"] for line in here.lines()]


def story_of(here: Studio) -> list[Json]:
    """The timeline, with the ids that say what was decided from what."""
    return [
        {name: line.get(name) for name in ("at", "kind", "step", "message_id", "customer_id")} for line in here.lines()
    ]


def test_a_step_goes_to_what_is_due_next(project: Project) -> None:
    with opened(project) as here:
        happens(here, "trial.signup")
        due = here.next_at()
        assert due == NOON + 3 * DAY

        here.move_to(due)

        assert here.now() == due
        assert "task" in kinds(here)
        assert here.next_timer_at() != due


def test_back_is_again_from_the_start_and_what_came_later_is_still_to_come(project: Project) -> None:
    with opened(project) as here:
        happens(here, "trial.signup")
        here.move_to(NOON + DAY)
        happens(here, "app.opened")
        here.move_to(NOON + 4 * DAY)
        whole = story_of(here)
        assert "task" not in kinds(here)

        here.move_to(NOON + timedelta(hours=1))
        assert "ended" not in kinds(here)
        assert here.next_at() == NOON + DAY

        happens(here, "trial.signup", "Noor")
        here.move_to(NOON + 4 * DAY)
        of_mia = [line for line in story_of(here) if line["customer_id"] == whole[0]["customer_id"]]

    assert of_mia == whole


def test_a_state_repeats_what_came_in_and_ends_as_it_was(project: Project, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with opened(project, state) as here:
        happens(here, "trial.signup")
        here.move_to(NOON + timedelta(hours=2, seconds=17))
        order = {"do": "pause", "target": "journey:trial-welcome", "why": "a wrong price", "policy": "keep"}
        here.deployment.manage("POST", "https://localhost/manage/switches", {}, json.dumps(order).encode(), actor="ada")
        here.settle()
        here.move_to(NOON + timedelta(hours=5))
        happens(here, "trial.signup", "Noor")
        here.move_to(NOON + 2 * DAY)
        before, at = story_of(here), here.now()
        mails = [mail["Destination"] for mail in here.deployment.cloud.mails]

    with opened(project, state) as again:
        assert story_of(again) == before
        assert again.now() == at
        assert [mail["Destination"] for mail in again.deployment.cloud.mails] == mails
        assert [one.document.get("do") for one in again.orders] == ["pause"]
        assert len(again.state.acts) == 3  # nothing was noted a second time


def test_a_state_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / CLOCK).write_text("{}")

    with pytest.raises(StateError, match="remove it, or name another folder"):
        State.of(tmp_path)


def test_a_studio_that_is_killed_goes_on_where_it_was(project: Project, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with started(project, state) as url:
        ask(f"{url}/_studio/event", type="trial.signup", who="Mia", do="post")
        ask(f"{url}/_studio/clock", do="by", by="2d")
        before = ask(f"{url}/_timeline"), ask(f"{url}/_clock")
    with (state / ACTS).open("a") as file:
        file.write('{"at": "2026-')  # it was killed while it wrote

    with started(project, state) as url:
        assert (ask(f"{url}/_timeline"), ask(f"{url}/_clock")) == before
        assert "welcome" in before[0]


@contextmanager
def started(project: Project, state: Path) -> Iterator[str]:
    """The command in a process of its own, which is killed."""
    command = [sys.executable, "-c", "from cli.main import app; app()", "studio", "--port", "0", "--state", str(state)]
    process = subprocess.Popen(command, cwd=project.root, stdout=subprocess.PIPE, text=True)  # noqa: S603  our own
    try:
        assert process.stdout is not None
        yield re.search(r"http://[\d.:]+", process.stdout.readline() + process.stdout.readline())[0]  # type: ignore[index]
    finally:
        process.kill()
        process.communicate()


def ask(url: str, **form: str) -> str:
    body = urlencode(form).encode() if form else None
    with urlopen(Request(url, body, {"x-studio": "1"}), timeout=60) as answer:  # noqa: S310  loopback
        return str(answer.read().decode())


def test_a_folder_that_is_missing_is_named() -> None:
    result = CliRunner().invoke(app, ["studio", "no-such-folder"])

    assert result.exit_code == 2
    assert "there is no folder no-such-folder" in " ".join(re.sub(r"[^\w-]+", " ", result.output).split())


def test_a_saved_story_passes_cairn_replay(project: Project) -> None:
    with opened(project) as here:
        happens(here, "trial.signup", properties='{"plan": "pro"}')
        here.move_to(NOON + timedelta(hours=2))
        posting.post(
            here,
            "aws",
            json.dumps(posting.sample(here, "aws", "ses_bounce")).replace("$provider:confirm", "$provider:welcome"),
        )
        here.move_to(NOON + 3 * DAY)
        customer = here.lines()[0]["customer_id"]
        consent = {
            "customer": customer,
            "channel": "sms",
            "purpose": "marketing",
            "status": "denied",
            "why": "by phone",
        }
        here.deployment.manage(
            "POST", "https://localhost/manage/consent", {}, json.dumps(consent).encode(), actor="ada"
        )
        here.settle()
        found = {"customer": customer}
        here.deployment.manage("POST", "https://localhost/manage/explain", {}, json.dumps(found).encode(), actor="ada")
        saved = save(here, "Mia is welcome", "Mia gets the welcome")

        with pytest.raises(StudioError, match="choose another name"):
            save(here, "Mia is welcome", "")

    assert saved.left_out == ()
    text = saved.file.read_text()
    assert "occurred_at: $at" in text
    assert "do: consent" in text
    assert "explain" not in text
    assert replayed(saved.file) == ""

    saved.file.write_text(text.replace("Welcome, Mia", "Welcome, Noor"))
    assert "what was expected did not happen" in replayed(saved.file)


def replayed(file: Path) -> str:
    command = [sys.executable, "-c", "from cli.main import app; app()", "replay", str(file)]
    done = subprocess.run(command, cwd=file.parents[1], capture_output=True, text=True, check=False)  # noqa: S603  our own command
    return done.stderr if done.returncode else ""


def test_a_story_says_what_it_leaves_out(project: Project) -> None:
    with opened(project) as here:
        happens(here, "trial.signup")
        order = {"do": "leave", "customer": here.lines()[0]["customer_id"], "journey": "trial-welcome", "why": "asked"}
        here.deployment.manage(
            "POST", "https://localhost/manage/customers", {}, json.dumps(order).encode(), actor="ada"
        )
        here.settle()

        assert save(here, "one", "").left_out == ("leave (POST /manage/customers)",)


def test_a_file_with_a_problem_changes_nothing_and_the_mended_one_is_deployed(project: Project) -> None:
    file = project.journeys / "trial-welcome" / "journey.yaml"
    text = file.read_text()
    with opened(project) as here:
        version = here.compiled()[0]["version"]
        happens(here, "trial.signup")

        file.write_text(text.replace(CORRECT, WRONG))
        here.reload()

        (problem,) = here.problems
        assert not isinstance(problem, str)
        assert problem.file == file
        assert text.splitlines()[problem.line - 1].strip() == CORRECT
        assert problem.fix
        assert here.compiled()[0]["version"] == version
        with pytest.raises(StudioError, match="mend them first"):
            here.again()
        happens(here, "trial.signup", "Noor")
        assert kinds(here).count("message") == 2

        file.write_text(text.replace(CORRECT, "timeout: 5d"))
        here.reload()

        assert not here.problems
        assert here.compiled()[0]["version"] != version
        assert here.next_at() == NOON + 3 * DAY  # they stay on the version that they are on

        here.again()
        assert here.next_at() == NOON + 5 * DAY


def test_it_begins_with_files_that_have_problems_and_waits_for_the_mend(project: Project, tmp_path: Path) -> None:
    file, state = project.journeys / "trial-welcome" / "journey.yaml", tmp_path / "state"
    text = file.read_text()
    with opened(project, state) as here:
        happens(here, "trial.signup")
        here.move_to(NOON + DAY)
    file.write_text(text.replace(CORRECT, WRONG))

    with opened(project, state) as here:
        assert here.problems
        assert here.lines() == []
        file.write_text(text)
        here.reload()

        assert "message" in kinds(here)
        assert here.now() == NOON + DAY


def test_a_change_of_a_file_is_seen(project: Project) -> None:
    file = project.journeys / "trial-welcome" / "templates" / "welcome.email.html"
    with opened(project) as here:
        stop, version = Event(), here.compiled()[0]["version"]
        watcher = Thread(target=watch, args=(here, stop, 0.05), daemon=True)
        watcher.start()
        try:
            for number in range(200):
                with here.lock:
                    if here.compiled()[0]["version"] != version:
                        break
                file.write_text(f"{file.read_text()}<p>{number}</p>")
                stop.wait(0.1)
        finally:
            stop.set()
            watcher.join()
        assert here.compiled()[0]["version"] != version


def test_a_story_of_another_business_runs_with_its_own_journeys(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "events", tmp_path / "club" / "events")
    project = project_at(tmp_path / "club")
    with opened(project) as here:
        here.fresh(project.root / "events" / "scenarios" / "club-newsletter-confirmed.yaml")
        assert here.scenario is not None
        here.move_to(here.scenario.ends)

        assert here.refused == []
        verdict = here.verdict()
        assert verdict is not None
        assert verdict.difference == ""

        saved = save(here, "the same", "")  # with its click, and the journeys of that business
        here.fresh(saved.file)
        here.move_to(here.scenario.ends)

        assert here.refused == []
        verdict = here.verdict()
        assert verdict is not None
        assert verdict.difference == ""
        assert "link: confirm" in saved.file.read_text()


@pytest.fixture
def client(project: Project) -> Iterator[tuple[Studio, Client]]:
    with opened(project) as here:
        yield here, Client(StudioServer(here, lambda _: "", ROOT / "docs" / "journey.schema.json"))


Asks = Callable[..., Any]


def test_it_answers_no_page_of_another_site(client: tuple[Studio, Client]) -> None:
    here, asks = client
    for path in ("/_studio/state", "/console/", "/_clock", "/_issuer/authorize", "/_studio/panel/post"):
        assert asks.get(path, headers={"Host": "evil.example"}).status_code == 403, path
        assert asks.get(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403, path
    for path in ("/_studio/clock", "/_studio/post", "/_studio/new", "/_studio/save", "/_studio/user"):
        assert asks.post(path, headers={"Origin": "https://evil.example"}).status_code == 403, path
    assert here.now() == NOON


def test_no_act_ends_in_a_traceback(client: tuple[Studio, Client]) -> None:
    _, asks = client
    ask = {"x-studio": "1"}
    posts: list[tuple[str, Json]] = [
        ("clock", {}),
        ("clock", {"do": "by", "by": "soon"}),
        ("clock", {"do": "by", "by": "-1h"}),
        ("clock", {"do": "to", "to": "never"}),
        ("clock", {"do": "to", "to": "2020-01-01T00:00:00Z"}),
        ("clock", {"do": "step"}),
        ("post", {"sample": "track/", "body": "{"}),
        ("post", {"sample": "track/", "body": "[1, 2]"}),
        ("post", {"sample": "nobody/x", "body": "{}"}),
        ("post", {"sample": "aws/ses_bounce", "body": '{"a": "$provider:nothing"}'}),
        ("event", {"type": "x.y", "who": "Mia", "properties": "{"}),
        ("event", {"type": "", "who": ""}),
        ("fresh", {"story": "/etc/passwd"}),
        ("save", {"name": "/"}),
        ("new", {"name": "../x"}),
        ("new", {"name": "trial-welcome"}),
        ("user", {"user": "root"}),
    ]
    for act, form in posts:
        answer = asks.post(f"/_studio/{act}", data=form, headers=ask)
        assert answer.status_code == 200, (act, form)
        problem = answer.json.get("problem")
        assert problem, (act, form)
        assert "this failed" not in problem, (act, form, problem)
    for path in (
        "sample/track/nothing",
        "sample/track/..%2f..%2fpolicy",
        "mail/none",
        "walk/nothing",
        "walk/nothing.svg",
    ):
        assert asks.get(f"/_studio/{path}").status_code == 404, path


def test_routes_that_it_could_not_repeat_are_refused_with_the_reason(client: tuple[Studio, Client]) -> None:
    _, asks = client

    answer = asks.post("/_faults", data='{"fault": "x", "for": "1m"}')

    assert answer.status_code == 404
    assert "cairn serve" in answer.json["detail"]


def test_a_link_that_was_clicked_is_a_click_of_the_story(project: Project) -> None:
    file = project.journeys / "trial-welcome" / "journey.yaml"
    file.write_text(file.read_text().replace("purpose: transactional", "purpose: marketing"))
    with opened(project) as here:
        happens(here, "trial.signup")
        here.move_to(NOON + timedelta(hours=4))  # in the customer's own hours
        (mail,) = here.deployment.cloud.mails
        headers = {one["Name"]: one["Value"] for one in mail["Content"]["Simple"]["Headers"]}
        link = headers["List-Unsubscribe"].strip("<>").partition(">")[0]
        answer = Client(StudioServer(here, lambda _: "", ROOT)).post(
            link.removeprefix(here.public_url), data={"List-Unsubscribe": "One-Click"}
        )
        assert answer.status_code == 200
        assert b"studio.js" not in answer.data

        saved = save(here, "leaves", "Mia leaves")

    text = saved.file.read_text()
    assert "{at: 4h, link: unsubscribe, step: welcome, customer: mia}" in text
    assert replayed(saved.file) == ""


def test_the_page_shows_what_the_studio_saves(project: Project) -> None:
    with opened(project) as here:
        happens(here, "trial.signup", properties='{"plan": "pro"}')
        here.move_to(here.next_at() or NOON)
        saved = save(here, "welcome", "Mia gets the welcome, and a call")

    page, shown = ROOT / "docs" / "studio.md", f"```yaml welcome.story.yaml\n{saved.file.read_text()}```"
    if os.environ.get("UPDATE_DOCS"):
        text = re.sub(r"```yaml welcome.story.yaml\n.*?```", lambda _: shown, page.read_text(), flags=re.DOTALL)
        page.write_text(text)
    assert shown in page.read_text()
    assert replayed(saved.file) == ""


def test_a_clock_that_is_moved_from_outside_lets_the_story_happen(client: tuple[Studio, Client]) -> None:
    here, asks = client
    happens(here, "trial.signup")
    here.move_to(NOON + DAY)
    happens(here, "app.opened")
    here.move_to(NOON)

    assert asks.post("/_clock", data='{"advance": "2d"}').json == {"now": "2026-03-04T12:00:00Z"}

    assert "ended" in kinds(here)
    assert asks.post("/_clock", data="{}").status_code == 400


def test_nothing_of_a_deployment_imports_the_studio() -> None:
    shipped = [ROOT / "layers", ROOT / "functions", ROOT / "infra" / "cloud"]
    files = [file for folder in shipped for file in folder.rglob("*.py") if ".venv" not in file.parts]

    assert files
    assert not [file for file in files if "infra.local" in file.read_text() or "_studio" in file.read_text()]
