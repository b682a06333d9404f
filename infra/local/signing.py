"""Signing samples as their vendor would, for stories, `cairn send` and tests; and the secrets that laptops use."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cairn.adapters.sources import sources
from cairn.domain.errors import UnknownSourceError
from cairn.domain.event import instant_to_wire
from cairn.domain.identity import short_hash

LOCAL_SECRET = "whsec_Y2Fpcm4tbG9jYWwtc2VjcmV0LWZvci10ZXN0cw=="  # noqa: S105  public, and no deployment takes it


def secret_for(source: str, environment: Mapping[str, str]) -> str:
    """`CAIRN_SECRET_<SOURCE>` (upper case, `-` as `_`), else the one that every laptop shares."""
    return environment.get("CAIRN_SECRET_" + source.upper().replace("-", "_"), LOCAL_SECRET)


def local_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    return {source: secret_for(source, environment) for source in sources()}


def path_of(source: str) -> str:
    """Where a source posts to."""
    return "/events" if source == "track" else f"/webhooks/{source}"


def signed_headers(source: str, body: bytes, secret: str, now: datetime) -> dict[str, str]:
    """The headers that the vendor would send with this body. Raises UnknownSourceError."""
    known = sources()
    if source not in known:
        raise UnknownSourceError(f"no source is called {source!r}; known are {', '.join(sorted(known))}")
    headers = known[source].scheme.sign(body, secret, now, _message_id(body))
    return {"content-type": "application/json", **headers}


def just_now(source: str, document: Any, now: datetime) -> Any:
    """The sample as if it had happened now: the instant that its vendor writes into it is the present one."""
    field = getattr(sources().get(source), "mapping", {}).get("occurred_at", "occurred_at")
    if not isinstance(document, dict) or field not in document:
        return document
    seconds = isinstance(document[field], int)
    return document | {field: int(now.timestamp()) if seconds else instant_to_wire(now)}


def _message_id(body: bytes) -> str:
    """The same for the same event, as a vendor's retries have it."""
    document = json.loads(body)
    own = document.get("id") if isinstance(document, dict) else None
    return str(own) if own else "msg_" + short_hash(body.decode())
