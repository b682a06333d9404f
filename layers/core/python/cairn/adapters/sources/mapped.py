"""A vendor as data: a TOML file that names its signature scheme and maps what it sends by JMESPath.

docs/sources.md describes the file.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import parse_qsl, urlsplit

from cairn.adapters.expressions import is_true, pick
from cairn.adapters.sources import fields
from cairn.adapters.sources.bodies import FORMATS, content_of, unpacked
from cairn.adapters.sources.signatures import (
    BodyHmac,
    Covered,
    Scheme,
    StandardWebhooks,
    TimestampedHmac,
)
from cairn.adapters.sources.signed_text import InvalidSourceError
from cairn.adapters.sources.url_signatures import HubSpot, Twilio, UrlBodyHmac
from cairn.application.events.accept_webhook import (
    Answer,
    Fetch,
    Handshake,
    PostHandshake,
    Reading,
    Request,
    fetch_nothing,
)
from cairn.domain.event import Event, event_from_wire
from cairn.domain.shared.errors import CairnError, InvalidEventError, MalformedBodyError, ServiceRefusedError
from cairn.domain.shared.instants import instant_from_wire

if TYPE_CHECKING:
    from cairn.adapters.sources.fetching import Pointer
    from cairn.domain.operations.seen import Seen

_SeenOf = dict[tuple[str, str], "Seen"]
"""By type and reason, what is listed of one request (docs/sources.md#what-reaches-nobody)."""


def _later(module: str, name: str) -> Callable[..., Scheme]:
    """A scheme whose module is imported with the first source that has it: a cold start pays for no other."""
    return lambda **parameters: cast("Scheme", getattr(import_module(module), name)(**parameters))


_KEYS, _TOKENS = "cairn.adapters.sources.public_keys", "cairn.adapters.sources.tokens"

SCHEMES: Mapping[str, Callable[..., Scheme]] = {
    "body-hmac": BodyHmac,
    "basic-auth": _later(_TOKENS, "BasicAuth"),
    "certificate-url": _later(_KEYS, "CertificateUrl"),
    "hubspot-v3": HubSpot,
    "jwks": _later(_KEYS, "KeySet"),
    "pem": _later(_KEYS, "StoredKey"),
    "query-token": _later(_TOKENS, "QueryToken"),
    "standard-webhooks": StandardWebhooks,
    "static-token": _later(_TOKENS, "StaticToken"),
    "timestamped-hmac": TimestampedHmac,
    "twilio": Twilio,
    "url-body-hmac": UrlBodyHmac,
}

MAX_ITEMS = 10_000
"""The parts of one body that are read; Meta, the longest, sends a thousand."""

MAX_RAW = 4_096
"""Bytes, as JSON, of what is kept of an event that no rule is for; the largest fields are left out first."""

FETCHED_WITHIN = timedelta(hours=6)
"""How long after its event what a webhook points to is asked for; then the event comes without. Facebook posts a lead
again for 36 hours, ever more seldom (https://developers.facebook.com/docs/graph-api/webhooks/getting-started), so that
some attempts are left by then."""

SHARED_NAMES = frozenset({"user_id", "email", "phone"})
"""The names of customers that several accounts of a vendor may have."""


@dataclass(frozen=True, slots=True)
class MappedSource:
    name: str
    scheme: Scheme
    mapping: Mapping[str, Any]
    answer: Answer
    handshake: Handshake | None
    post_handshake: PostHandshake | None = None
    pointer: "Pointer | None" = None

    @classmethod
    def made_from(cls, name: str, mapping: Mapping[str, Any]) -> Self:
        """Raises InvalidSourceError for an unknown scheme, parameter of a scheme or format of the body.

        An external id without its account is only taken where `only` says whose accounts may post.
        """
        if mapping.get("body", "json") not in FORMATS:
            raise InvalidSourceError(f"source {name}: body: one of {', '.join(FORMATS)}")
        if not mapping.get("account_in_ids", True) and "only" not in mapping:
            raise InvalidSourceError(f"source {name}: account_in_ids: false needs `only`: whose ids are they?")
        try:
            signature = dict(mapping["signature"])
            scheme = SCHEMES[signature.pop("scheme")](**signature)
            table = mapping.get("handshake", {})
            challenge = _challenge(name, mapping) if "when" in table else None
            handshake = Handshake(table["token"], table["challenge"]) if table and not challenge else None
            answer, pointer = Answer(**mapping.get("answer", {})), _pointer(mapping)
            return cls(name, scheme, mapping, answer, handshake, challenge, pointer)
        except (KeyError, TypeError) as error:
            raise InvalidSourceError(f"source {name}: {error}; schemes are {', '.join(SCHEMES)}") from None

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        self.scheme.verify(request, secrets, now)

    def read(self, request: Request, now: datetime, fetch: Fetch = fetch_nothing) -> Reading:
        """The events of each part of the body. A part that cannot be used does not stop the others."""
        try:
            scopes = list(self.scopes(request))
        except MalformedBodyError as error:
            return Reading(problems=(str(error),))
        events: list[Event] = []
        problems: list[str] = []
        alarms: list[Mapping[str, Any]] = []
        seen: _SeenOf = {}
        only = self.mapping.get("only")
        parts = [(number, scope, self.hints(request, scope)) for number, scope in enumerate(scopes)]
        ours = [(number, scope, hints) for number, scope, hints in parts if only is None or is_true(only, hints)]
        pending = self._fetch(ours, fetch, now, alarms) if self.pointer else frozenset()
        for number, scope, hints in ours:
            if number in pending:
                continue
            listed: _SeenOf = {}
            try:
                made = self._event(scope, hints, now, listed)
            except InvalidEventError as error:
                where = f"[{number}]." if len(scopes) > 1 else ""
                problems += [where + problem for problem in error.problems]
                continue
            events += made
            found = [] if made else self._alarms(scope)
            alarms += found
            for key, one in listed.items() if not found else ():
                seen[key] = replace(one, count=one.count + (seen[key].count if key in seen else 0))
        if not scopes:
            self._list(
                seen, "no_rule", None, {"part": content_of(request.body, form=self.mapping.get("body") == "form")}
            )
        refused = len(scopes) - len(ours)
        return Reading(
            tuple(events),
            ignored=not (events or problems or refused or alarms or pending),
            problems=tuple(problems),
            pending=len(pending),
            refused=refused,
            alarms=tuple(alarms),
            seen=tuple(seen.values()),
        )

    def scopes(self, request: Request) -> Iterator[dict[str, Any]]:
        """The scope of expressions, one for each part of the body that is an event of its own.

        It holds what the vendor has signed, and nothing else. Raises MalformedBodyError.
        """
        covered = self.scheme.covered(request)
        scope = {
            "body": self._body(request, covered),
            "headers": covered.headers,
            "query": _query(request) if self.scheme.signs_url else {},
            "digest": hashlib.sha256(unpacked(covered.content)).hexdigest()[: fields.ID_LENGTH],
        }
        scopes = [scope | {"part": scope["body"]}]
        for name, expression in self.mapping.get("each", {}).items():
            scopes = [part for one in scopes for part in _divided(one, name, pick(expression, one))]
            if len(scopes) > MAX_ITEMS:
                raise MalformedBodyError(f"the body has more than {MAX_ITEMS} parts")
        for one in scopes:
            yield {**one, "account": pick(self.mapping.get("account", "null"), one), "fetched": None}

    def _body(self, request: Request, covered: Covered) -> Any:
        """As the mapping says, whatever the Content-Type. Raises MalformedBodyError."""
        form = self.mapping.get("body") == "form"
        if covered.as_form not in (None, form):
            raise MalformedBodyError(f"the vendor has not signed the body as {'a form' if form else 'JSON'}")
        return content_of(request.body, form=form)

    def hints(self, request: Request, scope: fields.Scope) -> dict[str, Any]:
        """The scope with what nobody has signed, by name. Only `only` and the `hint` of a rule see it."""
        found = {**scope, "unsigned": {"headers": request.headers, "query": _query(request)}}
        for name, expression in self.mapping.get("hints", {}).items():
            found[name] = pick(expression, found)
        return found

    def _fetch(
        self,
        parts: Sequence[tuple[int, dict[str, Any], dict[str, Any]]],
        fetch: Fetch,
        now: datetime,
        alarms: list[Mapping[str, Any]],
    ) -> frozenset[int]:
        """Give each part what it points to, as `fetched`; returns the numbers of those that wait for it.

        What the vendor has not given within FETCHED_WITHIN stays away, and a person is called; where it refuses, at
        once.
        """
        assert self.pointer is not None  # noqa: S101  the caller asks
        pending = set()
        refused: dict[str, int] = {}
        found = self.pointer.fetched([scope for _, scope, _ in parts], fetch, now)
        for (number, scope, hints), one in zip(parts, found, strict=True):
            if not isinstance(one, CairnError):
                scope["fetched"] = hints["fetched"] = one
                continue
            waits = self._is_new(scope, now)
            if waits:
                pending.add(number)
            if isinstance(one, ServiceRefusedError) or not waits:
                refused[str(one)] = refused.get(str(one), 0) + 1
        alarms += [
            {"source": self.name, "reason": f"not fetched: {why}", "parts": parts} for why, parts in refused.items()
        ]
        return frozenset(pending)

    def _is_new(self, scope: fields.Scope, now: datetime) -> bool:
        try:
            occurred_at = instant_from_wire(fields.instant(pick(self.mapping["occurred_at"], scope)) or "")
        except ValueError:
            return False
        return now - occurred_at < FETCHED_WITHIN

    def _alarms(self, scope: fields.Scope) -> list[Mapping[str, Any]]:
        """What the vendor says about our own account: one alarm at most, for a part of the body that is no event."""
        rules = self.mapping.get("alarms", ())
        rule = next((one for one in rules if is_true(one["when"], scope)), None)
        return [] if rule is None else [{"source": self.name, **fields.known_values(rule["about"], scope)}]

    def _event(self, scope: fields.Scope, hints: fields.Scope, now: datetime, seen: _SeenOf) -> list[Event]:
        """Empty where no customer is named, or where the rules make no event of it; `seen` says what is listed."""
        hinted = [one for one in self.mapping.get("events", ()) if is_true(one.get("hint", "`true`"), hints)]
        rule = next((one for one in hinted if is_true(one["when"], scope)), None)
        event_type = self._type(rule, scope)
        misfit = next((one["hint"] for one in hinted if "hint" in one), None) if rule is None else None
        if event_type is None and misfit is None:
            if rule is None:
                self._list(seen, "no_rule", None, scope)
            return []
        properties = self._raw(scope) if rule is None else fields.values(rule.get("properties", {}), scope)
        without_rule, rule = rule is None, rule or {}
        customer = fields.customer({**self.mapping.get("customer", {}), **rule.get("customer", {})}, scope)
        references = fields.references({**self.mapping.get("references", {}), **rule.get("references", {})}, scope)
        if not customer and not references:
            self._list(seen, "no_customer", event_type, scope, without_rule=without_rule)
            return []
        if misfit is not None:
            raise InvalidEventError([f"the body is not what an unsigned part of the request says: {misfit}"])
        if self.mapping.get("account_in_ids", True):
            customer = fields.with_account(customer, scope["account"])
        document = {
            "id": fields.event_id(rule.get("id", self.mapping["id"]), scope),
            "type": event_type,
            "occurred_at": fields.instant(pick(rule.get("occurred_at", self.mapping["occurred_at"]), scope)),
            "customer": customer,
            **({"references": references} if references else {}),
            "properties": properties,
            "attributes": fields.known_values(self.mapping.get("attributes", {}), scope) if rule else {},
            "consent": fields.consent(self._consent(rule), scope),
        }
        document["attributes"] |= fields.known_values(rule.get("attributes", {}), scope)
        try:
            event = event_from_wire(
                document,
                source=self.name,
                received_at=now,
                vouched=self._vouched(rule, scope),
                settable=self._settable(rule),
                consent_is_claimed=isinstance(self._consent(rule), str),
            )
        except OverflowError:
            raise InvalidEventError(["occurred_at: an instant in the years 1 to 9999"]) from None
        if without_rule:
            self._list(seen, "no_rule", event_type, scope)
        return [event]

    def _list(
        self, seen: _SeenOf, because: str, type_: str | None, scope: fields.Scope, *, without_rule: bool = True
    ) -> None:
        from cairn.domain.operations.seen import Seen, SeenBecause, shape_of, vendors_type_of  # noqa: PLC0415  few

        key = type_ or "", because
        named = vendors_type_of(pick(self.mapping.get("other", "null"), scope)) if without_rule and type_ else ""
        seen[key] = Seen(self.name, key[0], SeenBecause(because), shape_of(scope["part"]), named)

    def _raw(self, scope: fields.Scope) -> Mapping[str, Any]:
        """What the vendor sent of an event without a rule, so that a journey can use it at once; bounded."""
        from cairn.domain.profile.bounds import trimmed  # noqa: PLC0415  few requests have no rule

        found = pick(self.mapping.get("data", "part"), scope)
        return trimmed(found if isinstance(found, Mapping) else {"data": found}, MAX_RAW)[0]

    def _consent(self, rule: Mapping[str, Any]) -> Any:
        """The rule's own changes, after those of the whole file."""
        own = rule.get("consent", ())
        return own if isinstance(own, str) or not rule else [*self.mapping.get("consent", ()), *own]

    def _vouched(self, rule: Mapping[str, Any], scope: fields.Scope) -> frozenset[str]:
        """An account that `only` does not name speaks for its own ids, and for no name that others share."""
        found = fields.vouched({**self.mapping.get("vouched", {}), **rule.get("vouched", {})}, scope)
        ours = "only" in self.mapping or scope["account"] is None
        return found if ours else found - SHARED_NAMES

    def _settable(self, rule: Mapping[str, Any]) -> frozenset[str]:
        """The attributes that the mapping lists by name."""
        tables = (self.mapping.get("attributes", {}), rule.get("attributes", {}))
        return frozenset(name for table in tables if isinstance(table, Mapping) for name in table)

    def _type(self, rule: Mapping[str, Any] | None, scope: fields.Scope) -> str | None:
        """The rule's type; without one in our shape, the vendor's own type under this source's name."""
        if rule is None:
            return fields.own_type(self.name, pick(self.mapping.get("other", "null"), scope))
        if "type_from" in rule:
            named = fields.canonical_type(pick(rule["type_from"], scope))
            return named or fields.own_type(self.name, pick(self.mapping.get("other", "null"), scope))
        return rule.get("type")


def _challenge(name: str, mapping: Mapping[str, Any]) -> PostHandshake:
    from cairn.adapters.sources.challenges import Challenge  # noqa: PLC0415  few vendors post one

    return Challenge.made_from(name, mapping["handshake"], mapping.get("body", "json"))


def _pointer(mapping: Mapping[str, Any]) -> "Pointer | None":
    if "fetch" not in mapping:
        return None
    from cairn.adapters.sources.fetching import Pointer  # noqa: PLC0415  few vendors only point to what they have

    return Pointer.made_from(mapping["fetch"])


def _query(request: Request) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))


def _divided(scope: fields.Scope, name: str, value: Any) -> list[dict[str, Any]]:
    """The scope for each item of a list, which is a part of the body then; for anything else the one scope."""
    if isinstance(value, list):
        return [{**scope, name: item, "part": item} for item in value]
    return [{**scope, name: value}]
