"""Every five minutes: resume paused work of resumed targets, set going what is stuck, watch queues, choose winners.

And pass on the tasks of members who were removed from people.toml.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cairn.application.operations.find_stuck import Found
from cairn.application.operations.watch_queues import DeadLettersLie, Finding, QueueIsLate, QueueUnwatched
from cairn.compose import sweep as compose
from cairn.domain.operations import signs
from cairn.domain.operations.choices import SplitOf
from cairn.domain.shared.errors import CairnError
from cairn.telemetry import DEAD_LETTERS, WAITING, count, logger, measure, need_person, where

ENOUGH_MS = 20_000
"""Upper bound for one page of a hundred items, with retries."""


@cache
def jobs() -> compose.Jobs:
    return compose.sweep()


warm = jobs


def handler(event: dict[str, Any], context: Any) -> None:  # noqa: ARG001  the rule sends no data
    def has_time() -> bool:
        return context is None or context.get_remaining_time_in_millis() > ENOUGH_MS

    resume_paused, find_stuck, watch_queues, choose_winners, pass_on_removed, watch_signs = jobs()
    failures = [
        *failure_of("resume_paused", lambda: report_resumed(resume_paused(datetime.now(UTC), has_time), has_time)),
        *failure_of("find_stuck", lambda: report(find_stuck(datetime.now(UTC), has_time))),
        *failure_of("watch_queues", lambda: report_queues(watch_queues(datetime.now(UTC)))),
        *failure_of("choose_winners", lambda: report_chosen(choose_winners(datetime.now(UTC)))),
        *failure_of("pass_on_removed", lambda: report_passed_on(pass_on_removed(datetime.now(UTC), has_time))),
        *failure_of("watch_signs", lambda: report_signs(watch_signs(datetime.now(UTC)))),
    ]
    if failures:
        raise failures[0]


def failure_of(job: str, run: Callable[[], None]) -> Sequence[Exception]:
    """Run a job: what one of them meets keeps none of the others from its work. Returns the error, if there is one."""
    try:
        run()
    except Exception as error:  # noqa: BLE001  raised once all jobs are done
        logger.error("job failed, the next run does it again", job=job, error=where(error))
        return [error]
    return []


def report_resumed(resumed: int, has_time: Callable[[], bool]) -> None:
    if resumed:
        count("WorkResumed", resumed)
        logger.info("set going what was paused", resumed=resumed, finished=has_time())


def report(found: Sequence[Found]) -> None:
    """One line for each. An overdue task has a name of its own: it is a person's work."""
    for kind, number in Counter(one.kind for one in found).items():
        count("StuckBy", number, kind=kind)
    tasks = [_fields(one) for one in found if one.kind == "task"]
    stuck = [_fields(one) for one in found if one.kind != "task"]
    if tasks:
        need_person("TaskOverdue", "found an overdue task", do="the task's owner has to do it", each=tasks)
    if stuck:
        need_person("Stuck", "found what was stuck", do="find out why its timer was lost; it goes on", each=stuck)


def report_chosen(splits: Sequence[SplitOf]) -> None:
    for one in splits:
        logger.info("the rule of a split has chosen its winner", journey=one.journey, step=one.step)


def report_passed_on(tasks: int) -> None:
    if tasks:
        logger.info("passed on tasks of members who were removed from people.toml", tasks=tasks)


def report_signs(found_signs: Sequence[tuple[signs.Found, bool]]) -> None:
    """A person is called for a new one; one that stays is counted, so that an alarm of its own stays red."""
    for found, is_new in found_signs:
        if is_new:
            do = f"docs/runbook.md, {found.sign}"
            need_person(found.sign, "a sign that something goes wrong", do=do, each=[{"why": found.why}])
        else:
            count(found.sign)
            logger.warning("a sign that something goes wrong stays", sign=found.sign, why=found.why)


def _fields(one: Found) -> dict[str, str]:
    return {"kind": one.kind, "customer": one.customer, "stuck": one.id}


def report_queues(findings: Sequence[Finding]) -> None:
    """One line for each queue, and the metrics that alarms watch. Raises where a queue could not be asked."""
    unwatched: list[Exception] = []
    for one in findings:
        match one:
            case DeadLettersLie():
                see = f"cairn dlq show {one.queue}"
                logger.warning("dead letters lie in a queue", queue=one.queue, dead_letters=one.number, do=see)
            case QueueIsLate():
                logger.warning("queue is late", queue=one.queue, waited_seconds=int(one.age.total_seconds()))
                measure(WAITING, one.age)
            case QueueUnwatched():
                why = str(one.error) if isinstance(one.error, CairnError) else where(one.error)
                logger.error("queue could not be asked", queue=one.queue, error=why)
                unwatched.append(one.error)
    dead_letters = sum(one.number for one in findings if isinstance(one, DeadLettersLie))
    if dead_letters:
        count(DEAD_LETTERS, dead_letters)
    if unwatched:
        raise unwatched[0]
