"""Promise 4: when an event and a timeout race for the same wait, exactly one wins."""

from typing import Any, NamedTuple

import pytest

from cairn.application.events.process_event import ProcessEvent
from cairn.application.values.customers import Commit
from cairn.domain.customer.customer import on_event, on_wake
from cairn.domain.customer.state import Reaction
from cairn.domain.event import event_from_wire
from cairn.domain.shared.errors import ConflictError


class Waiting(NamedTuple):
    """A customer in the wait, at the instant of the timeout, with the event and the timer that race for it."""

    process: ProcessEvent
    customer_id: str
    enrollment_id: str
    sequence: int
    visit: Any

    def timeout(self, now: Any) -> Reaction | None:
        return self.process.wake(self.customer_id, self.enrollment_id, self.sequence, now)


@pytest.fixture
def waiting(story: Any) -> Waiting:
    from functions.process_event.handler import process

    story.signs_up()
    story.deployment.clock.shift(7200)  # the timeout is due and not processed yet
    line = story.timeline("entered")[0]
    customer = process().customers.load(line["customer_id"])
    [enrollment] = customer.enrollments.values()
    visit = event_from_wire(
        {"id": "visit", "type": "visit.attended", "customer": {"user_id": "member-1"}},
        source="track",
        received_at=story.deployment.now(),
    )
    return Waiting(process(), customer.id, enrollment.id, enrollment.sequence, visit)


@pytest.mark.parametrize("first", ["event", "timeout"])
def test_only_one_of_two_decisions_from_the_same_state_is_committed(story: Any, waiting: Waiting, first: str) -> None:
    now = story.deployment.now()
    customers, journeys = waiting.process.customers, waiting.process.journeys
    loaded = customers.load(waiting.customer_id)
    by_event = Commit(on_event(loaded, waiting.visit, journeys, now), (loaded,), now, waiting.visit)
    fired = on_wake(loaded, waiting.enrollment_id, waiting.sequence, journeys, now)
    assert fired is not None
    by_timeout = Commit(fired, (loaded,), now)
    winner, loser = (by_event, by_timeout) if first == "event" else (by_timeout, by_event)

    customers.commit(winner)
    with pytest.raises(ConflictError):
        customers.commit(loser)

    story.deployment.settle()
    assert len(story.timeline("happened", "timed_out")) == 1


def test_a_timeout_that_loses_to_the_event_does_nothing(story: Any, waiting: Waiting, interrupted: Any) -> None:
    now = story.deployment.now()
    slow = waiting._replace(process=interrupted(waiting.process, lambda: waiting.process(waiting.visit, now)))

    assert slow.timeout(now) is None

    story.passes("1d")
    assert [line["outcome"] for line in story.timeline("ended")] == ["came"]
    assert [one.channel for one in story.sent()] == ["sms"]


def test_an_event_that_loses_to_the_timeout_is_recorded_and_decided_again(
    story: Any, waiting: Waiting, interrupted: Any
) -> None:
    now = story.deployment.now()
    slow = interrupted(waiting.process, lambda: waiting.timeout(now))

    assert slow(waiting.visit, now) is not None

    story.passes("1d")
    assert [line["outcome"] for line in story.timeline("ended")] == ["completed"]
    assert [one.channel for one in story.sent()] == ["sms", "email"]
    reported = [line["type"] for line in story.timeline("event") if line["source"] == "track"]
    assert reported == ["trial.signup", "visit.attended"]


def test_an_event_and_a_timeout_at_the_same_instant_end_the_wait_once(story: Any) -> None:
    story.signs_up()
    story.passes("2h")
    story.happens("visit.attended", customer={"user_id": "member-1"})
    story.passes("1d")

    assert len(story.timeline("happened", "timed_out")) == 1
    assert len(story.timeline("ended")) == 1
