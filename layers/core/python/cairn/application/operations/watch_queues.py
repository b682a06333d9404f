"""Find dead letters, and queues that are late, so that two alarms watch all queues.

This changes nothing, and remembers nothing: each run sees all anew.
"""

from collections.abc import Mapping, Sequence
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
        dead, unasked = _filled(self.dead_letters)
        busy, unasked_of_work = _filled(self.work)
        lie = [DeadLettersLie(queue, number) for queue, number in dead.items()]
        return [*unasked, *lie, *unasked_of_work, *self._late(list(busy), now)]

    def _late(self, busy: Sequence[str], now: datetime) -> list[Finding]:
        if not busy:
            return []
        try:
            ages = self.ages.ages_of_oldest(busy, now)
        except Exception as error:  # noqa: BLE001  what was found before is reported, and this with it
            return [QueueUnwatched(queue, error) for queue in busy]
        return [QueueIsLate(queue, age) for queue, age in ages.items() if age > LIMITS.get(queue, LATE)]


def _filled(queues: QueueDepths) -> tuple[dict[str, int], list[QueueUnwatched]]:
    """How many messages each queue has that has any; and the queues that could not be asked."""
    filled: dict[str, int] = {}
    unasked: list[QueueUnwatched] = []
    for queue in queues.names:
        try:
            number = queues.depth(queue)
        except Exception as error:  # noqa: BLE001  the caller reports it, and the others are asked
            unasked.append(QueueUnwatched(queue, error))
        else:
            if number > 0:
                filled[queue] = number
    return filled, unasked
