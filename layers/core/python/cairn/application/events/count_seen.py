"""Count what sources send that reaches no customer or has no rule. A process writes at most a few of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from cairn.application.ports import SeenTypes
from cairn.domain.operations.seen import Seen, SeenBecause

PAUSE = timedelta(minutes=1)
"""How long a process collects what has no rule before it writes it again; and writes nothing, after a failure."""

MAX_WRITES = 5
"""Types that are written for one request. The others wait for the next one."""

MAX_WAITING = 200
"""Types of which a process collects a count. One more is not counted."""

Key = tuple[str, str, SeenBecause]


@dataclass(slots=True)
class CountSeen:
    """A type that becomes no event is written at once; one without a rule may be frequent: it is written once a minute.

    Counts are lower bounds: what a process has not written when it ends, or fails to write, is not counted.
    """

    types: SeenTypes
    waiting: dict[Key, Seen] = field(default_factory=dict)
    written_at: dict[Key, datetime] = field(default_factory=dict)
    resumes_at: datetime | None = None

    def __call__(self, found: Sequence[Seen], now: datetime) -> None:
        """Raises the error of the first write that fails; the others wait."""
        for one in found:
            self._collect(one)
        if self.resumes_at and now < self.resumes_at:
            return
        for key in [key for key in self.waiting if self._is_due(key, now)][:MAX_WRITES]:
            self.resumes_at = now + PAUSE  # unless the write succeeds
            self.types.add(self.waiting.pop(key), now)
            self.resumes_at = None
            self.written_at[key] = now

    def _collect(self, one: Seen) -> None:
        key = one.source, one.type, one.because
        before = self.waiting.get(key)
        if before or len(self.waiting) < MAX_WAITING:
            self.waiting[key] = replace(one, count=one.count + before.count) if before else one

    def _is_due(self, key: Key, now: datetime) -> bool:
        last = self.written_at.get(key)
        return last is None or key[2] is not SeenBecause.NO_RULE or now >= last + PAUSE
