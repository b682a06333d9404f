"""The commands about one journey: new, check, simulate, graph."""

import io
import json
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli.simulate
from authoring.watching import changes
from cli.main import app

ROOT = Path(__file__).parents[3]
USAGE = 2
"""The exit code of a wrong argument; the answer stands in a box."""

FITNESS = "fitness-trial-to-paid"


def run(*arguments: str, code: int = 0, typed: str = "") -> str:
    """All that a command prints."""
    result = CliRunner().invoke(app, arguments, input=typed, catch_exceptions=False)
    assert result.exit_code == code, result.output
    return " ".join(result.output.replace("│", " ").split()) if code == USAGE else result.output


@pytest.fixture
def journeys(tmp_path: Path) -> Path:
    """A folder with a new journey, and one that is broken."""
    run("new", "trial-welcome", "--journeys", str(tmp_path))
    run("new", "broken", "--journeys", str(tmp_path))
    (tmp_path / "broken/templates/welcome.email.html").unlink()
    return tmp_path


# new


def test_new_says_what_it_wrote_and_what_to_do_next(tmp_path: Path) -> None:
    tmp_path /= "journeys"  # the project is the folder above
    said = run("new", "rescue", "--from", "payment-failure-rescue", "--journeys", str(tmp_path))

    for file in (tmp_path / "rescue").rglob("*.*"):
        assert f"wrote {file}\n" in said
    assert f"cairn simulate {tmp_path}/rescue " in said
    assert f"cairn preflight rescue --journeys {tmp_path} " in said
    assert run("check", str(tmp_path)).endswith("2 journeys and the policy, no problems\n")


def test_new_refuses_a_name_that_is_taken(journeys: Path) -> None:
    assert "exists" in run("new", "broken", "--journeys", str(journeys), code=1)


def test_new_names_the_journeys_that_it_could_begin_from(tmp_path: Path) -> None:
    said = run("new", "rescue", "--from", "payment-failure", "--journeys", str(tmp_path), code=2)

    assert "there is no journey payment-failure: did you mean payment-failure-rescue?" in said


# check


def test_one_journey_is_checked_alone_by_its_folder(journeys: Path) -> None:
    assert run("check", str(journeys / "trial-welcome")).startswith("trial-welcome, no problems\n")

    said = run("check", str(journeys / "broken"), code=1)

    assert "step welcome, send.template: there is no template" in said
    assert said.endswith("1 problem\n")
    assert "trial-welcome" not in said


def test_the_policy_does_not_matter_to_one_journey_alone(journeys: Path) -> None:
    policy = journeys / "policy.toml"
    policy.write_text("nothing = 1\n")

    assert run("check", str(journeys / "trial-welcome"), "--policy", str(policy)).startswith(
        "trial-welcome, no problems\n"
    )


def test_one_journey_is_checked_alone_by_its_name() -> None:
    assert run("check", FITNESS).startswith(f"{FITNESS}, no problems\n")


