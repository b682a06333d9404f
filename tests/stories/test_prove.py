"""`make prove` finds what it is made to find: a guard that is gone, and nothing where all guards are there."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from infra.local.faults import Call, Fault
from prove import plan
from prove.attacks import Attack, UnknownAttackError, attacked_calls, outages, seeds, single_faults
from prove.ending import Ending
from prove.mutations import MUTATIONS, named
from prove.page import PAGE
from prove.stories import STORIES, all_stories, once, reference
from prove.verdict import Expected, Outcome, compare, windows

ROOT = Path(__file__).parents[2]
SHORT = "payment-success-arrives-first.yaml"
UNSUBSCRIBES = "booking-unsubscribes-from-offers.yaml"
APPROVED = "club-estimate-approved.yaml"


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


def test_a_whole_run_takes_the_named_faults_of_every_call_alone() -> None:
    base = reference(STORIES / SHORT)

    parts = plan.all_attacks((STORIES / SHORT, 5, frozenset({"DIES_AFTER"})))

    found = [attack for part in parts for attack in part.attacks]
    assert {one.fault for one in found} == {"DIES_AFTER"}
    assert found == [one for one in single_faults(base.calls) if one.fault == "DIES_AFTER"]
    assert prove("--faults", "DIES").returncode == 2


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


def test_a_button_in_a_message_that_was_not_sent_is_not_pressed() -> None:
    base = reference(STORIES / UNSUBSCRIBES)
    pressed = next(call.number for call in base.calls if call.function == "serve_preferences")
    claim = max(one.claim for one in windows(base.calls) if one.claim < pressed)

    verdict, _ = once(base, Attack(claim, fault="DIES_AFTER"))

    assert verdict.outcome is Outcome.WINDOW, verdict.words


def test_a_button_that_gives_no_answer_is_pressed_again() -> None:
    base = reference(STORIES / UNSUBSCRIBES)
    stored = next(call for call in base.calls if call.function == "serve_preferences" and call.service == "sqs")

    verdict, _ = once(base, Attack(stored.number, fault="DIES_AFTER"))

    assert verdict.outcome is Outcome.SAME, verdict.words


def test_runs_that_only_read_from_the_same_services_are_attacked_once() -> None:
    """A queue that is not empty makes a run ask CloudWatch; a run that writes is like no other."""
    runs = [("sqs",), ("sqs",), ("sqs", "cloudwatch"), ("sqs",), ("sqs", "cloudwatch"), ("dynamodb",), ("dynamodb",)]
    operations = {"sqs": "GetQueueAttributes", "cloudwatch": "GetMetricData", "dynamodb": "UpdateItem"}
    made = [(number, service) for number, run in enumerate(runs) for service in run]
    calls = [
        Call(number=at, function="sweep", invocation=number, service=service, operation=operations[service])
        for at, (number, service) in enumerate(made)
    ]

    assert [call.invocation for call in attacked_calls(calls)] == [0, 2, 2, 5, 6]
    assert {attack.service for attack in outages(calls)} == {"cloudwatch", "dynamodb", "sqs"}


@pytest.mark.parametrize(("sent", "function", "outcome"), [(1, "deliver_message", "lost"), (0, "sweep", "lost")])
def test_a_press_that_is_lost_is_found_where_the_message_was_sent(sent: int, function: str, outcome: str) -> None:
    """Also where the sender does not know it, and also where a fault elsewhere is no excuse for an unsent message."""
    offer, mail = ("email", "", "An offer"), ("email", "ada@example.com", "An offer")
    message, press = ("message", "offer", "email"), ("event", "consent.changed")
    undecided = ("undecided", "offer", "email", "crash_around_provider")
    texts = {"purposes": {offer: "marketing"}, "steps": {offer: "offer"}}
    pressed = Ending(Counter([mail]), Counter([message, press]), Counter(), **texts)
    not_pressed = Ending(Counter([mail]), Counter([message]), Counter(), **texts)
    calls = [
        Call(number=0, function=function, invocation=1, service="dynamodb", operation="UpdateItem"),
        Call(number=1, function=function, invocation=1, service="sesv2", operation="SendEmail"),
    ]
    attack = Attack(1, fault="DIES_AFTER")
    expected = Expected(pressed, not_pressed={"offer": not_pressed})

    found = compare(attack, expected, Ending(Counter([mail] * sent), Counter([undecided]), Counter()), calls, calls, [])

    assert found.outcome == outcome


def test_an_order_that_got_no_answer_is_given_again() -> None:
    """It is about the same message, though no list of what waits has it any more."""
    base = reference(STORIES / APPROVED)
    decided = next(
        call.number for call in base.calls if call.operation == "TransactWriteItems" and "manage" in str(call)
    )

    verdict, _ = once(base, Attack(decided, fault="DIES_AFTER"))

    assert verdict.outcome is Outcome.SAME, verdict.words


def test_what_ends_a_sender_at_its_provider_is_in_the_declared_window() -> None:
    calls = [
        Call(number=0, function="deliver_message", invocation=1, service="dynamodb", operation="UpdateItem"),
        Call(number=1, function="deliver_message", invocation=1, service="sns", operation="Publish"),
        Call(number=2, function="relay_effects", invocation=2, service="dynamodb", operation="UpdateItem"),
    ]

    (window,) = windows(calls)

    assert window.struck_by(1, Fault.TIME_LIMIT)
    assert not window.struck_by(2, Fault.DIES_BEFORE)
