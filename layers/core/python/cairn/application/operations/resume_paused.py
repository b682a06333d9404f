"""Sweep: whatever waits for something that has been resumed is set going again.

Nothing is decided here: a wake-up and a held message ask the pauses themselves what has become of them. So twice is
once, and whoever is parked a moment after the resume, by one who did not know of it yet, is found by the next sweep.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cairn.application.ports import MessageQueue, PausedEnrollment, PausedWorkStore, SwitchBoard, Wakes
from cairn.settings import SWITCH_TTL


@dataclass(frozen=True, slots=True)
class ResumePaused:
    switches: SwitchBoard
    paused_work: PausedWorkStore
    wakes: Wakes
    messages: MessageQueue

    def __call__(self, now: datetime, has_time: Callable[[], bool]) -> int:
        """How many were set going; the next sweep goes on where the time was up.

        A resume is left alone until everybody has read of it, else those who have not would park what is sent again.
        """
        count = 0
        for target in self.switches.board().resumed(now - SWITCH_TTL):
            for some in self.paused_work.pages(target):
                if not has_time():
                    return count
                enrollments = [one for one in some if isinstance(one, PausedEnrollment)]
                if enrollments:
                    self.wakes.wake_now(enrollments)
                for one in some:
                    if not isinstance(one, PausedEnrollment):
                        self.messages.put_deferred(one.customer, one.id, one.purpose)
                self.paused_work.remove(target, some)
                count += len(some)
        return count
