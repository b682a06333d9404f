"""A vendor as data: a TOML file that names its signature scheme and maps its payload by JMESPath."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import jmespath

from cairn.adapters.sources.signatures import Scheme, StandardWebhooks, TimestampedHmac
from cairn.application.accept_webhook import Request
from cairn.domain.errors import MalformedBodyError
from cairn.domain.event import Event, event_from_wire, instant_to_wire

SCHEMES = {"standard-webhooks": StandardWebhooks, "timestamped-hmac": TimestampedHmac}


@dataclass(frozen=True, slots=True)
class MappedSource:
    """`mapping` is the file's content; docs/sources.md describes it."""

    name: str
    scheme: Scheme
    mapping: Mapping[str, Any]

    @classmethod
    def load(cls, path: Path) -> "MappedSource":
        mapping = tomllib.loads(path.read_text(encoding="utf-8"))
        signature = dict(mapping["signature"])
        return cls(mapping["source"], SCHEMES[signature.pop("scheme")](**signature), mapping)

    def verify(self, request: Request, secrets: Sequence[str], now: datetime) -> None:
        self.scheme.verify(request.headers, request.body, secrets, now)

    def read(self, request: Request, now: datetime) -> list[Event]:
        """The payload's event; none where it is of a type that the mapping does not name or names no customer."""
        try:
            payload = json.loads(request.body)
        except ValueError:
            raise MalformedBodyError("the body is not JSON") from None
        rule = next((one for one in self.mapping["events"] if _pick(one["when"], payload)), None)
        if rule is None:
            return []
        document = {
            "id": str(_pick(self.mapping["id"], payload) or ""),
            "type": rule["type"],
            "occurred_at": _instant(_pick(self.mapping["occurred_at"], payload)),
            "customer": _customer({**self.mapping["customer"], **rule.get("customer", {})}, payload),
            "properties": {name: _pick(expression, payload) for name, expression in rule.get("properties", {}).items()},
            "attributes": _fields({**self.mapping.get("attributes", {}), **rule.get("attributes", {})}, payload),
        }
        return [event_from_wire(document, source=self.name, received_at=now)]


def _customer(fields: Mapping[str, str], payload: Any) -> dict[str, Any]:
    found = _fields(fields, payload)
    external = {name.partition(".")[2]: str(value) for name, value in found.items() if name.startswith("external_ids.")}
    customer: dict[str, Any] = {name: str(value) for name, value in found.items() if "." not in name}
    return customer | ({"external_ids": external} if external else {})


def _fields(fields: Mapping[str, str], payload: Any) -> dict[str, Any]:
    picked = {name: _pick(expression, payload) for name, expression in fields.items()}
    return {name: value for name, value in picked.items() if value is not None}


def _instant(value: Any) -> str | None:
    """Vendors write seconds since 1970, or ISO 8601."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return instant_to_wire(datetime.fromtimestamp(value, UTC))
    return value if isinstance(value, str) else None


def _pick(expression: str, payload: Any) -> Any:
    return _compiled(expression).search(payload)


@lru_cache(maxsize=1024)
def _compiled(expression: str) -> Any:
    return jmespath.compile(expression)