def test_one_journey_is_checked_alone_from_inside(journeys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(journeys / "trial-welcome")

    assert run("check", ".").startswith("trial-welcome, no problems\n")


def test_one_journey_alone_knows_the_calendars_beside_it(journeys: Path) -> None:
    (journeys / "_calendars.yaml").write_text("calendars:\n  office:\n    hours: {mon-fri: 09:00-17:00}\n")
    file = journeys / "trial-welcome/journey.yaml"
    file.write_text(file.read_text().replace("timeout: 3d", "timeout: {for: 3h, open: office}"))

    assert run("check", str(journeys / "trial-welcome")).startswith("trial-welcome, no problems\n")


def test_one_journey_alone_may_name_those_beside_it(journeys: Path) -> None:
    file = journeys / "trial-welcome/journey.yaml"
    entry = "entry: {{event: trial.signup, unless_in: [{}]}}"
    text = file.read_text()
    first = next(line for line in text.splitlines() if line.startswith("entry:"))

    file.write_text(text.replace(first, entry.format("broken")))
    assert run("check", str(journeys / "trial-welcome")).startswith("trial-welcome, no problems\n")

    file.write_text(text.replace(first, entry.format("brokem")))
    assert 'there is no journey "brokem". Did you mean broken?' in run("check", str(file.parent), code=1)


def test_what_is_no_journey_is_answered_by_those_that_are_there() -> None:
    said = run("check", "fitness-trial-to-pay", code=2)

    assert "there is no journey fitness-trial-to-pay: did you mean fitness-trial-to-paid?" in said


def test_with_watch_a_change_is_checked_until_the_command_is_stopped(
    journeys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = journeys / "broken/templates/welcome.email.html"
    edits = iter([lambda: None, lambda: template.write_text("---\nsubject: Hello\n---\nHello")])

    def sleep(_: float) -> None:
        next(edits, stop)()

    monkeypatch.setattr("authoring.watching.time.sleep", sleep)

    said = run("check", str(journeys / "broken"), "--watch")

    first, second = said.index("there is no template"), said.index("broken, no problems")
    assert first < second
    assert said.count("there is no template") == 1


def stop() -> None:
    raise KeyboardInterrupt


def test_a_watch_sees_every_kind_of_change_once(tmp_path: Path) -> None:
    folder, file, other = tmp_path / "folder", tmp_path / "folder/a/b.txt", tmp_path / "c.txt"
    edits = iter(
        [
            lambda: None,
            lambda: (file.parent.mkdir(parents=True), file.write_text("1")),
            lambda: file.write_text("22"),
            lambda: None,
            lambda: other.write_text("3"),
            file.unlink,
        ]
    )
    seen: list[int] = []
    looks = [0]

    def sleep(_: float) -> None:
        looks[0] += 1
        next(edits, stop)()

    with suppress(KeyboardInterrupt):
        for _ in changes((folder, other), sleep=sleep):
            seen.append(looks[0])  # noqa: PERF401  it ends by an exception

    assert seen == [0, 2, 3, 5, 6]


# simulate


def test_simulate_walks_the_first_sample_and_lets_each_wait_time_out() -> None:
    said = run("simulate", FITNESS)

    for text in ("all is known", "welcome, Mia!", "until Fri 06 Mar 18:30", "timed out", "Call a trial member"):
        assert text in said
    assert "completed, on Tue 10 Mar 2026 10:00 · 3 messages · America/New_York" in said


def test_simulate_takes_a_customer_an_instant_and_events() -> None:
    customer = ("--customer", "an address alone", "--at", "2026-07-01T09:00:00-04:00")
    said = run("simulate", FITNESS, *customer, "--event", "visit.attended@5d", "--event", "foo.bar")

    assert "not sent: no_address" in said
    assert "visited, on Mon 06 Jul 2026 09:00 · 1 message · America/New_York" in said
    assert "foo.bar did not happen" in said


def test_simulate_names_the_event_that_was_meant() -> None:
    events = ("--event", "visit.atended", "--event", "membership.startd@2d", "--event", "visit.attended@3d")
    said = run("simulate", FITNESS, *events)

    assert "names no event visit.atended. Did you mean visit.attended?" in said
    assert "names no event membership.startd. Did you mean membership.started?" in said
    assert "names no event visit.attended" not in said
    assert "It names " in run("simulate", FITNESS, "--event", "foo.bar")


def test_simulate_prints_json_in_the_form_of_replay() -> None:
    found = json.loads(run("simulate", FITNESS, "--event", "membership.started@1d", "--json"))

    assert (found["outcome"], found["goal_at"]) == ("exit_on", "2026-03-04T18:00:00Z")
    assert [line["kind"] for line in found["lines"]][-3:] == ["event", "goal_reached", "ended"]


def test_simulate_prints_all_paths_and_how_many_are_left_out() -> None:
    said = run("simulate", "payment-failure-rescue", "--all-paths")
    fewer = run("simulate", "payment-failure-rescue", "--all-paths", "--most", "1")
    found = json.loads(run("simulate", "payment-failure-rescue", "--all-paths", "--most", "3", "--json"))
    of_one = run("simulate", "payment-failure-rescue", "--all-paths", "--customer", "all is known")

    assert "path 4: payment-failure-rescue" in said
    assert "left out" not in said
    assert "3 more paths are left out; --most 2 prints more of them" in fewer
    assert (len(found["paths"]), found["left_out"], found["all_counted"]) == (3, 1, True)
    assert "path 3:" in of_one
    assert "path 4:" not in of_one


def test_simulate_asks_on_a_terminal_what_happens_at_each_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.simulate, "is_terminal", lambda: True)

    said = run("simulate", FITNESS, typed="0\n7\n\nvisit.attended@4d\n")

    assert "What happens at a-little-later?\n  0  nothing until Tue 03 Mar 13:20\n  1  membership.started" in said
    assert "there is no 7: answer 0 to 1" in said
    assert "  1  visit.attended  (ends the wait)\n" in said
    assert said.count("welcome, Mia!") == 1
    assert said.endswith(f"The same again: cairn simulate {FITNESS} --event visit.attended@4d\n")


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (("--customer", "Zoe"), 1, "has no customer “Zoe”; it has: all is known,"),
        (("--at", "tomorrow"), 2, "--at tomorrow is no instant"),
        (("--at", "2026-03-03T10:00:00"), 2, "is no instant"),
        (("--event", "paid"), 1, "“paid” is not a type of event"),
        (("--all-paths", "--event", "a.b"), 2, "leave --event out"),
    ],
)
def test_what_simulate_cannot_use_is_answered_by_the_way_to_mend_it(
    arguments: tuple[str, ...], code: int, why: str
) -> None:
    assert why in run("simulate", FITNESS, *arguments, code=code)


