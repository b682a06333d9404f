"""A vendor as data: a TOML file that names its signature scheme and maps what it sends by JMESPath.

docs/sources.md describes the file.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from cairn.adapters.sources import fields
from cairn.adapters.sources.bodies import form_of, is_form, json_of
from cairn.adapters.sources.expressions import is_true, pick
from cairn.adapters.sources.signatures import (
    BodyHmac,
    InvalidSourceError,
    Scheme,
    StandardWebhooks,
    TimestampedHmac,
)
from cairn.adapters.sources.url_signatures import HubSpot, Twilio
from cairn.application.events.accept_webhook import Answer, Handshake, Reading, Request
from cairn.domain.event import Event, event_from_wire
from cairn.domain.shared.errors import InvalidEventError, MalformedBodyError

SCHEMES: Mapping[str, Callable[..., Scheme]] = {
    "body-hmac": BodyHmac,
    "hubspot-v3": HubSpot,
    "standard-webhooks": StandardWebhooks,
    "timestamped-hmac": TimestampedHmac,
    "twilio": Twilio,
}

MAX_ITEMS = 10_000
"""The parts of one body that are read; Meta, the longest, sends a thousand."""


@dataclass(frozen=True, slots=True)
class MappedSource:
    name: str
    scheme: Scheme
    mapping: Mapping[str, Any]
    answer: Answer
    handshake: Handshake | None

    @classmethod
    def made_from(cls, name: str, mapping: Mapping[str, Any]) -> Self:
        """Raises InvalidSourceError for an unknown scheme, or an unknown parameter of a scheme."""
        try:
            signature = dict(mapping["signature"])
            scheme = SCHEMES[signature.pop("scheme")](**signature)
            handshake = Handshake(**mapping["handshake"]) if "handshake" in mapping else None
            return cls(name, scheme, mapping, Answer(**mapping.get("answer", {})), handshake)
        except (KeyError, TypeError) as error:
            raise InvalidSourceError(f"source {name}: {error}; schemes are {', '.join(SCHEMES)}") from None

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        self.scheme.verify(request, secrets, now)

    def read(self, request: Request, now: datetime) -> Reading:
        """The events of each part of the body. A part that cannot be used does not stop the others."""
        try:
            scopes = list(self._scopes(request))
        except MalformedBodyError as error:
            return Reading(problems=(str(error),))
        events: list[Event] = []
        problems: list[str] = []
        for number, scope in enumerate(scopes):
            try:
                events += self._event(scope, now)
            except InvalidEventError as error:
                where = f"[{number}]." if len(scopes) > 1 else ""
                problems += [where + problem for problem in error.problems]
        return Reading(tuple(events), ignored=not events and not problems, problems=tuple(problems))

    def _scopes(self, request: Request) -> Iterator[dict[str, Any]]:
        """The scope of expressions, one for each part of the body that is an event of its own."""
        body: Any = json_of(request.body) if not is_form(request.headers) else _flat(form_of(request.body))
        scope = {
            "body": body,
            "headers": request.headers,
            "query": dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True)),
            "digest": hashlib.sha256(request.body).hexdigest()[: fields.ID_LENGTH],
        }
        scopes = [scope]
        for name, expression in self.mapping.get("each", {}).items():
            scopes = [{**one, name: part} for one in scopes for part in _parts(pick(expression, one))]
            if len(scopes) > MAX_ITEMS:
                raise MalformedBodyError(f"the body has more than {MAX_ITEMS} parts")
        yield from scopes

    def _event(self, scope: fields.Scope, now: datetime) -> list[Event]:
        """Empty where no customer is named, or where the rules make no event of it."""
        rule = next((one for one in self.mapping.get("events", ()) if is_true(one["when"], scope)), None)
        event_type = self._type(rule, scope)
        if event_type is None:
            return []
        rule = rule or {}
        customer = fields.customer({**self.mapping.get("customer", {}), **rule.get("customer", {})}, scope)
        if not customer:
            return []
        document = {
            "id": fields.event_id(rule.get("id", self.mapping["id"]), scope),
            "type": event_type,
            "occurred_at": fields.instant(pick(rule.get("occurred_at", self.mapping["occurred_at"]), scope)),
            "customer": customer,
            "properties": fields.values(rule.get("properties", {}), scope),
            "attributes": fields.known_values(self.mapping.get("attributes", {}), scope) if rule else {},
            "consent": fields.consent(self._consent(rule), scope),
        }
        document["attributes"] |= fields.known_values(rule.get("attributes", {}), scope)
        try:
            event = event_from_wire(
                document,
                source=self.name,
                received_at=now,
                vouched=fields.vouched({**self.mapping.get("vouched", {}), **rule.get("vouched", {})}, scope),
                settable=self._settable(rule),
                consent_is_claimed=isinstance(self._consent(rule), str),
            )
        except OverflowError:
            raise InvalidEventError(["occurred_at: an instant in the years 1 to 9999"]) from None
        return [event]

    def _consent(self, rule: Mapping[str, Any]) -> Any:
        """The rule's own changes, after those of the whole file."""
        own = rule.get("consent", ())
        return own if isinstance(own, str) or not rule else [*self.mapping.get("consent", ()), *own]

    def _settable(self, rule: Mapping[str, Any]) -> frozenset[str]:
        """The attributes that the mapping lists by name."""
        tables = (self.mapping.get("attributes", {}), rule.get("attributes", {}))
        return frozenset(name for table in tables if isinstance(table, Mapping) for name in table)

    def _type(self, rule: Mapping[str, Any] | None, scope: fields.Scope) -> str | None:
        """The rule's type; without a rule, the vendor's own type under this source's name."""
        if rule is None:
            return fields.own_type(self.name, pick(self.mapping.get("other", "null"), scope))
        if "type_from" in rule:
            return fields.canonical_type(pick(rule["type_from"], scope))
        return rule.get("type")


def _parts(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _flat(form: Mapping[str, list[str]]) -> dict[str, Any]:
    return {name: several[0] if len(several) == 1 else several for name, several in form.items()}
