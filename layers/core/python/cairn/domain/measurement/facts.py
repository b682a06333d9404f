"""The facts of the log: one line for each thing that was decided or happened, from which everything is counted.

A line has ids and words of Cairn's own, and nothing that a person wrote or is called: no name, no address, no text.
It may come more than once. Its `id` is the same each time, so it is ids that are counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any


class Stored(StrEnum):
    """How long a fact is stored. The two kinds lie under prefixes of their own, which end at different ages."""

    LONG = "long"
    SHORT = "short"


@dataclass(frozen=True, slots=True)
class LoggedFact:
    """One line of the log: every column, in the order of docs/data.md. What does not apply is empty, and left out."""

    id: str
    """The same however often the line comes."""
    at_ms: int
    """When it happened, in milliseconds since 1970, UTC."""
    kind: str
    """One of KINDS."""
    customer: str = ""
    """The canonical id: a keyed hash. After an erasure nothing in the table has it."""
    journey: str = ""
    """Its name."""
    version: str = ""
    """The hash of the journey's content."""
    enrollment: str = ""
    """The id of the customer's enrollment."""
    step: str = ""
    """The id of the step; of an end, where that was; of a stage, its pipeline."""
    arm: str = ""
    """Of a split or a branch; of a customer, the stage or class; of a goal, the state that the customer was in: of the
    holdout, it is not `active`."""
    event: str = ""
    """The type of the event that was reported, or that caused the decision."""
    source: str = ""
    """The system that reported it."""
    message: str = ""
    """The id of a message."""
    template: str = ""
    """Its name."""
    channel: str = ""
    """`sms`, `email`, `whatsapp`, `push` or `in_app`."""
    provider: str = ""
    """The service that a message was handed to: `ses`, `sns`, `end_user_messaging`."""
    purpose: str = ""
    """`transactional` or `marketing`; of a suppression, `all` too."""
    country: str = ""
    """ISO 3166-1 alpha-2, of the address that a message went to."""
    parts: int = 0
    """Of a text message, the parts that are paid for."""
    reason: str = ""
    """Why: a code of the gate, of a refusal, or of a suppression; of an event, `backfill` where it is history."""
    status: str = ""
    """Of a consent, `granted`, `denied` or `revoked`; of a suppression, `suppressed` or `released`."""
    outcome: str = ""
    """How an enrollment ended, or a task."""
    task: str = ""
    """The id of a task."""
    queue: str = ""
    """The queue that it lies in."""
    change: str = ""
    """What happened to a task: `opened`, `claimed`, `reassigned`, `done` …"""
    other: str = ""
    """The id of the customer that was merged into this one."""
    value: int = 0
    """Of a goal, in minor units of its currency."""
    currency: str = ""
    """ISO 4217."""
    lag_ms: int = 0
    """Milliseconds. Of an event and a consent: from `at_ms` to their commit. Of an entry: from its event. Of a message:
    from its decision. Of a timer that fired late: by how much."""
    number: int = 0
    """How many it stands for, where that is not one."""
    via: str = ""
    """Of a wait and an end: the steps that were left on the way there, in order. A step with several ways on has `:`
    and the number of the one that was taken, from 0."""

    def wire(self) -> dict[str, Any]:
        """The line as JSON has it."""
        return {name: value for name in COLUMNS if (value := getattr(self, name))}


COLUMNS: Mapping[str, type] = {one.name: int if one.type in {"int", int} else str for one in fields(LoggedFact)}
"""The columns of the log, with their types."""

KINDS: Mapping[str, tuple[Stored, str]] = {
    "entered": (Stored.LONG, "a customer began a journey"),
    "held_out": (Stored.LONG, "a customer would have begun a journey, and is in its holdout"),
    "split": (Stored.LONG, "a customer got an arm of a split"),
    "goal_reached": (Stored.LONG, "the goal, also that of the holdout, with its value"),
    "ended": (Stored.LONG, "an enrollment ended, with its outcome"),
    "merged": (Stored.LONG, "another customer was merged into this one"),
    "not_entered": (Stored.SHORT, "a customer did not begin a journey, and why"),
    "branched": (Stored.SHORT, "the arm of a branch"),
    "waiting": (Stored.SHORT, "an enrollment began to wait at a step"),
    "happened": (Stored.SHORT, "the event that a step waited for"),
    "timed_out": (Stored.SHORT, "a wait ended without it"),
    "misfired": (Stored.SHORT, "a timer fired late"),
    "staged": (Stored.LONG, "a lead came into a stage of its pipeline, the `arm`"),
    "classified": (Stored.LONG, "a customer came into an RFM class, the `arm`"),
    "slowed": (Stored.LONG, "a customer is silent for longer than usual"),
    "resumed": (Stored.LONG, "a customer came back after that"),
    "sent": (Stored.LONG, "a provider took a message"),
    "delivered": (Stored.LONG, "it arrived"),
    "opened": (Stored.LONG, "it was opened"),
    "clicked": (Stored.LONG, "a link in it was followed"),
    "failed": (Stored.LONG, "no provider took it, or it could not be delivered"),
    "bounced": (Stored.LONG, "its address does not exist"),
    "complained": (Stored.LONG, "its recipient called it spam"),
    "suppressed": (Stored.LONG, "the gate did not let it go out, and why"),
    "deferred": (Stored.SHORT, "the gate lets it wait, and why"),
    "undecided": (Stored.LONG, "whether it went out is not known"),
    "consent": (Stored.LONG, "a customer gave or took back consent"),
    "suppression": (Stored.LONG, "an address was suppressed, or released"),
    "task": (Stored.LONG, "a task was opened, or changed"),
    "event": (Stored.SHORT, "an event was stored"),
    "unmatched": (Stored.SHORT, "a webhook was accepted, and reached no customer or had no rule"),
    "other": (Stored.SHORT, "any other decision; its name is in `change`"),
}
"""Every kind of fact: how long it is stored, and what it says."""


def stored_for(kind: str) -> Stored:
    return KINDS[kind][0]


def milliseconds(at: datetime) -> int:
    """Since 1970, as the log and the questions to it have instants."""
    return (at - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
