"""Claims and outcomes of messages: one claim a message, and a status that only moves forward."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pynamodb.exceptions import DoesNotExist, UpdateError
from pynamodb.expressions.update import Action

from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.customers import contact_from_item
from cairn.adapters.dynamodb.items import CONDITION_FAILED, CONTACT, MESSAGE, STATE, Entry, Open
from cairn.domain.contact import Claim, Contact
from cairn.domain.errors import ClaimedElsewhereError, UnknownCustomerError
from cairn.domain.event import instant_to_wire
from cairn.domain.message import Message, MessageStatus
from cairn.settings import TIMELINE_RETENTION

REPLY_WINDOW = timedelta(days=3)
"""How long after a text a reply without a reference is taken for an answer to it."""


class DynamoDeliveries:
    """Implements the ports Deliveries and Sent."""

    def claim(self, message: Message, now: datetime) -> tuple[Message, Contact, Claim | None]:
        claim = Claim(now, message.purpose)
        item = Open(message.customer, CONTACT)
        nobody_has_it = Open.pk.exists() & Open.claims[message.id].does_not_exist()
        try:
            item.update([Open.claims[message.id].set(codec.claim_to_wire(claim))], condition=nobody_has_it)
        except UpdateError as error:
            if error.cause_response_code != CONDITION_FAILED:
                raise
            return self._claimed_before(message, now)
        return message, contact_from_item(item), None

    def _claimed_before(self, message: Message, now: datetime) -> tuple[Message, Contact, Claim | None]:
        """Somebody holds the claim, or gave it back by now; or the customer was merged, or erased."""
        try:
            contact = contact_from_item(Open.get(message.customer, CONTACT, consistent_read=True))
        except DoesNotExist:
            return self.claim(_moved(message), now)
        earlier = contact.claims.get(message.id)
        return (message, contact, earlier) if earlier else self.claim(message, now)  # given back in between

    def outcome(self, message: Message) -> MessageStatus | None:
        try:
            status = Entry.get(message.customer, MESSAGE + message.id, consistent_read=True).status
        except DoesNotExist:
            return None
        return MessageStatus(status) if status else None

    def match(self, customer_id: str, provider_id: Any, channel: Any, before: datetime) -> str | None:
        sent = [
            (item.at or "", item.sk.removeprefix(MESSAGE), item.body or {})
            for item in Entry.query(customer_id, Entry.sk.startswith(MESSAGE))
        ]
        if provider_id:
            return next((key for _, key, body in sent if body.get("provider_id") == provider_id), None)
        earliest, latest = instant_to_wire(before - REPLY_WINDOW), instant_to_wire(before)
        asked = [(at, key) for at, key, body in sent if body.get("channel") == channel and earliest <= at <= latest]
        return max(asked)[1] if asked else None

    def record(self, message: Message, status: MessageStatus, at: datetime, detail: Mapping[str, Any]) -> None:
        body = {
            "journey": message.journey,
            "version": message.version,
            "enrollment": message.enrollment,
            "step": message.step,
            "template": message.template,
            "purpose": message.purpose.value,
            **detail,
        }
        what: list[Action] = [
            Entry.body.set(body),
            Entry.at.set(instant_to_wire(at)),
            Entry.expires_at.set(_expiry(at)),
        ]
        item = Entry(message.customer, MESSAGE + message.id)
        if not _forward(item, status, what):  # the provider's word was here before ours
            item.update(what)

    def take_over(self, message: Message, earlier: Claim, now: datetime) -> None:
        claim = Open.claims[message.id]
        ours = codec.claim_to_wire(Claim(now, message.purpose))
        nobody_was_faster = claim == codec.claim_to_wire(earlier)
        try:
            Open(message.customer, CONTACT).update([claim.set(ours)], condition=nobody_was_faster)
        except UpdateError as error:
            if error.cause_response_code != CONDITION_FAILED:
                raise
            raise ClaimedElsewhereError("somebody else has just taken the message over") from error

    def release(self, message: Message) -> None:
        Open(message.customer, CONTACT).update([Open.claims[message.id].remove()])

    def move(self, customer_id: str, message_id: str, status: MessageStatus, at: datetime) -> None:
        """Where the sender's own record is still to come, this is the first that is known of the message."""
        if_first: list[Action] = [
            Entry.at.set(Entry.at | instant_to_wire(at)),
            Entry.expires_at.set(Entry.expires_at | _expiry(at)),
        ]
        _forward(Entry(customer_id, MESSAGE + message_id), status, if_first)


def _forward(item: Entry, status: MessageStatus, what: list[Action]) -> bool:
    further = Entry.rank.does_not_exist() | (Entry.rank < status.rank)
    try:
        item.update([*what, Entry.status.set(status.value), Entry.rank.set(status.rank)], condition=further)
    except UpdateError as error:
        if error.cause_response_code != CONDITION_FAILED:
            raise
        return False
    return True


def _expiry(at: datetime) -> int:
    return int((at + TIMELINE_RETENTION).timestamp())


def _moved(message: Message) -> Message:
    """The message under the id that its customer has since a merge. Raises UnknownCustomerError."""
    try:
        alias = Open.get(message.customer, STATE, consistent_read=True).alias_of
    except DoesNotExist:
        alias = None
    if not alias:
        raise UnknownCustomerError("the message's customer is gone")
    return codec.message_from_wire({**codec.message_to_wire(message), "customer": alias})
