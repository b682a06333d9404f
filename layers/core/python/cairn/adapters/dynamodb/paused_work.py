"""Enrollments and messages that wait for a resume: found by the paused target, in the sparse index."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

from pynamodb.exceptions import UpdateError

from cairn.adapters.dynamodb.items import CONDITION_FAILED, MESSAGE, PAUSED, PAUSED_ENROLLMENT, RecordItem, code_of
from cairn.adapters.dynamodb.table import write_all
from cairn.application.values.paused import PausedEnrollment, PausedMessage, PausedWork
from cairn.domain.effects import PauseEnrollment
from cairn.domain.shared.channels import Purpose
from cairn.domain.shared.instants import instant_to_wire

PAGE = 100
"""Items that are resumed before the first of them is removed; a crash in between resumes them twice."""


class DynamoPausedWork:
    """Implements the port PausedWorkStore."""

    def add(self, customer_id: str, commit: str, enrollment: PauseEnrollment, due_at: datetime) -> None:
        """Stored under the commit: a later wait of the same enrollment is another item."""
        RecordItem(
            customer_id,
            f"{PAUSED_ENROLLMENT}{enrollment.enrollment}#{commit}",
            body={"enrollment": enrollment.enrollment, "sequence": enrollment.sequence},
            gsi1pk=PAUSED + enrollment.target,
            gsi1sk=instant_to_wire(due_at),
        ).save()

    def pages(self, target: str) -> Iterator[Sequence[PausedWork]]:
        found = map(_paused_work, RecordItem.by_index.query(PAUSED + target, page_size=PAGE))
        while page := list(islice(found, PAGE)):
            yield page

    def remove(self, target: str, paused: Sequence[PausedWork]) -> None:
        _delete_enrollments(one for one in paused if isinstance(one, PausedEnrollment))
        for one in paused:
            if isinstance(one, PausedMessage):
                _unlist(one, target)


def _paused_work(item: RecordItem) -> PausedWork:
    body = item.body or {}
    if item.sk.startswith(MESSAGE):
        return PausedMessage(item.pk, item.sk.removeprefix(MESSAGE), Purpose(body["purpose"]), item.gsi1sk or "")
    return PausedEnrollment(item.pk, body["enrollment"], body["sequence"], item.sk)


def _delete_enrollments(paused: Iterable[PausedEnrollment]) -> None:
    write_all(deletes=(RecordItem(one.customer, one.wait_id) for one in paused))


def _unlist(message: PausedMessage, target: str) -> None:
    """The message itself stays. A sender that paused it again meanwhile has written another instant."""
    still_the_same = (RecordItem.gsi1pk == PAUSED + target) & (RecordItem.gsi1sk == message.wait_id)
    try:
        RecordItem(message.customer, MESSAGE + message.id).update(
            [RecordItem.gsi1pk.remove(), RecordItem.gsi1sk.remove()], condition=still_the_same
        )
    except UpdateError as error:
        if code_of(error) != CONDITION_FAILED:
            raise
