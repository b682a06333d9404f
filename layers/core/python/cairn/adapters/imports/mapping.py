"""A mapping of an import: JMESPath per field, as docs/importing.md describes it. Each row becomes one event.

The file is checked where it is written (authoring/imports); here it is trusted.
"""

import json
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from cairn.adapters.expressions import FALSE, TRUE, is_true, pick
from cairn.application.events.canonical_addresses import CanonicalAddresses, Phones
from cairn.domain.consent.changes import STATED, ConsentChange, ConsentStatus, Method
from cairn.domain.consent.suppression import Cause
from cairn.domain.customer.consent_updates import RELEASED, SUPPRESSED
from cairn.domain.customer.state import DUPLICATE_CONFIRMED, IDENTIFIER_DETACHED
from cairn.domain.event import (
    EVENT_TYPE_SHAPE,
    LONE_SURROGATE,
    MAX_ID_LENGTH,
    NOT_A_NUMBER,
    NOT_AN_ADDRESS,
    PLACEHOLDER,
    Event,
)
from cairn.domain.identity.addresses import canonical_address
from cairn.domain.identity.emails import canonical_email
from cairn.domain.identity.identifiers import EMAIL, EXTERNAL, PHONE, USER_ID, Identifier, identifier, strongest_first
from cairn.domain.identity.placeholders import is_placeholder
from cairn.domain.identity.trust import ALL_FIELDS, FIELDS, IMPORTS_SOURCE
from cairn.domain.imports.dates import instant_in
from cairn.domain.imports.rows import Import, Kind, Reason, Row, RowRefusedError
from cairn.domain.privacy.requests import RECORD_ERASURE_REQUESTED, REQUESTS
from cairn.domain.profile.attributes import COUNTRY, TIME_ZONE
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import InvalidEventError
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_to_wire

CUSTOMER_IMPORTED = f"{IMPORTS_SOURCE}.customer"
CONSENT_IMPORTED = f"{IMPORTS_SOURCE}.consent"
"""They begin with their source, so they count as no activity of the customer (domain/profile)."""

NOT_IMPORTED = frozenset(
    {*(*REQUESTS, RECORD_ERASURE_REQUESTED, SUPPRESSED, RELEASED, IDENTIFIER_DETACHED, DUPLICATE_CONFIRMED)}
)
"""Types that order something. A file of history orders nothing."""

STATUSES = ("denied", "granted", "pending")
"""The statuses of a consent; where several are true, the first counts."""

PROOF = frozenset({"wording", "wording_version", "url", "ip", "actor", "form", "confirmed_ip", "confirmed_at"})
"""Evidence that says how a customer consented. The method alone does not."""

TYPES = frozenset({"text", "number", "boolean", "date", "instant", "list", "json"})

DROPPED = {PLACEHOLDER: Reason.PLACEHOLDER, NOT_A_NUMBER: Reason.PHONE, NOT_AN_ADDRESS: Reason.EMAIL}
"""The reason for what an ordinary event would drop: an operator can mend the row."""

EVERY = "*"
"""In a table of attributes or properties: all that an object has."""

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
COUNTRY_CODE = re.compile("[A-Za-z]{2}")
ID_LENGTH = 26


