"""Messages that wait for a review: found in the sparse index, decided in one transaction with task and audit."""

from collections.abc import Sequence
from typing import Any

from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.items import CONTACT, MESSAGE, REVIEWS, TASK, CustomerItem, RecordItem
from cairn.adapters.dynamodb.owner_list import unlisting
from cairn.adapters.dynamodb.switches import commit_audited
from cairn.adapters.dynamodb.table import behind, read_all, transaction
from cairn.application.values.reviews import UnderReview
from cairn.domain.gate.codes import Reason
from cairn.domain.message.message import Approval, MessageStatus
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.shared.channels import Purpose
from cairn.domain.shared.errors import InvalidRequestError, NotUnderReviewError, UnknownMessageError
from cairn.domain.shared.instants import instant_to_wire

ENTRIES = ("journey", "version", "step", "template", "purpose")

OPEN, DONE = "open", "done"


class DynamoReviews:
    """Implements the port Reviews."""

    def waiting(self, limit: int, after: str = "") -> Sequence[UnderReview]:
        start = _position_in(after) if after else None
        found = list(RecordItem.by_index.query(REVIEWS, limit=limit, last_evaluated_key=start))
        tasks = read_all((item.pk, _task_of(item)) for item in found) if found else {}
        return [_under_review(item, tasks.get((item.pk, _task_of(item)))) for item in found]

    def decide(self, customer_id: str, message_id: str, approval: Approval, audited: AuditEntry) -> Purpose:
        keys = [(customer_id, MESSAGE + message_id), (customer_id, TASK + message_id)]
        found = read_all(keys)
        message, task = (found.get(key) for key in keys)
        if message is None:
            raise UnknownMessageError("no such message is on record")
        if _wants_decision(message, approval):
            self._write(message, task, approval, audited)
        return Purpose((message.body or {})["purpose"])

    def _write(self, message: RecordItem, task: RecordItem | None, approval: Approval, audited: AuditEntry) -> None:
        still_waits = (RecordItem.status == MessageStatus.DEFERRED.value) & RecordItem.approval.does_not_exist()
        unchanged = RecordItem.gsi1pk == message.gsi1pk if message.gsi1pk else RecordItem.gsi1pk.does_not_exist()
        listed = [RecordItem.gsi1pk.remove(), RecordItem.gsi1sk.remove()] if message.gsi1pk == REVIEWS else []
        write = transaction()
        write.update(
            RecordItem(message.pk, message.sk),
            actions=[RecordItem.approval.set(codec.approval_to_wire(approval)), *listed],
            condition=still_waits & unchanged,
        )
        if task is not None and task.status == OPEN:
            outcome = {"outcome": "approved" if approval.granted else "rejected", "done_by": approval.by}
            body = {**(task.body or {}), **outcome, "done_at": instant_to_wire(approval.at)}
            write.update(
                RecordItem(task.pk, task.sk),
                actions=[
                    RecordItem.status.set(DONE),
                    RecordItem.body.set(body),
                    RecordItem.gsi1pk.remove(),
                    RecordItem.gsi1sk.remove(),
                    RecordItem.gsi2pk.remove(),
                    RecordItem.gsi2sk.remove(),
                ],
                condition=RecordItem.status == OPEN,
            )
            for owner, leave in unlisting(task):
                write.update(owner, actions=leave)
        # The new version makes a sender that has read the message without this decision decide again.
        write.update(
            CustomerItem(message.pk, CONTACT),
            actions=[CustomerItem.contact_version.set(CustomerItem.contact_version + 1)],
            condition=CustomerItem.pk.exists(),
        )
        commit_audited(write, audited, conflict="somebody, or the clock, has just decided on the message; look again")


def _wants_decision(message: RecordItem, approval: Approval) -> bool:
    """False where the same decision exists already. Raises NotUnderReviewError where there is nothing to decide."""
    earlier = codec.approval_from_wire(message.approval) if message.approval else None
    if message.status == MessageStatus.DEFERRED:
        if earlier is not None and earlier.granted == approval.granted:
            return False
        if earlier is not None:
            raise NotUnderReviewError(f"{earlier.by} {'approved' if earlier.granted else 'rejected'} it before")
        if any(one["reason"] == Reason.REVIEW for one in message.decisions or ()):
            return True
        raise NotUnderReviewError("the message waits, but for nobody's approval; `cairn explain` tells for what")
    raise NotUnderReviewError(f"the message waits no longer: it is {message.status}")


def _task_of(message: RecordItem) -> str:
    return TASK + message.sk.removeprefix(MESSAGE)


def _position_in(after: str) -> dict[str, dict[str, str]]:
    """Raises InvalidRequestError."""
    try:
        deadline, customer, message = after.split(" ")
    except ValueError:
        raise InvalidRequestError(["after: not what an earlier answer gave"]) from None
    return behind(REVIEWS, deadline, customer, MESSAGE + message)


def _under_review(message: RecordItem, task: RecordItem | None) -> UnderReview:
    body: dict[str, Any] = message.body or {}
    asked: dict[str, Any] = (task.body or {}) if task else {}
    return UnderReview(
        message=message.sk.removeprefix(MESSAGE),
        customer=message.pk,
        deadline=message.gsi1sk or "",
        about={name: body[name] for name in ENTRIES if name in body},
        queue=str(asked.get("queue", "")),
        context=asked.get("context", {}),
    )
