"""A customer's open state, and the functions that apply an event or a wake-up to it."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, Self

from cairn.domain.consent.contact import RECEIPT_WINDOW, Contact
from cairn.domain.consent.suppression import SuppressionChange
from cairn.domain.customer.beginnings import Change, left_before, what_begins
from cairn.domain.customer.believed import believed
from cairn.domain.customer.consent_updates import CUSTOMER_REPLIES, consent_updates
from cairn.domain.effects import AbsorbHistory, Effect, EmitEvent, Fact, UpdateMessageStatus, WakeAt, split_effect_id
from cairn.domain.event import ACCOUNT_FAILURE, NOT_TRIED, Event
from cairn.domain.identity.identifiers import Identifier
from cairn.domain.identity.trust import LEADS_SOURCE, OPERATORS_SOURCE, OWN_SOURCES, is_provider
from cairn.domain.journey import engine
from cairn.domain.journey.definition import ENTRY, Journey, Reentry
from cairn.domain.journey.enrollment import ENDED_EARLY_WINDOW, EXIT_ON, MERGED, UNWANTED, Enrollment, Status
from cairn.domain.journey.steps.send import Send
from cairn.domain.message.message import MessageStatus
from cairn.domain.operations.pauses import Pause
from cairn.domain.policy import Policy
from cairn.domain.privacy import opt_outs, requests
from cairn.domain.privacy.records import SourceRecord, contact_without, profile_without
from cairn.domain.profile import bounds
from cairn.domain.profile.addresses import addresses_for, narrower, own_addresses, speaks_for, still_led_to
from cairn.domain.profile.attributes import TIME_ZONE
from cairn.domain.profile.lead import COOLING
from cairn.domain.profile.profile import Profile, survivor
from cairn.domain.profile.stamped import Stamped
from cairn.domain.shared.channels import Channel, channels_at
from cairn.domain.shared.errors import UnknownJourneyError
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_to_wire

if TYPE_CHECKING:
    from cairn.domain.lead.changes import Changed
    from cairn.domain.lead.leads import Leads

DEDUPE_WINDOW = timedelta(days=35)
"""Longer than any sender's redelivery (Stripe's command line resends for 30 days)."""

MAX_EARLY_EXITS = 50
MAX_EARLY_EVENTS = 10
"""Early exits, and early events with their data, stored for a customer until a late start arrives. The newest count;
this bounds the item's size."""

OLDER_ENTRIES = "entered"
OLDER_MERGES = "merged"
"""Parts of a customer of which the older ones are stored elsewhere, and read only where they matter."""


REMOVED = "removed"
"""The outcome of an enrollment that waited for its beginning when its journey was removed, or began otherwise."""

ENDED_BEFORE = "ended before it began"
"""Why an event starts no enrollment: one that ends it came first."""

IDENTIFIER_DETACHED = "identifier.detached"
"""An operator takes an identifier away from a customer."""

JOURNEY_MIGRATED = "journey.migrated"
"""An operator moves the customer's enrollments in a journey to another version: `journey`, `to`, and perhaps `from`."""


class Journeys(Protocol):
    """Finds journeys by name and version."""

    def watching(self) -> Mapping[str, tuple[Journey, ...]]:
        """The deployed journeys that start by a date or a condition of the profile, by the attributes that it reads."""

    def current(self, name: str) -> Journey | None:
        """The deployed version of a journey."""

    def listening(self, event_type: str) -> tuple[Journey, ...]:
        """The deployed version of every journey that this type of event may start, end or give new data."""

    def version(self, name: str, version: str) -> Journey:
        """One version, deployed or stored. Raises UnknownJourneyError."""


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
            return replace(self, profile=profile)
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
            entered=_latest(other.entered, self.entered),
            early_exits=_latest(other.early_exits, self.early_exits),
            early_refreshes={
                name: data.latest(self.early_refreshes.get(name))
                for name, data in {**self.early_refreshes, **other.early_refreshes}.items()
            },
            early_events=_newest_events((*self.early_events, *other.early_events), now),
            erased=_latest(other.erased, self.erased),
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


