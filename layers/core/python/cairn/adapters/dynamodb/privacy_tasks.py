"""Requests about personal data that a person answers: found in the sparse index, closed together with the audit."""

from collections.abc import Sequence
from typing import Any

from cairn.adapters.dynamodb.items import TASK, RecordItem
from cairn.adapters.dynamodb.owner_list import unlisting
from cairn.adapters.dynamodb.switches import commit_audited
from cairn.adapters.dynamodb.table import behind, read_all, transaction
from cairn.adapters.dynamodb.timeline import DONE, OPEN
from cairn.application.values.privacy import PrivacyTask
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.privacy.requests import QUEUE
from cairn.domain.shared.errors import InvalidRequestError, TaskClosedError, UnknownTaskError
from cairn.domain.shared.instants import instant_to_wire

WAITING = f"queue#{QUEUE}"


class DynamoPrivacyTasks:
    """Implements the port PrivacyTasks."""

    def waiting(self, limit: int, after: str = "") -> Sequence[PrivacyTask]:
        start = _position_in(after) if after else None
        return [_task(item) for item in RecordItem.by_index.query(WAITING, limit=limit, last_evaluated_key=start)]

    def find(self, task_id: str, customer_id: str = "") -> PrivacyTask:
        key = TASK + task_id
        if not customer_id:  # an open task is listed by its queue, a closed one by its own key
            closed = (item.pk for item in RecordItem.by_index.query(key))
            waiting = (item.pk for item in RecordItem.by_index.query(WAITING) if item.sk == key)
            customer_id = next(closed, "") or next(waiting, "")
        item = read_all([(customer_id, key)]).get((customer_id, key)) if customer_id else None
        if item is None or (item.body or {}).get("queue") != QUEUE:
            raise UnknownTaskError("no such task; name its customer too, in case that has changed")
        return _task(item)

    def close(self, task: PrivacyTask, choice: str, audited: AuditEntry) -> None:
        item = read_all([(task.customer, TASK + task.id)])[task.customer, TASK + task.id]
        body: dict[str, Any] = item.body or {}
        if item.status == DONE:
            if body.get("outcome") != choice:
                raise TaskClosedError(f"{body.get('done_by')} chose {body.get('outcome')} before")
            return
        answer = {"outcome": choice, "done_by": audited.actor, "done_at": instant_to_wire(audited.at)}
        write = transaction()
        write.update(
            RecordItem(task.customer, TASK + task.id),
            actions=[
                RecordItem.status.set(DONE),
                RecordItem.body.set({**body, **answer}),
                RecordItem.gsi1pk.set(TASK + task.id),
                RecordItem.gsi2pk.remove(),
                RecordItem.gsi2sk.remove(),
            ],
            condition=(RecordItem.status == OPEN) & (RecordItem.at == item.at),
        )
        for owner, leave in unlisting(item):
            write.update(owner, actions=leave)
        commit_audited(write, audited, conflict="somebody has just answered; look again")


def _position_in(after: str) -> dict[str, dict[str, str]]:
    """Raises InvalidRequestError."""
    try:
        due_at, customer, task = after.split(" ")
    except ValueError:
        raise InvalidRequestError(["after: not what an earlier answer gave"]) from None
    return behind(WAITING, f"{due_at}#{task}", customer, TASK + task)


def _task(item: RecordItem) -> PrivacyTask:
    body: dict[str, Any] = item.body or {}
    return PrivacyTask(
        id=item.sk.removeprefix(TASK),
        customer=item.pk,
        opened_at=item.at or "",
        due_at=str(body.get("due_at", "")),
        title=str(body.get("title", "")),
        script=str(body.get("script", "")),
        context=body.get("context") or {},
        outcome=str(body.get("outcome", "")),
        done_by=str(body.get("done_by", "")),
    )
