"""One SQS record at a time: what fails for good, or for the last time, is parked with its reason."""

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cairn.application.ports import DeadLetters
from cairn.domain.errors import CairnError
from cairn.settings import MAX_RECEIVES
from cairn.telemetry import count, logger

OURS = re.compile(r"/(python/cairn|functions|task)/")
"""Our own files: a place in them tells more than one in a library."""


@contextmanager
def parking(record: Any, dead_letters: DeadLetters, queue: str) -> Iterator[None]:
    """Run the body for one record (Powertools' SQSRecord). Raises what the queue should deliver again."""
    try:
        yield
    except Exception as error:
        for_good = isinstance(error, CairnError) and not error.retryable
        last_time = int(record.attributes.approximate_receive_count) >= MAX_RECEIVES
        if not (for_good or last_time):
            logger.warning("record failed, will be delivered again", queue=queue, error=type(error).__name__)
            raise
        reason = f"{type(error).__name__}: {error}" if isinstance(error, CairnError) else _where(error)
        dead_letters.park(record.body, reason, record.attributes.message_group_id or "", record.message_id)
        count("DeadLetter", queue=queue)
        logger.error("record parked in the dead-letter queue", queue=queue, error=type(error).__name__)


def _where(error: Exception) -> str:
    """Type, AWS's code and place of an error that is not ours: its text may quote a customer's data."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if OURS.search(frame.filename)]
    frame = (ours or frames)[-1]
    code = getattr(error, "cause_response_code", None)  # PynamoDB's
    said = f" ({code})" if code else ""
    return f"{type(error).__name__}{said} in {frame.filename.rpartition('/')[2]}:{frame.lineno}"