def merge_customers(customers: tuple[Customer, ...], now: datetime) -> Reaction:
    """Several customers as one, under the survivor's id. No data of the others is lost."""
    survivor_id = survivor(tuple(customer.profile for customer in customers)).id
    merged = next(customer for customer in customers if customer.id == survivor_id)
    effects: list[Effect] = []
    facts: list[Fact] = []
    for other in sorted(customers, key=lambda customer: customer.id):
        if other.id != survivor_id:
            open_before = {key for one in (merged, other) for key, each in one.enrollments.items() if each.open}
            merged = merged.absorbing(other, now)
            ended = (one for one in merged.enrollments.values() if one.id in open_before and not one.open)
            facts += [Fact("ended", one.id, one.journey, detail={"outcome": MERGED}) for one in ended]
            effects.append(AbsorbHistory(short_hash("absorb", survivor_id, other.id), other.id))
            facts.append(Fact("merged", detail={"absorbed": other.id}))
    own = next(customer.profile for customer in customers if customer.id == survivor_id)
    profile, dropped = bounds.merged(own, merged.profile)
    facts += [Fact("dropped", detail={"field": name, "reason": reason}) for name, reason in dropped.items()]
    merged = replace(merged, profile=profile)
    if len(customers) > 1 and not bounds.have_room(profile, [one.data for one in merged.enrollments.values()]):
        merged, lost = within_room(merged)
        facts += lost
    return Reaction(merged, tuple(effects), tuple(facts))


def within_room(customer: Customer) -> tuple[Customer, list[Fact]]:
    """A customer within the bounds: the newest enrollments above their number end, and data without room is dropped."""
    oldest_first = sorted(customer.enrollments.values(), key=lambda one: (one.entered_at, one.id))
    staying, ended = oldest_first[: bounds.MAX_ENROLLMENTS], oldest_first[bounds.MAX_ENROLLMENTS :]
    because = {"outcome": MERGED, "because": "too many enrollments"}
    facts = [Fact("ended", one.id, one.journey, detail=because) for one in ended if one.open]
    reaction = _Reaction(replace(customer, enrollments={}))
    for one in staying:
        enrollments = {**reaction.customer.enrollments, one.id: reaction.with_room(one)}
        reaction.customer = replace(reaction.customer, enrollments=enrollments)
    return reaction.customer, facts + reaction.facts


NO_POLICY = Policy()


Concerns = Callable[[Iterable[tuple[str, str]]], Collection[tuple[str, str]]]
"""Of these journeys, by name and version, those in which something that happens may concern enrollments."""


def may_concern(event: Event, journeys: Journeys) -> Concerns:
    """The journeys whose enrollments an event may concern: `on_event` needs those, and no others."""
    listening = journeys.listening(event.type)
    starts = {name for one in listening for name in (one.name, *one.entry.unless_in)}
    needs_all = requests.is_request(event) or event.type == requests.ERASURE_REQUESTED or _failed_message(event)

    def hears(name: str, version: str) -> bool:
        try:
            return event.type in journeys.version(name, version).listens_to
        except UnknownJourneyError:
            return True  # it is noted who is in it

    return lambda versions: [one for one in versions if needs_all or one[0] in starts or hears(*one)]


def _failed_message(event: Event) -> bool:
    """Whether a provider reports a failure, after which the enrollment may try another channel."""
    return is_provider(event.source) and _needs_another_channel(event)


def _needs_another_channel(event: Event) -> bool:
    """Whether the message failed for a reason of its own or of its address.

    Where the account may not send, all its messages fail, and the next channel may cost money for each.
    """
    failed = event.type.removeprefix("message.") in {MessageStatus.BOUNCED, MessageStatus.FAILED}
    return failed and event.properties.get(ACCOUNT_FAILURE) is not True


