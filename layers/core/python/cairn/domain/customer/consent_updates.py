"""The changes of consent and suppression in an event. They are made before the rest of the event is handled."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from types import MappingProxyType

from cairn.domain.consent.changes import ConsentChange, ConsentStatus
from cairn.domain.consent.contact import Contact
from cairn.domain.consent.keywords import EVENT_TYPES, Intent
from cairn.domain.consent.suppression import Cause, Mark, SuppressionChange
from cairn.domain.effects import AnswerKeyword, RecordConsent
from cairn.domain.event import COMPLAINED_BEFORE, REPLIED, Event
from cairn.domain.identity.trust import IMPORTS_SOURCE, OPERATORS_SOURCE, PREFERENCES_SOURCE, is_provider
from cairn.domain.message.message import MessageStatus
from cairn.domain.policy import Policy
from cairn.domain.privacy import opt_outs
from cairn.domain.privacy.requests import Choice
from cairn.domain.shared.channels import CHANNELS, Channel, Purpose
from cairn.domain.shared.hashing import short_hash

HARD_BOUNCE = "Permanent"
"""SES's bounceType for an address that will never work."""

SUPPRESSED = "address.suppressed"
RELEASED = "address.released"

CUSTOMER_REPLIES = frozenset({REPLIED, *EVENT_TYPES.values()})
"""Events written by a customer, on the channel in the event."""


