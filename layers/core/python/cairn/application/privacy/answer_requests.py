"""Answer requests about personal data: a person chooses, the choice is audited and then carried out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cairn.application.customer.find_customer import FindCustomer
from cairn.application.ports import Audit, History, Inbox, PrivacyTasks
from cairn.application.privacy.export_customer import EXPORT, ExportCustomer
from cairn.application.values.privacy import PrivacyTask
from cairn.domain.event import Event
from cairn.domain.identity.trust import OPERATORS_SOURCE
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.privacy import opt_outs
from cairn.domain.privacy.records import SourceRecord, exported_part
from cairn.domain.privacy.requests import (
    DATA_REQUESTED,
    ERASURE_REQUESTED,
    RECORD_ERASURE_REQUESTED,
    Choice,
    erasure_order,
)
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.errors import InvalidRequestError
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_from_wire

Json = dict[str, Any]

LIST = "list_privacy_requests"
"""The action in the audit of who has read the tasks, which show what is known of the customers."""


@dataclass(frozen=True, slots=True)
class Answered:
    task: str
    customer: str
    choice: Choice
    receipt: str = ""
    """Of an erasure: the audit has it once the erasure is completed."""
    document: Json | None = None
    """Of a request for data: what is sent to the customer."""


@dataclass(frozen=True, slots=True)
class AnswerRequests:
    find: FindCustomer
    tasks: PrivacyTasks
    history: History
    export: ExportCustomer
    inbox: Inbox
    audit: Audit

    def waiting(self, limit: int, after: str = "", *, by: str, now: datetime) -> Sequence[PrivacyTask]:
        """The tasks, after an entry in the audit that names them. None shown, none audited."""
        waiting = self.tasks.waiting(limit, after)
        if waiting:
            self.audit.write(AuditEntry(now, by, LIST, "privacy", "", {"tasks": [one.id for one in waiting]}))
        return waiting

    def __call__(  # noqa: PLR0913  who, when and why belong to every choice
        self, task_id: str, name: str, choice: Choice, *, by: str, why: str, now: datetime
    ) -> Answered:
        """Close the task with the choice, then carry it out. The same call again carries out what a failure left.

        Raises InvalidRequestError for a choice that the task does not offer, and the errors of the ports.
        """
        task = self.tasks.find(task_id, self.find(name).id if name else "")
        offered = [str(one) for one in task.context.get("choices", ())]
        if choice not in offered:
            raise InvalidRequestError([f"do: one of {', '.join(offered)}"])
        request = str(task.context.get("request", ""))
        if request == opt_outs.REQUEST and choice is Choice.CONTINUE and now >= instant_from_wire(task.due_at):
            raise InvalidRequestError(["do: the deadline is over, so the reply is a STOP; only the customer can start"])
        detail = {"customer": task.customer, "request": request, "choice": choice.value}
        audited = AuditEntry(now, by, "answer_privacy_request", task.id, why, detail)
        if choice in {Choice.REFUSE, Choice.DONE}:
            self.tasks.close(task, choice, audited)
            return Answered(task.id, task.customer, choice)
        if request == DATA_REQUESTED:
            self.audit.write(AuditEntry(now, by, EXPORT, task.customer, why, {"task": task.id}))
            document = self._document(task, choice, now)
            self.tasks.close(task, choice, audited)
            return Answered(task.id, task.customer, choice, document=document)
        if request == opt_outs.REQUEST:
            channel = Channel(str(task.context.get("channel")))
            self.tasks.close(task, choice, audited)
            self.inbox.put([opt_outs.decided(task.customer, channel, choice, by=by, task=task.id, at=now)])
            return Answered(task.id, task.customer, choice)
        event = self._erasure(task, choice, by, now)
        self.tasks.close(task, choice, audited)
        self.inbox.put([event])
        return Answered(task.id, task.customer, choice, receipt=erasure_order(task.customer, event).id)

    def _document(self, task: PrivacyTask, choice: Choice, now: datetime) -> Json:
        whole = self.export(task.customer, now)
        if choice is Choice.ALL:
            return whole
        head = {name: whole[name] for name in ("version", "exported_at")}
        return head | exported_part(whole, self._record(task))

    def _erasure(self, task: PrivacyTask, choice: Choice, by: str, now: datetime) -> Event:
        """The command. The same choice of the same opening of the task is the same event."""
        whole = choice is Choice.ALL
        properties = {} if whole else self._record(task).to_properties()
        return Event(
            id=short_hash("answer", task.id, task.opened_at, choice, length=26),
            source=OPERATORS_SOURCE,
            type=ERASURE_REQUESTED if whole else RECORD_ERASURE_REQUESTED,
            occurred_at=now,
            customer_id=task.customer,
            properties={**properties, "actor": by, "task": task.id},
        )

    def _record(self, task: PrivacyTask) -> SourceRecord:
        profile = self.find.customers.load(task.customer).profile
        return SourceRecord.in_task(task.context, profile, self.history.entries(task.customer))