def on_event(  # noqa: PLR0913  how the customer was found, and what is doubtful about an order
    customer: Customer,
    event: Event,
    journeys: Journeys,
    now: datetime,
    policy: Policy = NO_POLICY,
    *,
    doubt: requests.Doubt | None = None,
    by_vouched: bool = True,
    was_known: bool | None = None,
    stored: Sequence[Profile] = (),
    leads: "Leads | None" = None,
) -> Reaction:
    """Updates the profile, moves enrollments and starts journeys. A backfilled event only updates the profile.

    `doubt`: why an order to erase waits for a person, whatever is known about the customer. `by_vouched` is false where
    a visitor typed the name by which the customer was found; `was_known` says whether the customer was known before the
    event (domain/customer/resolution). `leads`: the rules of leads.toml, where there are any.
    """
    customer = read_by(leads, customer)
    stored = [one if leads is None else leads.read(one) for one in stored or [customer.profile]]
    ordered = _ordered(customer, event, journeys, now) if event.source == OPERATORS_SOURCE else None
    if ordered is not None:
        return ordered
    if event.type == requests.ERASURE_REQUESTED:
        doubt = doubt or requests.doubt_about(customer.profile, event)
        if doubt is None:
            return _erase(customer, event, now)
    known = customer.profile.is_known if was_known is None else was_known
    event = believed(
        event, customer.profile, customer.contact, known=known, by_vouched=by_vouched, guarded=policy.guarded
    )
    profile = customer.profile if requests.is_request(event) else customer.profile.after(event)
    if _reports_something(event):
        profile = profile.reported_by(event.source, event.occurred_at)
    own = own_addresses(profile)
    updates = consent_updates(
        customer.contact,
        event,
        policy,
        str(profile.get(TIME_ZONE) or "UTC"),
        own if profile.is_known else {},
        speaks=_speaks(profile, event),
    )
    possible = None if event.backfill else opt_outs.possible_opt_out(updates.contact, customer.id, event, now)
    contact = updates.contact if possible is None else updates.contact.after([possible.change])
    reaction = _Reaction(
        replace(
            customer,
            profile=profile,
            contact=contact.pruned(now, policy.limits),
            enrollments={
                key: enrollment
                for key, enrollment in customer.enrollments.items()
                if customer.contact.has_deferred(key) or _is_needed(enrollment, customer.contact, journeys, now)
            },
        ),
        effects=[effect for effect in (updates.record, updates.answer) if effect is not None],
        suppression_changes=updates.suppression_changes,
        allowed=addresses_for(profile, own, event, by_vouched=by_vouched)
        if event.only_to is None
        else still_led_to(profile, own, event.only_to),
    )
    reaction.facts += [Fact("dropped", detail={"field": name, "reason": why}) for name, why in event.dropped.items()]
    reaction.hear(leads, stored, event, now, by_vouched=by_vouched)
    if is_provider(event.source):
        reaction.note_feedback(event, journeys, now)
    if possible is not None:
        reaction.effects += [possible.task, possible.timer]
    reaction.effects += opt_outs.tasks_that_end(customer.contact, updates.contact, event)
    task = requests.privacy_task(customer.profile, event, len(customer.contact.consents), doubt)
    if task is not None:
        reaction.effects.append(task)
    before_journeys = reaction.customer.profile
    if not event.backfill:
        reaction.advance_all(event, journeys, now)
        for journey in sorted(journeys.listening(event.type), key=lambda one: -one.entry.priority):
            reaction.start(journey, event, now)
            reaction.store_early(journey, event, now)
    reaction.settle(leads, before_journeys, now, event.key)
    reaction.begin(journeys, now, event.key, before=stored, event=event)
    return reaction.done()


