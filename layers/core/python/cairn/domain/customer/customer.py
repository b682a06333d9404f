"""The functions that apply an event or a wake-up to a customer's open state (state.py)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from operator import ge, gt
from typing import TYPE_CHECKING, Any, Protocol

from cairn.domain.consent.contact import RECEIPT_WINDOW, Contact
from cairn.domain.consent.suppression import SuppressionChange
from cairn.domain.customer.beginnings import Change, left_before, what_begins
from cairn.domain.customer.believed import believed
from cairn.domain.customer.chosen_arms import Chosen, arms_for, newly_assigned, nothing_chosen
from cairn.domain.customer.consent_updates import CUSTOMER_REPLIES, consent_updates, is_own_act
from cairn.domain.customer.state import (
    JOURNEY_ENTERED,
    JOURNEY_LEFT,
    JOURNEY_MIGRATED,
    MAX_EARLY_EVENTS,
    MAX_EARLY_EXITS,
    RESEND_ORDERED,
    Concerns,
    Customer,
    Reaction,
    latest,
    newest_events,
    young_enough,
)
from cairn.domain.effects import (
    AbsorbHistory,
    Effect,
    EmitEvent,
    Fact,
    OpenTask,
    RecordConsent,
    UpdateMessageStatus,
    WakeAt,
    WithdrawTasks,
    split_effect_id,
)
from cairn.domain.event import ACCOUNT_FAILURE, NOT_TRIED, Event
from cairn.domain.identity.trust import JOURNEYS_SOURCE, LEADS_SOURCE, OPERATORS_SOURCE, OWN_SOURCES, is_provider
from cairn.domain.journey import engine
from cairn.domain.journey.definition import ENTRY, Admission, Journey, Reentry
from cairn.domain.journey.enrollment import ENDED_EARLY_WINDOW, EXIT_ON, MERGED, UNWANTED, Enrollment, Status
from cairn.domain.journey.steps.send import Send
from cairn.domain.message.message import MessageStatus
from cairn.domain.operations.pauses import Pause, targets_of
from cairn.domain.policy import EVERY_JOURNEY, OverallHoldout, Policy
from cairn.domain.privacy import opt_outs, requests
from cairn.domain.privacy.records import SourceRecord, contact_without, profile_without
from cairn.domain.profile import bounds
from cairn.domain.profile.addresses import addresses_for, narrower, own_addresses, speaks_for, still_led_to
from cairn.domain.profile.attributes import TIME_ZONE
from cairn.domain.profile.lead import AGEING, COOLING
from cairn.domain.profile.profile import Profile, survivor
from cairn.domain.profile.stamped import Stamped
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.errors import UnknownJourneyError
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_to_wire

if TYPE_CHECKING:
    from cairn.domain.lead.changes import Changed
    from cairn.domain.lead.leads import Leads

MISFIRED_AFTER = timedelta(minutes=5)
"""From then on a timer that fires is late: SQS and Scheduler take a minute at most."""

REMOVED = "removed"
"""The outcome of an enrollment that waited for its beginning when its journey was removed, or began otherwise."""

BY_HAND = frozenset({JOURNEY_ENTERED, JOURNEY_LEFT, RESEND_ORDERED})
"""What operators order for one customer."""

IN_IT, NOT_DEPLOYED = "in it already", "not deployed"
"""Why an operator's order enters nobody."""

ENDED_BEFORE = "ended before it began"
"""Why an event starts no enrollment: one that ends it came first."""


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


