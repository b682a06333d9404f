"""What a customer and the business have said to each other, over all channels, from the customer's timeline."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cairn.domain.consent.keywords import EVENT_TYPES
from cairn.domain.event import REPLIED
from cairn.domain.shared.channels import Channel

SAID_BY_THE_CUSTOMER = frozenset({REPLIED, *EVENT_TYPES.values(), "message.reacted"})
OUTCOMES = frozenset({"message", "deferred", "suppressed", "failed", "undecided"})
"""The kinds of the timeline's lines about an outbound message."""

DEFERRED, RECEIVED = "deferred", "received"


@dataclass(frozen=True, slots=True)
class Utterance:
    id: str
    """Of an inbound text the event's id, of an outbound one the message's."""
    at: str
    """ISO 8601: when the customer wrote, or what became of the message."""
    inbound: bool
    channel: str
    text: str
    """Without the personal links of an outbound text. Empty where none went out, or it shows no text: a picture."""
    status: str
    """`received`, or of a keyword or an emoji `stopped`, `reacted` …; of an outbound text what became of it."""
    subject: str = ""
    by: str = ""
    """The writer: an operator, or `step of journey`; empty for the customer."""
    intent: str = ""
    reason: str = ""
    """Why an outbound text did not go out, or waits."""


@dataclass(frozen=True, slots=True)
class WrittenAnswer:
    """What an operator has written."""

    text: str
    channel: Channel | None = None
    """None: that on which the customer wrote last."""
    subject: str = ""
    """Of an e-mail or a push notification."""
    read: str = ""
    """The id of the customer's last text that the operator has read; empty: not said."""
    key: str = ""
    """The same key is the same answer. Empty: the same text to the same last text of the customer."""


def thread(entries: Iterable[Mapping[str, Any]]) -> tuple[Utterance, ...]:
    """The lines in order of time; of each message the last thing that became of it."""
    lines: dict[str, Utterance] = {}
    for entry in entries:
        line = _inbound(entry) if entry["kind"] == "event" else _outbound(entry) if entry["kind"] in OUTCOMES else None
        if line is not None:
            lines.pop(line.id, None)
            lines[line.id] = line
    return tuple(sorted(lines.values(), key=lambda line: line.at))


def replies_in(lines: Iterable[Utterance]) -> dict[str, Utterance]:
    """What the customer has written, by id, the last one last; without keywords and emoji, which nobody answers."""
    return {line.id: line for line in lines if line.inbound and line.status == RECEIVED}


def last_reply(lines: Iterable[Utterance]) -> Utterance | None:
    return next(reversed(replies_in(lines).values()), None)


def _inbound(entry: Mapping[str, Any]) -> Utterance | None:
    if entry.get("type") not in SAID_BY_THE_CUSTOMER:
        return None
    said: Mapping[str, Any] = entry.get("properties") or {}
    text, media = str(said.get("text") or ""), said.get("kind")
    return Utterance(
        id=str(entry["id"]),
        at=entry["at"],
        inbound=True,
        channel=str(said.get("channel") or ""),
        text=text or (f"[{media}]" if media else ""),
        status=RECEIVED if entry["type"] == REPLIED else str(entry["type"]).removeprefix("message."),
        intent=str(said.get("intent") or ""),
    )


def _outbound(entry: Mapping[str, Any]) -> Utterance:
    sent = entry["kind"] == "message"
    status = DEFERRED if entry["kind"] == "deferred" else str(entry.get("status") or entry["kind"])
    step, journey = entry.get("step"), entry.get("journey")
    channels = entry.get("channels") or [""]
    return Utterance(
        id=str(entry["message_id"]),
        at=entry["at"],
        inbound=False,
        channel=str(entry.get("channel") or channels[0]),
        text=str(entry.get("body") or ""),
        status=status,
        subject=str(entry.get("subject") or ""),
        by=str(entry.get("written_by") or (f"{step} of {journey}" if step else "")),
        reason="" if sent else str(entry.get("reason") or ""),
    )
