"""The user who is signed in: a signed cookie, so that nothing is stored and no script of a page reads it."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from itsdangerous import BadData, Signer
from itsdangerous.encoding import base64_decode, base64_encode

from cairn.adapters.pages.links import signing_secrets
from cairn.application.ports import Secrets
from cairn.domain.operations.actor import Actor
from cairn.domain.operations.roles import Role

SESSION = timedelta(hours=8)
"""A working day. A role that is taken away ends with it."""

MAX_COOKIE = 4096
"""Bytes of a cookie that every browser takes (RFC 6265, 6.1)."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Session:
    actor: Actor
    roles: frozenset[Role]
    until: datetime


class SignedCookies:
    """Makes and reads values that only we can make; each kind has its own signature."""

    def __init__(self, secrets: Callable[[], Secrets]) -> None:
        self._secrets = secrets

    def sign(self, kind: str, document: Json, until: datetime) -> str:
        dated = document | {"until": int(until.timestamp())}
        return self._signer(kind).sign(base64_encode(json.dumps(dated, separators=(",", ":")))).decode()

    def read(self, kind: str, value: str, now: datetime) -> Json | None:
        """The document, or None where the value is not ours, or too old."""
        if not value or len(value) > MAX_COOKIE:
            return None
        try:
            document: Json = json.loads(base64_decode(self._signer(kind).unsign(value)))
        except (BadData, ValueError):
            return None
        return document if now.timestamp() < document["until"] else None

    def _signer(self, kind: str) -> Signer:
        return Signer(
            signing_secrets(self._secrets()), salt=f"cairn.console.{kind}", key_derivation="hmac", digest_method=sha256
        )


def session_document(session: Session) -> Json:
    return {"name": str(session.actor), "who": dict(session.actor.identity), "roles": sorted(session.roles)}


def session_of(document: Json) -> Session:
    known = {role.value for role in Role}
    return Session(
        actor=Actor(document["name"], document["who"]),
        roles=frozenset(Role(one) for one in document["roles"] if one in known),
        until=datetime.fromtimestamp(document["until"], UTC),
    )
