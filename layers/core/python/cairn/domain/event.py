"""The canonical event: something that happened to a customer, named `object.action` in the past tense."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

from cairn.domain.consent.changes import STATED, ConsentChange, ConsentStatus, Method
from cairn.domain.identity.emails import canonical_email
from cairn.domain.identity.identifiers import (
    EMAIL,
    EXTERNAL,
    PHONE,
    USER_ID,
    Identifier,
    identifier,
    strongest_first,
)
from cairn.domain.identity.placeholders import is_placeholder
from cairn.domain.identity.references import MAX_IN_EVENT, Reference
from cairn.domain.identity.trust import (
    ALL_FIELDS,
    OWN_SOURCES,
    RESERVED_SOURCES,
    TRACK_SOURCE,
    field_of,
    is_vouched,
    vouched_by_default,
)
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import InvalidEventError
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import EARLIEST, LATEST, instant_to_wire, to_instant

EVENT_TYPE_SHAPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
MAX_ID_LENGTH = 256
"""Longest name or id: it becomes part of a DynamoDB key (2048 bytes)."""

MAX_IDS_OF_ONE_SYSTEM = 20
"""Ids of one system that an event may say are one person; as many as a customer may have names."""

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair: JSON can contain it, but UTF-8, and so a key, cannot."""

MESSAGE_EVENTS = "message."

OWN_TYPES = frozenset(
    {
        *("audience.joined", "audience.left", "broadcast.started"),
        *("activity.resumed", "activity.slowed", "rfm.changed"),
        *("lead.became_hot", "lead.cooled", "task.done", "task.overdue", "task.withdrawn"),
    }
)
"""What Cairn itself says, and journeys believe by the type alone: no source may send it. Cairn's other types, such as
`webhook.answered`, are believed by their source."""

ACCOUNT_FAILURE = "account_failure"
"""The property, true, of a provider's report on a message that failed because the account may not send: its money is
spent, or it is locked. The next message fails as well, to any customer.
"""

NOT_TRIED = "not_tried"
"""The property, true, of a provider's report on a message that the provider itself did not try to send, because of its
own list of addresses. It says nothing new about the address or the message, so the breaker does not count it.
"""

COMPLAINED_BEFORE = "complained_before"
"""The property, true, of a report on a message that was not sent because its recipient has complained earlier."""

PERHAPS_AUTO_REPLY = "perhaps_auto_reply"
"""The property, true, of a provider's report of a bounce that may be an automatic answer, such as out of office. It is
one where the message was delivered before; the event is then of the type AUTO_REPLIED.
"""

REPLIED = "message.replied"
BOUNCED = "message.bounced"
AUTO_REPLIED = "message.auto_replied"

FIELDS = frozenset(
    {
        "id",
        "type",
        "occurred_at",
        "customer",
        "about",
        "references",
        "properties",
        "attributes",
        "consent",
        "backfill",
        "source",
    },
)
ABOUT_FIELDS = frozenset({"audience", "partition", "from", "to", "value", "per_second"})
"""Of an event about a thing: whom it concerns, and how many events a second it becomes."""

MOST_PER_SECOND = 1_000
MOST_BYTES_ABOUT = 16 * 1024
"""Of the properties of an event about a thing, as JSON: its broadcast is stored anew with each page."""

CUSTOMER_FIELDS = frozenset({"cairn_id", "user_id", "email", "phone", "external_ids"})


PLACEHOLDER = "placeholder"
NOT_AN_ADDRESS = "not_an_address"
NOT_A_NUMBER = "not_a_number"
"""Reasons why a name of the customer is dropped."""

NO_EMAIL = "not an e-mail address; write it as ada@example.com, without a name, a comment or mailto:"


