"""Signs that something goes wrong though every function works, examined from what the log of facts counts.

`sweep` examines half an hour against the half hour before, every five minutes (application/operations/watch_signs).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from cairn.domain.operations.breaker import AT_LEAST, Counts, doubled
from cairn.domain.operations.flow import Flow
from cairn.domain.policy import Breaker

WINDOW = timedelta(minutes=30)

FEWEST_EVENTS = 20
"""Fewer events in the window are chance."""

LEAST_MATCH_RATE = 0.85
MOST_DELIVERY_ERRORS = 0.03
MOST_MISFIRES = 0.01
MOST_LATE_EVENTS = 0.05
"""So that the 95th percentile is below LATE_EVENT."""


class Sign(StrEnum):
    """A finding, by the name under which it is counted; docs/runbook.md has a page for each."""

    COMPLAINTS_DOUBLED = "ComplaintsDoubled"
    DELIVERY_ERRORS = "DeliveryErrors"
    MATCH_RATE_LOW = "MatchRateLow"
    EVENTS_LATE = "EventsLate"
    MISFIRES = "Misfires"


@dataclass(frozen=True, slots=True)
class Found:
    sign: Sign
    why: str
    """A plain sentence, without anything personal."""


def signs_in(before: Flow, now: Flow) -> Iterator[Found]:
    """Every sign but misfires, whose rate needs the number of all timers that fired."""
    breaker = Breaker()
    if why := doubled(_reports(now), _reports(before), breaker):
        yield Found(Sign.COMPLAINTS_DOUBLED, why)
    errors, messages = now.failed + now.bounced, _reports(now).messages
    if messages >= breaker.minimum and errors >= AT_LEAST and errors > MOST_DELIVERY_ERRORS * messages:
        yield Found(Sign.DELIVERY_ERRORS, f"{errors:,} of {messages:,} messages failed or bounced in 30 minutes")
    accepted = now.events + now.unmatched
    if accepted >= FEWEST_EVENTS and now.events < LEAST_MATCH_RATE * accepted:
        yield Found(Sign.MATCH_RATE_LOW, f"{now.events:,} of {accepted:,} events reached a customer in 30 minutes")
    if now.events >= FEWEST_EVENTS and now.late >= AT_LEAST and now.late > MOST_LATE_EVENTS * now.events:
        yield Found(
            Sign.EVENTS_LATE, f"{now.late:,} of {now.events:,} events were more than a minute old at their commit"
        )


def misfires_in(now: Flow, fired: int) -> Found | None:
    """`fired`: all timers that fired in the window."""
    all_ = max(fired, now.misfired)
    if now.misfired < AT_LEAST or now.misfired <= MOST_MISFIRES * all_:
        return None
    return Found(Sign.MISFIRES, f"{now.misfired:,} of {all_:,} timers fired late in 30 minutes")


def _reports(flow: Flow) -> Counts:
    return Counts(flow.delivered, flow.failed, flow.bounced, flow.complained)