def on_wake(  # noqa: PLR0913  a wake-up needs the pauses
    customer: Customer,
    enrollment_id: str,
    sequence: int,
    journeys: Journeys,
    now: datetime,
    *,
    pauses: tuple[Pause, ...] = (),
    policy: Policy = NO_POLICY,
    leads: "Leads | None" = None,
) -> Reaction | None:
    """Moves the enrollment of a wake-up; None if it is stale. In a paused journey nothing moves; that is noted once.

    The wake-up of a deadline is about no enrollment: a reply that may be a STOP has become one.
    """
    if (channel := opt_outs.channel_to_decide(enrollment_id)) is not None:
        return _stop_at_deadline(customer, channel, now, policy)
    customer = read_by(leads, customer)
    if enrollment_id == COOLING:
        return _cool(customer, journeys, leads, now)
    enrollment = customer.enrollments.get(enrollment_id)
    if enrollment is None or not enrollment.open or enrollment.sequence != sequence:
        return None
    reaction = _Reaction(customer)
    journey = journeys.version(enrollment.journey, enrollment.version)
    current = journeys.current(enrollment.journey) if enrollment.step == ENTRY else journey
    if current is None or (enrollment.step == ENTRY and not current.entry.waits):
        reaction.take(engine.withdraw(journey, enrollment, customer.profile, REMOVED, now))
    else:  # nobody has entered before the beginning: the version that counts is that of the day
        enrollment = replace(enrollment, version=current.version)
        reaction.advance(current, enrollment, engine.TimerFired(sequence, pauses), now)
    reaction.allowed = enrollment.addresses
    reaction.settle(leads, customer.profile, now, f"{enrollment_id}-{sequence}")
    reaction.begin(journeys, now, f"{enrollment_id}-{sequence}", before=[customer.profile])
    done = reaction.done()
    if not done.effects and not done.facts and done.customer.enrollments.get(enrollment_id) == enrollment:
        return None  # it was delivered again while its journey is paused
    return replace(done, by_profile=reaction.by_profile)


def read_by(leads: "Leads | None", customer: Customer) -> Customer:
    """The customer whose profile is read by the rules of leads, where there are any."""
    return customer if leads is None else replace(customer, profile=leads.read(customer.profile))


def _cool(customer: Customer, journeys: Journeys, leads: "Leads | None", now: datetime) -> Reaction | None:
    """The timer of a hot customer fired: it has cooled, or is looked at again later."""
    changed = None if leads is None else leads.cooled(customer.profile, now)
    if changed is None:
        return None
    reaction, this = _Reaction(customer), f"{COOLING} {instant_to_wire(now)}"
    reaction.take_lead(changed, this)
    reaction.begin(journeys, now, this, before=[customer.profile])
    return reaction.done()


def _stop_at_deadline(customer: Customer, channel: Channel, now: datetime, policy: Policy) -> Reaction | None:
    stop = opt_outs.stop_at_deadline(customer.contact, customer.id, channel, now)
    if stop is None:
        return None
    profile = customer.profile
    own = own_addresses(profile) if profile.is_known else {}
    updates = consent_updates(customer.contact, stop, policy, str(profile.get(TIME_ZONE) or "UTC"), own)
    return Reaction(
        replace(customer, contact=updates.contact),
        effects=(
            *((updates.record,) if updates.record else ()),
            *opt_outs.tasks_that_end(customer.contact, updates.contact, stop),
        ),
        suppression_changes=updates.suppression_changes,
    )


def _reports_something(event: Event) -> bool:
    """Whether an event says something about the customer. A report about our own message, or a request, does not."""
    about_our_message = is_provider(event.source) and event.about_a_message and event.type not in CUSTOMER_REPLIES
    return not about_our_message and not requests.is_request(event) and event.source not in OWN_SOURCES


def _speaks(profile: Profile, event: Event) -> bool:
    """Whether what a provider reports was said at one of the customer's own addresses."""
    address = event.properties.get("address")
    if not is_provider(event.source) or not isinstance(address, str) or event.channel is None:
        return True
    return speaks_for(profile, event.channel, address)


def _ordered(customer: Customer, event: Event, journeys: Journeys, now: datetime) -> Reaction | None:
    """What operators alone may order, and nothing else follows from; None for their other events."""
    if event.type == requests.RECORD_ERASURE_REQUESTED:
        return _erase_record(customer, event)
    return _migrate(customer, event, journeys, now) if event.type == JOURNEY_MIGRATED else None


def _erase(customer: Customer, event: Event, now: datetime) -> Reaction:
    """The last decision for a customer: nothing continues, and everything is erased."""
    return Reaction(
        replace(customer, erasure_pending_since=now),
        effects=(requests.erasure_order(customer.id, event),),
        suppression_changes=requests.erasure_suppressions(customer.profile.identifiers, now),
    )