@dataclass(frozen=True, slots=True)
class Event:
    """Immutable. (`source`, `id`) deduplicates it, however often it is delivered."""

    id: str
    source: str
    type: str
    occurred_at: datetime
    identifiers: tuple[Identifier, ...] = ()
    customer_id: str | None = None
    """Set only by Cairn, where it knows the customer already (a provider's report)."""
    properties: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    consent: tuple[ConsentChange, ...] = ()
    backfill: bool = False
    vouched: frozenset[str] = ALL_FIELDS
    """The fields that the source vouches for (domain/identity/trust). A visitor typed everything else."""
    settable: frozenset[str] = frozenset()
    """The attributes that the source's mapping lists: what a visitor typed may set them, and no others."""
    dropped: Mapping[str, str] = field(default_factory=dict)
    """Fields that were not taken over, each with its reason; the timeline shows them."""
    references: tuple[Reference, ...] = ()
    """What the event is about in its source's words. An event without a name finds its customer by these."""
    about: Mapping[str, Any] | None = None
    """Of an event about a thing: the `audience` whose members it concerns, and perhaps which of them."""
    only_to: Mapping[Channel, str] | None = None
    """Of an event that a journey emits: the only addresses that what it starts may write to."""

    @property
    def key(self) -> str:
        return short_hash(self.source, self.id, length=26)

    def view(self) -> dict[str, Any]:
        """`event` in conditions."""
        return {
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "occurred_at": instant_to_wire(self.occurred_at),
            "properties": self.properties,
        }

    @property
    def about_a_message(self) -> bool:
        """Whether it reports a status of one of our messages, or a reply to one."""
        return self.type.startswith(MESSAGE_EVENTS)

    @property
    def channel(self) -> Channel | None:
        """The channel that the event's properties name; None for anything else."""
        name = self.properties.get("channel")
        return Channel(name) if isinstance(name, str) and name in set(Channel) else None

    def vouches(self, field: str) -> bool:
        """Whether the source vouches for a field: `email`, `attributes.plan`, `consent`, `privacy`."""
        return is_vouched(field, self.vouched)

    @property
    def vouched_identifiers(self) -> tuple[Identifier, ...]:
        """Strongest first."""
        return tuple(name for name in self.identifiers if self.vouches(field_of(name)))

    @property
    def typed_identifiers(self) -> tuple[Identifier, ...]:
        """Strongest first."""
        return tuple(name for name in self.identifiers if not self.vouches(field_of(name)))

    def without(self, dropped: Mapping[str, str]) -> Self:
        """The event that says of these fields that they were dropped, each with its reason."""
        return replace(self, dropped={**self.dropped, **dropped}) if dropped else self

    def without_names(self, dropped: Mapping[str, str]) -> Self:
        """The event without the identifiers that its customer did not get, which `dropped` then names."""
        if not dropped:
            return self
        names = tuple(name for name in self.identifiers if f"customer.{field_of(name)}" not in dropped)
        return replace(self, identifiers=names).without(dropped)

    def with_identifiers(self, identifiers: tuple[Identifier, ...]) -> Self:
        names = strongest_first(identifiers)
        return self if names == self.identifiers else replace(self, identifiers=names)