NO_ADDRESSES: Mapping[Channel, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ConsentUpdates:
    contact: Contact
    suppression_changes: tuple[SuppressionChange, ...] = ()
    """Marks to store by address, in the same commit."""
    record: RecordConsent | None = None
    answer: AnswerKeyword | None = None


def consent_updates(  # noqa: PLR0913  what an answer counts for
    contact: Contact,
    event: Event,
    policy: Policy,
    time_zone: str,
    addresses: Mapping[Channel, str] = NO_ADDRESSES,
    *,
    speaks: bool = True,
) -> ConsentUpdates:
    """The contact after an event, with the changes to record and the answer to send.

    `addresses` are the customer's. A STOP that revokes everything suppresses all of them. `speaks`: an answer came from
    one of the customer's own addresses. Another one only denies: a visitor may have typed it beside the customer's.
    """
    channel = event.channel
    intent = next((known for known, name in EVENT_TYPES.items() if name == event.type), None)
    replied = channel is not None and is_provider(event.source) and event.type in CUSTOMER_REPLIES
    said = _changes(contact, event, intent if replied else None, policy)
    changes = (*(one for one in said if speaks or one.status is ConsentStatus.DENIED), *event.consent)
    marks = (
        *_address_changes(event, intent if replied else None),
        *_page_changes(event),
        *_operator_changes(event),
        *_imported_changes(event),
        *_decided_changes(contact, event),
    )
    if policy.revoke_all and any(change.mark.cause is Cause.STOP and not change.mark.lifted for change in marks):
        marks = (*marks, *_revoke_all_changes(event, addresses))
    after = contact.after(changes)
    if channel is not None and replied and speaks:
        after = after.with_inbound(channel, event.occurred_at)
    record = None
    recorded = tuple(_statements(contact, changes, event))
    if recorded or marks:
        record = RecordConsent(short_hash("record", event.key), event.source, recorded, marks)
    answer = _answer(contact, after, event, intent, policy) if replied else None
    return ConsentUpdates(after, marks, record, answer and replace(answer, time_zone=time_zone))


def _statements(contact: Contact, changes: Iterable[ConsentChange], event: Event) -> Iterator[ConsentChange]:
    """The changes to record: what changes the state or its proof.

    What a system reports again, word for word, proves nothing further; the contact has its latest instant. What the
    customer does (a reply, a choice on a page) is recorded each time. A statement that comes late is recorded with the
    one that stays, whose instant may be that of a repetition: so the records together always give the consent.
    """
    for change in changes:
        if change.status is ConsentStatus.IN_DOUBT:
            continue
        stands, same = contact.change(change.channel, change.purpose), contact.consents.get(change.key)
        own_act = is_own_act(event.source) or is_own_act(change.source)
        if stands is not None and not own_act and change.repeats(stands):
            continue
        yield change
        if same is not None and change.at < same.at and not is_own_act(same.source):
            yield same


def is_own_act(source: str) -> bool:
    """Whether a statement of this source is what the customer did: it is recorded each time."""
    return is_provider(source) or source == PREFERENCES_SOURCE


def confirms(contact: Contact, event: Event) -> bool:
    """Whether an event is the customer's YES to a request to confirm."""
    if event.type != REPLIED or not is_provider(event.source) or event.properties.get("confirms") is not True:
        return False
    channel = event.channel
    return channel is not None and bool(contact.confirm_changes(channel, event.occurred_at, event.source))


def _changes(contact: Contact, event: Event, intent: Intent | None, policy: Policy) -> tuple[ConsentChange, ...]:
    channel, at, source = event.channel, event.occurred_at, event.source
    if channel is None:
        return ()
    if intent is Intent.STOP or _opted_out(event):
        return _stop_changes(contact, channel, at, source, policy)
    doubt = contact.doubt(channel)
    if intent is Intent.START:
        over = (opt_outs.settled(doubt, at, source),) if doubt is not None and doubt.at <= at else ()
        return (*contact.start_changes(channel, at, source), *over)
    if doubt is not None and (choice := opt_outs.choice_in(event)) is not None:
        return _decision_changes(contact, doubt, choice, event, policy)
    if confirms(contact, event):
        return contact.confirm_changes(channel, at, source)
    return ()


def _stop_changes(
    contact: Contact, channel: Channel, at: datetime, source: str, policy: Policy
) -> tuple[ConsentChange, ...]:
    channels = tuple(Channel) if policy.revoke_all else (channel,)
    return tuple(change for stopped in channels for change in contact.stop_changes(stopped, at, source))


def _decision_changes(
    contact: Contact, doubt: ConsentChange, choice: Choice, event: Event, policy: Policy
) -> tuple[ConsentChange, ...]:
    """The changes of a decision about a reply: a STOP counts since the reply, else the reply counts for nothing."""
    if choice is Choice.STOP:
        return _stop_changes(contact, doubt.channel, doubt.at, event.source, policy)
    return (opt_outs.settled(doubt, event.occurred_at, str(event.properties.get("actor", ""))),)


def _address_changes(event: Event, intent: Intent | None) -> Iterator[SuppressionChange]:
    """Changes of an address, from a provider's report about it or from the customer's reply."""
    channel, address = event.channel, event.properties.get("address")
    if channel is None or not isinstance(address, str) or not address or not is_provider(event.source):
        return
    report = event.properties
    if intent is Intent.STOP or _opted_out(event):
        yield SuppressionChange(channel, Mark(Cause.STOP, event.occurred_at), address)
    elif intent is Intent.START:
        yield SuppressionChange(channel, Mark(Cause.STOP, event.occurred_at, lifted=True), address)
    elif event.type == f"message.{MessageStatus.COMPLAINED}" or report.get(COMPLAINED_BEFORE) is True:
        yield SuppressionChange(channel, Mark(Cause.COMPLAINT, event.occurred_at), address)
    elif event.type == f"message.{MessageStatus.BOUNCED}" and report.get("bounce_type") == HARD_BOUNCE:
        yield SuppressionChange(channel, Mark(Cause.HARD_BOUNCE, event.occurred_at), address)
    elif report.get("invalid_number") is True:
        yield SuppressionChange(channel, Mark(Cause.INVALID_NUMBER, event.occurred_at), address)


def _decided_changes(contact: Contact, event: Event) -> Iterator[SuppressionChange]:
    """A reply that was found to be a STOP suppresses the address that it came from, since then."""
    doubt = contact.doubt(event.channel) if event.channel is not None else None
    key = doubt.evidence.get(opt_outs.ADDRESS_KEY) if doubt is not None else None
    if doubt is not None and isinstance(key, str) and key and opt_outs.choice_in(event) is Choice.STOP:
        yield SuppressionChange(doubt.channel, Mark(Cause.STOP, doubt.at), key=key)


def _revoke_all_changes(event: Event, addresses: Mapping[Channel, str]) -> Iterator[SuppressionChange]:
    """A STOP for everything, on the other channels. There the customer can reverse it in the preference centre."""
    for channel, address in addresses.items():
        if channel is not event.channel:
            for purpose in Purpose:
                yield SuppressionChange(channel, Mark(Cause.UNSUBSCRIBE, event.occurred_at, purpose), address)


def _page_changes(event: Event) -> Iterator[SuppressionChange]:
    """A choice in the preference centre applies to the link's address, even if it has another owner now."""
    keys = event.properties.get("keys")
    if event.source != PREFERENCES_SOURCE or not isinstance(keys, dict):
        return
    for change in event.consent:
        key = keys.get(change.channel.value)
        if isinstance(key, str) and change.status is not ConsentStatus.PENDING:
            lifted = change.status is ConsentStatus.GRANTED
            yield SuppressionChange(change.channel, Mark(Cause.UNSUBSCRIBE, change.at, change.purpose, lifted), key=key)


def _operator_changes(event: Event) -> Iterator[SuppressionChange]:
    """An operator suppresses an address, or releases it from every cause."""
    key, channel = event.properties.get("key"), event.channel
    if event.source != OPERATORS_SOURCE or channel is None or not isinstance(key, str):
        return
    if event.type == SUPPRESSED:
        yield SuppressionChange(channel, Mark(Cause.OPERATOR, event.occurred_at), key=key)
    elif event.type == RELEASED:
        for cause, purpose in product(Cause, (None, *Purpose)):  # a mark lifts only its own cause and purpose
            yield SuppressionChange(channel, Mark(cause, event.occurred_at, purpose, lifted=True), key=key)


def _imported_changes(event: Event) -> Iterator[SuppressionChange]:
    """An import suppresses an address for the cause and since the instant that its row names. It releases none."""
    key, channel, purpose = event.properties.get("key"), event.channel, event.properties.get("purpose")
    if event.source == IMPORTS_SOURCE and event.type == SUPPRESSED and channel is not None and isinstance(key, str):
        mark = Mark(Cause(event.properties["cause"]), event.occurred_at, Purpose(purpose) if purpose else None)
        yield SuppressionChange(channel, mark, key=key)


def _answer(
    before: Contact, after: Contact, event: Event, intent: Intent | None, policy: Policy
) -> AnswerKeyword | None:
    """One answer to a keyword, unless the provider has sent it.

    No answer to a repeated STOP, to a STOP older than a START, or to a START that reverses nothing.
    """
    channel, address = event.channel, event.properties.get("address")
    if (
        intent is None
        or channel is None
        or not CHANNELS[channel].answers_keywords
        or not isinstance(address, str)
        or "opt_out" in event.properties
    ):
        return None
    stopped, stops = before.has_stopped(channel), after.has_stopped(channel)
    changed = {Intent.STOP: stops and not stopped, Intent.START: stopped and not stops, Intent.HELP: True}
    if not policy.answer(intent) or not changed[intent]:
        return None
    return AnswerKeyword(short_hash("answer", event.key), intent.value, channel, address, event.occurred_at)


def _opted_out(event: Event) -> bool:
    """Whether the provider refused the message because the recipient has opted out with the provider."""
    return is_provider(event.source) and event.properties.get("opted_out") is True
