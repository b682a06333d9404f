"""The life of a task, as laws: whatever happens to it, in whatever order."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from cairn.domain.people import life
from cairn.domain.people.life import Changed, Fires, Pass
from cairn.domain.people.members import Member, Outcome, People, Queue
from cairn.domain.people.notification import NotificationKind
from cairn.domain.people.routing import Assignment
from cairn.domain.people.task import Entry, Task, TaskStatus
from cairn.domain.shared.calendars import Calendar
from cairn.domain.shared.errors import InvalidRequestError, TaskClosedError, TaskOwnedError

NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)
OFFICE = Calendar(hours=(((540, 1020),),) * 5 + ((), ()), zone="UTC")
OUTCOMES = {
    one.name: one
    for one in (
        Outcome("booked", "Booked", event="visit.booked"),
        Outcome("no_answer", "No answer", again=timedelta(hours=3)),
        Outcome("callback", "Call back", at_hour_of_choice=True),
    )
}
SALES = Queue(
    "sales",
    "Sales",
    members={"ana": 1, "ben": 1, "cleo": 1},
    calendar=OFFICE,
    due=timedelta(hours=4),
    remind=timedelta(hours=1),
    reassign=2,
    escalate_to="managers",
    outcomes=OUTCOMES,
)
MANAGERS = Queue("managers", "Managers", members={"maria": 1}, due=timedelta(hours=8))
PEOPLE = People(
    {one.name: one for one in (SALES, MANAGERS)},
    {one: Member(one, one.title(), manager="maria") for one in ("ana", "ben", "cleo")}
    | {"maria": Member("maria", "M")},
)


def a_task(owner: str = "ana", **fields: Any) -> Task:
    task = Task("t1", "c1", "sales", "Call", NOW, NOW, enrollment="e1", step="call", **fields)
    first = Entry(NOW, life.CAIRN, "opened", owner, "in turn" if owner else "nobody works")
    return replace(life.opened(task, SALES), owner=owner, history=(first,))


def given_to(owner: str, queue: str = "sales") -> Assignment:
    return Assignment(owner, "in turn" if owner else "everybody is away", queue)


def passes(task: Task, now: datetime, owner: str = "ben") -> Task:
    what = life.passes(task, PEOPLE)
    queue = life.goes_to(task, what, PEOPLE)
    return life.passed_on(task, PEOPLE, what, given_to(owner, queue) if queue else None, now).task


def done(task: Task, outcome: str, now: datetime, **more: Any) -> Task:
    at = {"at": now + timedelta(days=1)} if outcome == "callback" else {}
    return life.done(task, OUTCOMES[outcome], SALES, now, **{"by": "op", **at, **more}).task


MOVES: dict[str, Callable[[Task, datetime], Task]] = {
    "claim": lambda task, now: life.claimed(task, task.owner or "ana", now).task,
    "assign": lambda task, now: life.assigned(task, "cleo", "she knows them", "op", now).task,
    "note": lambda task, now: life.noted(task, "said hello", "op", now).task,
    "time": lambda task, now: passes(task, max(now, task.next_at or now)) if task.is_open else task,
    "nobody": lambda task, now: passes(task, max(now, task.next_at or now), "") if task.is_open else task,
    "no_answer": lambda task, now: done(task, "no_answer", now),
    "callback": lambda task, now: done(task, "callback", now),
    "booked": lambda task, now: done(task, "booked", now),
    "withdraw": lambda task, now: life.withdrawn(task, "paid", "op", now).task,
    "join": lambda task, _: life.joined(task, "e2", "call").task,
    "leave": lambda task, now: life.left_by(task, "e1", "", "invoice.paid", now).task,
}
lives = st.lists(st.tuples(st.sampled_from(sorted(MOVES)), st.timedeltas(timedelta(), timedelta(days=2))), max_size=25)


def lived(moves: list[tuple[str, timedelta]], owner: str = "ana") -> list[tuple[Task, datetime]]:
    """The task after each move; what a closed one refuses leaves it as it is."""
    task, now = a_task(owner), NOW
    found = [(task, now)]
    for name, later in moves:
        now += later
        try:
            task = MOVES[name](task, now)
        except TaskClosedError:
            assert not task.is_open
        found.append((task, now))
    return found


@given(lives, st.sampled_from(["ana", ""]))
def test_an_open_task_has_an_owner_or_its_history_says_why_and_always_a_timer(
    moves: list[tuple[str, timedelta]], owner: str
) -> None:
    for task, _ in lived(moves, owner):
        if task.is_open:
            assert task.owner or [one for one in task.history if not one.owner and one.why]
            assert life.timers_of(task)
            assert task.next_at is not None
        else:
            assert not life.timers_of(task)


@given(lives, st.sampled_from(["ana", "ben", "cleo", "maria"]))
def test_a_member_who_is_removed_has_no_task_after_its_next_timer(
    moves: list[tuple[str, timedelta]], removed: str
) -> None:
    left = People(PEOPLE.queues, {id_: one for id_, one in PEOPLE.members.items() if id_ != removed})
    for task, now in lived(moves):
        if not task.is_open or task.owner != removed:
            continue
        for heir in ("dee", ""):
            what, at = life.passes(task, left), max(now, task.next_at or now)
            assert what is Pass.CHOOSE
            if not heir:
                what = life.goes_up(task, left)
            queue = life.goes_to(task, what, left)
            after = life.passed_on(task, left, what, given_to(heir, queue) if queue else None, at).task

            assert after.owner == (heir if queue else "")
            assert after.history[-1].why.startswith(f"{removed} is no member any more")
            assert life.timers_of(after)


@given(lives)
def test_whatever_sets_another_time_makes_the_earlier_timers_stale(moves: list[tuple[str, timedelta]]) -> None:
    past = lived(moves)
    for (before, _), (after, now) in pairwise(past):
        if life.timers_of(before) != life.timers_of(after):
            assert after.sequence > before.sequence
            late = now + timedelta(days=365)
            assert life.fires(after, before.sequence, late) is Fires.STALE


@given(lives)
def test_a_closed_task_stays_closed_and_is_done_once(moves: list[tuple[str, timedelta]]) -> None:
    past = [task for task, _ in lived(moves)]
    for before, after in pairwise(past):
        if not before.is_open:
            assert (after.status, after.outcome, after.history) == (before.status, before.outcome, before.history)
    assert sum(one.what in {"done", "withdrawn"} for one in past[-1].history) == (not past[-1].is_open)


@given(lives)
def test_a_task_ends_or_goes_up_in_a_bounded_number_of_steps(moves: list[tuple[str, timedelta]]) -> None:
    for task, _ in lived(moves):
        assert task.tries <= life.MOST_TRIES
        assert task.escalated <= life.MOST_ESCALATIONS
        assert len(task.history) <= life.MOST_ENTRIES


@given(st.sampled_from(["ana", "ben"]), st.sampled_from(["ana", "ben"]))
def test_of_two_who_claim_a_task_the_second_hears_who_has_it(first: str, second: str) -> None:
    task = life.claimed(a_task(""), first, NOW).task

    if first == second:
        assert life.claimed(task, second, NOW).task is task
    else:
        with pytest.raises(TaskOwnedError, match=f"{first} has this task"):
            life.claimed(task, second, NOW)
        with pytest.raises(TaskOwnedError):
            life.done(task, OUTCOMES["booked"], SALES, NOW, by="op", member=second)


def test_a_change_that_was_made_before_changes_nothing() -> None:
    task = a_task()
    booked = done(task, "booked", NOW)
    gone = life.withdrawn(task, "paid", "op", NOW).task
    noted = life.noted(task, "hello", "op", NOW).task

    assert done(booked, "booked", NOW) is booked
    assert life.withdrawn(gone, "paid", "op", NOW).task is gone
    assert life.noted(noted, "hello", "op", NOW).task is noted
    assert life.assigned(task, "ana", "", "op", NOW).task is task
    assert life.joined(life.joined(task, "e2", "s").task, "e2", "s") == Changed(life.joined(task, "e2", "s").task)


def test_a_task_that_comes_back_takes_the_same_outcome_twice_for_one_request_and_later_for_another_attempt() -> None:
    soon, later = NOW + timedelta(minutes=1), NOW + life.SAID_TWICE
    at = NOW + timedelta(days=1)
    rests = done(a_task(), "no_answer", NOW, note="voice mail", answers={"need": "a boat"})
    called_back = done(a_task(), "callback", NOW, at=at)

    assert done(rests, "no_answer", soon) is rests
    assert done(rests, "no_answer", soon, note="voice mail", answers={"need": "a boat"}) is rests
    assert done(called_back, "callback", soon, at=at) is called_back
    for other in (
        done(rests, "no_answer", later),
        done(rests, "no_answer", soon, by="another"),
        done(rests, "no_answer", soon, note="their line is dead"),
        done(rests, "no_answer", soon, answers={"need": "a car"}),
        done(life.claimed(rests, "ana", soon).task, "no_answer", soon),
        done(rests, "callback", soon),
        done(called_back, "callback", soon, at=at + timedelta(hours=1)),
    ):
        assert other.tries == 2


def test_a_reminder_comes_an_hour_of_work_before_the_task_is_due() -> None:
    friday = datetime(2026, 3, 6, 16, tzinfo=UTC)
    task = life.opened(replace(a_task(), opened_at=friday), SALES)

    assert task.due_at == datetime(2026, 3, 9, 12, tzinfo=UTC)
    assert life.timers_of(task) == (datetime(2026, 3, 9, 11, tzinfo=UTC), task.due_at)
    assert life.fires(task, task.sequence, task.due_at - timedelta(minutes=30)) is Fires.REMINDS
    assert life.fires(task, task.sequence, friday) is Fires.EARLY
    assert life.fires(task, task.sequence, task.due_at) is Fires.PASSES


def test_an_overdue_task_goes_to_two_others_then_to_the_managers_and_stays_there() -> None:
    task, now = a_task("ana"), NOW
    seen = []
    for owner in ("ben", "cleo", "maria", "", ""):
        what = life.passes(task, PEOPLE)
        queue = life.goes_to(task, what, PEOPLE)
        now = task.next_at or now
        changed = life.passed_on(task, PEOPLE, what, given_to(owner, queue) if queue else None, now)
        task = changed.task
        seen.append((what, task.owner, task.queue, changed.notifies[0][0], len(changed.events)))

    assert seen == [
        (Pass.REASSIGN, "ben", "sales", NotificationKind.REASSIGNED, 1),
        (Pass.REASSIGN, "cleo", "sales", NotificationKind.REASSIGNED, 0),
        (Pass.ESCALATE, "maria", "managers", NotificationKind.ESCALATED, 0),
        (Pass.TOP, "maria", "managers", NotificationKind.OVERDUE, 0),
        (Pass.TOP, "maria", "managers", NotificationKind.OVERDUE, 0),
    ]


def test_without_a_queue_above_it_goes_to_the_manager() -> None:
    people = replace(PEOPLE, queues={"sales": replace(SALES, escalate_to="", reassign=0)})
    task = a_task("ana")

    what = life.passes(task, people)
    after = life.passed_on(task, people, what, None, NOW).task

    assert (what, after.owner, life.passes(after, people)) == (Pass.MANAGER, "maria", Pass.TOP)


@given(st.integers(1, 60))
def test_the_last_in_the_chain_hears_of_it_five_days_in_a_row_and_then_less_and_less(often: int) -> None:
    task = replace(a_task("maria"), queue="managers", escalated=1)
    heard = []
    for _ in range(often):
        heard.append(task.next_at or NOW)
        assert life.passes(task, PEOPLE) is Pass.TOP
        task = passes(task, heard[-1])
        assert life.timers_of(task) == (task.next_at,)

    pauses = [after - before for before, after in pairwise([*heard, task.next_at or NOW])]
    day, week = timedelta(days=1), timedelta(weeks=1)
    assert pauses[:7] == [day, day, day, day, week, 2 * week, 4 * week][:often]
    assert set(pauses[6:]) <= {4 * week}


def test_who_is_given_an_overdue_task_anew_hears_of_it_daily_again() -> None:
    task = replace(a_task("maria"), queue="managers", escalated=1)
    for _ in range(10):
        task = passes(task, task.next_at or NOW)
    assert life.pause_at_the_top(task) == timedelta(weeks=4)

    given = life.assigned(task, "ben", "knows them", "op", NOW).task
    assert given.next_at == NOW + timedelta(days=1), "it does not wait for the end of the long pause"
    assert life.timers_of(given) == (given.next_at,)
    assert life.assigned(a_task("ana"), "ben", "knows them", "op", NOW).task.next_at == a_task("ana").next_at
    again = life.passed_on(given, People({"managers": MANAGERS}), Pass.TOP, None, NOW).task

    assert life.pause_at_the_top(again) == timedelta(days=1)


def test_a_member_who_had_it_is_not_among_the_next() -> None:
    task = passes(passes(a_task("ana"), NOW, "ben"), NOW, "cleo")

    assert life.had_by(task) == {"ana", "ben", "cleo"}
    assert life.had_by(passes(task, NOW, "maria")) == {"maria"}


def test_the_last_enrollment_that_leaves_withdraws_the_task() -> None:
    both = life.joined(a_task(), "e2", "other").task

    one = life.left_by(both, "e1", "", "invoice.paid", NOW).task
    none = life.left_by(one, "e2", "other", "invoice.paid", NOW)

    assert (one.is_open, one.enrollment, one.step, one.enrollments) == (True, "e2", "other", ())
    assert life.left_by(both, "e1", "another-step", "x", NOW).task is both
    assert none.task.status is TaskStatus.WITHDRAWN
    assert none.events[0][1]["because"] == "invoice.paid"


@pytest.mark.parametrize("at", [None, NOW, NOW - timedelta(days=1)])
def test_a_callback_needs_an_instant_to_come(at: datetime | None) -> None:
    with pytest.raises(InvalidRequestError):
        life.done(a_task(), OUTCOMES["callback"], SALES, NOW, by="op", at=at)


def test_a_callback_is_due_at_its_very_minute_whatever_the_hours_of_the_queue() -> None:
    sunday = datetime(2026, 3, 8, 20, 17, tzinfo=UTC)

    task = life.done(a_task(), OUTCOMES["callback"], SALES, NOW, by="op", at=sunday).task

    assert (task.due_at, task.remind_at, task.next_at) == (sunday, sunday, sunday + life.CALLBACK_GRACE)
