"""The step `wait_for`: wait for one event, for any of several or for all of them, or until a timeout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Self

from cairn.domain.event import Event
from cairn.domain.journey.definition import Match
from cairn.domain.journey.steps.wait import IfMissed
from cairn.domain.journey.walk import Next, Stop, Walk
from cairn.domain.shared.moments import Moment, moment_from_document

if TYPE_CHECKING:
    from cairn.domain.journey.steps import Chain


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Ends exactly once: by its events or by the timeout, whichever is first."""

    id: str
    matches: tuple[Match, ...]
    targets: tuple[str | None, ...]
    """What follows each of the matches; of all of them, the one that follows the last."""
    moment: Moment
    """When it times out."""
    timed_out: str | None
    if_unreadable: IfMissed = IfMissed.EXIT
    """Where nobody can say when the date of the timeout is. Nothing is skipped: CONTINUE is the timeout."""
    needs_all: bool = False
    """Whether every match must have happened, in whatever order; otherwise the first one ends the wait."""

    @classmethod
    def from_document(cls, id_: str, value: Mapping[str, Any], chain: "Chain") -> Self:
        moment, timed_out = moment_from_document(value["timeout"]), chain(value.get("else", ()))
        needs_all = "all" in value
        rules: Sequence[Mapping[str, Any]] = value["all"] if needs_all else value.get("any", [value])
        targets = (chain(value.get("then", ())),) if needs_all else tuple(chain(one.get("then", ())) for one in rules)
        written = value["timeout"] if isinstance(value["timeout"], Mapping) else {}
        if_unreadable = IfMissed(written.get("if_unreadable", IfMissed.EXIT))
        matches = tuple(map(Match.from_document, rules))
        return cls(id_, matches, targets, moment, timed_out, if_unreadable, needs_all)

    @property
    def successors(self) -> tuple[str | None, ...]:
        return (*self.targets, self.timed_out)

    def perform(self, walk: Walk) -> Next:
        walk.reach(self.id)
        return self.wait(walk)

    def wait(self, walk: Walk) -> Next:
        """Set the timer, for the first time or again."""
        missed = walk.wait_until(self.id, self.moment)
        if missed == "moment_unreadable" and self.if_unreadable is IfMissed.EXIT:
            walk.end(missed)
            return Stop.HERE
        return self.timed_out if missed else Stop.HERE

    def on_timer(self, walk: Walk) -> Next:
        walk.note("timed_out", self.id)
        return self.timed_out

    def too_late(self, walk: Walk) -> Next:
        """A pause has made it late, and late work is skipped: so is the next step."""
        return walk.behind(self.successors[-1])

    def on_event(self, walk: Walk, event: Event) -> Next:
        """Where an event leads; Stop.HERE where the wait goes on. The steps up to the next wait see the last event."""
        met, matched = set(walk.enrollment.met), self._matched(walk, event)
        if not matched:
            return Stop.HERE
        left = len(self.matches) - len(met.union(matched)) if self.needs_all else 0
        if left:
            walk.enrollment = replace(walk.enrollment, met=tuple(sorted(met.union(matched))), handled=event.key)
            walk.note("happened", self.id, because=event.type, left=left)
            return Stop.HERE
        walk.count(event)
        walk.note("happened", self.id, because=event.type)
        walk.event = event
        walk.way = 0 if self.needs_all else matched[0]
        return self.targets[walk.way]

    def after_those(self, met: Sequence[int]) -> Next:
        """Where it leads when the matches of these numbers have happened; Stop.HERE where the wait goes on."""
        is_over = len(met) == len(self.matches) if self.needs_all else bool(met)
        return self.targets[-1 if self.needs_all else met[0]] if is_over else Stop.HERE

    def _matched(self, walk: Walk, event: Event) -> Sequence[int]:
        """The numbers of the matches that count this event: the first one, or all that nothing has met before."""
        open_ = (number for number in range(len(self.matches)) if number not in walk.enrollment.met)
        matched = (number for number in open_ if walk.matches(self.matches[number], event))
        return tuple(matched if self.needs_all else islice(matched, 1))
