"""Process an event or a wake-up: one read, one pure decision, one commit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from cairn.application.events.canonical_addresses import CanonicalAddresses, Phones
from cairn.application.ports import (
    Commit,
    Customers,
    ErasureOrders,
    FoundCustomers,
    JourneyVersions,
    Sent,
    Switches,
)
from cairn.domain.consent.changes import ConsentStatus
from cairn.domain.consent.contact import Contact
from cairn.domain.consent.keywords import EVENT_TYPES, Intent, intent_of, is_yes, keyword_of
from cairn.domain.consent.suppression import suppression_key
from cairn.domain.customer.consent_updates import RELEASED, REPLIED, SUPPRESSED, confirms, consent_updates
from cairn.domain.customer.customer import (
    DEDUPE_WINDOW,
    IDENTIFIER_DETACHED,
    Customer,
    Reaction,
    merge_customers,
    on_event,
    on_wake,
)
from cairn.domain.customer.resolution import Resolution, needs_typed_names, resolve
from cairn.domain.effects import OpenTask, RecordConsent, split_effect_id
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import Identifier, customer_id_for
from cairn.domain.identity.identity_key import IdentityKeys
from cairn.domain.identity.trust import OPERATORS_SOURCE, PREFERENCES_SOURCE, RESERVED_SOURCES, is_provider
from cairn.domain.policy import Policy
from cairn.domain.privacy import requests
from cairn.domain.privacy.requests import id_after_erasure
from cairn.domain.profile.bounds import within_bounds
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import channels_at
from cairn.domain.shared.errors import (
    ConflictError,
    DuplicateEventError,
    ErasedCustomerError,
    ServiceRefusedError,
    UnknownCustomerError,
)

T = TypeVar("T")

REPLIES = frozenset({REPLIED, *EVENT_TYPES.values()})
"""Events written by a customer. They refer to an earlier message."""

RETURNING_REPLIES = REPLIES - {EVENT_TYPES[Intent.STOP]}
"""Replies after which an erased customer exists again. A STOP only suppresses the number."""

OPT_OUT_WORDS = frozenset({"STOP", "HELP", "START"})
"""Values of `opt_out`, from a provider that recognises keywords itself."""

ATTEMPTS = 8
"""Attempts after a conflict. The queue retries after that."""


@dataclass(frozen=True, slots=True)
class ProcessEvent:
    customers: Customers
    journeys: JourneyVersions
    read_phone: Phones
    keys: IdentityKeys
    sent: Sent
    switches: Switches
    """Only wake-ups read it: a pause does not stop events."""
    orders: ErasureOrders
    languages: tuple[str, ...] = ()
    """ISO 639-1 codes of the languages besides English in which customers may say STOP, HELP and START."""
    policy: Policy = field(default_factory=Policy)

    def __call__(self, event: Event, now: datetime) -> Reaction | None:
        """The changes by the event; None for a duplicate.

        Raises ConflictError where other commits keep coming first, ErasedCustomerError where the customer was erased,
        NotACustomerError where a provider's event is about a short code or a business.
        """
        event = self._with_keyword(self._canonical(event))
        try:
            return _until_committed(lambda: self._attempt(event, now))
        except DuplicateEventError:
            return None
        except UnknownCustomerError as error:
            by_us = event.source in RESERVED_SOURCES and isinstance(error, ErasedCustomerError)
            of_nobody = event.source == OPERATORS_SOURCE and event.type in {SUPPRESSED, RELEASED}
            if not (by_us or of_nobody or is_provider(event.source) or event.source == PREFERENCES_SOURCE):
                raise
            # Late events for unknown customers still update suppressions.
            self.customers.record_suppressions(
                consent_updates(Contact(), event, self.policy, "UTC").suppression_changes
            )
            return None

    def wake(self, customer_id: str, enrollment_id: str, sequence: int, now: datetime) -> Reaction | None:
        """The changes by the wake-up; None if it is stale."""
        return _until_committed(lambda: self._wake(customer_id, enrollment_id, sequence, now))

    def _attempt(self, event: Event, now: datetime) -> Reaction:
        if event.customer_id and not event.identifiers:
            found = FoundCustomers((self.customers.load(event.customer_id),))
            resolution = Resolution(found.customers)
        else:
            found, resolution = self._resolve(event)
        _check_not_erased(found, event)
        before = _as_loaded(found, resolution.customers)
        claimed = tuple(name for name in (*resolution.vouched, *resolution.typed) if _is_free(name, found, resolution))
        pointers = {**found.pointers, **self._pointers_of_lost(resolution, found)}
        known = (
            merge_customers(resolution.customers, now) if before else self._new_customer(claimed, found, pointers, now)
        )
        event = within_bounds(self._with_message(event, known.customer.id), known.customer.profile)
        named = known.customer.with_names(
            resolution.vouched,
            resolution.typed,
            {name.key: pointers[name] for name in claimed if name in pointers},
            joined=bool(before and resolution.vouched) or len(before) > 1,
        )
        proven = self._confirmed_by(event, named)
        if proven:
            named = named.with_names(proven, (), {}, joined=True)
        named = self._detached(event, named)
        named = replace(named, erased=_erased_identifiers(known.customer, found, claimed, now))
        reaction = on_event(
            named,
            event.without(resolution.dropped),
            self.journeys,
            now,
            self.policy,
            doubt=self._doubt_about(event, now),
            by_vouched=resolution.by_vouched,
            was_known=any(one.profile.is_known for one in before),
        )
        reaction = replace(
            reaction,
            effects=known.effects + reaction.effects + _tasks_about_others(found, named, event),
            facts=known.facts + reaction.facts,
        )
        self._keep_versions(reaction, named)
        try:
            self.customers.commit(Commit(reaction, before, now, event, claimed, pointers, resolution.released))
        except ServiceRefusedError:
            self._record_denials(reaction, before)
            raise
        return reaction

    def _doubt_about(self, event: Event, now: datetime) -> requests.Doubt | None:
        """Why a vendor's order waits for a person. All such orders are counted; no other event is."""
        if not requests.is_vendors_order(event):
            return None
        admitted = self.orders.admit(event.key, self.policy.erasure_orders_per_hour, now)
        return None if admitted else requests.Doubt.TOO_MANY

    def _resolve(self, event: Event) -> tuple[FoundCustomers, Resolution]:
        """The customer of an event. Typed names are looked up only where the vouched ones do not decide."""
        if requests.is_request(event):  # it ties no identifiers to a customer, and merges nobody
            found = self.customers.find(event.identifiers)
            if found.customers:
                owner = requests.record_owner([customer.profile for customer in found.customers], event)
                subject = tuple(customer for customer in found.customers if customer.id == owner.id)
                return found, Resolution(subject)
        vouched, typed = event.vouched_identifiers, event.typed_identifiers
        found = self.customers.find(vouched, typed) if vouched else self.customers.find(typed)
        holders = _holders(found)
        if vouched and vouched[0] in holders and needs_typed_names(event, holders):
            found = _both(found, self.customers.find(typed))
            holders = _holders(found)
        return found, resolve(event, holders, self.policy.max_identifiers)

    def _confirmed_by(self, event: Event, customer: Customer) -> tuple[Identifier, ...]:
        """The typed name that its owner confirms by this event: with a link that was sent there, or by a YES.

        Of a known customer only its own address: the others may be another person's, who confirms them gladly.
        """
        profile = customer.profile
        candidates = profile.own_identifiers if profile.is_known else profile.identifiers
        typed = [name for name in candidates if name.key in profile.typed]
        if event.source == PREFERENCES_SOURCE:
            keys = event.properties.get("keys")
            confirmed = {change.channel for change in event.consent if change.confirmed}
            shown = {channel: keys.get(channel.value) for channel in confirmed} if isinstance(keys, dict) else {}
            return tuple(
                name
                for name in typed
                for channel in channels_at(name.kind)
                if shown.get(channel) == suppression_key(channel, name.value, self.keys.suppressions)
            )
        if confirms(customer.contact, event):
            return tuple(name for name in typed if name in event.identifiers)
        return ()

    def _detached(self, event: Event, customer: Customer) -> Customer:
        """The customer without the identifier that an operator takes away."""
        if event.source != OPERATORS_SOURCE or event.type != IDENTIFIER_DETACHED:
            return customer
        for name in customer.profile.identifiers:
            if customer_id_for(name, self.keys.customer_ids) == event.properties.get("identifier"):
                return customer.detached(name)
        return customer

    def _pointers_of_lost(self, resolution: Resolution, found: FoundCustomers) -> Mapping[Identifier, str]:
        """Where the names are claimed that other customers lose."""
        lost = {
            name: loser
            for loser in found.customers
            for name in loser.profile.identifiers
            if any(after.id == loser.id and name not in after.profile.identifiers for after in resolution.released)
        }
        return {name: self.customers.pointer_without(name, loser) for name, loser in lost.items()}

    def _record_denials(self, reaction: Reaction, before: tuple[Customer, ...]) -> None:
        """A STOP is heard whatever the size of the customer's items: its denials and suppressions are written alone.

        The event becomes a dead letter, so a redrive does the rest; doing this part twice changes nothing.
        """
        self.customers.record_suppressions([one for one in reaction.suppression_changes if not one.mark.lifted])
        records = [effect for effect in reaction.effects if isinstance(effect, RecordConsent)]
        denials = [one for record in records for one in record.changes if one.status is ConsentStatus.DENIED]
        for customer in before if denials else ():
            self.customers.record_denials(customer, denials)

    def _wake(self, customer_id: str, enrollment_id: str, sequence: int, now: datetime) -> Reaction | None:
        customer = self.customers.load(customer_id)
        pauses = self.switches.current(now).pauses
        reaction = on_wake(customer, enrollment_id, sequence, self.journeys, now, pauses=pauses)
        if reaction is not None:
            self.customers.commit(Commit(reaction, (customer,), now))
        return reaction

    def _new_customer(
        self,
        claimed: tuple[Identifier, ...],
        found: FoundCustomers,
        pointers: Mapping[Identifier, str],
        now: datetime,
    ) -> Reaction:
        first = claimed[0]
        home = pointers.get(first) or customer_id_for(first, self.keys.customer_ids)
        erased = found.erased.get(first)
        new_id = id_after_erasure(home, erased, self.keys.tombstones) if erased else home
        return Reaction(Customer(Profile(new_id, created_at=now)))

    def _keep_versions(self, reaction: Reaction, before: Customer) -> None:
        for key in reaction.customer.enrollments.keys() - before.enrollments.keys():
            entered = reaction.customer.enrollments[key]
            self.journeys.keep(self.journeys.version(entered.journey, entered.version))

    def _with_message(self, event: Event, customer_id: str) -> Event:
        """The event with the message that it is about; one more read where the event does not name it."""
        if not is_provider(event.source) or not event.about_a_message:
            return event
        message_id = event.properties.get("message_id")
        if not isinstance(message_id, str):
            about = event.properties.get("reply_to" if event.type in REPLIES else "provider_message_id")
            if about is None and event.type not in REPLIES:
                return event
            channel, when = event.properties.get("channel"), event.occurred_at
            message_id = self.sent.match(customer_id, about, channel, when)
            if message_id is None and event.type in REPLIES:  # the reference is an id of Meta that we do not have
                message_id = self.sent.match(customer_id, None, channel, when)
        enrollment, step, _ = split_effect_id(message_id or "")
        if not enrollment:
            return event
        reference = {"message_id": message_id, "enrollment": enrollment, "step": step}
        return replace(event, properties={**event.properties, **reference})

    def _with_keyword(self, event: Event) -> Event:
        """The event with its keyword. STOP, HELP and START get event types of their own: they answer no question."""
        if not is_provider(event.source) or event.type != REPLIED:
            return event
        text, opt_out = str(event.properties.get("text") or ""), event.properties.get("opt_out")
        intent = Intent(opt_out.lower()) if opt_out in OPT_OUT_WORDS else intent_of(text, self.languages)
        properties = {**event.properties, "keyword": keyword_of(text)}
        if is_yes(text, self.languages):
            properties["confirms"] = True
        return replace(event, type=EVENT_TYPES[intent] if intent else event.type, properties=properties)

    def _canonical(self, event: Event) -> Event:
        return CanonicalAddresses(self.read_phone, self.policy.placeholders).of(event)


