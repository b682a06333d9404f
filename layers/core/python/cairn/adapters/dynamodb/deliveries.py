"""Messages in delivery: read once a batch, claimed once, deferred by reference; a status only moves forward."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pynamodb.exceptions import DoesNotExist, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.contact_items import contact_from_item
from cairn.adapters.dynamodb.customer_state import entries_in, profile_in, profile_of, with_pages
from cairn.adapters.dynamodb.due_times import set_due_time
from cairn.adapters.dynamodb.entries import early_exits_in
from cairn.adapters.dynamodb.in_head import wires_in
from cairn.adapters.dynamodb.items import (
    CONDITION_FAILED,
    CONTACT,
    ENROLLED,
    FACTS,
    MAX_MERGES,
    MESSAGE,
    PAUSED,
    REVIEWS,
    STATE,
    SUPPRESSED,
    TASK,
    CustomerItem,
    RecordItem,
    code_of,
    suppressed_key,
)
from cairn.adapters.dynamodb.message_status import MAY_BE_DELIVERED_AGAIN, advance_status, reported, update_record
from cairn.adapters.dynamodb.table import read_all
from cairn.application.values.messages import DeferredMessage, DeliveryContext, DeliveryRequest, Settlement
from cairn.application.values.replies import SentMessage
from cairn.domain.consent.contact import Claim, Contact, Deferral
from cairn.domain.consent.suppression import Mark, current_suppressions, suppression_key
from cairn.domain.customer.overdue import next_decision
from cairn.domain.gate.codes import Reason
from cairn.domain.identity.identity_key import SuppressionKey
from cairn.domain.journey.enrollment import UNWANTED, Status
from cairn.domain.message.message import Approval, Message, MessageStatus, Written
from cairn.domain.profile.addresses import addresses_to_send_to, speaks_for
from cairn.domain.profile.attributes import COUNTRY, REGION, TIME_ZONE
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.errors import ConflictError, IdentityKeyError
from cairn.domain.shared.instants import instant_to_wire, zone_named
from cairn.settings import TIMELINE_RETENTION

if TYPE_CHECKING:
    from cairn.domain.gate.verdict import Defer

REPLY_WINDOW = timedelta(days=3)
"""How long after a text message a reply without a reference counts as its answer."""

NOT_INDEXED: list[Action] = [RecordItem.gsi1pk.remove(), RecordItem.gsi1sk.remove()]
NEVER_DUE: list[Action] = [RecordItem.gsi2pk.remove(), RecordItem.gsi2sk.remove()]

PROVIDER = "provider"
"""In the detail of a message that was handed over: the name of the service. Only what is counted has it."""

CLOCK_SKEW = timedelta(seconds=10)
"""How far the clocks of two functions may be apart."""

ENDED, STOPPED = "ended", "stopped"
"""The facts with which an enrollment ended, and with which what it left behind was stopped after its end."""

JURISDICTION = (TIME_ZONE, COUNTRY, REGION)
"""Profile attributes that decide which law and which clock apply to a message."""

Key = tuple[str, str]


class DynamoDeliveries:
    """Implements the ports Deliveries and Sent."""

    def __init__(self, key: SuppressionKey | None = None) -> None:
        """Only `contexts` needs the key."""
        self._key = key

    def contexts(self, requests: Sequence[DeliveryRequest], *, may_lag: bool = False) -> list[DeliveryContext | None]:
        messages = [one.message if isinstance(one, Settlement) else one for one in requests]
        found = self._contexts(messages, may_lag=may_lag)
        return [one and replace(one, lags=True) for one in found] if may_lag else found

    def _contexts(
        self, requests: Sequence[Message | DeferredMessage], *, may_lag: bool
    ) -> list[DeliveryContext | None]:
        deferred = [(one.customer, MESSAGE + one.id) for one in requests if isinstance(one, DeferredMessage)]
        found = read_all(deferred, may_lag=may_lag) if deferred else {}
        messages = [
            _message_in(found.get((one.customer, MESSAGE + one.id)), one.customer)
            if isinstance(one, DeferredMessage)
            else one
            for one in requests
        ]
        known = self._read([message for message in messages if message], may_lag=may_lag)
        contexts = [known[message.customer, message.id] if message else None for message in messages]
        return [context or self._after_merge(one) for context, one in zip(contexts, requests, strict=True)]

    def _read(self, messages: Sequence[Message], *, may_lag: bool = False) -> dict[Key, DeliveryContext | None]:
        """The contexts of messages in one read, with a second read for suppressions of addresses that have changed."""
        found = read_all((key for message in messages for key in self._keys(message)), may_lag=may_lag)
        now = [_with_present_addresses(message, *_state_of(message, found)) for message in messages]
        asked = {key for message in messages for key in self._keys(message)}
        found |= read_all({key for message in now for key in self._keys(message)} - asked)
        now = [_or_ended(message, *_state_of(message, found)) for message in now]
        return {(message.customer, message.id): self._context_in(found, message) for message in now}

    def _keys(self, message: Message) -> list[Key]:
        enrolled = [ENROLLED + message.enrollment] if message.enrollment else []
        own = [(message.customer, name) for name in (CONTACT, STATE, MESSAGE + message.id, *enrolled)]
        return own + [(key, SUPPRESSED) for key in self._suppression_keys(message).values()]

    def _suppression_keys(self, message: Message) -> dict[Channel, str]:
        """The keys of the suppressions of each of the message's addresses."""
        if self._key is None:
            raise IdentityKeyError("suppressions cannot be read without the key of their addresses")
        return {
            channel: suppressed_key(suppression_key(channel, address, self._key))
            for channel, address in message.addresses.items()
            if channel in message.channels
        }

    def _context_in(self, found: Mapping[Key, Any], message: Message) -> DeliveryContext | None:
        contact = found.get((message.customer, CONTACT))
        if contact is None or _is_of_an_erased_customer(message, found.get((message.customer, STATE))):
            return None
        marks = {
            channel: current_suppressions(Mark.from_wire(mark) for mark in found[key, SUPPRESSED].marks or ())
            for channel, key in self._suppression_keys(message).items()
            if (key, SUPPRESSED) in found
        }
        entry = found.get((message.customer, MESSAGE + message.id))
        return DeliveryContext(
            replace(message, approval=_approval_in(entry)),
            replace(contact_from_item(contact), suppressed=marks),
            MessageStatus(entry.status) if entry and entry.status else None,
            tuple(entry.decisions or ()) if entry else (),
        )

    def _after_merge(self, asked: Message | DeferredMessage) -> DeliveryContext | None:
        """The context of a message whose customer was merged; None after an erasure, or if it is not deferred any more.

        The message's record moves to the new id at some point (`DynamoTimeline.absorb`); until then it is found under
        an earlier id of the customer. Raises ConflictError while it moves.
        """
        ids = _ids_from(asked.customer)
        state = ids.pop() if ids else None
        if state is None or state.erased or (state.pk == asked.customer and isinstance(asked, Message)):
            return None
        found = self._recorded(asked, state, [one.pk for one in ids])
        message = (
            _message_in(found, state.pk) if isinstance(asked, DeferredMessage) else replace(asked, customer=state.pk)
        )
        if message is None:
            contact = contact_from_item(read_all([(state.pk, CONTACT)]).get((state.pk, CONTACT)))
            if found is None and asked.id in contact.deferrals:
                raise ConflictError("the message is moving to its customer's new id")
            return None
        context = self._read([message])[message.customer, message.id]
        if context is None or found is None or context.status is not None or not found.status:
            return context
        return replace(context, status=MessageStatus(found.status), decisions=tuple(found.decisions or ()))

    def _recorded(
        self, asked: Message | DeferredMessage, state: CustomerItem, earlier: Iterable[str]
    ) -> RecordItem | None:
        """The record of a message under any of its customer's ids; the one with the furthest status counts."""
        ids = {state.pk, *earlier, *profile_of(state).merged}
        entries = read_all((customer, MESSAGE + asked.id) for customer in ids).values()
        return max(entries, key=lambda entry: entry.rank or 0, default=None)

    def claim(self, message: Message, contact: Contact, claim: Claim) -> None:
        """All claims are written as one: to remove many single ones, an update expression is too short (4 KB)."""
        claims = {**contact.claims, message.id: claim}
        taken = CustomerItem.claims.set({id_: codec.claim_to_wire(one) for id_, one in claims.items()})
        resumed = _without_deferral(message, contact) if message.id in contact.deferrals else []
        _if_unchanged(message.customer, contact, [taken, *resumed])

    def release(
        self, message: Message, claim: Claim, deferral: Deferral | None = None, others: Iterable[Deferral] = ()
    ) -> None:
        own = CustomerItem.claims[message.id]
        again: list[Action] = []
        if deferral is not None:  # it was due, so whatever was deferred since the claim is due after it
            again = [CustomerItem.deferrals[message.id].set(codec.deferral_to_wire(deferral))]
            again += set_due_time(CustomerItem, message.customer, next_decision([deferral, *others]))
        _wherever_it_is(message.customer, [own.remove(), *again], own == codec.claim_to_wire(claim))

    def defer(self, context: DeliveryContext, deferral: Deferral, verdict: "Defer", now: datetime) -> None:
        message = context.message
        deferred = CustomerItem.deferrals[message.id].set(codec.deferral_to_wire(deferral))
        unclaimed = [CustomerItem.claims[message.id].remove()] if message.id in context.contact.claims else []
        due = next_decision({**context.contact.deferrals, message.id: deferral}.values())
        found_by = set_due_time(CustomerItem, message.customer, due)
        _if_unchanged(message.customer, context.contact, [deferred, *unclaimed, *found_by])
        what: list[Action] = [
            RecordItem.body.set(_about(message)),
            RecordItem.decisions.set(_with(context.decisions, verdict, now)),
            RecordItem.deferred_message.set(codec.message_to_wire(message)),
            RecordItem.at.set(instant_to_wire(now)),
            RecordItem.expires_at.set(_expiry(now)),
            *_indexed(verdict, now),
        ]
        advance_status(RecordItem(message.customer, MESSAGE + message.id), MessageStatus.DEFERRED, what)

    def record(self, context: DeliveryContext, status: MessageStatus, at: datetime, detail: Mapping[str, Any]) -> None:
        message, was_deferred = context.message, context.status in MAY_BE_DELIVERED_AGAIN
        what: list[Action] = [
            RecordItem.body.set(_about(message) | {name: one for name, one in detail.items() if name != PROVIDER}),
            RecordItem.at.set(instant_to_wire(at)),
            RecordItem.expires_at.set(_expiry(at)),
            *(
                [RecordItem.measured.set(_measured(message, detail, at))]
                if status is MessageStatus.SENT or PROVIDER in detail
                else []
            ),
            *(NOT_INDEXED if was_deferred else []),
            *([RecordItem.deferred_message.remove()] if was_deferred and status not in MAY_BE_DELIVERED_AGAIN else []),
        ]
        was_reviewed = any(one["reason"] == Reason.REVIEW for one in context.decisions)
        if was_reviewed and status is not MessageStatus.SENT:
            _close_task(message)
        if message.id in context.contact.deferrals and status is not MessageStatus.SENT:
            # Before the status, which ends all retries: a deferral that stayed would delay later messages.
            _end_deferral(message, context.contact)
        item = RecordItem(message.customer, MESSAGE + message.id)
        if not was_deferred:
            _ = advance_status(item, status, what) or _complete(item, what)
            return
        # Its record exists: where it is gone, it has moved with its customer (a merge) or was erased.
        for id_ in _ids_with_their_survivors(message.customer):
            item = RecordItem(id_, MESSAGE + message.id)
            if advance_status(item, status, what, RecordItem.pk.exists()) or _complete(item, what):
                break
        if was_reviewed and status is MessageStatus.SENT:  # only now: until it is recorded, it may be sent once more
            _close_task(message)

    def match(self, customer_id: str, provider_id: Any, channel: Any, before: datetime) -> SentMessage | None:
        sent = [
            (item.at or "", item.sk.removeprefix(MESSAGE), item.body or {})
            for item in RecordItem.query(customer_id, RecordItem.sk.startswith(MESSAGE))
        ]
        if provider_id:
            return next((_sent(key, body) for _, key, body in sent if body.get("provider_id") == provider_id), None)
        earliest, latest = instant_to_wire(before - REPLY_WINDOW), instant_to_wire(before)
        asked = [one for one in sent if one[2].get("channel") == channel and earliest <= one[0] <= latest]
        return _sent(*max(asked, key=lambda one: one[:2])[1:]) if asked else None

    def status(self, customer_id: str, message_id: str) -> MessageStatus | None:
        try:
            status = RecordItem.get(customer_id, MESSAGE + message_id, consistent_read=True).status
        except DoesNotExist:
            return None
        return MessageStatus(status) if status else None

    def move(self, customer_id: str, message_id: str, status: MessageStatus, at: datetime) -> Mapping[str, Any] | None:
        """The provider's report may come before the sender's own record; then it makes the first record."""
        if_first: list[Action] = [
            RecordItem.at.set(RecordItem.at | instant_to_wire(at)),
            RecordItem.expires_at.set(RecordItem.expires_at | _expiry(at)),
        ]
        item = RecordItem(customer_id, MESSAGE + message_id)
        return (item.body or {}) if advance_status(item, status, [*if_first, *reported(status, at)]) else None


