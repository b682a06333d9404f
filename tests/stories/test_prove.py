"""`make prove` finds what it is made to find: a guard that is gone, and nothing where all guards are there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local.faults import Call, Fault
from prove import plan
from prove.attacks import Attack, UnknownAttackError, outages, seeds, single_faults
from prove.mutations import MUTATIONS, named
from prove.page import PAGE
from prove.stories import STORIES, all_stories, once, reference
from prove.verdict import windows

ROOT = Path(__file__).parents[2]
SHORT = "payment-success-arrives-first.yaml"


def prove(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, in a process of its own: it forks."""
    return subprocess.run(  # noqa: S603  our own command
        [sys.executable, "-m", "prove", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )


def test_a_guard_that_is_gone_is_found() -> None:
    base = reference(STORIES / SHORT)
    busy = next(call for call in base.calls if call.function == "receive_webhook" and call.service == "sqs")
    attack = Attack(busy.number, fault="BUSY")

    with_guard, _ = once(base, attack)
    without, _ = once(base, attack, named("2xx only once stored").applied)

    assert with_guard.outcome.good
    assert without.outcome == "lost"
    assert any("payment.succeeded" in line for line in without.words)


def test_one_case_is_run_by_the_line_that_names_it() -> None:
    result = prove("--one", f"{SHORT}#1:DIES_AFTER")

    assert result.returncode == 0, result.stderr
    assert "DIES_AFTER at 1. " in result.stdout


def test_a_whole_run_that_was_stopped_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = plan.Part(STORIES / SHORT, (Attack.read("3:BUSY"),))
    found = plan.explored_once(tmp_path, part)

    monkeypatch.setattr(plan, "_explore", None)

    assert [str(attack) for attack, _ in found.results] == ["3:BUSY"]
    assert plan.explored_once(tmp_path, part) == found


def test_a_failing_case_prints_what_differs() -> None:
    result = prove("--one", f"{SHORT}#0:BUSY", "--without", "2xx only once stored")

    assert result.returncode == 1
    assert "payment.succeeded" in result.stdout


def test_every_attack_of_a_story_is_read_as_it_is_written() -> None:
    base = reference(STORIES / SHORT)
    several = [*single_faults(base.calls), *outages(base.calls), *seeds(7, 3)]

    assert len(several) > len(base.calls) * 8
    assert [Attack.read(str(attack)) for attack in several] == several
    assert len({str(attack) for attack in several}) == len(several)


def test_an_attack_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnknownAttackError, match="DIES_AFTER"):
        Attack.read("3:DIES_SOMEHOW")


def test_every_mutation_is_about_a_story_that_exists() -> None:
    assert {one.story for one in MUTATIONS} <= {path.name for path in all_stories()}
    assert len({one.name for one in MUTATIONS}) == len(MUTATIONS) >= 10


def test_the_page_lists_the_stories_of_the_repository() -> None:
    page = PAGE.read_text(encoding="utf-8")
    listed = re.findall(r"^\| ([\w-]+) \|", page.partition("## By story")[2].partition("##")[0], re.MULTILINE)

    assert set(listed) - {"story"} == {path.stem for path in all_stories()}, "run `make prove`"


def test_what_ends_a_sender_at_its_provider_is_in_the_declared_window() -> None:
    calls = [
        Call(number=0, function="deliver_message", invocation=1, service="dynamodb", operation="UpdateItem"),
        Call(number=1, function="deliver_message", invocation=1, service="sns", operation="Publish"),
        Call(number=2, function="relay_effects", invocation=2, service="dynamodb", operation="UpdateItem"),
    ]

    (window,) = windows(calls)

    assert window.struck_by(1, Fault.TIME_LIMIT)
    assert not window.struck_by(2, Fault.DIES_BEFORE)