@dataclass(frozen=True)
class RowMapping:
    """A mapping and the import that uses it."""

    document: Mapping[str, Any]
    of: Import
    read_phone: Phones
    placeholders: Collection[str] = ()
    checks_phones: bool = True
    """Whether a number that is none refuses its row. False where the deployment's country is not known."""
    zone: tzinfo = field(default=UTC)

    def event_of(self, row: Row) -> Event:
        """The canonical event of a row. Raises RowRefusedError."""
        scope = {"row": row.fields, "set": self.document.get("set", {}), "as_of": instant_to_wire(self.of.as_of)}
        event = self._event(scope, row)
        return self._with_addresses(event)

    def _event(self, scope: Mapping[str, Any], row: Row) -> Event:
        kind = self.of.kind
        if kind is Kind.SUPPRESSIONS:
            return self._suppression(scope, row)
        at = self._instant(self.document.get("at"), scope, "at") or self.of.as_of
        names = self._names(scope)
        properties: Mapping[str, Any] = {"import": self.of.name, "line": row.line}
        type_ = CUSTOMER_IMPORTED if kind is Kind.CUSTOMERS else CONSENT_IMPORTED
        attributes = self._attributes(scope) if kind is not Kind.CONSENTS else {}
        consent = tuple(self._consent(scope, at))
        if kind is Kind.CONSENTS and not consent:
            raise RowRefusedError(Reason.STATUS, "consent", "the row states none")
        if kind is Kind.EVENTS:
            type_, properties = self._type(scope), {**self._properties(scope), **properties}
        return Event(
            id=self._id(scope, row, names),
            source=IMPORTS_SOURCE,
            type=type_,
            occurred_at=at,
            identifiers=names,
            properties=properties,
            attributes=attributes,
            consent=consent,
            backfill=True,
            vouched=self._vouched(scope),
        )

    def _id(self, scope: Mapping[str, Any], row: Row, names: tuple[Identifier, ...]) -> str:
        """By the import's name, and the row's own id, its customer or its content: never by its position in the file.

        In an import of customers, two rows about one customer have one id, so that the second one is found.
        """
        own = pick(self.document["id"], scope) if "id" in self.document else None
        if own is not None and (self.of.kind is not Kind.CUSTOMERS or self.document.get("rows_add_up")):
            content = str(own)
        elif self.of.kind is Kind.CUSTOMERS and not self.document.get("rows_add_up"):
            content = names[0].key
        else:
            content = json.dumps(row.fields, sort_keys=True, default=str)
        return short_hash(self.of.name, self.of.kind.value, content, length=ID_LENGTH)

    def _names(self, scope: Mapping[str, Any]) -> tuple[Identifier, ...]:
        found = [name for field_, text in self._named(scope) if (name := _name(field_, text, self.placeholders))]
        if not found:
            raise RowRefusedError(Reason.NO_NAME, "customer", "the row names nobody")
        return strongest_first(found)

    def _named(self, scope: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Each name with its field. Several of a field are one person's, as the operator says."""
        for field_, expression in self.document.get("customer", {}).items():
            value = pick(expression, scope)
            if field_ == "external_ids" and isinstance(value, Mapping):
                named = [(f"external_ids.{system}", one) for system, one in value.items()]
            else:
                named = [(field_, value)]
            yield from ((name, text) for name, one in named for text in _texts(one))

    def _vouched(self, scope: Mapping[str, Any]) -> frozenset[str]:
        """What the import vouches for: everything, what the mapping names, or all but what a visitor has typed."""
        typed = _texts(pick(self.document["typed"], scope)) if "typed" in self.document else []
        if not typed:
            return frozenset(self.document.get("vouched", ALL_FIELDS))
        named = {field_ for field_, _ in self._named(scope)}
        return frozenset((FIELDS | named) - {"external_ids", *typed})

    def _attributes(self, scope: Mapping[str, Any]) -> dict[str, Any]:
        return dict(self._typed(self.document.get("attributes", {}), scope, "attributes"))

    def _properties(self, scope: Mapping[str, Any]) -> dict[str, Any]:
        return dict(self._typed(self.document.get("properties", {}), scope, "properties"))

    def _typed(self, table: Mapping[str, str], scope: Mapping[str, Any], where: str) -> Iterator[tuple[str, Any]]:
        """The values that are there, each of the type that `[types]` or the name itself says (`age:number`)."""
        for written, value in _values(table, scope):
            if value is None or (isinstance(value, str) and not value.strip()):
                continue
            name, _, own = written.rpartition(":")
            name, own = (name, own) if name and own in TYPES else (written, self.types.get(written, ""))
            yield name, self._value(value, own, f"{where}.{name}", name)

    @cached_property
    def types(self) -> Mapping[str, str]:
        return dict(self.document.get("types", {}))

    def _value(self, value: Any, kind: str, where: str, name: str) -> Any:
        if kind in {"date", "instant"}:
            found = instant_in(value, where, day_first=self.of.day_first, zone=self.zone)
            assert found is not None  # noqa: S101  an empty value is left out before
            return found.astimezone(self.zone).date().isoformat() if kind == "date" else instant_to_wire(found)
        value = _as(kind, value, where)
        if name == COUNTRY:
            return _country(value, where)
        if name == TIME_ZONE:
            return _time_zone(value, where)
        return value

    def _instant(self, expression: str | None, scope: Mapping[str, Any], where: str) -> datetime | None:
        value = None if expression is None else pick(expression, scope)
        return instant_in(value, where, day_first=self.of.day_first, zone=self.zone)

    def _type(self, scope: Mapping[str, Any]) -> str:
        found = pick(self.document["type"], scope)
        if not isinstance(found, str) or not EVENT_TYPE_SHAPE.fullmatch(found) or found in NOT_IMPORTED:
            raise RowRefusedError(Reason.EVENT_TYPE, "type", "not a type that an import may have")
        return found

    def _consent(self, scope: Mapping[str, Any], at: datetime) -> Iterator[ConsentChange]:
        for number, one in enumerate(self.document.get("consent", ())):
            where = f"consent[{number}]"
            status = _status(one, scope, where)
            if status is None:
                continue
            when = self._instant(one.get("at"), scope, f"{where}.at")
            source = _text(pick(one["source"], scope)) if "source" in one else ""
            evidence = _evidence(one.get("evidence", {}), scope, where)
            if status is ConsentStatus.GRANTED:
                _check_proof(when, source, evidence, where)
            yield ConsentChange(
                channel=_channel(one, scope, where),
                purpose=_purpose(one, scope, where),
                status=status,
                at=when or at,
                source=source or IMPORTS_SOURCE,
                evidence={**evidence, "import": self.of.name},
            )

    def _suppression(self, scope: Mapping[str, Any], row: Row) -> Event:
        """Its properties have either the address or the key; the use case takes the address out again."""
        table = self.document["suppression"]
        cause = _text(pick(table["cause"], scope)).lower()
        if cause not in set(Cause):
            raise RowRefusedError(Reason.CAUSE, "suppression.cause", "not a cause")
        at = self._instant(table.get("at", self.document.get("at")), scope, "suppression.at") or self.of.as_of
        purpose = _text(pick(table["purpose"], scope)).lower() if "purpose" in table else ""
        if purpose not in {"", *Purpose}:
            raise RowRefusedError(Reason.PURPOSE, "suppression.purpose", "not a purpose")
        where = self._suppressed(table, scope)
        properties = {**where, "cause": cause, **({"purpose": purpose} if purpose else {})}
        return Event(
            id=self._id(scope, row, ()),
            source=IMPORTS_SOURCE,
            type=SUPPRESSED,
            occurred_at=at,
            properties={**properties, "import": self.of.name, "line": row.line},
            backfill=True,
        )

    def _suppressed(self, table: Mapping[str, str], scope: Mapping[str, Any]) -> dict[str, str]:
        if key := _text(pick(table["key"], scope)) if "key" in table else "":
            return {"key": key}
        channel = _text(pick(table["channel"], scope)).lower() if "channel" in table else ""
        written = _text(pick(table["address"], scope)) if "address" in table else ""
        if channel not in set(Channel):
            raise RowRefusedError(Reason.CHANNEL, "suppression.channel", "not a channel")
        address = canonical_address(
            Channel(channel), self._read(written) if channel in {"sms", "whatsapp"} else written
        )
        if not address:
            raise RowRefusedError(Reason.ADDRESS, "suppression.address", "not an address of its channel")
        return {"channel": channel, "address": address}

    def _read(self, number: str) -> str:
        return self.read_phone(number) or ("" if self.checks_phones else number)

    def _with_addresses(self, event: Event) -> Event:
        """The event with addresses in canonical form. Raises RowRefusedError where one is none."""
        try:
            found = CanonicalAddresses(self.read_phone, self.placeholders).of(event)
        except InvalidEventError:
            found = event.without(dict.fromkeys((f"customer.{one.kind}" for one in event.identifiers), NOT_A_NUMBER))
        for where, why in found.dropped.items():
            if why == NOT_A_NUMBER and not self.checks_phones:
                return event
            named = where if where.startswith(("attributes.", "customer.")) else f"customer.{where}"
            raise RowRefusedError(DROPPED.get(why, Reason.NAME), named, why)
        return found


def _values(table: Mapping[str, str], scope: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The value of each name; `*` stands for all names of an object, before those that are written."""
    every = pick(table[EVERY], scope) if EVERY in table else None
    if isinstance(every, Mapping):
        yield from ((str(name), value) for name, value in every.items())
    for name, expression in table.items():
        if name != EVERY:
            yield name, pick(expression, scope)


def _name(field_: str, text: str, placeholders: Collection[str]) -> Identifier:
    where = f"customer.{field_}"
    kind = EXTERNAL + field_.removeprefix("external_ids.") if field_.startswith("external_ids.") else field_
    if len(text) > MAX_ID_LENGTH or LONE_SURROGATE.search(text) or ":" in kind.removeprefix(EXTERNAL):
        raise RowRefusedError(Reason.NAME, where, "too long, or the name of its system has a colon")
    if is_placeholder(text, placeholders):
        raise RowRefusedError(Reason.PLACEHOLDER, where, "stands for no value")
    if kind == EMAIL and not canonical_email(text):
        raise RowRefusedError(Reason.EMAIL, where, "not an e-mail address")
    assert kind in {USER_ID, EMAIL, PHONE} or kind.startswith(EXTERNAL)  # noqa: S101  the mapping is checked
    return identifier(kind, text)


def _text(value: Any) -> str:
    """A name, an id or a word as text; long numbers digit by digit. Anything else is empty."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).strip()


def _texts(value: Any) -> list[str]:
    """The texts of a list, also of one that a column has as JSON; of anything else the one that it is."""
    if isinstance(value, str) and value.lstrip().startswith('["'):
        try:
            value = json.loads(value)
        except ValueError:
            return [value.strip()]
    return [text for one in (value if isinstance(value, list) else [value]) if (text := _text(one))]


def _as(kind: str, value: Any, where: str) -> Any:
    """The value as one of TYPES; as it is where no type is named."""
    if kind in CONVERSIONS:
        return CONVERSIONS[kind](value, where)
    return value.strip() if isinstance(value, str) else value


def _boolean(value: Any, where: str) -> bool:
    text = str(value).strip().lower()
    if text not in TRUE | FALSE:
        raise RowRefusedError(Reason.BOOLEAN, where, "neither true nor false")
    return text in TRUE


def _list(value: Any, where: str) -> list[Any]:
    """Of JSON, or of texts between commas."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        found = _json(value, where)
        return found if isinstance(found, list) else [found]
    parts = value if isinstance(value, list) else str(value).split(",")
    return [one for part in parts if (one := str(part).strip(' "'))]


def _json(value: Any, where: str) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        raise RowRefusedError(Reason.JSON, where, "not JSON") from None


def _number(value: Any, where: str) -> int | float:
    text = str(value).strip()
    if isinstance(value, bool) or not NUMBER.fullmatch(text):
        raise RowRefusedError(Reason.NUMBER, where, "not a number")
    found = float(text)
    if not math.isfinite(found):
        raise RowRefusedError(Reason.NUMBER, where, "not a number of a usual size")
    return int(text) if re.fullmatch(r"[+-]?\d+", text, re.ASCII) else found


CONVERSIONS: Mapping[str, Callable[[Any, str], Any]] = {
    "boolean": _boolean,
    "json": _json,
    "list": _list,
    "number": _number,
    "text": lambda value, _: str(value).strip(),
}


def _country(value: Any, where: str) -> str:
    if not isinstance(value, str) or not COUNTRY_CODE.fullmatch(value):
        raise RowRefusedError(Reason.COUNTRY, where, "not the code of a country")
    return value.upper()


def _time_zone(value: Any, where: str) -> str:
    try:
        return ZoneInfo(value).key
    except (ValueError, OSError, KeyError, TypeError):
        raise RowRefusedError(Reason.TIME_ZONE, where, "not a time zone") from None


def _status(one: Mapping[str, Any], scope: Mapping[str, Any], where: str) -> ConsentStatus | None:
    if "status_from" not in one:
        found = next((status for status in STATUSES if status in one and is_true(one[status], scope)), None)
        return None if found is None else ConsentStatus(found)
    status = _text(pick(one["status_from"], scope)).lower()
    if status not in STATED:
        raise RowRefusedError(Reason.STATUS, f"{where}.status", "not a status")
    return ConsentStatus(status)


def _channel(one: Mapping[str, Any], scope: Mapping[str, Any], where: str) -> Channel:
    """As written in the mapping, or by an expression that the row answers."""
    found = one.get("channel") or _text(pick(one["channel_from"], scope)).lower()
    if found not in set(Channel):
        raise RowRefusedError(Reason.CHANNEL, f"{where}.channel", "not a channel")
    return Channel(found)


def _purpose(one: Mapping[str, Any], scope: Mapping[str, Any], where: str) -> Purpose:
    found = one.get("purpose") or _text(pick(one["purpose_from"], scope)).lower()
    if found not in set(Purpose):
        raise RowRefusedError(Reason.PURPOSE, f"{where}.purpose", "not a purpose")
    return Purpose(found)


def _evidence(table: str | Mapping[str, str], scope: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The evidence that is there. How the customer consented (`method`) is import, unless the row says better."""
    found: dict[str, Any] = {}
    for name, expression in ({"evidence": table} if isinstance(table, str) else table).items():
        value = pick(expression, scope)
        if name == "evidence":
            more = _json(value, f"{where}.evidence") if value else {}
            if not isinstance(more, Mapping):
                raise RowRefusedError(Reason.JSON, f"{where}.evidence", "not a JSON object")
            found |= more
        elif value is not None and value != "":
            found[name] = value
    method = found.setdefault("method", Method.IMPORT.value)
    if method not in set(Method):
        raise RowRefusedError(Reason.METHOD, f"{where}.method", "not a method")
    return found


def _check_proof(at: datetime | None, source: str, evidence: Mapping[str, Any], where: str) -> None:
    lacks = [
        name for name, there in (("at", at), ("source", source), ("wording", PROOF & evidence.keys())) if not there
    ]
    if lacks:
        raise RowRefusedError(Reason.PROOF, f"{where}.{lacks[0]}", f"granted without {', '.join(lacks)}")


def with_key(event: Event, key: str) -> Event:
    """The suppression of an address as it is stored: by its key, without the address."""
    properties = {name: value for name, value in event.properties.items() if name != "address"}
    return replace(event, properties={**properties, "key": key})