def _erase_record(customer: Customer, event: Event) -> Reaction:
    """The customer without what one source reported. Older events of the record are ignored from now on."""
    record = SourceRecord.in_event(event)
    at = event.occurred_at
    return Reaction(
        replace(
            customer,
            profile=profile_without(customer.profile, record, at),
            contact=contact_without(customer.contact, record),
            erased=_latest(customer.erased, {name.key: at for name in record.ids}),
        ),
        effects=(requests.record_erasure_order(customer.id, event, record.source, record.ids),),
        facts=(Fact("record_erased", detail={"source": record.source}),),
    )


def _migrate(customer: Customer, event: Event, journeys: Journeys, now: datetime) -> Reaction:
    """The customer with its enrollments moved, as far as the rules allow. Raises UnknownJourneyError."""
    from cairn.domain.journey import migration  # noqa: PLC0415  few events move enrollments

    about = event.properties
    new = journeys.version(about["journey"], about["to"])
    reaction = _Reaction(customer)
    for enrollment in customer.enrollments.values():
        concerned = enrollment.open and enrollment.journey == new.name and enrollment.version != new.version
        old = _version_of(enrollment, journeys) if concerned else None
        if old is None or about.get("from") not in {None, old.version}:
            continue
        outcome = migration.migrate(enrollment, old, new, reaction.customer.profile, now)
        if isinstance(outcome, migration.Migrated):
            reaction.take(outcome.decision)
    reaction.begin(journeys, now, event.key, before=[customer.profile], event=event)
    return reaction.done()


