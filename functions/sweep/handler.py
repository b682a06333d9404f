"""Every five minutes: those who wait for something that has been resumed are set going again."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from cairn.application.operations.resume_paused import ResumePaused
from cairn.compose import sweep as compose
from cairn.telemetry import count, logger

ENOUGH_MS = 20_000
"""What a page of a hundred may take at its slowest, with every call tried anew."""


@cache
def resume_paused() -> ResumePaused:
    return compose.sweep()


warm = resume_paused


def handler(event: dict[str, Any], context: Any) -> None:  # noqa: ARG001  the rule tells nothing
    def has_time() -> bool:
        return context is None or context.get_remaining_time_in_millis() > ENOUGH_MS

    resumed = resume_paused()(datetime.now(UTC), has_time)
    if resumed:
        count("Swept")
        logger.info("set going what was paused", resumed=resumed, finished=has_time())
