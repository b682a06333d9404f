"""Every five minutes: resume the paused work of resumed targets."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from cairn.application.operations.resume_paused import ResumePaused
from cairn.compose import sweep as compose
from cairn.telemetry import count, logger

ENOUGH_MS = 20_000
"""Upper bound for one page of a hundred items, with retries."""


@cache
def resume_paused() -> ResumePaused:
    return compose.sweep()


warm = resume_paused


def handler(event: dict[str, Any], context: Any) -> None:  # noqa: ARG001  the rule sends no data
    def has_time() -> bool:
        return context is None or context.get_remaining_time_in_millis() > ENOUGH_MS

    resumed = resume_paused()(datetime.now(UTC), has_time)
    if resumed:
        count("Swept")
        logger.info("set going what was paused", resumed=resumed, finished=has_time())
