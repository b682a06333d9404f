"""Process an event or a wake-up: one read, one pure decision, one commit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from cairn.application.conflicts import until_committed
from cairn.application.events.canonical_addresses import CanonicalAddresses, Phones
from cairn.application.events.identify_customer import Identified, IdentifyCustomer
from cairn.application.ports import Attempts, ChosenArms, Customers, ErasureOrders, JourneyVersions, Sent, Switches
from cairn.application.values.customers import Commit
from cairn.application.values.replies import SentMessage
from cairn.domain.consent.changes import ConsentStatus
from cairn.domain.consent.contact import Contact
from cairn.domain.consent.keywords import EVENT_TYPES, Intent, intent_of, is_yes, keyword_of, may_mean_stop
from cairn.domain.consent.suppression import suppression_key
from cairn.domain.customer.chosen_arms import Chosen
from cairn.domain.customer.consent_updates import CUSTOMER_REPLIES, RELEASED, SUPPRESSED, consent_updates
from cairn.domain.customer.customer import cleaned_up, may_concern, on_event, on_wake, read_by, within_room
from cairn.domain.customer.state import OLDER_ENTRIES, Customer, Reaction
from cairn.domain.effects import Effect, OpenTask, RecordConsent, split_effect_id
from cairn.domain.event import AUTO_REPLIED, BOUNCED, PERHAPS_AUTO_REPLY, REPLIED, Event
from cairn.domain.identity.identity_key import IdentityKeys
from cairn.domain.identity.trust import (
    IMPORTS_SOURCE,
    OPERATORS_SOURCE,
    PREFERENCES_SOURCE,
    RESERVED_SOURCES,
    is_provider,
)
from cairn.domain.policy import Policy
from cairn.domain.privacy import opt_outs, requests
from cairn.domain.profile.bounds import within_bounds
from cairn.domain.profile.moved_appointments import ID, with_first_id
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.errors import (
    ConflictError,
    DuplicateEventError,
    ErasedCustomerError,
    ServiceRefusedError,
    UnknownCustomerError,
)

if TYPE_CHECKING:
    from cairn.application.events.read_reply import ReadReply
    from cairn.domain.audience.audiences import Audiences
    from cairn.domain.lead.leads import Leads
    from cairn.domain.replies.reading import Reading

T = TypeVar("T")

OPT_OUT_WORDS = frozenset({"STOP", "HELP", "START"})
"""Values of `opt_out`, from a provider that recognises keywords itself."""


@dataclass(frozen=True, slots=True)
class ProcessEvent:
    customers: Customers
    journeys: JourneyVersions
    read_phone: Phones
    keys: IdentityKeys
    sent: Sent
    switches: Switches
    """Only wake-ups read it: a pause does not stop events."""
    chosen: ChosenArms
    """Read only for journeys that choose the winner of a split."""
    orders: ErasureOrders
    languages: tuple[str, ...] = ()
    """ISO 639-1 codes of the languages besides English in which customers may say STOP, HELP and START."""
    policy: Policy = field(default_factory=Policy)
    leads: "Leads | None" = None
    audiences: "Audiences | None" = None
    read_reply: "Callable[[], ReadReply] | None" = None
    """Only replies need it: it is made with the first one."""
    attempts: Attempts = range

    def __call__(self, event: Event, now: datetime) -> Reaction | None:
        """The changes by the event; None for a duplicate.

        Raises ConflictError where other commits keep coming first, ErasedCustomerError where the customer was erased,
        NotACustomerError where a provider's event is about a short code or a business.
        """
        event = self._with_keyword(self._canonical(event))
        readings: list[Reading] = []
        try:
            return self._until_committed(lambda: self._attempt(event, now, readings))
        except DuplicateEventError:
            return None
        except UnknownCustomerError as error:
            by_us = event.source in RESERVED_SOURCES and isinstance(error, ErasedCustomerError)
            of_nobody = event.source in {OPERATORS_SOURCE, IMPORTS_SOURCE} and event.type in {SUPPRESSED, RELEASED}
            if not (by_us or of_nobody or is_provider(event.source) or event.source == PREFERENCES_SOURCE):
                raise
            # Late events for unknown customers still update suppressions.
            self.customers.record_suppressions(
                consent_updates(Contact(), event, self.policy, "UTC").suppression_changes
            )
            return None

    def wake(self, customer_id: str, enrollment_id: str, sequence: int, now: datetime) -> Reaction | None:
        """The changes by the wake-up; None if it is stale.

        The first look may be at the customer of a moment ago, for half the price: a commit holds only for the state of
        now. What it cannot say for sure is that there is nothing to do.
        """
        with suppress(ConflictError, UnknownCustomerError):
            reaction = self._wake(customer_id, enrollment_id, sequence, now, may_lag=True)
            if reaction is not None:
                return reaction
        return self._until_committed(lambda: self._wake(customer_id, enrollment_id, sequence, now))

    def _until_committed(self, attempt: Callable[[], T]) -> T:
        otherwise = "the customer keeps changing; the event or wake-up is handled once more"
        return until_committed(self.attempts, attempt, otherwise)

    def _attempt(self, event: Event, now: datetime, readings: "list[Reading]") -> Reaction:
        """`readings` has the reading of a reply from an earlier attempt: a model is asked once."""
        concerns = may_concern(event, self.journeys)
        identified = IdentifyCustomer(self.customers, self.keys, self.policy)(event, now, concerns)
        known, before = identified.known, identified.before
        if len(before) > 1:
            known = cleaned_up(known, before, self.journeys, now)
        event, sent = self._with_message(event, known.customer.id)
        event = self._as_read(event, known.customer, sent, readings, now)
        known, event = _with_first_id(known, event, now)
        event = within_bounds(event, known.customer.profile)
        event = event.without_names(identified.dropped)
        found: dict[str, Any] = {
            "doubt": self._doubt_about(event, now),
            "by_vouched": identified.by_vouched,
            "was_known": any(one.profile.is_known for one in before),
            "stored": [one.profile for one in before],
            "leads": self.leads,
        }
        further = _tasks_about_others(identified.others, event)
        stored = [*before, *identified.released_from]
        draft = readings[0].draft if readings else ""
        reaction = _after(known, self._decide(known.customer, event, now, draft, **found), further)
        reaction = self._with_audiences(reaction, stored, now, event.key, starts=not event.backfill)
        try:
            self._commit(reaction, identified, event, now)
        except ServiceRefusedError:
            customer, dropped = within_room(identified.known.customer)
            if not dropped:
                self._record_denials(reaction, before)
                raise
            known = replace(identified.known, customer=customer, facts=(*identified.known.facts, *dropped))
            known = cleaned_up(known, before, self.journeys, now)
            reaction = _after(known, self._decide(known.customer, event, now, draft, **found), further)
            reaction = self._with_audiences(reaction, stored, now, event.key, starts=not event.backfill)
            self._commit(reaction, identified, event, now)
        return reaction

    def _commit(self, reaction: Reaction, identified: Identified, event: Event, now: datetime) -> None:
        self._keep_versions(reaction, identified.known.customer)
        losers = identified.released if self.audiences is not None else ()
        follows = {
            one.id: found
            for one in losers
            if (found := self._of_audiences(one, identified.released_from, now, event.key, starts=not event.backfill))
        }
        commit = Commit(reaction, identified.before, now, event, identified.claimed, identified.released, follows)
        self.customers.commit(commit)

    def _with_audiences(
        self, reaction: Reaction, stored: Sequence[Customer], now: datetime, by: str, *, starts: bool
    ) -> Reaction:
        """The reaction with what audiences make of the change of the customer."""
        customer = reaction.customer
        if self.audiences is None or customer.erasure_pending_since is not None:
            return reaction
        effects = self._of_audiences(customer, stored, now, by, starts=starts, only_to=reaction.only_to)
        return replace(reaction, effects=(*reaction.effects, *effects)) if effects else reaction

    def _of_audiences(  # noqa: PLR0913  a customer before and after, and what it follows from
        self,
        after: Customer,
        stored: Sequence[Customer],
        now: datetime,
        by: str,
        *,
        starts: bool,
        only_to: Mapping[Channel, str] | None = None,
    ) -> tuple[Effect, ...]:
        if self.audiences is None:
            return ()
        from cairn.domain.audience.audiences import Change  # noqa: PLC0415  loaded where there are any

        before = next((read_by(self.leads, one).profile for one in stored if one.id == after.id), None)
        profile = read_by(self.leads, after).profile
        change = Change(by=by, before=before, after=profile, starts=starts, only_to=only_to)
        return self.audiences.changes(change, now)

    def _decide(self, customer: Customer, event: Event, now: datetime, draft: str, **found: Any) -> Reaction:
        """The reaction to an event, with the task of a reply that a person has to read."""
        reaction = self._reaction(customer, event, now, **found)
        if not self._is_read(event):
            return reaction
        task = self._reader.conversation(event, reaction, now, draft)
        return replace(reaction, effects=(*reaction.effects, task)) if task is not None else reaction

    def _reaction(self, customer: Customer, event: Event, now: datetime, **found: Any) -> Reaction:
        """The reaction to an event; decided once more where the customer entered long ago what it would enter now."""
        found |= {"chosen": self._chosen(now), "is_full": self.customers.is_full}
        reaction = on_event(customer, event, self.journeys, now, self.policy, **found)
        entering = reaction.customer.entries_since(customer) if OLDER_ENTRIES in customer.elsewhere else ()
        earlier = self.customers.entered(customer, entering) if entering else {}
        if not earlier:
            return reaction
        customer = replace(customer, entered={**customer.entered, **earlier})
        return on_event(customer, event, self.journeys, now, self.policy, **found)

    def _doubt_about(self, event: Event, now: datetime) -> requests.Doubt | None:
        """Why a vendor's order waits for a person. All such orders are counted; no other event is."""
        if not requests.is_vendors_order(event):
            return None
        admitted = self.orders.admit(event.key, self.policy.erasure_orders_per_hour, now)
        return None if admitted else requests.Doubt.TOO_MANY

    def _record_denials(self, reaction: Reaction, before: tuple[Customer, ...]) -> None:
        """A STOP is heard whatever the size of the customer's items: its denials and suppressions are written alone.

        The event becomes a dead letter, so a redrive does the rest; doing this part twice changes nothing.
        """
        self.customers.record_suppressions([one for one in reaction.suppression_changes if not one.mark.lifted])
        records = [effect for effect in reaction.effects if isinstance(effect, RecordConsent)]
        denials = [one for record in records for one in record.changes if one.status is ConsentStatus.DENIED]
        for customer in before if denials else ():
            self.customers.record_denials(customer, denials)

    def _wake(
        self, customer_id: str, enrollment_id: str, sequence: int, now: datetime, *, may_lag: bool = False
    ) -> Reaction | None:
        # The store compares the profile that was read with the one to write, so the rules are given to it before.
        customer = read_by(self.leads, self.customers.load(customer_id, enrollment_id, may_lag=may_lag))
        pauses = self.switches.current(now).pauses
        rules: dict[str, Any] = {"policy": self.policy, "leads": self.leads, "chosen": self._chosen(now)}
        reaction = on_wake(customer, enrollment_id, sequence, self.journeys, now, pauses=pauses, **rules)
        if reaction is not None:
            by = f"{enrollment_id}-{sequence}"
            reaction = self._with_audiences(reaction, (customer,), now, by, starts=True)
            self._keep_versions(reaction, customer)
            self.customers.commit(Commit(reaction, (customer,), now))
        return reaction

    def _chosen(self, now: datetime) -> Chosen:
        return lambda journey: self.chosen.of(journey, now)

    def _keep_versions(self, reaction: Reaction, before: Customer) -> None:
        """Of enrollments that are new, or were moved to another version."""
        for key, one in reaction.customer.enrollments.items():
            earlier = before.enrollments.get(key)
            if earlier is None or earlier.version != one.version:
                self.journeys.keep(self.journeys.version(one.journey, one.version))

    @property
    def _reader(self) -> "ReadReply":
        assert self.read_reply is not None  # noqa: S101  for the types
        return self.read_reply()

    def _is_read(self, event: Event) -> bool:
        """Whether a reply is read. A STOP, a HELP or a START is not one any more."""
        return self.read_reply is not None and event.type == REPLIED and is_provider(event.source)

    def _as_read(
        self, event: Event, customer: Customer, sent: SentMessage | None, readings: "list[Reading]", now: datetime
    ) -> Event:
        """A reply with its intent and its answer. Nothing is read of what may be a STOP: a person decides that."""
        if not self._is_read(event):
            return event
        if not readings and event.properties.get(opt_outs.POSSIBLE_STOP) is not True:
            readings += self._reader(event, customer.profile, sent, now)
        return self._reader.with_reading(event, *readings)

    def _with_message(self, event: Event, customer_id: str) -> tuple[Event, SentMessage | None]:
        """The event with the message that it is about; one more read where the event does not name it."""
        if not is_provider(event.source) or not event.about_a_message:
            return event, None
        sent = None
        message_id = event.properties.get("message_id")
        if not isinstance(message_id, str):
            replied = event.type in CUSTOMER_REPLIES
            about = event.properties.get("reply_to")  # of a reply, and of a reaction
            about = event.properties.get("provider_message_id") if about is None and not replied else about
            if about is None and not replied:
                return event, None
            channel, when = event.properties.get("channel"), event.occurred_at
            sent = self.sent.match(customer_id, about, channel, when)
            if sent is None and replied:  # it refers to an id that only Meta has
                sent = self.sent.match(customer_id, None, channel, when)
            message_id = sent.id if sent is not None else ""
        enrollment, step, _ = split_effect_id(message_id)
        if not enrollment:
            return event, sent
        reference = {"message_id": message_id, "enrollment": enrollment, "step": step}
        event = replace(event, properties={**event.properties, **reference})
        return self._with_auto_reply(event, customer_id, message_id), sent

    def _with_auto_reply(self, event: Event, customer_id: str, message_id: str) -> Event:
        """A bounce that may be an automatic answer is one where the message was delivered; then nothing has failed."""
        if event.type != BOUNCED or event.properties.get(PERHAPS_AUTO_REPLY) is not True:
            return event
        status = self.sent.status(customer_id, message_id)
        return replace(event, type=AUTO_REPLIED) if status is not None and status.has_arrived else event

    def _with_keyword(self, event: Event) -> Event:
        """The event with its keyword. STOP, HELP and START get event types of their own: they answer no question."""
        if not is_provider(event.source) or event.type != REPLIED:
            return event
        text, opt_out = str(event.properties.get("text") or ""), event.properties.get("opt_out")
        intent = Intent(opt_out.lower()) if opt_out in OPT_OUT_WORDS else intent_of(text, self.languages)
        properties = {**event.properties, "keyword": keyword_of(text)}
        if is_yes(text, self.languages):
            properties["confirms"] = True
        elif intent is None and may_mean_stop(text, self.languages):
            properties |= {opt_outs.POSSIBLE_STOP: True} | self._address_key(event)
        return replace(event, type=EVENT_TYPES[intent] if intent else event.type, properties=properties)

    def _address_key(self, event: Event) -> dict[str, str]:
        """The key of the address that a reply came from, by which a later decision suppresses it."""
        channel, address = event.channel, event.properties.get("address")
        if channel is None or not isinstance(address, str) or not address:
            return {}
        return {opt_outs.ADDRESS_KEY: suppression_key(channel, address, self.keys.suppressions)}

    def _canonical(self, event: Event) -> Event:
        return CanonicalAddresses(self.read_phone, self.policy.placeholders).of(event)


def _with_first_id(known: Reaction, event: Event, now: datetime) -> tuple[Reaction, Event]:
    """An appointment that was moved is the same one (domain/profile/moved_appointments)."""
    if ID not in event.properties:
        return known, event
    profile, event = with_first_id(known.customer.profile, event, now)
    return replace(known, customer=replace(known.customer, profile=profile)), event


def _after(known: Reaction, reaction: Reaction, further: tuple[OpenTask, ...]) -> Reaction:
    """A reaction with what follows from finding the customer: a merge, and tasks about others."""
    if not (known.effects or known.facts or further):
        return reaction
    return replace(reaction, effects=known.effects + reaction.effects + further, facts=known.facts + reaction.facts)


def _tasks_about_others(others: Iterable[Customer], event: Event) -> tuple[OpenTask, ...]:
    """A task for each further customer that a request may mean, because an address in it leads there."""
    if not requests.is_request(event):
        return ()
    tasks = (
        requests.privacy_task(other.profile, event, len(other.contact.consents), requests.Doubt.BY_ADDRESS)
        for other in others
    )
    return tuple(task for task in tasks if task is not None)