@dataclass(slots=True)
class _Reaction:
    customer: Customer
    effects: list[Effect] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    suppression_changes: tuple[SuppressionChange, ...] = ()
    allowed: Mapping[Channel, str] | None = None
    """The only addresses at which the event may be answered; None: the customer's own."""
    lost_versions: set[str] = field(default_factory=set)
    by_profile: bool = False

    def done(self) -> Reaction:
        return Reaction(
            self.customer,
            tuple(self.effects),
            tuple(self.facts),
            self.suppression_changes,
            frozenset(self.lost_versions),
        )

    def advance(self, journey: Journey, enrollment: Enrollment, trigger: engine.Trigger, now: datetime) -> None:
        decision = engine.advance(journey, enrollment, self.customer.profile, trigger, now)
        moved = decision.enrollment
        if moved.data is not enrollment.data:  # what it says now is from this event as well
            moved = self.with_room(moved, enrollment.data)
            moved = replace(moved, addresses=narrower(moved.addresses, self.allowed, self.customer.profile))
        if journey.entry.waits and any(fact.kind in {"entered", "held_out"} for fact in decision.facts):
            entered = {**self.customer.entered, f"{journey.name}:{enrollment.key}": now}
            self.customer = replace(self.customer, entered=entered)
        elif journey.entry.day_of and enrollment.step == ENTRY and moved.outcome == EXIT_ON:
            entered = {**self.customer.entered, left_before(journey.name): now}
            self.customer = replace(self.customer, entered=entered)
        self.take(replace(decision, enrollment=moved))

    def take(self, decision: engine.Decision) -> None:
        moved = decision.enrollment
        self.customer = replace(
            self.customer,
            profile=decision.profile,
            enrollments={**self.customer.enrollments, moved.id: moved},
        )
        self.effects += decision.effects
        self.facts += decision.facts
        self.by_profile |= decision.by_profile

    def advance_all(self, event: Event, journeys: Journeys, now: datetime) -> None:
        """Each enrollment hears the event. One whose version is lost stays as it is, and stops no other."""
        for enrollment in tuple(self.customer.enrollments.values()):
            journey = _version_of(enrollment, journeys)
            if journey is None:
                self.lost_versions.add(f"{enrollment.journey} {enrollment.version}")
            elif event.type in journey.listens_to:
                self.advance(journey, enrollment, engine.Happened(event), now)

    def with_room(self, enrollment: Enrollment, before: Mapping[str, Any] | None = None) -> Enrollment:
        """The enrollment with as much data as the customer's state has room for; facts name what was dropped.

        What it had `before` stays, even where the state is full.
        """
        if before is not None and bounds.size_of_data(enrollment.data) <= bounds.size_of_data(before):
            return enrollment
        others = [one.data for key, one in self.customer.enrollments.items() if key != enrollment.id]
        room = bounds.room_for_data(self.customer.profile, others)
        if before is None:
            data, dropped = bounds.trimmed(enrollment.data, room)
        else:
            data, dropped = bounds.refreshed(before, enrollment.data, room)
        self.facts += [
            Fact("dropped", enrollment.id, enrollment.journey, detail={"field": name, "reason": reason})
            for name, reason in dropped.items()
        ]
        return replace(enrollment, data=data)

    def start(self, journey: Journey, event: Event, now: datetime) -> None:
        key = engine.entry_key(journey, self.customer.profile, event, now)
        if key is engine.NoKey.HERE:
            self.facts.append(Fact("not_entered", journey=journey.name, detail={"reason": key.value}))
        if not isinstance(key, str):
            return
        name = f"{journey.name}:{key}"
        is_open = self.is_open(journey, key)
        if not is_open and (reason := self.not_now(journey, event)):
            self.facts.append(Fact("not_entered", journey=journey.name, detail={"reason": reason}))
            return
        if not engine.may_enter(journey, self.customer.entered.get(name), is_open=is_open, now=now):
            if not is_open:
                self.facts.append(Fact("not_entered", journey=journey.name, detail={"reason": "re-entry"}))
            return
        if len(self.customer.enrollments) + self.customer.unread >= bounds.MAX_ENROLLMENTS:
            self.facts.append(Fact("not_entered", journey=journey.name, detail={"reason": "too many enrollments"}))
            return
        exits = self.customer.early_exits
        if any(exits[one] >= event.occurred_at for one in (name, journey.name) if one in exits):
            self.facts.append(Fact("not_entered", journey=journey.name, detail={"reason": ENDED_BEFORE}))
            return
        enrollment = engine.new_enrollment(journey, self.customer.profile, event, key, now)
        enrollment = replace(enrollment, addresses=self.allowed)
        changed = self.customer.early_refreshes.get(name)
        if changed is not None and changed.at >= event.occurred_at:
            early = changed.value
            enrollment = replace(
                enrollment,
                data={**enrollment.data, **early["data"]},
                data_at=changed.at,
                addresses=narrower(enrollment.addresses, _channels(early.get("addresses")), self.customer.profile),
            )
        if any(
            engine.is_ended_by(journey, enrollment, self.customer.profile, one, now)
            for one in self.customer.early_events
        ):
            self.facts.append(Fact("not_entered", journey=journey.name, detail={"reason": ENDED_BEFORE}))
            return
        enrollment = self.with_room(enrollment)
        self.customer = replace(
            self.customer,
            entered=self.customer.entered if journey.entry.waits else {**self.customer.entered, name: now},
            early_refreshes={other: data for other, data in self.customer.early_refreshes.items() if other != name},
        )
        self.advance(journey, enrollment, engine.Entered(), now)

    def store_early(self, journey: Journey, event: Event, now: datetime) -> None:
        """Stores the end or refresh of an enrollment whose starting event has not arrived yet."""
        profile = self.customer.profile
        ended = engine.keys_of(journey, journey.exit_on, profile, event, now)
        if ended:  # a message of an enrollment that is over may still wait, too
            names = [journey.name if key is None else f"{journey.name}:{key}" for key in ended]
            closed = _latest(self.customer.early_exits, dict.fromkeys(names, event.occurred_at))
            recent = _recent(closed, now, MAX_EARLY_EXITS)
            self.customer = replace(self.customer, early_exits={name: closed[name] for name in recent})
        if engine.may_end_what_starts_later(journey, event):
            early_events = _newest_events((*self.customer.early_events, _without_names(event)), now)
            self.customer = replace(self.customer, early_events=early_events)
        for key in engine.keys_of(journey, journey.refresh_on, profile, event, now):
            if key is None or self.is_open(journey, key) or self.is_over(journey, key):
                continue
            name = f"{journey.name}:{key}"
            data, _ = bounds.trimmed(event.properties, bounds.MAX_EARLY_DATA)
            early = {"data": dict(data), "addresses": self.allowed}
            latest = Stamped(early, event.occurred_at).latest(self.customer.early_refreshes.get(name))
            changed = {**self.customer.early_refreshes, name: latest}
            recent = _recent({name: data.at for name, data in changed.items()}, now, MAX_EARLY_EVENTS)
            self.customer = replace(self.customer, early_refreshes={name: changed[name] for name in recent})

    def hear(
        self, leads: "Leads | None", stored: Sequence[Profile], event: Event, now: datetime, *, by_vouched: bool
    ) -> None:
        """The rules of leads that hear the event, and those that read what has changed by it."""
        if leads is None or requests.is_request(event):
            return
        before = next((one for one in stored if one.id == self.customer.id), stored[0])
        self.take_lead(leads.heard(self.customer.profile, event, now, by_vouched=by_vouched), event.key)
        profile = self.customer.profile
        self.take_lead(leads.settled(before, profile, now, by=event.type, starts=not event.backfill), event.key)

    def settle(self, leads: "Leads | None", before: Profile, now: datetime, by: str) -> None:
        """The rules of leads that read what journeys have changed since `before`."""
        profile = self.customer.profile
        if leads is not None and profile.attributes is not before.attributes:
            self.take_lead(leads.settled(before, profile, now, by="", starts=True), by)

    def take_lead(self, changed: "Changed", by: str) -> None:
        """`by`: what it follows from, so that the event of a score is the same one however often it is decided."""
        customer = self.customer = replace(self.customer, profile=changed.profile)
        self.facts += changed.facts
        if changed.says:
            this = short_hash(changed.says, customer.id, by, length=20)
            about = {"score": changed.score}
            self.effects.append(
                EmitEvent(f"{this}-score-1", "", changed.says, about, only_to=self.allowed, source=LEADS_SOURCE)
            )
        if changed.look_at is not None:
            this = short_hash(COOLING, customer.id, instant_to_wire(changed.look_at))
            self.effects.append(WakeAt(this, COOLING, 0, changed.look_at))

    def begin(
        self, journeys: Journeys, now: datetime, by: str, *, before: Sequence[Profile], event: Event | None = None
    ) -> None:
        """Say it to the journeys that begin by the profile as it is now. Most deployments have none."""
        watching = journeys.watching()
        if not watching:
            return
        change = Change(
            by=by,
            before=tuple(sorted(before, key=lambda one: one.id != self.customer.id)),
            only_to=self.allowed,
            after=self.customer.profile,
            starts=event is None or not event.backfill,
            notices=event is not None and event.source not in OWN_SOURCES,
            is_in=self.customer.unread_in.union(one.journey for one in self.customer.enrollments.values()),
            entered=self.customer.entered,
        )
        self.effects += what_begins(change, watching, now)

    def not_now(self, journey: Journey, event: Event) -> str:
        """Why the entry is closed to the customer; empty where it is open."""
        if not journey.entry.waits and not journey.entry.is_open_on(event.occurred_at, journey.time_zone):
            return "outside its dates"
        if not journey.entry.unless_in:
            return ""
        open_in = {one.journey for one in self.customer.enrollments.values() if one.open and one.step != ENTRY}
        others = sorted(journey.entry.unless_in & open_in)
        return f"in {others[0]}" if others else ""

    def is_open(self, journey: Journey, key: str) -> bool:
        return any(
            enrollment.open and (enrollment.journey, enrollment.key) == (journey.name, key)
            for enrollment in self.customer.enrollments.values()
        )

    def is_over(self, journey: Journey, key: str) -> bool:
        """Whether the customer has entered and cannot enter again, so nothing needs to be stored."""
        return journey.entry.again is Reentry.NEVER and f"{journey.name}:{key}" in self.customer.entered

    def note_feedback(self, event: Event, journeys: Journeys, now: datetime) -> None:
        """A provider's report moves a message's status; after a failure of its own, the next channel is tried."""
        kind = event.type.removeprefix("message.")
        if not event.about_a_message or kind not in set(MessageStatus):
            return
        message = event.properties.get("message_id")
        if isinstance(message, str):
            this = short_hash("move", message, kind)
            counts = event.properties.get(NOT_TRIED) is not True
            self.effects.append(UpdateMessageStatus(this, message, kind, event.occurred_at, counts))
        if isinstance(message, str) and _needs_another_channel(event):
            self.fall_back(message, str(event.properties.get("channel")), journeys, now)

    def fall_back(self, message: str, failed: str, journeys: Journeys, now: datetime) -> None:
        enrollment = self.customer.enrollments.get(split_effect_id(message)[0])
        if enrollment is None or enrollment.outcome in UNWANTED:
            return  # its message is no longer wanted
        journey = _version_of(enrollment, journeys)
        if journey is None:
            return
        again = engine.fall_back(journey, self.customer.profile, message, failed, now)
        if again is not None:
            self.effects.append(again)
            self.facts.append(
                Fact("fell_back", enrollment.id, journey.name, again.step, {"because": f"{failed} failed"})
            )


