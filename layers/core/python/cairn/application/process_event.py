"""Process an event or a wake-up: one read, one pure decision, one commit."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from cairn.application.ports import Commit, Customers, Found, JourneyVersions, Sent
from cairn.domain.customer import Customer, Reaction, on_event, on_wake, unify
from cairn.domain.effects import parts_of
from cairn.domain.errors import ConflictError, DuplicateEventError, InvalidEventError, UnknownCustomerError
from cairn.domain.event import Event
from cairn.domain.identity import PHONE, Identifier, home_of, identifier, may_be_one
from cairn.domain.keywords import EVENT_TYPES, Intent, intent_of, keyword_of
from cairn.domain.profile import Profile
from cairn.domain.provider import is_provider

T = TypeVar("T")

REPLIED = "message.replied"
REPLIES = frozenset({REPLIED, *EVENT_TYPES.values()})
"""Events of which the customer is the author; what they answer is another message than their own."""

OPT_OUT_WORDS = frozenset({"STOP", "HELP", "START"})
"""What a provider that manages keywords itself says of a reply, whatever word the customer used."""

ATTEMPTS = 8
"""Times to decide anew when somebody else commits first; the queue's own retries come after that."""


@dataclass(frozen=True, slots=True)
class ProcessEvent:
    customers: Customers
    journeys: JourneyVersions
    normal_phone: Callable[[str], str | None]
    salt: str
    sent: Sent
    languages: tuple[str, ...] = ()
    """ISO 639-1 codes of the languages besides English in which customers may say STOP, HELP and START."""

    def __call__(self, event: Event, now: datetime) -> Reaction | None:
        """What the event did; None for a duplicate. Raises ConflictError when the customer is too busy."""
        event = self._understood(self._normal(event))
        try:
            return _until_committed(lambda: self._attempt(event, now))
        except DuplicateEventError:
            return None
        except UnknownCustomerError:
            if is_provider(event.source):
                return None  # a late word about somebody who was erased
            raise

    def wake(self, customer_id: str, enrollment_id: str, sequence: int, now: datetime) -> Reaction | None:
        """What the wake-up did; None for a stale one."""
        return _until_committed(lambda: self._wake(customer_id, enrollment_id, sequence, now))

    def _attempt(self, event: Event, now: datetime) -> Reaction:
        if event.customer_id and not event.identifiers:
            found = Found((self.customers.load(event.customer_id),))
        else:
            found = self.customers.find(event.identifiers)
        before, claimed = _same_person(found, event)
        known = unify(before, now) if before else self._stranger(event, now)
        event = self._matched(event, known.customer.id)
        named = replace(known.customer, profile=known.customer.profile.named(*claimed))
        reaction = on_event(named, event, self.journeys, now)
        reaction = replace(
            reaction,
            effects=known.effects + reaction.effects,
            facts=known.facts + reaction.facts,
        )
        self._keep_versions(reaction, named)
        self.customers.commit(Commit(reaction, before, now, event, claimed))
        return reaction

    def _wake(self, customer_id: str, enrollment_id: str, sequence: int, now: datetime) -> Reaction | None:
        customer = self.customers.load(customer_id)
        reaction = on_wake(customer, enrollment_id, sequence, self.journeys, now)
        if reaction is not None:
            self.customers.commit(Commit(reaction, (customer,), now))
        return reaction

    def _stranger(self, event: Event, now: datetime) -> Reaction:
        home = home_of(event.identifiers[0], self.salt)
        return Reaction(Customer(Profile(home, created_at=now)))

    def _keep_versions(self, reaction: Reaction, before: Customer) -> None:
        for key in reaction.customer.enrollments.keys() - before.enrollments.keys():
            entered = reaction.customer.enrollments[key]
            self.journeys.keep(self.journeys.version(entered.journey, entered.version))

    def _matched(self, event: Event, customer_id: str) -> Event:
        """An event about one of our messages, with what is known of that one; a read more where it is not told."""
        if not is_provider(event.source) or not event.about_a_message:
            return event
        told = event.properties.get("message_id")
        if not isinstance(told, str):
            about = event.properties.get("reply_to" if event.type in REPLIES else "provider_message_id")
            if about is None and event.type not in REPLIES:
                return event
            channel, when = event.properties.get("channel"), event.occurred_at
            told = self.sent.match(customer_id, about, channel, when)
            if told is None and event.type in REPLIES:  # a reference that we were never told: Meta's own id
                told = self.sent.match(customer_id, None, channel, when)
        enrollment, step, _ = parts_of(told or "")
        if not enrollment:
            return event
        ours = {"message_id": told, "enrollment": enrollment, "step": step}
        return replace(event, properties={**event.properties, **ours})

    def _understood(self, event: Event) -> Event:
        """A reply by what it means: STOP, HELP and START are no answers to what a journey asked."""
        if not is_provider(event.source) or event.type != REPLIED:
            return event
        text, told = str(event.properties.get("text") or ""), event.properties.get("opt_out")
        intent = Intent(told.lower()) if told in OPT_OUT_WORDS else intent_of(text, self.languages)
        properties = {**event.properties, "keyword": keyword_of(text)}
        return replace(event, type=EVENT_TYPES[intent] if intent else event.type, properties=properties)

    def _normal(self, event: Event) -> Event:
        """Phone numbers in E.164; one that is none is dropped, and with it an event that names nobody else."""
        told = event.attributes.get(PHONE)
        if isinstance(told, str):
            event = replace(event, attributes={**event.attributes, PHONE: self.normal_phone(told)})
        if not any(one.kind == PHONE for one in event.identifiers):
            return event
        kept: list[Identifier] = []
        for one in event.identifiers:
            value = self.normal_phone(one.value) if one.kind == PHONE else one.value
            if value is not None:
                kept.append(identifier(one.kind, value))
        if not kept and not event.customer_id:
            raise InvalidEventError(["customer.phone: not a phone number, and nothing else names the customer"])
        return event.with_identifiers(tuple(kept))


def _same_person(found: Found, event: Event) -> tuple[tuple[Customer, ...], tuple[Identifier, ...]]:
    """Of the customers found, those who may be one with the first; and the identifiers that are theirs from now on.

    The first is who the strongest identifier leads to. Two accounts (`user_id`) that share an address stay two.
    """
    same: list[Customer] = []
    for customer in found.customers:
        names = (*event.identifiers, *(name for one in same for name in one.profile.identifiers))
        if may_be_one(names, customer.profile.identifiers):
            same.append(customer)
    return tuple(same), found.unclaimed


def _until_committed(attempt: Callable[[], T]) -> T:
    for _ in range(ATTEMPTS - 1):
        try:
            return attempt()
        except ConflictError:
            continue
    return attempt()