def _holders(found: FoundCustomers) -> dict[Identifier, Customer]:
    return {name: customer for customer in found.customers for name in customer.profile.identifiers}


def _both(left: FoundCustomers, right: FoundCustomers) -> FoundCustomers:
    """What two searches have found."""
    customers = {one.id: one for one in (*right.customers, *left.customers)}
    return FoundCustomers(
        tuple(customers.values()),
        (*left.unclaimed, *right.unclaimed),
        {**left.pointers, **right.pointers},
        {**left.erased, **right.erased},
    )


def _as_loaded(found: FoundCustomers, chosen: tuple[Customer, ...]) -> tuple[Customer, ...]:
    """The chosen customers as they are stored, without what the resolution has taken from them."""
    by_id = {one.id: one for one in found.customers}
    return tuple(by_id[one.id] for one in chosen)


def _is_free(name: Identifier, found: FoundCustomers, resolution: Resolution) -> bool:
    """Whether a name has to be made to lead to the customer: it leads nowhere, or to another one who loses it."""
    joining = {one.id for one in resolution.customers}
    return not any(one.id in joining and name in one.profile.identifiers for one in found.customers)


def _tasks_about_others(found: FoundCustomers, subject: Customer, event: Event) -> tuple[OpenTask, ...]:
    """A task for each further customer that a request may mean, because an address in it leads there."""
    if not requests.is_request(event):
        return ()
    tasks = (
        requests.privacy_task(other.profile, event, len(other.contact.consents), requests.Doubt.BY_ADDRESS)
        for other in found.customers
        if other.id != subject.id
    )
    return tuple(task for task in tasks if task is not None)