def _is_needed(enrollment: Enrollment, contact: Contact, journeys: Journeys, now: datetime) -> bool:
    """Whether an enrollment is open, waits for its goal, or may still send a message on another channel.

    A message may wait long after its enrollment has ended; a failure is reported after the message was sent.
    """
    if enrollment.status is Status.ACTIVE:
        return True
    since_end = now - enrollment.ended_at if enrollment.ended_at else ENDED_EARLY_WINDOW
    if enrollment.outcome in UNWANTED and since_end < ENDED_EARLY_WINDOW:
        return True
    if enrollment.outcome == MERGED:
        return False
    journey = _version_of(enrollment, journeys)
    if journey is None:
        return True
    sends = [step for step in journey.steps.values() if isinstance(step, Send)]
    goal = journey.goal
    return (
        # An event may still stop its last messages.
        bool(sends and journey.exit_on and since_end < ENDED_EARLY_WINDOW)
        # They may still be reported as failed.
        or (
            any(len(step.channels) > 1 for step in sends)
            and (since_end < RECEIPT_WINDOW or contact.sent_lately(enrollment.id, now))
        )
        # It may still reach its goal.
        or (goal is not None and enrollment.goal_at is None and now - enrollment.since <= goal.within)
    )


def _channels(addresses: Mapping[str, str] | None) -> dict[Channel, str] | None:
    return None if addresses is None else {Channel(channel): address for channel, address in addresses.items()}


