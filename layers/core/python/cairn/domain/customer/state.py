"""A customer's open state, and what one trigger makes of it; without the journeys that decide (customer.py)."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from cairn.domain.consent.contact import Contact
from cairn.domain.consent.suppression import SuppressionChange
from cairn.domain.effects import Effect, Fact
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import Identifier
from cairn.domain.journey.definition import Admission
from cairn.domain.journey.enrollment import MERGED, Enrollment
from cairn.domain.profile.addresses import own_addresses
from cairn.domain.profile.attributes import TIME_ZONE
from cairn.domain.profile.profile import Profile
from cairn.domain.profile.stamped import Stamped
from cairn.domain.shared.channels import Channel, channels_at
from cairn.domain.shared.instants import zone_named

DEDUPE_WINDOW = timedelta(days=35)
"""Longer than any sender's redelivery (Stripe's command line resends for 30 days)."""

MAX_EARLY_EXITS = 50
MAX_EARLY_EVENTS = 10
"""Early exits, and early events with their data, stored for a customer until a late start arrives. The newest count;
this bounds the item's size."""

OLDER_ENTRIES = "entered"
OLDER_MERGES = "merged"
"""Parts of a customer of which the older ones are stored elsewhere, and read only where they matter."""

IDENTIFIER_DETACHED = "identifier.detached"
"""An operator takes an identifier away from a customer."""

CUSTOMERS_MERGED = "customers.merged"
"""An operator says that another customer is the same person: `other`, its id."""

JOURNEY_ENTERED = "journey.entered"
"""An operator enters the customer into the deployed version of a journey: `journey`, `key`, `data`."""

JOURNEY_LEFT = "journey.left"
"""An operator ends the customer's enrollments in a `journey`: as an event of its `exit_on` would."""

RESEND_ORDERED = "resend.ordered"
"""An operator sends a `message` of a journey once more, under the id `again`."""

JOURNEY_MIGRATED = "journey.migrated"
"""An operator moves the customer's enrollments in a journey to another version: `journey`, `to`, and perhaps `from`."""


