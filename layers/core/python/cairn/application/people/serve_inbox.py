"""The inbox: conversations that wait for a person, and what the person answers.

An answer is a message like any other: it passes the gate when it is sent. What the gate would refuse for good is
refused here already, so that nobody believes to have answered.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from cairn.application.customer.find_customer import FindCustomer
from cairn.application.people.work_on_tasks import By, WorkOnTasks
from cairn.application.ports import Audit, History, MessageQueue, Suppressions, TaskStore
from cairn.application.values.people import TaskPage
from cairn.domain.customer.state import Customer
from cairn.domain.explain.explanations import sentence_of
from cairn.domain.gate.permission import denial
from cairn.domain.message.message import Jurisdiction, Message, Written
from cairn.domain.message.sms import DEFAULT_MAX_PARTS, parts_of
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.people.routing import reachable
from cairn.domain.people.task import Task
from cairn.domain.policy import Policy
from cairn.domain.profile.addresses import addresses_to_send_to
from cairn.domain.replies.conversations import is_about_one, task_of
from cairn.domain.replies.thread import Utterance, WrittenAnswer, last_reply, thread
from cairn.domain.shared.channels import CHANNELS, Channel, Purpose
from cairn.domain.shared.errors import ConflictError, InvalidRequestError, NotAllowedError
from cairn.domain.shared.hashing import short_hash

LIST, SHOW, ANSWER, CLOSE = "list_inbox", "show_conversation", "answer_conversation", "close_conversation"
"""Actions in the audit. No entry has what was said: entries are never deleted."""

ANSWERED, CLOSED = "answered", "closed"
"""Outcomes of the task."""


@dataclass(frozen=True, slots=True)
class Conversation:
    customer: str
    lines: tuple[Utterance, ...]
    """The newest, in order of time."""
    task: Task | None
    """None where nobody waits for an answer."""
    earlier: bool = False
    """Whether there are lines before these."""


@dataclass(frozen=True, slots=True)
class Answered:
    customer: str
    message: str
    channel: Channel
    still_open: bool
    """The customer has written while the answer was on its way: a person has to read that, too."""


@dataclass(frozen=True, slots=True)
class ServeInbox:
    find: FindCustomer
    work: WorkOnTasks
    store: TaskStore
    history: History
    messages: MessageQueue
    suppressions: Suppressions
    audit: Audit
    policy: Policy
    jurisdiction_of: Callable[[Message], Jurisdiction]

    def waiting(
        self, limit: int, after: str, *, by: str, now: datetime, among: Collection[str] | None = None
    ) -> TaskPage:
        """A page, of these queues only, after an entry in the audit that names what is on it. None shown, none audited.

        In each queue to which a conversation may have gone the first that is due comes first. A page may have fewer
        than `limit`.
        """
        if not self.work.inbox:
            raise InvalidRequestError(["there is no inbox: write replies.toml (docs/people.md), and deploy it"])
        queues = reachable(self.work.inbox, self.work.people)
        page = self.work.page_of(queues if among is None else queues.intersection(among), limit, after)
        waiting = [one for one in page.tasks if is_about_one(one)]
        if waiting:
            self.audit.write(AuditEntry(now, by, LIST, "inbox", "", {"tasks": [one.id for one in waiting]}))
        return replace(page, tasks=waiting)

    def show(self, name: str, limit: int, *, by: str, why: str, now: datetime) -> Conversation:
        """The thread of a customer, after an entry in the audit. Raises the errors of FindCustomer."""
        customer = self.find(name)
        self.audit.write(AuditEntry(now, by, SHOW, customer.id, why))
        lines = thread(self.history.entries(customer.id))
        open_ = next(iter(self._open_about(customer.id)), None)
        return Conversation(customer.id, lines[-limit:], open_, earlier=len(lines) > limit)

    def answer(self, name: str, answer: WrittenAnswer, *, by: str, why: str, now: datetime) -> Answered:
        """Queue the answer, then close the task. Nothing is sent twice: the same call again does what is left to do.

        Raises ConflictError where the customer has written since, NotAllowedError where the gate would refuse it,
        InvalidRequestError, and the errors of FindCustomer.
        """
        customer = self.find(name)
        waiting = self._open_about(customer.id)  # before the texts: one that is not among them changes these tasks
        heard = last_reply(thread(self.history.entries(customer.id)))
        if answer.read and heard is not None and answer.read != heard.id:
            raise ConflictError("the customer has written since; read it first: cairn inbox show")
        channel = answer.channel or _channel_of(heard)
        message = self._message(customer, answer, channel, heard, by, now)
        self._refuse(customer, message, channel, now)
        about = {"customer": customer.id, "channel": channel.value}
        self.audit.write(AuditEntry(now, by, ANSWER, message.id, why, about))
        for error in self.messages.put_each([message]).values():
            raise error
        still_open = self._close(waiting, ANSWERED, by, now)
        return Answered(customer.id, message.id, channel, still_open)

    def close(self, name: str, *, by: str, why: str, now: datetime) -> bool:
        """Close the conversation without an answer; whether it is open again, because the customer has written since.

        Raises the errors of FindCustomer.
        """
        customer = self.find(name)
        waiting = self._open_about(customer.id)
        self.audit.write(AuditEntry(now, by, CLOSE, task_of(customer.id), why, {"customer": customer.id}))
        return self._close(waiting, CLOSED, by, now)

    def _close(self, waiting: Iterable[Task], outcome: str, by: str, now: datetime) -> bool:
        """Close the task, or after a merge perhaps two; whether one opens again, since the customer has written."""
        closed = [(one, self.work.end(one, outcome, By(by, now))) for one in waiting]
        return any(after.context != before.context for before, after in closed)

    def _open_about(self, customer_id: str) -> list[Task]:
        return [one for one in self.store.of_customer(customer_id) if one.is_open and is_about_one(one)]

    @staticmethod
    def _message(  # noqa: PLR0913, PLR0917  who answers whom, and what
        customer: Customer, answer: WrittenAnswer, channel: Channel, heard: Utterance | None, by: str, now: datetime
    ) -> Message:
        """Transactional: it answers what the customer has said."""
        key = answer.key or short_hash(channel, answer.subject, answer.text, heard.id if heard else "")
        profile = customer.profile
        return Message(
            id=short_hash("written", customer.id, key),
            customer=customer.id,
            enrollment="",
            journey="",
            version="",
            step="",
            channels=(channel,),
            template="",
            purpose=Purpose.TRANSACTIONAL,
            addresses=addresses_to_send_to(profile),
            decided_at=now,
            variables={"profile": profile.view()},
            time_zone=customer.zone().key,
            written=Written(answer.text, by, answer.subject),
        )

    def _refuse(self, customer: Customer, message: Message, channel: Channel, now: datetime) -> None:
        """Raises InvalidRequestError or NotAllowedError where the message would never go out."""
        written = message.written
        assert written is not None  # noqa: S101  for the types
        if channel is Channel.SMS and (parts := parts_of(written.text)) > DEFAULT_MAX_PARTS:
            raise InvalidRequestError([f"text: it has {parts} parts, and {DEFAULT_MAX_PARTS} are allowed; shorten it"])
        if channel in {Channel.EMAIL, Channel.PUSH, Channel.IN_APP} and not written.subject:
            raise InvalidRequestError([f"subject: {CHANNELS[channel].article} {CHANNELS[channel].noun} needs one"])
        contact = replace(customer.contact, suppressed=self.suppressions.current(message.addresses))
        placed = replace(message, jurisdiction=self.jurisdiction_of(message))
        refused = denial(placed, channel, contact, self.policy, now)
        if refused is not None:
            entry = {"kind": "suppressed", "reason": refused.reason.value, "why": refused.why}
            entry |= {"purpose": message.purpose.value, "channel": channel.value}
            raise NotAllowedError(sentence_of(entry, customer.zone()))


def _channel_of(heard: Utterance | None) -> Channel:
    """Raises InvalidRequestError."""
    if heard is None or heard.channel not in set(Channel):
        raise InvalidRequestError([f"channel: one of {', '.join(Channel)}; the customer has not written on any"])
    return Channel(heard.channel)