def _latest(left: Mapping[str, datetime], right: Mapping[str, datetime]) -> dict[str, datetime]:
    return {name: max(at for at in (left.get(name), right.get(name)) if at) for name in {**left, **right}}


def _recent(instants: Mapping[str, datetime], now: datetime, most: int) -> list[str]:
    """The newest names that are young enough for a late start."""
    young = [name for name, at in instants.items() if now - at < DEDUPE_WINDOW]
    return sorted(young, key=lambda name: instants[name])[-most:]


def _newest_events(events: Iterable[Event], now: datetime) -> tuple[Event, ...]:
    """Each event once; the newest that are young enough for a late start."""
    by_key = {event.key: event for event in events}
    recent = _recent({key: event.occurred_at for key, event in by_key.items()}, now, MAX_EARLY_EVENTS)
    return tuple(by_key[key] for key in recent)


def _without_names(event: Event) -> Event:
    """What a rule of a journey may ask of an event."""
    properties, _ = bounds.trimmed(event.properties, bounds.MAX_EARLY_DATA)
    return Event(
        id=event.id, source=event.source, type=event.type, occurred_at=event.occurred_at, properties=properties
    )


def _version_of(enrollment: Enrollment, journeys: Journeys) -> Journey | None:
    """The version that an enrollment goes through; None where nobody has it any more."""
    try:
        return journeys.version(enrollment.journey, enrollment.version)
    except UnknownJourneyError:
        return None