@dataclass(frozen=True, slots=True)
class Customer:
    """Profile, contact and open enrollments, which one commit changes together. Immutable."""

    profile: Profile
    contact: Contact = field(default_factory=Contact)
    enrollments: Mapping[str, Enrollment] = field(default_factory=dict)
    unread: int = 0
    """Further enrollments that were not read, since what happens does not concern them."""
    unread_in: frozenset[str] = frozenset()
    """Where not all were read: every journey in which it has enrollments."""
    entered: Mapping[str, datetime] = field(default_factory=dict)
    """When the customer last entered, by `journey:key`, for re-entry rules."""
    early_exits: Mapping[str, datetime] = field(default_factory=dict)
    """When an event ended `journey:key`, though its start had not arrived; an older start is stale. Under `journey`
    alone: when an event ended all enrollments of a journey."""
    early_events: tuple[Event, ...] = ()
    """Events that may end what starts later: only the data of the enrollment can say. The newest, with type, instant
    and properties."""
    early_refreshes: Mapping[str, Stamped] = field(default_factory=dict)
    """The `data` of a refresh for `journey:key`, whose start had not arrived; and the `addresses` that it allows."""
    erased: Mapping[str, datetime] = field(default_factory=dict)
    """Identifiers of an erased customer, and when it was erased; their earlier events are ignored."""
    erasure_pending_since: datetime | None = None
    """Set from the order to erase until everything is erased."""
    elsewhere: frozenset[str] = frozenset()
    """The parts of which older ones are stored elsewhere: OLDER_ENTRIES of `entered`, OLDER_MERGES of the profile."""
    version: int = 0
    """Grows with every commit that changes more than one enrollment; the optimistic lock."""
    as_read: object = field(default=None, compare=False, repr=False)
    """Set by the store: how it has stored the customer, by which it finds what a commit changes."""

    @property
    def id(self) -> str:
        return self.profile.id

    def zone(self, otherwise: str = "") -> ZoneInfo:
        """The customer's own; `otherwise` that of the journey that is spoken of, where its name is known."""
        return zone_named(self.profile.get(TIME_ZONE), otherwise or "UTC")

    def narrowed(self, names: Iterable[Identifier], guarded: frozenset[str] = frozenset(), *, joins: bool) -> Self:
        """Of a customer who is not known, what is left when a source vouches for one of these names.

        A visitor typed all of it: the other names and the addresses beside them may be another person's, and what was
        entered by them counts for no re-entry rule. `joins`: another customer is known already, and gets no consent by
        this.
        """
        left = tuple(name for name in names if name in self.profile.identifiers)
        addresses = {(channel, name.value) for name in left for channel in channels_at(name.kind)}
        return replace(
            self,
            profile=self.profile.narrowed(left, guarded),
            contact=self.contact.narrowed(set() if joins else {channel for channel, _ in addresses}),
            entered={},
            enrollments={
                key: replace(enrollment, addresses=enrollment.addresses or {}).limited_to(
                    lambda channel, address: (channel, address) in addresses
                )
                for key, enrollment in self.enrollments.items()
            },
        )

    def with_names(
        self, vouched: Sequence[Identifier], typed: Sequence[Identifier], pointers: Mapping[str, str], *, joined: bool
    ) -> Self:
        """With further names. `joined`: there is more to the customer than before, by a vouched name or by a merge.

        Typed names but its own address are then dropped, and what runs already is limited to the customer's own
        addresses: another person may have typed the others.
        """
        profile = self.profile.with_typed(*typed).with_identifiers(*vouched).with_pointers(pointers)
        if not joined:
            return self if profile is self.profile else replace(self, profile=profile)
        profile = profile.without_identifiers(set(profile.identifiers) - set(profile.own_identifiers))
        own = own_addresses(profile)
        return replace(
            self,
            profile=profile,
            enrollments={
                key: enrollment.limited_to(lambda channel, address: own.get(channel) == address)
                for key, enrollment in self.enrollments.items()
            },
        )

    def detached(self, name: Identifier) -> Self:
        """Without an identifier, and without the address that it is. Where a visitor typed it, without all typed ones.

        What runs already no longer goes to that address. The customer keeps its id, attributes and history.
        """
        customer = self.without_typed() if name.key in self.profile.typed else self
        channels = channels_at(name.kind)
        return replace(
            customer,
            profile=customer.profile.without_identifiers([name]),
            enrollments={
                key: enrollment.limited_to(lambda channel, address: channel not in channels or address != name.value)
                for key, enrollment in customer.enrollments.items()
            },
        )

    def without_typed(self) -> Self:
        """Without all names that a visitor typed. One of them is another customer's: the others may be, too."""
        typed = [name for name in self.profile.identifiers if name.key in self.profile.typed]
        return replace(self, profile=self.profile.without_identifiers(typed))

    def absorbing(self, other: "Customer", now: datetime) -> Self:
        """Both customers as one. Of two enrollments in the same journey and key, the earlier one continues."""
        enrollments: dict[str, Enrollment] = {}
        entered: set[tuple[str, str]] = set()
        for enrollment in sorted(
            ({**other.enrollments, **self.enrollments}).values(), key=lambda each: (each.entered_at, each.id)
        ):
            if enrollment.open and (enrollment.journey, enrollment.key) in entered:
                enrollments[enrollment.id] = enrollment.ending(MERGED, now)
                continue
            enrollments[enrollment.id] = enrollment
            entered |= {(enrollment.journey, enrollment.key)} if enrollment.open else set()
        return replace(
            self,
            profile=self.profile.absorbing(other.profile, now),
            contact=self.contact.absorbing(other.contact),
            enrollments=enrollments,
            entered=latest(other.entered, self.entered),
            early_exits=latest(other.early_exits, self.early_exits),
            early_refreshes={
                name: data.latest(self.early_refreshes.get(name))
                for name, data in {**self.early_refreshes, **other.early_refreshes}.items()
            },
            early_events=newest_events((*self.early_events, *other.early_events), now),
            erased=latest(other.erased, self.erased),
            elsewhere=self.elsewhere | other.elsewhere,
        )

    def entries_since(self, before: "Customer") -> frozenset[str]:
        """The entries with a key, as `journey:key`, that this customer has and that it did not have before."""
        return frozenset(name for name in self.entered.keys() - before.entered.keys() if not name.endswith(":"))


@dataclass(frozen=True, slots=True)
class Reaction:
    """The result of one trigger: the new customer, effects to carry out, facts to store."""

    customer: Customer
    effects: tuple[Effect, ...] = ()
    facts: tuple[Fact, ...] = ()
    suppression_changes: tuple[SuppressionChange, ...] = ()
    """Marks to store by address."""
    lost_versions: frozenset[str] = frozenset()
    """Journey versions (`journey version`) that nobody has any more. Their enrollments stay as they are."""
    by_profile: bool = True
    """Whether it may depend on the profile. Only a wake-up's may not."""
    admissions: tuple[Admission, ...] = ()
    """The new enrollments that caps count: none of them begins where its hour or day is full."""
    only_to: Mapping[Channel, str] | None = None
    """The only addresses that what follows may write to; None: the customer's own."""


Concerns = Callable[[Iterable[tuple[str, str]]], Collection[tuple[str, str]]]
"""Of these journeys, by name and version, those in which something that happens may concern enrollments."""


def latest(left: Mapping[str, datetime], right: Mapping[str, datetime]) -> dict[str, datetime]:
    return {name: max(at for at in (left.get(name), right.get(name)) if at) for name in {**left, **right}}


def young_enough(instants: Mapping[str, datetime], now: datetime, most: int) -> list[str]:
    """The newest names that are young enough for a late start."""
    young = [name for name, at in instants.items() if now - at < DEDUPE_WINDOW]
    return sorted(young, key=lambda name: instants[name])[-most:]


def newest_events(events: Iterable[Event], now: datetime) -> tuple[Event, ...]:
    """Each event once; the newest that are young enough for a late start."""
    by_key = {event.key: event for event in events}
    recent = young_enough({key: event.occurred_at for key, event in by_key.items()}, now, MAX_EARLY_EVENTS)
    return tuple(by_key[key] for key in recent)