def merge_customers(customers: tuple[Customer, ...], now: datetime) -> Reaction:
    """Several customers as one, under the survivor's id. No data of the others is lost."""
    survivor_id = survivor(tuple(customer.profile for customer in customers)).id
    merged = next(customer for customer in customers if customer.id == survivor_id)
    effects: list[Effect] = []
    facts: list[Fact] = []
    for other in sorted(customers, key=lambda customer: customer.id):
        if other.id != survivor_id:
            open_before = {key for one in (merged, other) for key, each in one.enrollments.items() if each.open}
            disputed = merged.contact.settled_with(other.contact)
            if settled := tuple(one for one in disputed if not is_own_act(one.source)):
                effects.append(RecordConsent(short_hash("settled", survivor_id, other.id), settled[0].source, settled))
            merged = merged.absorbing(other, now)
            ended = [one for one in merged.enrollments.values() if one.id in open_before and not one.open]
            facts += [Fact("ended", one.id, one.journey, detail={"outcome": MERGED}) for one in ended]
            facts += _ended_overall(other)
            effects.append(AbsorbHistory(short_hash("absorb", survivor_id, other.id), other.id))
            effects += [WithdrawTasks(f"{one.id}-merged", one.id, "the customer was merged", now) for one in ended]
            facts.append(Fact("merged", detail={"absorbed": other.id}))
    own = next(customer.profile for customer in customers if customer.id == survivor_id)
    profile, dropped = bounds.merged(own, merged.profile)
    facts += [Fact("dropped", detail={"field": name, "reason": reason}) for name, reason in dropped.items()]
    merged = merged if profile is merged.profile else replace(merged, profile=profile)
    if len(customers) > 1 and not bounds.have_room(profile, [one.data for one in merged.enrollments.values()]):
        merged, lost = within_room(merged)
        facts += lost
    return Reaction(merged, tuple(effects), tuple(facts))


def _ended_overall(merged: Customer) -> list[Fact]:
    if not any(name.startswith(f"{EVERY_JOURNEY}:") for name in merged.entered):
        return []
    from cairn.domain.customer import overall  # noqa: PLC0415  few deployments have a holdout across all journeys

    return overall.ended_by_merge(merged.id, merged.entered)


def cleaned_up(merged: Reaction, before: Sequence[Customer], journeys: Journeys, now: datetime) -> Reaction:
    """A merge with what is done when an enrollment ends (`finally`), of those that it has ended.

    Not where an enrollment in the same journey and key goes on: it still needs what would be cleaned up, and does it
    when it ends. One in the holdout never does.
    """
    left = merged.customer.enrollments
    goes_on = {(one.journey, one.key) for one in left.values() if one.status is Status.ACTIVE}
    reaction = _Reaction(merged.customer, facts=list(merged.facts))
    were_open = {id_: one for each in before for id_, one in each.enrollments.items() if one.open}
    for id_, one in sorted(were_open.items()):
        if (id_ in left and left[id_].open) or (one.journey, one.key) in goes_on:
            continue
        journey = _version_of(one, journeys)
        if journey is not None and journey.at_end:
            decision = engine.clean_up(journey, one, reaction.customer.profile, now)
            reaction.customer = replace(reaction.customer, profile=decision.profile)
            reaction.facts += decision.facts
    return replace(merged, customer=reaction.customer, facts=tuple(reaction.facts))


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

IsFull = Callable[[Admission], bool]
"""Whether it is known that an hour or a day takes no more enrollments. Where it is not, the commit says so."""


