"""The first step of a journey that waits for its beginning: for a date, or until nothing has happened for so long.

Until then nobody has entered: no goal counts, no holdout is drawn.
"""

from dataclasses import dataclass, replace

from cairn.domain.journey.conditions import is_met
from cairn.domain.journey.definition import ENTRY
from cairn.domain.journey.enrollment import Status, held_out
from cairn.domain.journey.walk import Next, Stop, Walk
from cairn.domain.shared.moments import DayOf, Silence

NOT_WANTED = "not_wanted"
"""The outcome of an enrollment that did not begin, since its entry's `where` was not met on the day."""


@dataclass(frozen=True, slots=True)
class Begin:
    next: str | None
    moment: DayOf | Silence
    where: str | None = None
    """JMESPath on the profile, asked when it is to begin."""
    id: str = ENTRY

    @property
    def successors(self) -> tuple[str | None, ...]:
        return (self.next,)

    def perform(self, walk: Walk) -> Next:
        walk.reach(self.id)
        return self.wait(walk)

    def wait(self, walk: Walk) -> Next:
        """Set the timer, for the first time or again. A silence that is long enough already begins at once."""
        missed = walk.wait_until(self.id, self.moment)
        if missed is None:
            return Stop.HERE
        if isinstance(self.moment, Silence):
            return self._begin(walk)
        walk.end("moment_unreadable" if missed == "moment_unreadable" else "moment_past")
        return Stop.HERE

    def on_timer(self, walk: Walk) -> Next:
        """Something may have happened since the timer was set: then it is set again."""
        if isinstance(self.moment, Silence) and walk.wait_until(self.id, self.moment) is None:
            return Stop.HERE
        return self._begin(walk)

    def too_late(self, walk: Walk) -> Next:
        """It does not begin; that of next year may."""
        if isinstance(self.moment, DayOf) and self.moment.yearly:
            return self.perform(walk)
        walk.end(NOT_WANTED)
        return Stop.HERE

    def _begin(self, walk: Walk) -> Next:
        entry = walk.journey.entry
        is_wanted = is_met(self.where, walk.scope()) and entry.is_open_on(walk.now, walk.journey.time_zone)
        if not is_wanted:
            return self.too_late(walk)
        walk.enrollment = replace(walk.enrollment.moving(), entered_at=walk.now, since=walk.now)
        if held_out(walk.journey.name, walk.profile.id, walk.journey.holdout):
            walk.enrollment = replace(walk.enrollment, status=Status.HELD_OUT)
            walk.note("held_out")
            return Stop.HERE
        walk.note("entered")
        return self.next
