"""The step `wait`: wait for a moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from cairn.domain.journey.walk import Next, Stop, Walk
from cairn.domain.shared.moments import Moment, moment_from_document


class IfMissed(StrEnum):
    """What a wait does when there is nothing to wait for."""

    CONTINUE = "continue"
    SKIP = "skip"  # skip the next step too: an offer 48 h before a visit is no offer 2 h before it
    EXIT = "exit"


@dataclass(frozen=True, slots=True)
class Wait:
    id: str
    next: str | None
    moment: Moment
    if_past: IfMissed = IfMissed.CONTINUE
    """Where its moment is past, or its date is not there."""
    if_unreadable: IfMissed = IfMissed.EXIT
    """Where its date is there, and nobody can say when that is."""

    @classmethod
    def from_document(cls, id_: str, after: str | None, value: str | Mapping[str, Any]) -> Self:
        written = {} if isinstance(value, str) else value
        if_past = IfMissed(written.get("if_past", IfMissed.CONTINUE))
        if_unreadable = IfMissed(written.get("if_unreadable", IfMissed.EXIT))
        return cls(id_, after, moment_from_document(value), if_past, if_unreadable)

    @property
    def successors(self) -> tuple[str | None, ...]:
        return (self.next,)

    def perform(self, walk: Walk) -> Next:
        walk.reach(self.id)
        return self.wait(walk)

    def wait(self, walk: Walk) -> Next:
        """Set the timer, for the first time or again."""
        missed = walk.wait_until(self.id, self.moment)
        if missed is None:
            return Stop.HERE
        unreadable = missed == "moment_unreadable"
        match self.if_unreadable if unreadable else self.if_past:
            case IfMissed.CONTINUE:
                return self.next
            case IfMissed.SKIP:
                return walk.behind(self.next)
            case IfMissed.EXIT:
                walk.end("moment_unreadable" if unreadable else "moment_past")
                return Stop.HERE

    def on_timer(self, walk: Walk) -> Next:  # noqa: ARG002  as WaitFor has it
        return self.next

    def too_late(self, walk: Walk) -> Next:
        """A pause has made it late, and late work is skipped: so is the next step."""
        return walk.behind(self.successors[-1])
