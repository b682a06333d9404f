"""Find dead letters, and queues that are late, so that two alarms watch all queues.

This changes nothing, and remembers nothing: each run sees all anew.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from cairn.application.ports import QueueAges, QueueDepths
from cairn.settings import LATE, LATE_ERASURE, LATE_MARKETING

LIMITS: Mapping[str, timedelta] = MappingProxyType({"erasures": LATE_ERASURE, "marketing": LATE_MARKETING})
"""The age above which a queue is late, where it is not LATE."""


@dataclass(frozen=True, slots=True)
class DeadLettersLie:
    """A dead-letter queue is not empty."""

    queue: str
    number: int


@dataclass(frozen=True, slots=True)
class QueueIsLate:
    """The oldest message of a queue has waited for too long."""

    queue: str
    age: timedelta


@dataclass(frozen=True, slots=True)
class QueueUnwatched:
    """AWS did not say how a queue is."""

    queue: str
    error: Exception


Finding = DeadLettersLie | QueueIsLate | QueueUnwatched


@dataclass(frozen=True, slots=True)
class WatchQueues:
    dead_letters: QueueDepths
    work: QueueDepths
    ages: QueueAges

    def __call__(self, now: datetime) -> list[Finding]:
        """Each queue is asked by itself, so that one that cannot be asked hides no other.

        A queue whose age is unknown is not late: CloudWatch has no figure while a queue was idle, and has one within
        minutes.
        """
        return [*self._dead_letters(), *self._late(now)]

    def _dead_letters(self) -> Iterator[Finding]:
        for queue in self.dead_letters.names:
            match _depth(self.dead_letters, queue):
                case QueueUnwatched() as failed:
                    yield failed
                case number if number > 0:
                    yield DeadLettersLie(queue, number)

    def _late(self, now: datetime) -> Iterator[Finding]:
        busy: list[str] = []
        for queue in self.work.names:
            match _depth(self.work, queue):
                case QueueUnwatched() as failed:
                    yield failed
                case number if number > 0:
                    busy.append(queue)
        if not busy:
            return
        try:
            ages = self.ages.ages_of_oldest(busy, now)
        except Exception as error:  # noqa: BLE001  what was found before is reported, and this with it
            yield from (QueueUnwatched(queue, error) for queue in busy)
            return
        for queue, age in ages.items():
            if age > LIMITS.get(queue, LATE):
                yield QueueIsLate(queue, age)


def _depth(queues: QueueDepths, queue: str) -> int | QueueUnwatched:
    try:
        return queues.depth(queue)
    except Exception as error:  # noqa: BLE001  the caller reports it, and asks the others
        return QueueUnwatched(queue, error)
