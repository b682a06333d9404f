"""Resume paused work: enrollments and messages of a target that was resumed go on.

This decides nothing: the engine and the gate read the pauses again. So running twice is harmless, and the next run
finds work that a sender with stale switches paused after the resume.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cairn.application.ports import MessageQueue, PausedWorkStore, SwitchBoard
from cairn.application.values.paused import PausedEnrollment
from cairn.settings import SWITCH_TTL


@dataclass(frozen=True, slots=True)
class ResumePaused:
    switches: SwitchBoard
    paused_work: PausedWorkStore
    wake_now: Callable[[Sequence[PausedEnrollment]], None]
    """Wake these enrollments at once. Raises where any wake-up may be missing."""
    messages: MessageQueue

    def __call__(self, now: datetime, has_time: Callable[[], bool]) -> int:
        """The number of enrollments and messages that went on. The next run continues where time was up.

        Wait for SWITCH_TTL, or stale senders pause the items again.
        """
        count = 0
        for target in self.switches.board().resumed(now - SWITCH_TTL):
            for page in self.paused_work.pages(target):
                if not has_time():
                    return count
                enrollments = [item for item in page if isinstance(item, PausedEnrollment)]
                if enrollments:
                    self.wake_now(enrollments)
                for item in page:
                    if not isinstance(item, PausedEnrollment):
                        self.messages.put_deferred(item.customer, item.id, item.purpose)
                self.paused_work.remove(target, page)
                count += len(page)
        return count
