"""The step `wait`: wait for a moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from cairn.domain.journey.walk import Next, Stop, Walk
from cairn.domain.shared.moments import Moment, moment_from_document


class IfPast(StrEnum):
    """What a wait does when its moment is past, or its date is not known."""

    CONTINUE = "continue"
    SKIP = "skip"  # skip the next step too: an offer 48 h before a visit is no offer 2 h before it
    EXIT = "exit"


@dataclass(frozen=True, slots=True)
class Wait:
    id: str
    next: str | None
    moment: Moment
    if_past: IfPast = IfPast.CONTINUE

    @classmethod
    def from_document(cls, id_: str, after: str | None, value: str | Mapping[str, Any]) -> Self:
        if_past = IfPast.CONTINUE if isinstance(value, str) else IfPast(value.get("if_past", IfPast.CONTINUE))
        return cls(id_, after, moment_from_document(value), if_past)

    @property
    def successors(self) -> tuple[str | None, ...]:
        return (self.next,)

    def perform(self, walk: Walk) -> Next:
        walk.reach(self.id)
        return self.wait(walk)

    def wait(self, walk: Walk) -> Next:
        """Set the timer, for the first time or again."""
        if walk.set_timer_at(self.id, self.moment):
            return Stop.HERE
        match self.if_past:
            case IfPast.CONTINUE:
                return self.next
            case IfPast.SKIP:
                return walk.behind(self.next)
            case IfPast.EXIT:
                walk.end("moment_past")
                return Stop.HERE

    def on_timer(self, walk: Walk) -> Next:  # noqa: ARG002  as WaitFor has it
        return self.next

    def too_late(self, walk: Walk) -> Next:
        """A pause has made it late, and late work is skipped: so is the next step."""
        return walk.behind(self.successors[-1])