def _sent(message_id: str, body: Mapping[str, Any]) -> SentMessage:
    return SentMessage(message_id, *(str(body.get(name, "")) for name in ("journey", "version", "step")))


def _about(message: Message) -> dict[str, Any]:
    return {
        "journey": message.journey,
        "version": message.version,
        "enrollment": message.enrollment,
        "step": message.step,
        "template": message.template,
        "purpose": message.purpose.value,
        "channels": [channel.value for channel in message.channels],
        **({"answers": message.answers} if message.answers else {}),
        **(_written(message.written) if message.written is not None else {}),
    }


def _measured(message: Message, detail: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    country = message.jurisdiction.countries.get(Channel(detail["channel"]), "") if "channel" in detail else ""
    lag = max(at - message.decided_at, timedelta()) // timedelta(milliseconds=1)
    about = {"country": country, PROVIDER: detail.get(PROVIDER, "")}
    return {"lag": lag, **{name: one for name, one in about.items() if one}}


def _written(written: Written) -> dict[str, str]:
    """What a person wrote is shown even where it never goes out."""
    shown = {"written_by": written.by, "subject": written.subject, "body": written.text}
    return {name: text for name, text in shown.items() if text}


def _with(decisions: Sequence[Mapping[str, Any]], verdict: "Defer", now: datetime) -> list[Mapping[str, Any]]:
    """The decisions and this one; the same as the last once more only moves that one's instant."""
    until = instant_to_wire(verdict.until) if verdict.until else None
    decision = {"reason": verdict.reason.value, "until": until, "why": dict(verdict.why)}
    *before, last = decisions or [{}]
    if {**last, "at": None, "until": None} == {**decision, "at": None, "until": None}:
        return [*before, {**last, "until": until}]
    return [*decisions, {"at": instant_to_wire(now), **decision}]


def _indexed(verdict: "Defer", now: datetime) -> list[Action]:
    """The index key of a message that waits for a resume or for a review; other messages have none."""
    if verdict.paused_target:
        return [RecordItem.gsi1pk.set(PAUSED + verdict.paused_target), RecordItem.gsi1sk.set(instant_to_wire(now))]
    if verdict.reason is Reason.REVIEW:
        return [RecordItem.gsi1pk.set(REVIEWS), RecordItem.gsi1sk.set(instant_to_wire(verdict.until or now))]
    return NOT_INDEXED


def _without_deferral(message: Message, contact: Contact) -> list[Action]:
    """The end of a message's deferral, with the due time of those that are left."""
    left = {id_: one for id_, one in contact.deferrals.items() if id_ != message.id}
    found_by = set_due_time(CustomerItem, message.customer, next_decision(left.values()))
    return [CustomerItem.deferrals[message.id].remove(), *found_by]


def _end_deferral(message: Message, contact: Contact) -> None:
    """Where the contact has changed in between, the due time stays too early until find_stuck puts it right."""
    try:
        _if_unchanged(message.customer, contact, _without_deferral(message, contact))
    except ConflictError:
        own = CustomerItem.deferrals[message.id]
        _wherever_it_is(message.customer, [own.remove()], own.exists())


def _if_unchanged(customer_id: str, contact: Contact, actions: list[Action]) -> None:
    next_version = CustomerItem.contact_version.set(contact.version + 1)
    if not _update(customer_id, [*actions, next_version], CustomerItem.contact_version == contact.version):
        raise ConflictError("the customer's contact changed in between")


def _wherever_it_is(customer_id: str, actions: list[Action], there: Condition) -> None:
    """Update the contact in which the condition holds: the customer's, or after a merge its survivor's.

    Where it holds in none, nothing is written: after an erasure, an update would create the contact again.
    """
    next_version = CustomerItem.contact_version.set(CustomerItem.contact_version + 1)
    for id_ in _ids_with_their_survivors(customer_id):
        if _update(id_, [*actions, next_version], there):
            return


def _update(customer_id: str, actions: list[Action], condition: Condition) -> bool:
    try:
        CustomerItem(customer_id, CONTACT).update(actions, condition=condition)
    except UpdateError as error:
        if code_of(error) != CONDITION_FAILED:
            raise
        return False
    return True


def _ids_with_their_survivors(customer_id: str) -> Iterator[str]:
    """The id, and only where that is not enough, the ids of customers that have absorbed its customer since."""
    yield customer_id
    yield from (state.pk for state in _ids_from(customer_id)[1:])


def _ids_from(customer_id: str) -> list[CustomerItem]:
    """The state at an id, and those that it leads to after merges; the last one is the survivor's, or a tombstone."""
    states: list[CustomerItem] = []
    for _ in range(MAX_MERGES):
        try:
            states.append(CustomerItem.get(customer_id, STATE, consistent_read=True))
        except DoesNotExist:
            return []
        state = states[-1]
        if not state.alias_of or state.erased:  # an identifier of an erased customer may lead to a new one
            return states
        customer_id = state.alias_of
    raise ConflictError(f"more than {MAX_MERGES} merges in a row")


def _complete(item: RecordItem, what: list[Action]) -> bool:
    """Add what the sender knows to a record whose status is further already: the provider's report came first."""
    return update_record(item, what, RecordItem.rank.exists())


def _state_of(message: Message, found: Mapping[Key, Any]) -> tuple[CustomerItem | None, Mapping[str, Any]]:
    """The head of the customer's state, and the message's enrollment as stored; an empty one where there is none."""
    state, own = found.get((message.customer, STATE)), found.get((message.customer, ENROLLED + message.enrollment))
    if own is not None:
        return state, codec.enrollment_from_row(own.enrollment)
    row = ((state.enrollments if state else None) or {}).get(message.enrollment)
    return state, {} if row is None else wires_in({"": row})[""]


def _with_present_addresses(message: Message, state: CustomerItem | None, enrollment: Mapping[str, Any]) -> Message:
    """The message with its customer's present addresses and jurisdiction, which may have changed while it waited.

    Its content stays as it was decided and approved. An answer goes to the address that asked.
    """
    if state is None or not state.profile or message.answers:
        return message
    profile = profile_in({STATE: state})
    moved = {name: profile.get(name) for name in JURISDICTION if name in profile.attributes}
    return replace(
        message,
        addresses=addresses_to_send_to(profile, _allowed(message, enrollment, profile)),
        variables={**message.variables, "profile": {**message.variables.get("profile", {}), **moved}},
        time_zone=zone_named(moved.get(TIME_ZONE), message.time_zone).key,
        journey_ended=enrollment.get("outcome") in UNWANTED,
    )


def _is_of_an_erased_customer(message: Message, state: CustomerItem | None) -> bool:
    """Whether the customer at the message's id came only after it: an earlier one had the id, and was erased."""
    if state is None or not state.profile:
        return False
    return codec.known_since(state.profile) - message.decided_at > CLOCK_SKEW


def _or_ended(message: Message, state: CustomerItem | None, enrollment: Mapping[str, Any]) -> Message:
    """The message, which has ended with its enrollment if an event ended that early, however long ago.

    An event that comes after the last step leaves an early exit; for such a message alone, there is one more read. The
    state has the enrollment for as long as messages usually wait. Later, and for a dead letter that an operator brings
    back after weeks, its end is read from the facts: one Query.
    """
    if not message.enrollment or message.answers or message.journey_ended or state is None or not state.profile:
        return message
    if enrollment and enrollment["status"] != Status.ENDED:
        return message
    exits = codec.instants_from_wire(early_exits_in(entries_in(with_pages(state))))
    names = {message.journey, f"{message.journey}:{message.key}"}  # all of the journey's enrollments, or this one
    if any(at >= message.decided_at for name, at in exits.items() if name in names):
        return replace(message, journey_ended=True)
    if enrollment:
        return message
    since = RecordItem.at >= instant_to_wire(message.decided_at)
    facts = (
        fact
        for item in RecordItem.query(message.customer, RecordItem.sk.startswith(FACTS), since, consistent_read=True)
        for fact in (item.body or {}).get("facts", ())
    )
    own = [fact for fact in facts if fact.get("enrollment") == message.enrollment]
    unwanted = any(
        one["kind"] == STOPPED or (one["kind"] == ENDED and one.get("detail", {}).get("outcome") in UNWANTED)
        for one in own
    )
    return replace(message, journey_ended=True) if unwanted else message


def _allowed(message: Message, enrollment: Mapping[str, Any], profile: Profile) -> Mapping[Channel, str] | None:
    """The only addresses for the message: its enrollment's; without it, those that are the customer's still."""
    if enrollment or message.only_to is None:
        return codec.addresses_from_wire(dict(enrollment))
    return {channel: one for channel, one in message.only_to.items() if speaks_for(profile, channel, one)}


def _approval_in(entry: RecordItem | None) -> Approval | None:
    """The decision of a reviewer, for the channel that they saw."""
    if entry is None or not entry.approval:
        return None
    shown = [one["why"].get("channel") for one in entry.decisions or () if one["reason"] == Reason.REVIEW]
    channel = Channel(shown[-1]) if shown and shown[-1] else None
    return replace(codec.approval_from_wire(entry.approval), channel=channel)


def _close_task(message: Message) -> None:
    """Close the review task, unless a person has already done it."""
    still_open = RecordItem.status == "open"
    try:
        RecordItem(message.customer, TASK + message.id).update(
            [RecordItem.status.set("closed"), *NOT_INDEXED, *NEVER_DUE], still_open
        )
    except UpdateError as error:
        if code_of(error) != CONDITION_FAILED:
            raise


def _message_in(entry: RecordItem | None, customer_id: str) -> Message | None:
    if entry is None or not entry.deferred_message or entry.status not in MAY_BE_DELIVERED_AGAIN:
        return None
    return codec.message_from_wire({**entry.deferred_message, "customer": customer_id})


def _expiry(at: datetime) -> int:
    return int((at + TIMELINE_RETENTION).timestamp())
