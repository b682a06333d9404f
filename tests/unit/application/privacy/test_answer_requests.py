"""A person decides whether a reply means STOP: in time, and once."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest

from cairn.application.privacy.answer_requests import AnswerRequests
from cairn.application.values.privacy import PrivacyTask
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.privacy import opt_outs
from cairn.domain.privacy.requests import Choice
from cairn.domain.shared.errors import InvalidRequestError
from cairn.domain.shared.instants import instant_to_wire
from tests.unit.fakes import Inbox
from tests.unit.makers import MONDAY

DUE = MONDAY + opt_outs.DECIDE_WITHIN


@dataclass
class OneTask:
    """The port PrivacyTasks, with one task about a reply."""

    closed: list[tuple[str, AuditEntry]] = field(default_factory=list)

    def find(self, task_id: str, customer_id: str = "") -> PrivacyTask:  # noqa: ARG002
        context = {"request": opt_outs.REQUEST, "channel": "sms", "text": "no", "choices": ["stop", "continue"]}
        return PrivacyTask(task_id, "c_mia", instant_to_wire(MONDAY), instant_to_wire(DUE), "", "", context)

    def close(self, task: PrivacyTask, choice: str, audited: AuditEntry) -> None:  # noqa: ARG002
        self.closed.append((choice, audited))


@pytest.fixture
def tasks() -> OneTask:
    return OneTask()


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def answer(tasks: OneTask, inbox: Inbox) -> AnswerRequests:
    others = dict.fromkeys(("find", "history", "export", "audit"), cast("Any", None))
    return AnswerRequests(tasks=cast("Any", tasks), inbox=inbox, **others)


@pytest.mark.parametrize("choice", [Choice.STOP, Choice.CONTINUE])
def test_a_choice_closes_the_task_and_becomes_an_event(
    answer: AnswerRequests, tasks: OneTask, inbox: Inbox, choice: Choice
) -> None:
    done = answer("t-1", "", choice, by="ada", why="read it", now=MONDAY)

    (event,) = inbox
    ((closed, audited),) = tasks.closed
    assert (done.customer, done.choice, closed) == ("c_mia", choice, choice)
    assert (audited.actor, audited.reason) == ("ada", "read it")
    assert opt_outs.choice_in(event) is choice
    assert (event.customer_id, event.channel, event.properties["actor"]) == ("c_mia", "sms", "ada")


def test_after_the_deadline_only_the_customer_can_say_that_it_was_no_stop(
    answer: AnswerRequests, tasks: OneTask, inbox: Inbox
) -> None:
    with pytest.raises(InvalidRequestError, match="the deadline is over"):
        answer("t-1", "", Choice.CONTINUE, by="ada", why="read it", now=DUE)
    answer("t-1", "", Choice.STOP, by="ada", why="read it", now=DUE + timedelta(hours=1))

    assert [choice for choice, _ in tasks.closed] == [Choice.STOP]
    assert [opt_outs.choice_in(event) for event in inbox] == [Choice.STOP]


def test_a_choice_of_another_kind_of_task_is_refused(answer: AnswerRequests) -> None:
    with pytest.raises(InvalidRequestError, match="one of stop, continue"):
        answer("t-1", "", Choice.ALL, by="ada", why="read it", now=MONDAY)
