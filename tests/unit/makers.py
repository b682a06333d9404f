"""Short constructors for tests."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cairn.adapters.documents.journey import journey_from_document
from cairn.domain.consent.changes import ConsentChange, ConsentStatus
from cairn.domain.customer.state import Customer
from cairn.domain.effects import SendMessage, WakeAt
from cairn.domain.event import Event
from cairn.domain.identity.identifiers import EMAIL, EXTERNAL, PHONE, USER_ID, Identifier, identifier, strongest_first
from cairn.domain.journey import engine
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.enrollment import Enrollment
from cairn.domain.message.message import Message
from cairn.domain.profile.profile import Profile
from cairn.domain.profile.stamped import Stamped
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import UnknownJourneyError


def at(text: str) -> datetime:
    """`2026-03-02 10:00`, in UTC if it has no offset."""
    instant = datetime.fromisoformat(text)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


MONDAY = at("2026-03-02 10:00")


def name(
    *, user_id: str = "", email: str = "", phone: str = "", external: Mapping[str, str] | None = None
) -> tuple[Identifier, ...]:
    """Identifiers, strongest first."""
    given = {USER_ID: user_id, EMAIL: email, PHONE: phone}
    given |= {EXTERNAL + system: value for system, value in (external or {}).items()}
    return strongest_first(identifier(kind, value) for kind, value in given.items() if value)


ADA = name(user_id="ada")


def event(
    type_: str, when: datetime = MONDAY, *, id_: str = "", who: tuple[Identifier, ...] = ADA, **more: Any
) -> Event:
    """An event of Ada's; two that differ in type or instant differ in id."""
    given: dict[str, Any] = {"source": "track"} | more
    return Event(id=id_ or f"{type_}@{when.isoformat()}", type=type_, occurred_at=when, identifiers=who, **given)


def granted(channel: Channel, purpose: Purpose, when: datetime = MONDAY) -> ConsentChange:
    return ConsentChange(channel, purpose, ConsentStatus.GRANTED, when, "form")


def denied(channel: Channel, purpose: Purpose, when: datetime = MONDAY) -> ConsentChange:
    return ConsentChange(channel, purpose, ConsentStatus.DENIED, when, "form")


def profile(
    id_: str = "c_ada", when: datetime = MONDAY, who: tuple[Identifier, ...] = ADA, **attributes: Any
) -> Profile:
    stamped = {attribute: Stamped(value, when) for attribute, value in attributes.items()}
    return Profile(id_, when, who, stamped)


def customer(id_: str = "c_ada", when: datetime = MONDAY, **attributes: Any) -> Customer:
    return Customer(profile(id_, when, **attributes))


def journey(*steps: dict[str, Any], version: str = "v1", **document: Any) -> Journey:
    """A journey called `visit` that a `trial.signup` starts, unless `more` changes that."""
    whole = {"journey": "visit", "entry": {"event": "trial.signup"}, "steps": list(steps)} | document
    return journey_from_document(whole, version)


def send(id_: str, channel: str = "email", purpose: str = "transactional") -> dict[str, Any]:
    return {"id": id_, "send": {"channel": channel, "template": id_, "purpose": purpose}}


def wait(id_: str, until: Any) -> dict[str, Any]:
    return {"id": id_, "wait": until}


def wait_for(
    id_: str,
    event_type: str,
    *,
    timeout: Any = "2d",
    then: tuple[dict[str, Any], ...] = (),
    otherwise: tuple[dict[str, Any], ...] = (),
    **more: Any,
) -> dict[str, Any]:
    rule = {"event": event_type, "timeout": timeout, "then": list(then), "else": list(otherwise)}
    return {"id": id_, "wait_for": rule | more}


def entered(
    walked: Journey, when: datetime = MONDAY, who: Profile | None = None, key: str = "", **properties: Any
) -> engine.Decision:
    """Ada's enrollment, just created."""
    ada = who or profile()
    start = event(walked.entry.matches[0].event, when, properties=properties)
    enrollment = engine.new_enrollment(walked, ada, start, key, when)
    return engine.advance(walked, enrollment, ada, engine.Entered(), when)


def sent(decision: Any) -> list[str]:
    """The templates of the messages that a decision or reaction sends."""
    return [effect.template for effect in decision.effects if isinstance(effect, SendMessage)]


def timers(decision: Any) -> list[WakeAt]:
    return [effect for effect in decision.effects if isinstance(effect, WakeAt)]


def kinds(decision: Any) -> list[str]:
    return [fact.kind for fact in decision.facts]


def only(enrollments: Mapping[str, Enrollment]) -> Enrollment:
    """The only enrollment."""
    (one,) = enrollments.values()
    return one


def message(**more: Any) -> Message:
    """A transactional e-mail to Ada."""
    return replace(
        Message(
            id="enr-confirm-1",
            customer="c_ada",
            enrollment="enr",
            journey="visit",
            version="v1",
            step="confirm",
            channels=(Channel.EMAIL,),
            template="confirm",
            purpose=Purpose.TRANSACTIONAL,
            addresses={Channel.EMAIL: "ada@example.com"},
            decided_at=MONDAY,
        ),
        **more,
    )


class Deployed:
    """A deployment's journeys: the first of a name is current, the others are its older versions."""

    def __init__(self, *journeys: Journey) -> None:
        self._all = {(one.name, one.version): one for one in journeys}
        self._current = {one.name: one for one in reversed(journeys)}
        self.stored: list[Journey] = []

    def listening(self, event_type: str) -> tuple[Journey, ...]:
        return tuple(one for one in self._current.values() if event_type in one.listens_before)

    def current(self, name: str) -> Journey | None:
        return self._current.get(name)

    def watching(self) -> dict[str, tuple[Journey, ...]]:
        watched = {name for one in self._current.values() for name in one.entry.watches}
        return {name: tuple(one for one in self._current.values() if name in one.entry.watches) for name in watched}

    def version(self, name: str, version: str) -> Journey:
        try:
            return self._all[name, version]
        except KeyError:
            raise UnknownJourneyError(f"no version {version} of {name}") from None

    def deploy(self, journey: Journey) -> None:
        """A new version; customers stay on theirs."""
        self._all[journey.name, journey.version] = journey
        self._current[journey.name] = journey

    def remove(self, name: str) -> None:
        del self._current[name]

    def keep(self, journey: Journey) -> None:
        self.stored.append(journey)
