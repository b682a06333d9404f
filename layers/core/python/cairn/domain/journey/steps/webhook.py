"""The step `webhook`: post something to another system, and wait for its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

from cairn.domain.effects import ANSWERED, REFUSED, CallWebhook
from cairn.domain.event import Event
from cairn.domain.identity.trust import JOURNEYS_SOURCE
from cairn.domain.journey.conditions import evaluate
from cairn.domain.journey.definition import Match
from cairn.domain.journey.steps.emit import content_of
from cairn.domain.journey.steps.set import with_values
from cairn.domain.journey.walk import Next, Stop, Walk
from cairn.domain.shared.instants import duration
from cairn.domain.shared.moments import Delay

if TYPE_CHECKING:
    from cairn.domain.journey.steps import Chain

DEFAULT_TIMEOUT = "1h"

CALLED = "journey.called"
"""The type of what is posted, where the journey names no other."""


@dataclass(frozen=True, slots=True)
class Webhook:
    matches: ClassVar = (Match(ANSWERED), Match(REFUSED))
    id: str
    next: str | None
    failed: str | None
    endpoint: str
    """Its name among the policy's webhook endpoints."""
    timeout: timedelta
    """How long it is tried."""
    type: str = CALLED
    body: Mapping[str, str] = field(default_factory=dict)
    """Name: JMESPath."""
    answer: Mapping[str, str] = field(default_factory=dict)
    """Values of the enrollment: JMESPath on the answer."""

    @classmethod
    def from_document(cls, id_: str, after: str | None, value: Mapping[str, Any], chain: "Chain") -> Self:
        timeout, failed = duration(value.get("timeout", DEFAULT_TIMEOUT)), chain(value.get("else", ()))
        body, answer = value.get("body", {}), value.get("answer", {})
        return cls(id_, after, failed, value["endpoint"], timeout, value.get("type", CALLED), body, answer)

    @property
    def successors(self) -> tuple[str | None, ...]:
        return (self.next, self.failed)

    @property
    def moment(self) -> Delay:
        return Delay(self.timeout)

    def perform(self, walk: Walk) -> Next:
        body = content_of(walk, self.id, self.body)
        this, until = walk.effect_id(f"{self.id}-call"), walk.now + self.timeout
        enrollment = walk.enrollment.id
        walk.effects.append(CallWebhook(this, enrollment, self.id, self.endpoint, self.type, until, body))
        walk.note("called", self.id, endpoint=self.endpoint)
        walk.reach(self.id)
        return self.wait(walk)

    def wait(self, walk: Walk) -> Next:
        return self.failed if walk.wait_until(self.id, self.moment) else Stop.HERE

    def on_timer(self, walk: Walk) -> Next:
        walk.note("timed_out", self.id)
        return self.failed

    def too_late(self, walk: Walk) -> Next:
        """A pause has made it late, and late work is skipped: the answer does not count."""
        return walk.behind(self.failed)

    def on_event(self, walk: Walk, event: Event) -> Next:
        """Where the answer leads; Stop.HERE where it is not the answer to this step of this enrollment."""
        about = (event.properties.get("enrollment"), event.properties.get("step"))
        if event.source != JOURNEYS_SOURCE or about != (walk.enrollment.id, self.id):
            return Stop.HERE
        walk.count(event)
        if event.type == REFUSED:
            walk.note("refused", self.id, because=event.properties.get("because", ""))
            return self.failed
        walk.note("answered", self.id, status=event.properties.get("status"))
        scope = walk.scope().about(event.properties.get("answer"))
        with_values(walk, self.id, {name: evaluate(one, scope) for name, one in self.answer.items()})
        walk.way = 0
        return self.next
