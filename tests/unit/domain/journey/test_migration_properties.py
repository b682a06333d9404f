"""Properties of migrations, for journeys of any shape, edited in any way, and enrollments at any step of them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from cairn.adapters.documents.journey import journey_from_document
from cairn.domain.effects import CallWebhook, OpenTask, SendMessage, WakeAt
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.engine import Decision, Entered, TimerFired, advance
from cairn.domain.journey.enrollment import Status
from cairn.domain.journey.migration import Migrated, migrate
from cairn.domain.shared.instants import moved
from cairn.domain.shared.moments import Delay
from tests.unit.domain.journey.test_engine_properties import Moves, further_moves, histories, start_of
from tests.unit.makers import MONDAY, entered, journey
from tests.unit.strategies import documents, edited, payloads, profiles


@dataclass(frozen=True)
class Stage:
    """An enrollment in one version of its journey, and what was decided there."""

    journey: Journey
    decisions: list[Decision]
    now: datetime

    @property
    def last(self) -> Decision:
        return self.decisions[-1]

    def moved_to(self, to: Journey, now: datetime) -> Decision | None:
        """None where the rules leave it here."""
        outcome = migrate(self.last.enrollment, self.journey, to, self.last.profile, now)
        return outcome.decision if isinstance(outcome, Migrated) else None


@st.composite
def lives(draw: st.DrawFn) -> tuple[Stage, Journey, datetime]:
    """An enrollment under way in a journey of any shape; and an edit of it, with an instant."""
    document = draw(documents())
    walked, profile = journey_from_document(document, "v1"), draw(profiles)
    decision = advance(walked, start_of(walked, profile, draw(payloads)), profile, Entered(), MONDAY)
    history = draw(further_moves(walked, decision, MONDAY))
    stage = Stage(walked, [decision, *(one for _, _, one in history)], history[-1][1])
    assume(stage.last.enrollment.open)
    edit = journey_from_document(document | {"steps": draw(edited(document["steps"]))}, "v2")
    return stage, edit, stage.now + draw(st.sampled_from([timedelta(), timedelta(hours=5), timedelta(days=3)]))


Life = tuple[Stage, Journey, datetime]


def moved_on(life: Life) -> Decision:
    stage, to, now = life
    decision = stage.moved_to(to, now)
    assume(decision is not None)
    assert decision is not None
    return decision


def done_in(decisions: Iterable[Decision]) -> list[str]:
    """The steps that sent a message, posted a webhook or opened a task."""
    noticed = SendMessage | CallWebhook | OpenTask
    return [effect.step for one in decisions for effect in one.effects if isinstance(effect, noticed)]


@given(lives())
def test_a_moved_enrollment_stands_in_the_new_version_with_one_live_timer(life: Life) -> None:
    old, to, now = life
    decision = moved_on(life)

    before, after = old.last.enrollment, decision.enrollment
    timer = next((one for one in reversed(decision.effects) if isinstance(one, WakeAt)), None)
    assert after.version == to.version
    assert not any(isinstance(effect, SendMessage | OpenTask) for effect in decision.effects)
    if not after.open:
        assert (after.step, timer) == (None, None)
    elif after.sequence == before.sequence:
        assert (after.step, after.due_at, timer) == (before.step, before.due_at, None)
    else:
        assert timer is not None
        assert after.step in to.steps
        assert (timer.sequence, timer.at, timer.enrollment) == (after.sequence, after.due_at, after.id)
        assert timer.at >= now
        late = advance(to, after, decision.profile, TimerFired(before.sequence), moved(now, timedelta(days=99)))
        assert late == Decision(after, decision.profile)


POOL: list[dict[str, Any]] = [
    {"id": "rest", "wait": "1d"},
    {"id": "hello", "send": {"channel": "sms", "template": "hello", "purpose": "marketing"}},
    {"id": "post", "webhook": {"endpoint": "crm"}},
    {"id": "call", "task": {"queue": "q", "title": "Call"}},
]


@st.composite
def small_journeys(draw: st.DrawFn) -> Journey:
    """The same few steps in any order, some of them in an answer, an arm or behind it."""
    steps = draw(st.permutations(POOL))[: draw(st.integers(1, 4))]
    first, second = sorted(draw(st.tuples(st.integers(0, 4), st.integers(0, 4))))
    within, behind = steps[first:second], steps[second:]
    asked = {"id": "asked", "wait_for": {"event": "x", "timeout": "1d", "then": [], "else": within}}
    drawn = {"id": "drawn", "split": {"arms": [{"arm": "a", "weight": 1, "then": within}, {"arm": "b", "weight": 0}]}}
    middle = draw(st.sampled_from([within, [asked], [drawn]]))
    return journey(*steps[:first], *middle, *behind)


@given(st.lists(small_journeys(), min_size=2, max_size=5), st.data())
def test_it_ends_and_nothing_is_done_twice_in_all_versions_together(
    versions: list[Journey], data: st.DataObject
) -> None:
    versions = [replace(one, version=f"v{number}") for number, one in enumerate(versions)]
    walked, now = versions[0], MONDAY
    decisions = [entered(walked)]
    for to in versions[1:]:
        for _ in range(data.draw(st.integers(0, 2))):
            now, decision = next_timer(walked, decisions[-1], now)
            decisions.append(decision)
        if decisions[-1].enrollment.open:
            outcome = migrate(decisions[-1].enrollment, walked, to, decisions[-1].profile, now)
            assert repr(outcome) == repr(migrate(decisions[-1].enrollment, walked, to, decisions[-1].profile, now))
            if isinstance(outcome, Migrated):
                walked = to
                decisions.append(outcome.decision)
    for _ in walked.steps:
        now, decision = next_timer(walked, decisions[-1], now)
        decisions.append(decision)

    done = done_in(decisions)
    assert len(done) == len(set(done)), done
    assert decisions[-1].enrollment.status is Status.ENDED


def next_timer(walked: Journey, decision: Decision, now: datetime) -> tuple[datetime, Decision]:
    enrollment = decision.enrollment
    now = max(now, enrollment.due_at or now)
    return now, advance(walked, enrollment, decision.profile, TimerFired(enrollment.sequence), now)


@given(lives())
def test_there_and_back_is_where_it_began(life: Life) -> None:
    old, to, now = life
    there = moved_on(life)
    before = old.last.enrollment
    assume(there.enrollment.step == before.step)

    outcome = migrate(there.enrollment, to, old.journey, there.profile, now)

    assert isinstance(outcome, Migrated), outcome
    back = outcome.decision.enrollment
    assert (back.version, back.step, back.reached_at) == (before.version, before.step, before.reached_at)
    assert (back.met, back.passed, back.joined) == (before.met, before.passed, before.joined)
    moment = getattr(old.journey.steps[before.step or ""], "moment", None)
    if isinstance(moment, Delay):  # what the profile says may have changed since
        due = before.due_at or now
        assert back.due_at == (due if due > now or back.sequence == before.sequence else now)


@given(histories())
def test_a_move_to_an_equal_version_changes_nothing(history: tuple[Journey, Moves]) -> None:
    walked, moves = history
    _, now, last = moves[-1]
    assume(last.enrollment.open)

    outcome = migrate(last.enrollment, walked, replace(walked, version="v9"), last.profile, now)

    assert isinstance(outcome, Migrated), outcome
    assert outcome.decision.enrollment == replace(last.enrollment, version="v9")
    assert outcome.decision.effects == ()
