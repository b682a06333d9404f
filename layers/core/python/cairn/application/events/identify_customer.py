"""Identify the customer of an event: who is found, who is merged, and which names lead there from now on.

The rules are in domain/customer/resolution; this reads what they need, as little as they need.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from cairn.application.ports import Customers
from cairn.application.values.customers import FoundCustomers
from cairn.domain.consent.keywords import EVENT_TYPES, Intent
from cairn.domain.consent.suppression import suppression_key
from cairn.domain.customer.consent_updates import CUSTOMER_REPLIES, confirms
from cairn.domain.customer.customer import merge_customers
from cairn.domain.customer.resolution import Resolution, needs_typed_names, one_by_order, resolve
from cairn.domain.customer.state import (
    DEDUPE_WINDOW,
    DUPLICATE_CONFIRMED,
    IDENTIFIER_DETACHED,
    Concerns,
    Customer,
    Reaction,
)
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import Identifier, customer_id_for
from cairn.domain.identity.identity_key import IdentityKeys
from cairn.domain.identity.references import reference_id
from cairn.domain.identity.trust import OPERATORS_SOURCE, PREFERENCES_SOURCE, is_provider
from cairn.domain.policy import Policy
from cairn.domain.privacy import requests
from cairn.domain.privacy.requests import id_after_erasure
from cairn.domain.profile.addresses import is_owners_address
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.channels import Channel, channels_at
from cairn.domain.shared.errors import ErasedCustomerError, UnknownCustomerError, UnknownReferenceError

RETURNING_REPLIES = CUSTOMER_REPLIES - {EVENT_TYPES[Intent.STOP]}
"""Replies after which an erased customer exists again. A STOP only suppresses the number."""


@dataclass(frozen=True, slots=True)
class Identified:
    known: Reaction
    """The customer with all its names, new or merged, and the effects of the merge."""
    before: tuple[Customer, ...]
    """The customers as they are stored."""
    claimed: tuple[Identifier, ...]
    """Names that lead to the customer from now on."""
    released: tuple[Customer, ...] = ()
    """Other customers, without the typed names that they lose."""
    released_from: tuple[Customer, ...] = ()
    """They as they are stored."""
    others: tuple[Customer, ...] = ()
    """Further customers that the event's identifiers lead to."""
    dropped: Mapping[str, str] = field(default_factory=dict)
    """Fields of names that the customer did not get, each with its reason."""
    by_vouched: bool = True
    """Whether the source vouches for the name by which the customer was found."""