def event_from_wire(  # noqa: PLR0913  what the sender does not say
    document: Any,
    *,
    source: str,
    received_at: datetime,
    default_id: str | None = None,
    vouched: frozenset[str] = ALL_FIELDS,
    settable: frozenset[str] = frozenset(),
    consent_is_claimed: bool = False,
) -> Event:
    """Read one canonical event, or raise InvalidEventError naming every problem at once.

    A placeholder is dropped beside other names of the customer. So is an invalid e-mail address, unless our own API
    gets it, whose senders can mend it.

    `consent_is_claimed`: the consent is in the sender's own words. Its `source` and `method` are then claims, which are
    kept as evidence; ours are written in their place.

    `occurred_at` defaults to the instant of receipt, and is never later than it: an event cannot have
    happened after it arrived, and a sender's fast clock must not win over later changes.
    """
    if not isinstance(document, Mapping):
        raise InvalidEventError([f"an event is a JSON object, not {_json_type(document)}"])
    reader = _Reader(document, strict=source == TRACK_SOURCE)
    reader.refuse_unknown(document, FIELDS, "")
    event_id = reader.text(document if document.get("id") is not None else {"id": default_id}, "id", required=True)
    event_type = reader.text(document, "type", required=True)
    if event_type and not EVENT_TYPE_SHAPE.fullmatch(event_type):
        reader.problems.append("type: use object.action in lower case, such as trial.signup")
    if event_type in OWN_TYPES and source not in OWN_SOURCES:
        reader.problems.append(f"type: {event_type} is one of Cairn's own events; choose another name")
    occurred_at = min(reader.instant(document, "occurred_at") or received_at, received_at)
    references = reader.references(document)
    about = reader.about(document) if "about" in document else None
    customer = reader.mapping(document, "customer", required=not references and about is None)
    identifiers = reader.identifiers(customer)
    cairn_id = reader.text(customer, "cairn_id", where="customer.")
    if cairn_id and source not in RESERVED_SOURCES:
        reader.problems.append("customer.cairn_id: ids of Cairn's own name nobody here; give the names that you know")
    if not identifiers and not cairn_id and customer:
        reader.problems += no_name_left(reader.dropped)
    backfill = document.get("backfill", False)
    if not isinstance(backfill, bool):
        reader.problems.append("backfill: true or false")
    properties = reader.mapping(document, "properties")
    attributes = reader.mapping(document, "attributes")
    consent = reader.consent(document, occurred_at, source, claimed=consent_is_claimed)
    if about is not None:
        reader.refuse_beside_about(document)
    if reader.problems:
        raise InvalidEventError(reader.problems)
    return Event(
        id=event_id,
        source=source,
        type=event_type,
        occurred_at=occurred_at,
        identifiers=identifiers,
        references=references,
        customer_id=cairn_id or None,
        properties=properties,
        attributes=attributes,
        consent=consent,
        backfill=bool(backfill),
        vouched=vouched,
        settable=settable,
        dropped=reader.dropped,
        about=about,
    )


def no_name_left(dropped: Mapping[str, str]) -> list[str]:
    """The problems of an event that names nobody: each field whose name was dropped."""
    if not dropped:
        return ["customer: give at least one of user_id, email, phone, external_ids"]
    why = {
        PLACEHOLDER: ("a placeholder", "send the customer's own, or another name"),
        NOT_AN_ADDRESS: ("not an e-mail address", "write it as ada@example.com"),
        NOT_A_NUMBER: ("not a phone number", "send a valid one that begins with + and the country's code"),
    }
    problems = []
    for name, reason in dropped.items():
        what, mend = why.get(reason, (reason, "send another name"))
        problems.append(f"customer.{name}: {what}, and nothing else names the customer; {mend}")
    return problems


def event_from_queue(document: Any, *, received_at: datetime) -> Event:
    """Read an event from the events queue, as `event_to_wire` wrote it. Raises as `event_from_wire`, and KeyError."""
    content = dict(document)
    source, dropped = content["source"], content.pop("dropped", {})
    vouched = frozenset(content.pop("vouched", vouched_by_default(source)))
    settable, only_to = frozenset(content.pop("settable", ())), content.pop("only_to", None)
    event = event_from_wire(content, source=source, received_at=received_at, vouched=vouched, settable=settable)
    if only_to is not None:
        event = replace(event, only_to={Channel(channel): address for channel, address in only_to.items()})
    return event.without(dropped)


def event_to_wire(event: Event) -> dict[str, Any]:
    """The inverse of `event_from_queue`."""
    customer: dict[str, Any] = {"cairn_id": event.customer_id} if event.customer_id else {}
    external: dict[str, list[str]] = {}
    for name in event.identifiers:
        if name.kind.startswith(EXTERNAL):
            external.setdefault(name.kind.removeprefix(EXTERNAL), []).append(name.value)
        else:
            customer[name.kind] = name.value
    if external:
        customer["external_ids"] = {system: ids if len(ids) > 1 else ids[0] for system, ids in external.items()}
    return {
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "occurred_at": instant_to_wire(event.occurred_at),
        "customer": customer,
        **({} if event.about is None else {"about": dict(event.about)}),
        **({"references": references_to_wire(event.references)} if event.references else {}),
        "properties": event.properties,
        "attributes": event.attributes,
        "consent": [consent_to_wire(change) for change in event.consent],
        "backfill": event.backfill,
        "vouched": sorted(event.vouched),
        **({"settable": sorted(event.settable)} if event.settable else {}),
        **({"dropped": dict(event.dropped)} if event.dropped else {}),
        **({} if event.only_to is None else {"only_to": {one.value: at for one, at in event.only_to.items()}}),
    }


