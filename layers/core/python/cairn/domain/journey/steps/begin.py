"""The first step of a journey that waits for its beginning: for a date, or until nothing has happened for so long.

Until then nobody has entered: no goal counts, no holdout is drawn.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from cairn.domain.event import Event
from cairn.domain.journey.conditions import is_met
from cairn.domain.journey.definition import DATE_CHANGED, ENTRY
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
        if isinstance(self.moment, Silence):  # it counts from the event, however late that came
            walk.enrollment = replace(walk.enrollment, reached_at=walk.enrollment.since)
        return self.wait(walk)

    def wait(self, walk: Walk) -> Next:
        """Set the timer, for the first time or again. A silence that is long enough already begins at once."""
        return self._wait(walk, begins=isinstance(self.moment, Silence))

    def _wait(self, walk: Walk, *, begins: bool) -> Next:
        """Set the timer; where its moment is past, it `begins`, or it is over."""
        missed = walk.wait_until(self.id, self.moment)
        if missed is None:
            return Stop.HERE
        if begins and missed == "moment_past":
            return self._begin(walk)
        walk.end("moment_unreadable" if missed == "moment_unreadable" else "moment_past")
        return Stop.HERE

    def on_event(self, walk: Walk, event: Event) -> None:
        """Another date sets the timer again; of silence, a profile counts the events, but for some types."""
        if event.type == DATE_CHANGED and walk.matches_any(walk.journey.entry.matches, event):
            walk.count(event)
            walk.go(self.wait(walk))
        elif isinstance(self.moment, Silence) and event.type in set(self.moment.types) - walk.profile.activity.keys():
            before = walk.enrollment.reached_at or event.occurred_at
            walk.enrollment = replace(walk.enrollment, reached_at=max(before, event.occurred_at))

    def is_broken_by(self, event: Event) -> bool:
        """Whether the silence that it waits for counts anew from this event."""
        return isinstance(self.moment, Silence) and event.type in self.moment.types

    def on_timer(self, walk: Walk) -> Next:
        """Something may have happened since the timer was set, or the date may be another one: then it is set again."""
        return self._wait(walk, begins=True)

    def too_late(self, walk: Walk) -> Next:
        """It does not begin; that of next year may."""
        if isinstance(self.moment, DayOf) and self.moment.yearly:
            return self.perform(walk)
        walk.end(NOT_WANTED)
        return Stop.HERE

    def _day(self, walk: Walk) -> dict[str, str]:
        """This year's day, so that a message can name it; a birthday has another year, or none."""
        if not isinstance(self.moment, DayOf):
            return {}
        due = (walk.enrollment.due_at or walk.now).astimezone(walk.scope().zone).date()
        return {"date": (due - timedelta(days=self.moment.day)).isoformat()}

    def _begin(self, walk: Walk) -> Next:
        entry = walk.journey.entry
        is_wanted = is_met(self.where, walk.scope()) and entry.is_open_on(walk.now, walk.journey.time_zone)
        if not is_wanted:
            return self.too_late(walk)
        data = {**walk.enrollment.data, **self._day(walk)}
        walk.enrollment = replace(walk.enrollment.moving(), entered_at=walk.now, since=walk.now, data=data)
        return walk.enter(self.next)
