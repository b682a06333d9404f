"""A line of a timeline in words, for a page."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

DETAILS = ("because", "reason", "arm", "outcome", "status")
"""What a line says of a decision that has no words of its own."""


def words(line: Mapping[str, Any], zone: ZoneInfo) -> str:
    """One sentence, without the customer; its instants are in this zone."""
    match line["kind"]:
        case "event":
            text = f"{line['type']} from {line['source']}"
        case "message":
            state = "" if line["status"] == "sent" else f" ({line['status']})"
            text = f"{line['channel']}{state}: {line.get('subject') or _short(line.get('body', ''))}"
        case "deferred":
            until = f" until {local(line['until'], zone)}" if line.get("until") else ""
            text = f"{line.get('channel', 'message')} waits{until}: {_plain(line['reason'])}"
        case "suppressed":
            text = f"{line.get('channel', 'message')} not sent: {_plain(line['reason'])}"
        case "task":
            outcome = f": {line['outcome']}" if line.get("outcome") else ""
            text = f"task for {line['queue']}: {line['title']}{outcome}"
        case "waiting":
            text = f"waits until {local(line['until'], zone)}"
        case "consent":
            text = f"{line['purpose']} by {line['channel']}: {line['status']}"
        case kind:
            parts = [str(line[name]) for name in DETAILS if line.get(name)]
            text = f"{_plain(kind)}{': ' if parts else ''}{_plain(', '.join(parts))}"
    return text


def local(instant: str, zone: ZoneInfo) -> str:
    at = datetime.fromisoformat(instant).astimezone(zone)
    return f"{at:%a} {at.day} {at:%b}, {at:%H:%M}"


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 90 else f"{flat[:88].rsplit(' ', 1)[0]} …"  # noqa: PLR2004
