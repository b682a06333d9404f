"""What the log of facts counts of five minutes each: reports, events, timers. `sweep` finds signs of trouble in it."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cairn.domain.measurement.facts import LoggedFact

BUCKET = timedelta(minutes=5)
"""The length of one counting bucket."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

LATE_EVENT = timedelta(seconds=60)
"""From what happened to its commit."""

NO_RULE = "no_rule"
"""The reason of a webhook that is no event (domain/operations/seen)."""


@dataclass(frozen=True, slots=True)
class Flow:
    """All that was counted of a time."""

    delivered: int = 0
    failed: int = 0
    bounced: int = 0
    complained: int = 0
    events: int = 0
    """Without history."""
    late: int = 0
    """Events whose commit came more than LATE_EVENT after them."""
    unmatched: int = 0
    """Webhooks that were accepted and reached no customer."""
    misfired: int = 0
    """Timers that fired too late."""

    def __add__(self, other: "Flow") -> "Flow":
        return Flow(*(getattr(self, name) + getattr(other, name) for name in COUNTED))


COUNTED = tuple(one.name for one in fields(Flow))


@dataclass(frozen=True, slots=True)
class FlowBucket:
    start: datetime
    flow: Flow


def bucket_of(at: datetime) -> datetime:
    """The start of the bucket of an instant."""
    return EPOCH + (at - EPOCH) // BUCKET * BUCKET


def flow_of(facts: "Iterable[LoggedFact]") -> Flow:
    counted = dict.fromkeys(COUNTED, 0)
    for one in facts:
        match one.kind:
            case "delivered" | "failed" | "bounced" | "complained" | "misfired":
                counted[one.kind] += 1
            case "event" if one.reason != "backfill":
                counted["events"] += 1
                counted["late"] += one.lag_ms > LATE_EVENT / timedelta(milliseconds=1)
            case "unmatched" if one.reason != NO_RULE:
                counted["unmatched"] += one.number
    return Flow(**counted)
