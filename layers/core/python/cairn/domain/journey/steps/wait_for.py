"""The step `wait_for`: wait for an event, or until a timeout."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from cairn.domain.event import Event
from cairn.domain.journey.definition import Match
from cairn.domain.journey.walk import Next, Stop, Walk
from cairn.domain.shared.moments import Moment, moment_from_document

if TYPE_CHECKING:
    from cairn.domain.journey.steps import Chain


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Ends exactly once: by the event or by the timeout, whichever is first."""

    id: str
    match: Match
    moment: Moment
    """When it times out."""
    happened: str | None
    timed_out: str | None

    @classmethod
    def from_document(cls, id_: str, value: Mapping[str, Any], chain: "Chain") -> Self:
        happened, timed_out = chain(value.get("then", ())), chain(value.get("else", ()))
        return cls(id_, Match.from_document(value), moment_from_document(value["timeout"]), happened, timed_out)

    @property
    def successors(self) -> tuple[str | None, ...]:
        return (self.happened, self.timed_out)

    def perform(self, walk: Walk) -> Next:
        walk.reach(self.id)
        return self.wait(walk)

    def wait(self, walk: Walk) -> Next:
        """Set the timer, for the first time or again."""
        return Stop.HERE if walk.set_timer_at(self.id, self.moment) else self.timed_out

    def on_timer(self, walk: Walk) -> Next:
        walk.note("timed_out", self.id)
        return self.timed_out

    def on_event(self, walk: Walk, event: Event) -> Next:
        """Go on with the event that matched; the steps up to the next wait see it."""
        walk.note("happened", self.id, because=event.type)
        walk.event = event
        return self.happened
