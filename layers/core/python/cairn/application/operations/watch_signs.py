"""Watch for signs that something goes wrong though every function works: complaints, failures, late or lost events."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cairn.application.ports import FlowCounters
from cairn.domain.operations.breaker import AT_LEAST
from cairn.domain.operations.flow import Flow
from cairn.domain.operations.signs import WINDOW, Found, misfires_in, signs_in

REPORTED_AGAIN = timedelta(hours=6)
"""A sign that stays is reported to a person again after this time."""


@dataclass(frozen=True, slots=True)
class WatchSigns:
    counters: FlowCounters
    fired: Callable[[datetime, datetime], int]
    """How many timers fired in a time. It costs money, so it is asked only where timers were late."""

    def __call__(self, now: datetime) -> Sequence[tuple[Found, bool]]:
        """The signs that are found; each with whether a person is to be called, or was for it a short while ago."""
        buckets = self.counters.between(now - 2 * WINDOW, now)
        middle = now - WINDOW
        before = sum((one.flow for one in buckets if one.start < middle), Flow())
        flow = sum((one.flow for one in buckets if one.start >= middle), Flow())
        found = list(signs_in(before, flow))
        misfires = misfires_in(flow, self.fired(middle, now)) if flow.misfired >= AT_LEAST else None
        found += [misfires] if misfires is not None else []
        return [(one, self.counters.is_new(one.sign, now, REPORTED_AGAIN)) for one in found]