def _check_not_erased(found: FoundCustomers, event: Event) -> None:
    """Raises ErasedCustomerError for events from before the erasure, whenever they arrive.

    Reports about messages of an erased customer are always dropped: they must not create a customer again.
    """
    names = (requests.is_request(event) and requests.record_ids(event)) or event.identifiers
    known = {name: at for name, at in found.erased.items() if name in names}
    for customer in found.customers:
        known |= {name: customer.erased[name.key] for name in names if name.key in customer.erased}
    reported = is_provider(event.source) and event.about_a_message and event.type not in RETURNING_REPLIES
    if any(event.occurred_at <= at for at in known.values()) or (known and reported and not found.customers):
        raise ErasedCustomerError("whom it is about was erased since")


def _erased_identifiers(
    customer: Customer, found: FoundCustomers, claimed: tuple[Identifier, ...], now: datetime
) -> Mapping[str, datetime]:
    """Identifiers of an erased customer, kept while old events of that customer may still arrive."""
    young = {name: at for name, at in customer.erased.items() if now - at < DEDUPE_WINDOW}
    return young | {name.key: found.erased[name] for name in claimed if name in found.erased}


def _until_committed(attempt: Callable[[], T]) -> T:
    for _ in range(ATTEMPTS - 1):
        try:
            return attempt()
        except ConflictError:
            continue
    return attempt()
