"""Move an enrollment that is under way to another version of its journey. docs/migrating.md has the rules.

No step but a `webhook` and a `task … then` is performed here. The enrollment gets its step in the other version and a
timer, which may be due at once: what follows is decided when that fires, by the engine, as for any other enrollment. So
a paused journey stays paused.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum, StrEnum

from cairn.domain.journey.definition import Journey
from cairn.domain.journey.engine import Decision
from cairn.domain.journey.enrollment import COMPLETED, Enrollment, Status
from cairn.domain.journey.steps import Step, WaitingStep
from cairn.domain.journey.steps.begin import Begin
from cairn.domain.journey.steps.branch import Branch
from cairn.domain.journey.steps.exit import Exit
from cairn.domain.journey.steps.set import Set
from cairn.domain.journey.steps.split import Split
from cairn.domain.journey.steps.task import AwaitedTask
from cairn.domain.journey.steps.update import Update
from cairn.domain.journey.steps.wait import Wait
from cairn.domain.journey.steps.wait_for import WaitFor
from cairn.domain.journey.steps.webhook import Webhook
from cairn.domain.journey.walk import Next, Stop, Walk
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.moments import Silence

HARMLESS = Begin | Wait | WaitFor | Branch | Split | Set | Update | Exit
"""Steps that may come twice: nobody outside notices. Each other kind is done once."""


class Because(StrEnum):
    """Why an enrollment stays on its version, and finishes there."""

    HELD_OUT = "held_out"  # it gets nothing, so nothing would change
    OTHER_KEY = "other_key"  # events name enrollments by another key: its own would find it no more
    OTHER_GOAL = "other_goal"  # the holdout stays, and lift compares both by one goal
    OTHER_BEGINNING = "other_beginning"  # it waits to begin, and its new version begins in another way
    REMOVED_ARM = "removed_arm"  # the split, or its arm, is gone; what an arm does is measured to its end
    OTHER_ARM = "other_arm"  # its step has left its arm of a split, or is in one that it did not draw
    SEVERAL_WAYS = "several_ways"  # its step is gone, and what follows depends on what does not happen any more
    DONE_BEFORE = "done_before"  # a message, task or the like that is behind it would come again
    HEARD_IN_VAIN = "heard_in_vain"  # of all events that it waits for, one has happened, and is not waited for any more
    LOST_VERSION = "lost_version"  # its version is neither deployed nor stored, so it stands still
    UNREADABLE = "unreadable"  # its item in the table cannot be read; `sweep` reports it
    NOT_DEPLOYED = "not_deployed"  # the journey is deployed no more, and no version to go to was named


@dataclass(frozen=True, slots=True)
class Stays:
    because: Because


@dataclass(frozen=True, slots=True)
class Migrated:
    decision: Decision


Outcome = Migrated | Stays


class _Ways(Enum):
    SEVERAL = "several"


Target = str | _Ways | None
"""A step's id; None where nothing is left."""


def migrate(enrollment: Enrollment, old: Journey, new: Journey, profile: Profile, now: datetime) -> Outcome:
    """Move an open enrollment from its version to another one. Never raises for a business outcome."""
    if enrollment.status is not Status.ACTIVE or enrollment.step is None:
        return Stays(Because.HELD_OUT)
    here = old.steps[enrollment.step]
    target = _target_in(new, here, old)
    for because in _obstacles(enrollment, old, new, here, target):
        return Stays(because)
    walk = Walk(new, replace(enrollment, version=new.version), profile, now)
    if isinstance(target, str):
        done = _done(old, enrollment)
        is_shown = done == _behind(new, target)
        passed, joined = ((), "") if is_shown else (tuple(sorted(done)), target)
        walk.enrollment = replace(walk.enrollment, passed=passed, joined=joined)
    walk.note("migrated", here.id, **{"from": old.version, "to": new.version})
    if target == here.id:
        _stay_at(walk, here, is_same_zone=old.time_zone == new.time_zone)
    else:
        walk.count()
        if isinstance(here, AwaitedTask):
            here.withdraw(walk, "its journey asks for it no more")
        _move_to(walk, target)
    return Migrated(
        Decision(walk.enrollment, walk.profile, tuple(walk.effects), tuple(walk.facts), bool(walk.looked_up))
    )