def references_to_wire(references: Iterable[Reference]) -> dict[str, list[str]]:
    """By kind."""
    found: dict[str, list[str]] = {}
    for one in references:
        found.setdefault(one.kind, []).append(one.value)
    return found


def consent_to_wire(change: ConsentChange) -> dict[str, Any]:
    return {
        **change.evidence,
        "channel": change.channel.value,
        "purpose": change.purpose.value,
        "status": change.status.value,
        "source": change.source,
        "at": instant_to_wire(change.at),
    }


def consent_from_wire(
    document: Mapping[str, Any], *, at: datetime, source: str, claimed: bool = False
) -> ConsentChange:
    """Reads one consent change; all unknown fields become its evidence. Raises ValueError.

    `claimed`: the sender's `source` and `method` become the evidence `claimed_source` and `claimed_method`.
    """
    if claimed:
        claims = {f"claimed_{name}": document[name] for name in ("source", "method") if document.get(name)}
        others = {name: value for name, value in document.items() if name not in {"source", "method"}}
        document = {**others, **claims, "method": Method.API.value}
    known = {"channel", "purpose", "status", "source", "at"}
    return ConsentChange(
        channel=Channel(document.get("channel", "")),
        purpose=Purpose(document.get("purpose", "")),
        status=ConsentStatus(document.get("status", "")),
        at=min(_happened_at(document["at"]), at) if document.get("at") else at,
        source=str(document.get("source") or source),
        evidence={name: value for name, value in document.items() if name not in known},
    )


def _happened_at(value: Any) -> datetime:
    """Raises ValueError, at the ends of the calendar too: nothing has happened there."""
    found = to_instant(value, UTC)
    if found is None or not EARLIEST < found < LATEST:
        raise ValueError("an event happens at an instant that the calendar has")
    return found


