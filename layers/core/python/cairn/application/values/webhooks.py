"""What a webhook endpoint answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """The response of an endpoint."""

    status: int
    """HTTP status."""
    retry_after: str = ""
    """The header as received."""
    body: bytes = b""
    """As much of it as was asked for."""