def nothing_is_full(_admission: Admission) -> bool:
    return False


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
    chosen: Chosen = nothing_chosen,
    is_full: IsFull = nothing_is_full,
    leads: "Leads | None" = None,
) -> Reaction:
    """Updates the profile, moves enrollments and starts journeys. A backfilled event only updates the profile.

    `doubt`: why an order to erase waits for a person, whatever is known about the customer. `by_vouched` is false where
    a visitor typed the name by which the customer was found; `was_known` says whether the customer was known before the
    event (domain/customer/resolution). `chosen` are the winners of splits; `leads` the rules of leads.toml, where
    there are any.
    """
    customer = read_by(leads, customer)
    stored = [one if leads is None else leads.read(one) for one in stored or [customer.profile]]
    if ordered := _ordered(customer, event, journeys, now, leads, stored, chosen=chosen, is_full=is_full):
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
        chosen=chosen,
        is_full=is_full,
        holdout=policy.holdout,
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
        reaction.count_overall(event, now)
        reaction.advance_all(event, journeys, now)
        for journey in sorted(journeys.listening(event.type), key=lambda one: -one.entry.priority):
            reaction.start(journey, event, now)
            reaction.store_early(journey, event, now)
        reaction.wait_again(customer.enrollments, journeys, now)
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
    chosen: Chosen = nothing_chosen,
    leads: "Leads | None" = None,
) -> Reaction | None:
    """Moves the enrollment of a wake-up; None if it is stale. In a paused journey nothing moves; that is noted once.

    The wake-up of a deadline is about no enrollment: a reply that may be a STOP has become one.
    """
    if (channel := opt_outs.channel_to_decide(enrollment_id)) is not None:
        return _stop_at_deadline(customer, channel, now, policy)
    customer = read_by(leads, customer)
    if enrollment_id in {COOLING, AGEING}:
        return _look_at_lead(customer, enrollment_id, journeys, leads, now)
    enrollment = customer.enrollments.get(enrollment_id)
    if enrollment is None or not enrollment.open or enrollment.sequence != sequence:
        return None
    reaction = _Reaction(customer, chosen=chosen, holdout=policy.holdout)
    late = lateness(enrollment, pauses, now)
    if late > MISFIRED_AFTER:
        lag = late // timedelta(milliseconds=1)
        reaction.facts.append(Fact("misfired", enrollment.id, enrollment.journey, enrollment.step or "", {"lag": lag}))
    journey = journeys.version(enrollment.journey, enrollment.version)
    current = journeys.current(enrollment.journey) if enrollment.step == ENTRY else journey
    if current is None or (enrollment.step == ENTRY and not current.entry.waits):
        reaction.take(engine.withdraw(journey, enrollment, customer.profile, REMOVED, now))
    else:  # nobody has entered before the beginning: the version that counts is that of the day
        enrollment = replace(enrollment, version=current.version)
        reaction.advance(current, enrollment, engine.TimerFired(sequence, pauses), now)
    reaction.allowed = enrollment.addresses
    reaction.wait_again(customer.enrollments, journeys, now)
    reaction.settle(leads, customer.profile, now, f"{enrollment_id}-{sequence}")
    reaction.begin(journeys, now, f"{enrollment_id}-{sequence}", before=[customer.profile])
    done = reaction.done()
    if not done.effects and not done.facts and done.customer.enrollments.get(enrollment_id) == enrollment:
        return None  # it was delivered again while its journey is paused
    return replace(done, by_profile=reaction.by_profile)


def lateness(enrollment: Enrollment, pauses: tuple[Pause, ...], now: datetime) -> timedelta:
    """How late a timer fires; zero where a pause has made it late."""
    targets = targets_of(enrollment.journey)
    due = enrollment.timer_at
    if due is None or any(one.target in targets and (one.until is None or one.until >= due) for one in pauses):
        return timedelta()
    return now - due


def read_by(leads: "Leads | None", customer: Customer) -> Customer:
    """The customer whose profile is read by the rules of leads, where there are any."""
    return customer if leads is None else replace(customer, profile=leads.read(customer.profile))


def _look_at_lead(
    customer: Customer, timer: str, journeys: Journeys, leads: "Leads | None", now: datetime
) -> Reaction | None:
    """A timer of the rules of leads fired: the customer has cooled or aged, or is looked at again later."""
    if leads is None:
        return None
    changed = (leads.cooled if timer == COOLING else leads.grown_old)(customer.profile, now)
    if changed is None:
        return None
    reaction, this = _Reaction(customer), f"{timer} {instant_to_wire(now)}"
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