def test_simulate_lists_the_problems_of_a_journey_that_has_any(journeys: Path) -> None:
    assert "there is no template" in run("simulate", str(journeys / "broken"), code=1)


def test_simulate_says_where_the_customer_would_not_enter(journeys: Path) -> None:
    file = journeys / "trial-welcome/journey.yaml"
    entry = "entry: {event: trial.signup, where: event.properties.plan == 'none'}"
    file.write_text("\n".join(entry if line.startswith("entry:") else line for line in file.read_text().splitlines()))

    assert "No such customer enters trial-welcome" in run("simulate", str(journeys / "trial-welcome"))
    assert "No such customer enters" not in run("simulate", FITNESS)


# graph


def test_graph_prints_mermaid_or_writes_an_svg(tmp_path: Path) -> None:
    out = tmp_path / "fitness.svg"

    assert run("graph", FITNESS).startswith("flowchart TD\n")
    assert run("graph", FITNESS, "-o", str(out)) == ""
    assert out.read_text(encoding="utf-8").startswith("<svg ")
    assert run("graph", FITNESS, "--format", "svg") == out.read_text(encoding="utf-8")


def test_graph_counts_who_stands_where(tmp_path: Path) -> None:
    counts = tmp_path / "counts.json"
    counts.write_text('{"third-day": 41}')
    waiting = {"kind": "waiting", "journey": FITNESS, "enrollment": "a", "step": "first-visit"}

    assert "<b>third-day</b> · 41" in run("graph", FITNESS, "--counts", str(counts))
    assert "<b>first-visit</b> · 1" in run("graph", FITNESS, "--counts", "-", typed=json.dumps(waiting))


@pytest.mark.parametrize(
    ("content", "why"),
    [('{"old": 1}', "the counts name old"), ("old", "the counts are not JSON"), (None, "cannot be read")],
)
def test_counts_that_do_not_fit_are_refused(tmp_path: Path, content: str | None, why: str) -> None:
    counts = tmp_path / "counts.json"
    if content is not None:
        counts.write_text(content)

    assert why in run("graph", FITNESS, "--counts", str(counts), code=1)


def test_a_picture_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    assert "cannot be written" in run("graph", FITNESS, "-o", str(tmp_path / "nowhere/a.svg"), code=1)


def test_a_terminal_is_both_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    assert not cli.simulate.is_terminal()