def _obstacles(enrollment: Enrollment, old: Journey, new: Journey, here: Step, target: Target) -> Iterator[Because]:
    """Why it must stay on its version."""
    if set(old.entry.keys) != set(new.entry.keys):
        yield Because.OTHER_KEY
    if (old.holdout or new.holdout) and old.goal != new.goal:
        yield Because.OTHER_GOAL
    if isinstance(here, Begin) and not _begins_alike(here, new):
        yield Because.OTHER_BEGINNING
    arms = _arms_of(old, here.id)
    if not all(_has_arm(new, *one) for one in arms):
        yield Because.REMOVED_ARM
    if isinstance(target, _Ways):
        yield Because.SEVERAL_WAYS
    if not isinstance(target, str):
        return
    its_arms = _arms_of(new, target)
    if its_arms != arms if target == here.id else not its_arms <= arms:
        yield Because.OTHER_ARM
    if _done(old, enrollment) & (_ahead(new, target) | ({target} - {here.id})):
        yield Because.DONE_BEFORE
    if target == here.id and not _waits_for_all_that(enrollment.met, here, new.steps[target]):
        yield Because.HEARD_IN_VAIN


def _stay_at(walk: Walk, before: Step, *, is_same_zone: bool) -> None:
    """The enrollment waits on at its step. Its timer stays, unless the moment has changed: then it is set anew."""
    step = walk.journey.steps[before.id]
    following: Next = Stop.HERE
    if isinstance(step, WaitFor):
        met = _met_in(step, before, walk.enrollment.met)
        walk.enrollment, following = replace(walk.enrollment, met=met), step.after_those(met)
    if following is not Stop.HERE:
        walk.count()
        _move_to(walk, following)
    elif isinstance(step, WaitingStep) and not (is_same_zone and step.moment == getattr(before, "moment", None)):
        walk.count()
        walk.enrollment = replace(walk.enrollment, paused_by="")
        _wait_at(walk, step)


def _move_to(walk: Walk, target: Next | Target) -> None:
    """The enrollment stands at another step, and is about to perform it."""
    walk.enrollment = walk.enrollment.moving()
    walk.jump()
    if not isinstance(target, str):
        walk.end(COMPLETED)
        return
    step = walk.journey.steps[target]
    if isinstance(step, Webhook | AwaitedTask):  # it waits for the answer to what it posts or asks
        walk.go(target)
        return
    walk.reach(target)
    if isinstance(step, WaitingStep):
        _wait_at(walk, step)
    else:
        walk.set_timer(target, walk.now)


def _wait_at(walk: Walk, step: WaitingStep) -> None:
    """Wait, counted from when the step was reached. A wait that is over by then is due at once."""
    if isinstance(step.moment, Silence):  # asked again when its timer fires
        waits = walk.wait_until(step.id, step.moment) is None
        following: Next = Stop.HERE if waits else step.successors[-1]
    else:
        following = step.wait(walk)
    if following is Stop.HERE:
        return
    if following == step.successors[-1]:
        walk.set_timer(step.id, walk.now)
    else:  # `if_past` passes over the next step
        _move_to(walk, following)


def _waits_for_all_that(met: Sequence[int], before: Step, step: Step) -> bool:
    """Whether the new step waits for each event of those that have happened, too."""
    if not isinstance(before, WaitFor) or not isinstance(step, WaitFor):
        return True
    return all(before.matches[number] in step.matches for number in met)


def _met_in(step: WaitFor, before: Step, met: Sequence[int]) -> tuple[int, ...]:
    """The numbers, in the new step, of the matches that have been met."""
    happened = [before.matches[number] for number in met] if isinstance(before, WaitFor) else []
    return tuple(number for number, one in enumerate(step.matches) if one in happened)


def _target_in(new: Journey, here: Step, old: Journey) -> Target:
    """The same step of the new version; else the one to which all ways from here lead first, and None at the end.

    Ways that only led to an `exit` that is gone do not count, if there are others.
    """
    if _is_in(new, here):
        return here.id
    found: set[str | None] = set()
    open_, seen = [here], {here.id}
    while open_:
        one = open_.pop()
        for target in () if isinstance(one, Exit) else one.successors:
            if target is None or _is_in(new, old.steps[target]):
                found.add(target)
            elif target not in seen:
                seen.add(target)
                open_.append(old.steps[target])
    if len(found) > 1:
        return _Ways.SEVERAL
    return next(iter(found), None)


