"""What a task's page suggests."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cairn.domain.customer.state import Customer
from cairn.domain.explain.next_action import next_action
from cairn.domain.people.task import Entry, Task, TaskKind, TaskStatus
from tests.unit.makers import profile

NOON = datetime(2026, 3, 2, 11, tzinfo=UTC)  # 12:00 in Paris
CALL = Task("t", "c", "sales", "Call", opened_at=NOON, due_at=NOON + timedelta(hours=4), kind=TaskKind.CALL)
REACHABLE = {"phone": "+33612345678", "email": "ada@example.com", "time_zone": "Europe/Paris"}


def came_back(what: str, why: str) -> dict[str, Any]:
    return {"tries": 1, "history": (Entry(NOON, "ana", "opened", "ana"), Entry(NOON, "ana", what, "ana", why))}


@pytest.mark.parametrize(
    ("task", "known", "at", "suggested"),
    [
        (CALL, REACHABLE, NOON, "Call now."),
        (replace(CALL, kind=TaskKind.TODO), REACHABLE, NOON, ""),
        (replace(CALL, status=TaskStatus.DONE), REACHABLE, NOON, ""),
        (CALL, {"email": "ada@example.com"}, NOON, "There is no phone number. Write an e-mail."),
        (CALL, {}, NOON, "There is no phone number. Look for a way to reach them."),
        (CALL, REACHABLE, NOON.replace(hour=6), "It is 07:00 for the customer. Call between 08:00 and 21:00."),
        (CALL, REACHABLE, NOON.replace(hour=20), "It is 21:00 for the customer. Call between 08:00 and 21:00."),
        (CALL, {"phone": "+33612345678"}, NOON.replace(hour=2), "Call now."),
        (
            replace(CALL, remind_at=NOON + timedelta(hours=3), **came_back("called_back", "callback")),
            REACHABLE,
            NOON,
            "Wait until Mon 02 Mar, 15:00 on the customer's clock: they chose this time.",
        ),
        (
            replace(CALL, remind_at=NOON + timedelta(hours=3), **came_back("again", "no_answer")),
            REACHABLE,
            NOON,
            "Wait until Mon 02 Mar, 15:00 on the customer's clock: the last outcome was no_answer.",
        ),
        (
            replace(CALL, **came_back("again", "no_answer")),
            REACHABLE,
            NOON + timedelta(hours=3),
            "Call now. The last try was Mon 02 Mar, 12:00: if that is about this hour, try another one.",
        ),
    ],
)
def test_the_next_action_is_one_sentence(task: Task, known: dict[str, Any], at: datetime, suggested: str) -> None:
    assert next_action(task, Customer(profile(**known)), at) == suggested