def _ordered(  # noqa: PLR0913, PLR0917  what follows from an order
    customer: Customer,
    event: Event,
    journeys: Journeys,
    now: datetime,
    leads: "Leads | None",
    stored: Sequence[Profile],
    *,
    chosen: Chosen,
    is_full: IsFull,
) -> Reaction | None:
    """What operators alone may order, and nothing else follows from; None for their other events."""
    if event.source != OPERATORS_SOURCE:
        return None
    if event.type == requests.RECORD_ERASURE_REQUESTED:
        return _erase_record(customer, event)
    if event.type == JOURNEY_MIGRATED:
        return _migrate(customer, event, journeys, now)
    if event.type not in BY_HAND:
        return None
    allowed = None if customer.profile.is_known else own_addresses(customer.profile)
    reaction = _Reaction(customer, allowed=allowed, chosen=chosen, is_full=is_full)
    reaction.do_by_hand(event, journeys, now)
    reaction.settle(leads, customer.profile, now, event.key)
    reaction.begin(journeys, now, event.key, before=stored, event=event)
    return reaction.done()


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
            erased=latest(customer.erased, {name.key: at for name in record.ids}),
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


def _on_the_clock_of(journey: Journey, effects: Iterable[Effect]) -> tuple[Effect, ...]:
    """Tasks with the time zone of their journey. The engine leaves it out: recorded histories stay as they are."""
    zone = "" if journey.time_zone == "UTC" else journey.time_zone
    return tuple(replace(one, time_zone=zone) if zone and isinstance(one, OpenTask) else one for one in effects)


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
    chosen: Chosen = nothing_chosen
    is_full: IsFull = nothing_is_full
    admissions: list[Admission] = field(default_factory=list)
    holdout: OverallHoldout | None = None

    def done(self) -> Reaction:
        return Reaction(
            self.customer,
            tuple(self.effects),
            tuple(self.facts),
            self.suppression_changes,
            frozenset(self.lost_versions),
            admissions=tuple(self.admissions),
            only_to=self.allowed,
        )

    def advance(self, journey: Journey, enrollment: Enrollment, trigger: engine.Trigger, now: datetime) -> None:
        arms = arms_for(journey, self.customer.entered, self.chosen)
        decision = engine.advance(journey, enrollment, self.customer.profile, trigger, now, arms)
        entered_at = self.customer.entered.get(f"{journey.name}:{enrollment.key}")
        begins = journey.entry.waits and any(fact.kind in {"entered", "held_out"} for fact in decision.facts)
        if begins and entered_at and not engine.may_enter(journey, entered_at, is_open=False, now=now):
            decision = engine.begins_later(journey, enrollment, self.customer.profile, entered_at, now)
            begins = False
        elif begins and self.is_left_out(journey, now):
            decision = engine.leave_out(journey, enrollment, self.customer.profile, now)
            begins = False
        moved = decision.enrollment
        if assigned := newly_assigned(journey, decision.facts, self.customer.entered, now):
            self.customer = replace(self.customer, entered={**self.customer.entered, **assigned})
        if moved.data is not enrollment.data:  # what it says now is from this event as well
            moved = self.with_room(moved, enrollment.data)
            moved = replace(moved, addresses=narrower(moved.addresses, self.allowed, self.customer.profile))
        if begins:
            entered = {**self.customer.entered, f"{journey.name}:{enrollment.key}": now}
            self.customer = replace(self.customer, entered=entered)
        elif journey.entry.day_of and enrollment.step == ENTRY and moved.outcome == EXIT_ON:
            entered = {**self.customer.entered, left_before(journey.name): now}
            self.customer = replace(self.customer, entered=entered)
        self.take(replace(decision, enrollment=moved, effects=_on_the_clock_of(journey, decision.effects)))

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
        if isinstance(key, str) and not self.is_open(journey, key):
            self.enter(journey, key, event, now)

    def do_by_hand(self, event: Event, journeys: Journeys, now: datetime) -> None:
        about = event.properties
        if event.type == JOURNEY_ENTERED:
            journey, key = journeys.current(about["journey"]), about["key"]
            if journey is None or self.is_open(journey, key):
                reason = IN_IT if journey else NOT_DEPLOYED
                self.facts.append(Fact("not_entered", journey=about["journey"], detail={"reason": reason}))
            else:
                self.enter(journey, key, replace(event, properties=about["data"]), now)
        elif event.type == RESEND_ORDERED:
            self.resend(about["message"], about["again"], journeys, now)
        elif event.type == JOURNEY_LEFT:
            for enrollment in tuple(self.customer.enrollments.values()):
                if enrollment.journey != about["journey"] or enrollment.status is not Status.ACTIVE:
                    continue
                journey = _version_of(enrollment, journeys)
                if journey is None:
                    self.lost_versions.add(f"{enrollment.journey} {enrollment.version}")
                else:
                    self.advance(journey, enrollment, engine.Left(event), now)

    def resend(self, message: str, again: str, journeys: Journeys, now: datetime) -> None:
        """Nothing where its enrollment is not stored any more, or its version has no such step."""
        enrollment = self.customer.enrollments.get(split_effect_id(message)[0])
        journey = _version_of(enrollment, journeys) if enrollment else None
        if enrollment is None or journey is None:
            return
        sent = engine.resend(journey, enrollment, self.customer.profile, message, again, now)
        if sent is not None:
            self.effects.append(sent)
            self.facts.append(Fact("resent", enrollment.id, journey.name, sent.step, {"message": message}))

    def enter(self, journey: Journey, key: str, event: Event, now: datetime) -> None:
        """Enter the journey with this key, unless a rule is against it; a fact says which."""
        name = f"{journey.name}:{key}"
        if reason := self.not_now(journey, event, now) or self.not_again(journey, name, event, now):
            self.facts.append(Fact("not_entered", journey=journey.name, detail={"reason": reason}))
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
        if not self.admits(journey, now) or (not journey.entry.waits and self.is_left_out(journey, now)):
            return
        enrollment = self.with_room(enrollment)
        self.customer = replace(
            self.customer,
            entered=self.customer.entered if journey.entry.waits else self.entered_with(journey, name, event, now),
            early_refreshes={other: data for other, data in self.customer.early_refreshes.items() if other != name},
        )
        self.advance(journey, enrollment, engine.Entered(), now)

    def not_again(self, journey: Journey, name: str, event: Event, now: datetime) -> str:
        """Why the customer does not enter (once more) as `journey:key`; empty where nothing is against it."""
        if not engine.may_wait(journey, self.customer.entered.get(name), event, now):
            return engine.RE_ENTRY
        if len(self.customer.enrollments) + self.customer.unread >= bounds.MAX_ENROLLMENTS:
            return "too many enrollments"
        exits, at = self.customer.early_exits, event.occurred_at
        # The event that changes a date may end what the date before has begun: a contract that is renewed.
        is_later = gt if journey.entry.day_of else ge
        is_over = any(is_later(exits[one], at) for one in (name, journey.name) if one in exits)
        return ENDED_BEFORE if is_over else ""

    def admits(self, journey: Journey, now: datetime) -> bool:
        """Whether the journey's cap has room, as far as is known; then the commit counts it."""
        cap = journey.entry.cap
        if cap is None:
            return True
        admission = Admission(journey.name, cap.window(now, journey.time_zone), cap.limit)
        if self.is_full(admission):
            self.facts.append(Fact("not_entered", journey=journey.name, detail={"reason": str(cap)}))
            return False
        self.admissions.append(admission)
        return True

    def count_overall(self, event: Event, now: datetime) -> None:
        """The goal of the holdout across all journeys, where this event is one."""
        if self.holdout is not None:
            from cairn.domain.customer import overall  # noqa: PLC0415  few deployments have one

            customer = self.customer
            self.facts += overall.goals(self.holdout, customer.profile, customer.entered, event, now)

    def is_left_out(self, journey: Journey, now: datetime) -> bool:
        """Whether the customer is in the holdout across all journeys, who is drawn here where that was not done."""
        customer, holdout = self.customer, self.holdout
        if holdout is None:
            return False
        from cairn.domain.customer import overall  # noqa: PLC0415  as above

        if not overall.concerns(journey) or not overall.draws(holdout, customer.profile, now):
            return False
        if drawn := overall.newly_drawn(holdout, customer.entered, now):
            self.customer = replace(customer, entered={**customer.entered, **drawn})
            self.facts.append(overall.fact_of(holdout, customer.id))
        return overall.is_left_out(holdout, customer.id)

    def entered_with(self, journey: Journey, name: str, event: Event, now: datetime) -> dict[str, datetime]:
        """The customer's entries with one more, without those that a cap of the journey counts no more."""
        cap, prefix = journey.entry.per_customer, _entries_of(journey)
        if cap is None:
            return {**self.customer.entered, name: now}
        left = {
            other: at
            for other, at in self.customer.entered.items()
            if not other.startswith(prefix) or now - at < cap.within
        }
        return {**left, name: now, f"{prefix}{short_hash(event.key, length=8)}:": now}

    def store_early(self, journey: Journey, event: Event, now: datetime) -> None:
        """Stores the end or refresh of an enrollment whose starting event has not arrived yet."""
        profile = self.customer.profile
        ended = engine.keys_of(journey, journey.exit_on, profile, event, now)
        if ended:  # a message of an enrollment that is over may still wait, too
            names = [journey.name if key is None else f"{journey.name}:{key}" for key in ended]
            closed = latest(self.customer.early_exits, dict.fromkeys(names, event.occurred_at))
            recent = young_enough(closed, now, MAX_EARLY_EXITS)
            self.customer = replace(self.customer, early_exits={name: closed[name] for name in recent})
        if engine.may_end_what_starts_later(journey, event):
            early_events = newest_events((*self.customer.early_events, _without_names(event)), now)
            self.customer = replace(self.customer, early_events=early_events)
        for key in engine.keys_of(journey, journey.refresh_on, profile, event, now):
            if key is None or self.is_open(journey, key) or self.is_over(journey, key):
                continue
            name = f"{journey.name}:{key}"
            data, _ = bounds.trimmed(event.properties, bounds.MAX_EARLY_DATA)
            early = {"data": dict(data), "addresses": self.allowed}
            newest = Stamped(early, event.occurred_at).latest(self.customer.early_refreshes.get(name))
            changed = {**self.customer.early_refreshes, name: newest}
            recent = young_enough({name: data.at for name, data in changed.items()}, now, MAX_EARLY_EVENTS)
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
        profile = self.customer.profile
        self.take_lead(leads.aged(profile, now, by=event.type, starts=not event.backfill), event.key)

    def settle(self, leads: "Leads | None", before: Profile, now: datetime, by: str) -> None:
        """The rules of leads that read what journeys have changed since `before`."""
        profile = self.customer.profile
        if leads is not None and profile.attributes is not before.attributes:
            self.take_lead(leads.settled(before, profile, now, by="", starts=True), by)

    def take_lead(self, changed: "Changed", by: str) -> None:
        """`by`: what it follows from, so that the event of a score is the same one however often it is decided."""
        customer = self.customer = replace(self.customer, profile=changed.profile)
        self.facts += changed.facts
        for said in changed.says:
            this = short_hash(said.type, customer.id, by, length=20)
            self.effects.append(
                EmitEvent(f"{this}-score-1", "", said.type, said.properties, only_to=self.allowed, source=LEADS_SOURCE)
            )
        for timer, at in ((COOLING, changed.look_at), (AGEING, changed.ages_at)):
            if at is not None:
                self.effects.append(WakeAt(short_hash(timer, customer.id, instant_to_wire(at)), timer, 0, at))

    def begin(
        self, journeys: Journeys, now: datetime, by: str, *, before: Sequence[Profile], event: Event | None = None
    ) -> None:
        """Say it to the journeys that begin by the profile as it is now. Most deployments have none."""
        watching = journeys.watching()
        if not watching:
            return
        here = self.customer.enrollments.values()
        ended = {fact.enrollment for fact in self.facts if fact.kind == "ended" and event is None}
        change = Change(
            by=by,
            before=tuple(sorted(before, key=lambda one: one.id != self.customer.id)),
            only_to=self.allowed,
            after=self.customer.profile,
            starts=event is None or not event.backfill,
            notices=event is not None and event.source not in OWN_SOURCES,
            is_in=self.customer.unread_in.union(one.journey for one in here if one.open),
            ended=frozenset(one.journey for one in here if one.id in ended),
            entered=self.customer.entered,
        )
        self.effects += what_begins(change, watching, now)

    def not_now(self, journey: Journey, event: Event, now: datetime) -> str:
        """Why the entry is closed to the customer; empty where it is open."""
        if not journey.entry.waits and not journey.entry.is_open_on(event.occurred_at, journey.time_zone):
            return "outside its dates"
        cap = journey.entry.per_customer
        if cap is not None:
            before = [at for other, at in self.customer.entered.items() if other.startswith(_entries_of(journey))]
            if sum(now - at < cap.within for at in before) >= cap.limit:
                return str(cap)
        if not journey.entry.unless_in:
            return ""
        open_in = {one.journey for one in self.customer.enrollments.values() if one.open and one.has_begun}
        others = sorted(journey.entry.unless_in & open_in)
        return f"in {others[0]}" if others else ""

    def is_open(self, journey: Journey, key: str) -> bool:
        """Whether the customer is in the journey. In the holdout, one may wait for the next date or silence already."""
        return any(
            enrollment.open
            and (enrollment.journey, enrollment.key) == (journey.name, key)
            and not (journey.entry.waits and enrollment.status is Status.HELD_OUT)
            for enrollment in self.customer.enrollments.values()
        )

    def wait_again(self, before: Mapping[str, Enrollment], journeys: Journeys, now: datetime) -> None:
        """A customer who came back while the journey ran may fall silent again, once it has ended."""
        for one in tuple(self.customer.enrollments.values()):
            was = before.get(one.id)
            if one.open or was is None or not was.open or was.step == ENTRY:
                continue
            journey = journeys.current(one.journey)
            if journey is None or journey.entry.day_of or not journey.entry.waits:
                continue
            activity = self.customer.profile.activity
            last = {rule.event: activity[rule.event].last for rule in journey.entry.matches if rule.event in activity}
            latest = max(last, key=lambda type_: last[type_], default="")
            if latest and last[latest] > one.entered_at:
                self.by_profile = True
                self.start(journey, Event(one.id, JOURNEYS_SOURCE, latest, last[latest]), now)

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
        again = engine.fall_back(journey, enrollment, self.customer.profile, message, failed, now)
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
        # An event may still stop its last messages, and withdraw its last tasks.
        bool((sends or journey.has_tasks) and journey.exit_on and since_end < ENDED_EARLY_WINDOW)
        # They may still be reported as failed.
        or (
            any(len(step.channels) > 1 for step in sends)
            and (since_end < RECEIPT_WINDOW or contact.sent_lately(enrollment.id, now))
        )
        # It may still reach its goal.
        or (
            goal is not None
            and enrollment.has_begun
            and enrollment.goal_at is None
            and now - enrollment.since <= goal.within
        )
    )


def _entries_of(journey: Journey) -> str:
    """The beginning of the names under which a customer's entries into a journey are counted, whatever their keys.

    Each ends like an entry without a key, so that it stays in the customer's state.
    """
    return f"{journey.name}:at:"


def _channels(addresses: Mapping[str, str] | None) -> dict[Channel, str] | None:
    return None if addresses is None else {Channel(channel): address for channel, address in addresses.items()}


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
