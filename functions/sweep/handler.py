"""Every five minutes: resume the paused work of resumed targets, and set going what is stuck."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cairn.application.operations.find_stuck import FindStuck, Found
from cairn.application.operations.resume_paused import ResumePaused
from cairn.compose import sweep as compose
from cairn.telemetry import count, logger

ENOUGH_MS = 20_000
"""Upper bound for one page of a hundred items, with retries."""


@cache
def jobs() -> tuple[ResumePaused, FindStuck]:
    return compose.sweep()


warm = jobs


def handler(event: dict[str, Any], context: Any) -> None:  # noqa: ARG001  the rule sends no data
    def has_time() -> bool:
        return context is None or context.get_remaining_time_in_millis() > ENOUGH_MS

    resume_paused, find_stuck = jobs()
    try:
        resumed = resume_paused(datetime.now(UTC), has_time)
        if resumed:
            count("Swept")
            logger.info("set going what was paused", resumed=resumed, finished=has_time())
    finally:  # what resuming meets must not keep the others stuck
        report(find_stuck(datetime.now(UTC), has_time))


def report(found: Sequence[Found]) -> None:
    """One line for each, and the metrics that alarms watch. An overdue task has one of its own: it is a person's."""
    for one in found:
        logger.warning("found what was stuck", kind=one.kind, customer=one.customer, stuck=one.id)
    for kind, number in Counter(one.kind for one in found).items():
        count("StuckBy", number, kind=kind)
    tasks = sum(one.kind == "task" for one in found)
    if tasks:
        count("TaskOverdue", tasks)
    if len(found) > tasks:
        count("Stuck", len(found) - tasks)
