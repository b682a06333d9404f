"""Journeys for the tests of the proof."""

from typing import Any

from cairn.adapters.documents.journey import journey_from_document
from cairn.domain.journey.definition import Journey

KEYS = {"journey": "made", "entry": {"event": "a.b"}}


def send(channel: str | list[str] = "sms", purpose: str = "marketing") -> dict[str, Any]:
    return {"send": {"channel": channel, "template": "hello", "purpose": purpose}}


def made(*steps: dict[str, Any], **keys: Any) -> Journey:
    """A journey of these steps, with the ids s0, s1 and so on where they have none."""
    numbered = [{"id": f"s{number}", **step} for number, step in enumerate(steps)]
    return journey_from_document({**KEYS, **keys, "steps": numbered}, "v1")