class _Reader:
    """Reads fields and collects all problems."""

    def __init__(self, document: Mapping[str, Any], *, strict: bool) -> None:
        self.document = document
        self.strict = strict
        self.problems: list[str] = []
        self.dropped: dict[str, str] = {}

    def refuse_unknown(self, document: Mapping[str, Any], known: frozenset[str], where: str) -> None:
        self.problems += [
            f"{where}{name}: unknown field; known are {', '.join(sorted(known - {'source', 'cairn_id'}))}"
            for name in document
            if name not in known
        ]

    def text(self, document: Mapping[str, Any], name: str, *, where: str = "", required: bool = False) -> str:
        value = document.get(name)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or not value.strip():
            self.problems.append(f"{where}{name}: a text that is not empty")
            return ""
        if len(value) > MAX_ID_LENGTH or LONE_SURROGATE.search(value):
            self.problems.append(f"{where}{name}: at most {MAX_ID_LENGTH} characters, all of them whole")
            return ""
        return value.strip()

    def mapping(self, document: Mapping[str, Any], name: str, *, required: bool = False) -> Mapping[str, Any]:
        value = document.get(name)
        if value is None and not required:
            return {}
        if not isinstance(value, Mapping) or (required and not value):
            self.problems.append(f"{name}: a JSON object{' that is not empty' if required else ''}")
            return {}
        return value

    def about(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """An audience, and perhaps some of its members; a rate."""
        about = self.mapping(document, "about", required=True)
        self.refuse_unknown(about, ABOUT_FIELDS, "about.")
        self.text(about, "audience", where="about.", required=True)
        for name in ("partition", "from", "to", "value"):
            value = about.get(name)
            if isinstance(value, bool) or not isinstance(value, str | int | float | None):
                self.problems.append(f"about.{name}: a text or a number")
        rate = about.get("per_second", 1)
        if isinstance(rate, bool) or not isinstance(rate, int) or not 1 <= rate <= MOST_PER_SECOND:
            self.problems.append(f"about.per_second: a whole number from 1 to {MOST_PER_SECOND}")
        return about

    def refuse_beside_about(self, document: Mapping[str, Any]) -> None:
        """An event about a thing has no part that is about a customer."""
        if not self.strict:
            self.problems.append("about: of our own API only")
        for name in ("customer", "references", "attributes", "consent", "backfill"):
            if document.get(name):
                self.problems.append(f"{name}: of an event of one customer, not beside about")
        size = len(json.dumps(document.get("properties", {}), ensure_ascii=False, default=str).encode(errors="replace"))
        if size > MOST_BYTES_ABOUT:
            self.problems.append(f"properties: at most {MOST_BYTES_ABOUT} bytes beside about: each member gets them")

    def references(self, document: Mapping[str, Any]) -> tuple[Reference, ...]:
        """By kind a text, or a list of texts; the first MAX_IN_EVENT of them."""
        found: list[Reference] = []
        for kind, values in self.mapping(document, "references").items():
            for value in values if isinstance(values, list) else [values]:
                text = self.text({kind: value}, kind, where="references.", required=True)
                found += [Reference(kind, text)] if text else []
        return tuple(dict.fromkeys(found))[:MAX_IN_EVENT]

    def instant(self, document: Mapping[str, Any], name: str) -> datetime | None:
        text = self.text(document, name)
        if not text:
            return None
        try:
            return _happened_at(text)
        except ValueError:
            self.problems.append(f"{name}: an instant in ISO 8601, such as 2026-03-02T09:30:00Z")
            return None

    def identifiers(self, customer: Mapping[str, Any]) -> tuple[Identifier, ...]:
        self.refuse_unknown(customer, CUSTOMER_FIELDS, "customer.")
        found = [
            identifier(kind, value) for kind in (USER_ID, EMAIL, PHONE) if (value := self._identifier(customer, kind))
        ]
        external = customer.get("external_ids", {})
        if not isinstance(external, Mapping):
            self.problems.append("customer.external_ids: a JSON object of system: id")
            external = {}
        found += [
            identifier(EXTERNAL + system, value)
            for system, ids in external.items()
            for one in self._ids(ids)
            if (value := self._name({system: one}, system, "external_ids."))
        ]
        if any(":" in system or LONE_SURROGATE.search(system) for system in external):
            self.problems.append("customer.external_ids: a system's name has no colon, which ends it in an identifier")
        return strongest_first(found)

    def _ids(self, ids: Any) -> list[Any]:
        """A vendor may say that several of its ids are one person; our own API names one."""
        return ids[:MAX_IDS_OF_ONE_SYSTEM] if isinstance(ids, list) and not self.strict else [ids]

    def _identifier(self, customer: Mapping[str, Any], kind: str) -> str:
        value = self._name(customer, kind) if customer.get(kind) is not None else ""
        if not value or kind != EMAIL or canonical_email(value):
            return value
        if self.strict:
            self.problems.append(f"customer.email: {NO_EMAIL}")
            return value
        self.dropped[kind] = NOT_AN_ADDRESS
        return ""

    def _name(self, names: Mapping[str, Any], name: str, where: str = "") -> str:
        """A name of the customer; empty where it is a placeholder."""
        value = self.text(names, name, where=f"customer.{where}", required=True)
        if not value or not is_placeholder(value):
            return value
        self.dropped[where + name] = PLACEHOLDER
        return ""

    def consent(
        self, document: Mapping[str, Any], at: datetime, source: str, *, claimed: bool
    ) -> tuple[ConsentChange, ...]:
        changes = document.get("consent") or []
        if not isinstance(changes, list):
            self.problems.append("consent: a list")
            return ()
        found = []
        for index, change in enumerate(changes):
            try:
                stated = consent_from_wire(change, at=at, source=source, claimed=claimed)
                if stated.status not in STATED:
                    raise ValueError("only Cairn says that a consent is in doubt")  # noqa: TRY301
                found.append(stated)
            except (ValueError, AttributeError, TypeError):
                self.problems.append(
                    f"consent[{index}]: channel (sms, email, whatsapp, push, in_app), "
                    "purpose (transactional, marketing) and status (granted, denied, pending)",
                )
        return tuple(found)


def _json_type(value: Any) -> str:
    return {type(None): "null", str: "a string", list: "a list", bool: "a boolean"}.get(type(value), "a number")