@dataclass(frozen=True, slots=True)
class IdentifyCustomer:
    customers: Customers
    keys: IdentityKeys
    policy: Policy

    def __call__(self, event: Event, now: datetime, concerns: Concerns | None = None) -> Identified:
        """Raises ErasedCustomerError where the customer was erased, UnknownCustomerError where an id leads nowhere.

        Enrollments that the event does not `concern` may be left unread, unless the customer's names change by it.
        """
        identified = self._identify(event, now, concerns)
        if any(one.unread for one in (*identified.before, *identified.released)) and not _by_the_same_names(identified):
            return self._identify(event, now, None)
        return identified

    def _identify(self, event: Event, now: datetime, concerns: Concerns | None) -> Identified:
        references = [reference_id(event.source, one, self.keys.customer_ids) for one in event.references]
        if not event.identifiers and (event.customer_id or references):
            customer = self.customers.load(event.customer_id) if event.customer_id else self._seen_with(references)
            self._check_link(event, customer)
            found = FoundCustomers((customer, *self._same_person(event, customer)))
            resolution = one_by_order(found.customers, self.policy.max_identifiers, self.policy.guarded)
        else:
            found, resolution = self._resolve(event, concerns)
        _check_not_erased(found, event)
        before = _as_loaded(found, resolution.customers)
        were_known = [one for one in before if one.profile.is_known]
        claimed = tuple(name for name in (*resolution.vouched, *resolution.typed) if _is_free(name, before))
        pointers = self._pointers(claimed, resolution, found)
        begun = () if before else (self._new_customer(claimed[0], pointers, found, now),)
        known = merge_customers(resolution.customers or begun, now)
        customer = known.customer.with_names(
            resolution.vouched,
            resolution.typed,
            {name.key: pointer for name, pointer in pointers.items()},
            joined=len(were_known) > 1 or bool(were_known and resolution.vouched),
        )
        proven = self._confirmed_by(event, customer)
        if proven:
            customer = customer.with_names(proven, (), {}, joined=True)
        claimed = tuple(name for name in claimed if name in customer.profile.identifiers)
        customer = replace(
            customer,
            profile=customer.profile.with_references(references, event.occurred_at),
            erased=_erased_identifiers(known.customer, found, claimed, now),
        )
        customer = self._detached(event, customer)
        return Identified(
            replace(known, customer=customer),
            before,
            claimed,
            resolution.released,
            tuple(one for one in found.customers if one.id in {other.id for other in resolution.released}),
            tuple(one for one in found.customers if one.id != customer.id),
            resolution.dropped,
            resolution.by_vouched,
        )

    def _seen_with(self, references: Iterable[str]) -> Customer:
        """The customer with whom one of these was seen. Raises UnknownReferenceError, ErasedCustomerError."""
        for id_ in references:
            try:
                return self.customers.load(id_)
            except ErasedCustomerError:
                raise
            except UnknownCustomerError:
                continue
        raise UnknownReferenceError("what the event refers to was seen with no customer")

    def _same_person(self, event: Event, customer: Customer) -> tuple[Customer, ...]:
        """The other customer who is this one, as an operator says; nobody once they are merged.

        Raises UnknownCustomerError or ErasedCustomerError where the other one is there no more.
        """
        if event.source != OPERATORS_SOURCE or event.type != DUPLICATE_CONFIRMED:
            return ()
        other = self.customers.load(str(event.properties.get("other")))
        return (other,) if other.id != customer.id else ()

    def _check_link(self, event: Event, customer: Customer) -> None:
        """Raises UnknownCustomerError where a link was sent to an address that is not this customer's."""
        keys = event.properties.get("keys") if event.source == PREFERENCES_SOURCE else None
        if not isinstance(keys, dict) or not keys:
            return
        sent_to = [(Channel(name), key) for name, key in keys.items() if name in set(Channel)]
        if not any(is_owners_address(customer.profile, *one, self.keys.suppressions) for one in sent_to):
            raise UnknownCustomerError("the link was sent to an address that is not the customer's any more")

    def _resolve(self, event: Event, concerns: Concerns | None) -> tuple[FoundCustomers, Resolution]:
        """The customer of an event. Typed names are looked up only where the vouched ones do not decide."""
        if requests.is_request(event):  # it ties no identifiers to a customer, and merges nobody
            found = self.customers.find(event.identifiers)
            if found.customers:
                owner = requests.record_owner([customer.profile for customer in found.customers], event)
                subject = tuple(customer for customer in found.customers if customer.id == owner.id)
                return found, Resolution(subject)
        vouched, typed = event.vouched_identifiers, event.typed_identifiers
        found = self.customers.find(vouched, typed, concerns) if vouched else self.customers.find(typed, (), concerns)
        holders = _holders(found)
        if vouched and vouched[0] in holders and needs_typed_names(event, holders):
            found = _both(found, self.customers.find(typed))
            holders = _holders(found)
        return found, resolve(event, holders, self.policy.max_identifiers, self.policy.guarded)

    def _confirmed_by(self, event: Event, customer: Customer) -> tuple[Identifier, ...]:
        """The typed name that its owner confirms by this event: with a link that was sent there, or by a YES.

        Only of a customer who is not known: behind a vendor's id may be another person, who typed this address.
        """
        if customer.profile.is_known:
            return ()
        typed = customer.profile.identifiers
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

    def _pointers(
        self, claimed: tuple[Identifier, ...], resolution: Resolution, found: FoundCustomers
    ) -> dict[Identifier, str]:
        """The ids under which names are claimed, where another customer has the usual one."""
        pointers = {name: found.pointers[name] for name in claimed if name in found.pointers}
        losers = {one.id for one in resolution.released}
        for loser in (customer for customer in found.customers if customer.id in losers):
            lost = [name for name in claimed if name in loser.profile.identifiers]
            pointers |= {name: self.customers.pointer_without(name, loser) for name in lost}
        return pointers

    def _new_customer(
        self, first: Identifier, pointers: Mapping[Identifier, str], found: FoundCustomers, now: datetime
    ) -> Customer:
        home = pointers.get(first) or customer_id_for(first, self.keys.customer_ids)
        erased = found.erased.get(first)
        new_id = id_after_erasure(home, erased, self.keys.tombstones) if erased else home
        return Customer(Profile(new_id, created_at=now))


def _by_the_same_names(identified: Identified) -> bool:
    """Whether one customer is found, who stays under the same names, so that nothing that runs is limited by it."""
    if len(identified.before) != 1 or identified.released:
        return False
    before, after = identified.before[0].profile, identified.known.customer.profile
    return (before.identifiers, before.typed) == (after.identifiers, after.typed)


def _holders(found: FoundCustomers) -> dict[Identifier, Customer]:
    return {name: customer for customer in found.customers for name in customer.profile.identifiers}


def _both(left: FoundCustomers, right: FoundCustomers) -> FoundCustomers:
    """What two searches have found."""
    customers = {one.id: one for one in (*right.customers, *left.customers)}
    return FoundCustomers(
        tuple(customers.values()),
        (*left.unclaimed, *right.unclaimed),
        {**left.erased, **right.erased},
        {**left.pointers, **right.pointers},
    )


def _as_loaded(found: FoundCustomers, chosen: tuple[Customer, ...]) -> tuple[Customer, ...]:
    """The chosen customers as they are stored, without what the resolution has taken from them."""
    by_id = {one.id: one for one in found.customers}
    return tuple(by_id[one.id] for one in chosen)


def _is_free(name: Identifier, before: tuple[Customer, ...]) -> bool:
    """Whether a name has to be made to lead to the customer: it leads nowhere, or to another one who loses it."""
    return not any(name in one.profile.identifiers for one in before)


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