def _is_in(journey: Journey, step: Step) -> bool:
    """Whether the journey has a step of the same id and kind."""
    return type(journey.steps.get(step.id)) is type(step)


def _begins_alike(here: Begin, new: Journey) -> bool:
    step = new.steps.get(here.id)
    return isinstance(step, Begin) and type(step.moment) is type(here.moment)


def _has_arm(journey: Journey, split: str, name: str) -> bool:
    step = journey.steps.get(split)
    return isinstance(step, Split) and any(arm.name == name for arm in step.arms)


def _arms_of(journey: Journey, step_id: str) -> frozenset[tuple[str, str]]:
    """The splits through which a step is reached, each with the one arm that leads there."""
    ways = _forward(journey)
    found = set()
    for split in (one for one in journey.steps.values() if isinstance(one, Split)):
        for arm in split.arms:
            others = [one.target for one in split.arms if one is not arm]
            if journey.start and step_id not in {journey.start} | _closure({**ways, split.id: others}, journey.start):
                found.add((split.id, arm.name))
    return frozenset(found)


def _done(journey: Journey, enrollment: Enrollment) -> set[str]:
    """The steps behind an enrollment that must not come again, or all that may be: another path may have been taken."""
    behind = _behind(journey, enrollment.step or "")
    if not enrollment.joined:
        return behind
    since = _ahead(journey, enrollment.joined) | {enrollment.joined}
    return set(enrollment.passed) | (behind & since)


def _behind(journey: Journey, step_id: str) -> set[str]:
    ways: dict[str, list[str | None]] = {}
    for one in journey.steps.values():
        for target in one.successors:
            ways.setdefault(target or "", []).append(one.id)
    return _noticed(journey, _closure(ways, step_id))


def _ahead(journey: Journey, step_id: str) -> set[str]:
    return _closure(_forward(journey), step_id)


def _noticed(journey: Journey, steps: Iterable[str]) -> set[str]:
    return {one for one in steps if not isinstance(journey.steps[one], HARMLESS)}


def _forward(journey: Journey) -> dict[str, Sequence[str | None]]:
    return {one.id: one.successors for one in journey.steps.values()}


def _closure(ways: Mapping[str, Sequence[str | None]], start: str) -> set[str]:
    """All that can be reached from there, without the start itself."""
    found: set[str] = set()
    open_ = [start]
    while open_:
        for one in ways.get(open_.pop(), ()):
            if one is not None and one not in found:
                found.add(one)
                open_.append(one)
    return found


class Timer(StrEnum):
    """The wait of an enrollment that was moved."""

    UNCHANGED = "unchanged"
    SET_ANEW = "set_anew"
    DUE_AT_ONCE = "due_at_once"
    ENDED = "ended"  # nothing is left to wait for


@dataclass(frozen=True, slots=True)
class ReportRow:
    """Enrollments that stand at one step, and what becomes of all of them alike."""

    version: str
    step: str
    to_step: str = ""
    """Empty for those that stay, and where the new version has nothing more for them."""
    timer: Timer | None = None
    because: Because | None = None
    """None for those that move."""


def row_of(enrollment: Enrollment, outcome: Outcome, now: datetime) -> ReportRow:
    """What a report counts it under."""
    step = enrollment.step or ""
    if isinstance(outcome, Stays):
        return ReportRow(enrollment.version, step, because=outcome.because)
    moved = outcome.decision.enrollment
    return ReportRow(enrollment.version, step, moved.step or "", _timer(enrollment, moved, now))


def _timer(before: Enrollment, after: Enrollment, now: datetime) -> Timer:
    if not after.open:
        return Timer.ENDED
    if after.sequence == before.sequence:
        return Timer.UNCHANGED
    return Timer.DUE_AT_ONCE if after.timer_at is not None and after.timer_at <= now else Timer.SET_ANEW
