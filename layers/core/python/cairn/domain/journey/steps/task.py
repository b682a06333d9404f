"""The step `task`: open a task for a person; with a `then`, wait for what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from cairn.domain.effects import OpenTask, WithdrawTasks
from cairn.domain.event import Event
from cairn.domain.identity.trust import PEOPLE_SOURCE
from cairn.domain.journey.conditions import evaluate
from cairn.domain.journey.definition import Match
from cairn.domain.journey.walk import Next, Stop, Walk, text_of
from cairn.domain.people.task import DONE_EVENT, WITHDRAWN_EVENT, Priority, TaskKind
from cairn.domain.shared.instants import duration
from cairn.domain.shared.moments import Delay

if TYPE_CHECKING:
    from cairn.domain.journey.steps import Chain

DEFAULT_DUE = "24h"
"""Where neither the step nor the queue says how much time there is."""

DEFAULT_AT_MOST = "14d"


@dataclass(frozen=True, slots=True)
class Task:
    id: str
    next: str | None
    queue: str
    title: str
    due: timedelta | None
    """None: that of the queue."""
    context: Mapping[str, str] = field(default_factory=dict)
    """Name: JMESPath."""
    script: str = ""
    kind: TaskKind = TaskKind.TODO
    priority: Priority = Priority.NORMAL
    skills: frozenset[str] = frozenset()
    reason: str = ""
    member: str = ""
    """The only member who may have it: JMESPath."""

    @classmethod
    def from_document(cls, id_: str, after: str | None, value: Mapping[str, Any], **more: Any) -> Self:
        return cls(
            id=id_,
            next=after,
            queue=value["queue"],
            title=value["title"],
            due=duration(value["due"]) if "due" in value else None,
            context=value.get("context", {}),
            script=value.get("script", ""),
            kind=TaskKind(value.get("kind", TaskKind.TODO)),
            priority=Priority(value.get("priority", Priority.NORMAL)),
            skills=frozenset(value.get("skills", ())),
            reason=value.get("reason", ""),
            member=value.get("member", ""),
            **more,
        )

    @property
    def successors(self) -> tuple[str | None, ...]:
        return (self.next,)

    def perform(self, walk: Walk) -> Next:
        self._open(walk, walk.effect_id(self.id))
        return self.next

    def _open(self, walk: Walk, this: str) -> None:
        member = text_of(evaluate(self.member, walk.scope())) if self.member else None
        walk.effects.append(
            OpenTask(
                this,
                walk.enrollment.id,
                self.id,
                self.queue,
                self.title,
                walk.now + (self.due or duration(DEFAULT_DUE)),
                walk.values_of(self.context),
                self.script,
                kind=self.kind,
                priority=self.priority,
                due=self.due,
                reason=self.reason,
                skills=tuple(sorted(self.skills)),
                member=member or "",
            )
        )


@dataclass(frozen=True, slots=True)
class AwaitedTask(Task):
    """A task whose outcome the enrollment waits for."""

    targets: Mapping[str, str | None] = field(default_factory=dict)
    """What follows each outcome."""
    otherwise: str | None = None
    """What follows any other outcome, a withdrawal, or nothing at all for so long."""
    at_most: timedelta = timedelta()

    @classmethod
    def awaited_from_document(cls, id_: str, after: str | None, value: Mapping[str, Any], chain: "Chain") -> Self:
        otherwise = chain(value.get("else", ()))
        targets = {outcome: chain(steps) for outcome, steps in value["then"].items()}
        at_most = duration(value.get("at_most", DEFAULT_AT_MOST))
        return cls.from_document(id_, after, value, targets=targets, otherwise=otherwise, at_most=at_most)

    @property
    def successors(self) -> tuple[str | None, ...]:
        return (*self.targets.values(), self.otherwise)

    @property
    def matches(self) -> tuple[Match, ...]:
        """What it hears, for a trial of the journey: an outcome each, and a withdrawal."""
        done = (Match(DONE_EVENT, f"event.properties.outcome == '{outcome}'") for outcome in self.targets)
        return (*done, Match(WITHDRAWN_EVENT))

    @property
    def moment(self) -> Delay:
        return Delay(self.at_most)

    def perform(self, walk: Walk) -> Next:
        self._open(walk, walk.effect_id(f"{self.id}-ask"))
        walk.reach(self.id)
        return self.wait(walk)

    def wait(self, walk: Walk) -> Next:
        return self.otherwise if walk.wait_until(self.id, self.moment) else Stop.HERE

    def on_timer(self, walk: Walk) -> Next:
        walk.note("timed_out", self.id)
        self.withdraw(walk, "nobody did it in time")
        return self.otherwise

    def too_late(self, walk: Walk) -> Next:
        """A pause has made it late, and late work is skipped: the outcome does not count."""
        self.withdraw(walk, "its journey was paused")
        return walk.behind(self.otherwise)

    def withdraw(self, walk: Walk, because: str) -> None:
        """Nobody waits for its outcome any more."""
        this = walk.effect_id(f"{self.id}-withdraw")
        walk.effects.append(WithdrawTasks(this, walk.enrollment.id, because, walk.now, self.id))

    def on_event(self, walk: Walk, event: Event) -> Next:
        """Where the outcome leads; Stop.HERE where it is not that of this step of this enrollment."""
        about = event.properties
        others = about.get("enrollments")
        waiting = {f"{about.get('enrollment')}/{about.get('step')}", *(others if isinstance(others, list) else ())}
        if event.source != PEOPLE_SOURCE or f"{walk.enrollment.id}/{self.id}" not in waiting:
            return Stop.HERE
        walk.count(event)
        walk.event = event
        if event.type == WITHDRAWN_EVENT:
            walk.note("withdrawn", self.id, because=about.get("because", ""))
            return self.otherwise
        outcome = str(about.get("outcome", ""))
        walk.note("done", self.id, outcome=outcome, owner=about.get("owner", ""))
        if outcome not in self.targets:
            return self.otherwise
        walk.way = list(self.targets).index(outcome)
        return self.targets[outcome]
