"""One SQS record at a time: a permanent or last failure goes to the dead letters, with its reason."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cairn.adapters.sqs.dead_letter_queue import DeadLetterQueue
from cairn.domain.shared.errors import CairnError, ErasedCustomerError
from cairn.settings import MAX_RECEIVES
from cairn.telemetry import count, logger, where

PERSONAL = re.compile(r"[^\s:;,]+@\S+|\+?(?:\d[ ().-]*){9,}")
"""Text that may be an address or a number: a reason may quote a field of a document."""

MASK = "•••"


@contextmanager
def dead_lettering(record: Any, dead_letters: DeadLetterQueue, queue: str) -> Iterator[None]:
    """Run the body for one record (Powertools' SQSRecord). Raises where the queue should deliver it again."""
    try:
        yield
    except ErasedCustomerError:
        count("Erased", queue=queue)
        logger.info("record dropped, its customer was erased", queue=queue)
    except Exception as error:
        for_good = isinstance(error, CairnError) and not error.retryable
        last_time = int(record.attributes.approximate_receive_count) >= MAX_RECEIVES
        if not (for_good or last_time):
            logger.warning("record failed, will be delivered again", queue=queue, error=type(error).__name__)
            raise
        reason = f"{type(error).__name__}: {error}" if isinstance(error, CairnError) else where(error)
        reason = PERSONAL.sub(MASK, reason)
        dead_letters.add(record.body, reason, record.attributes.message_group_id or "", record.message_id)
        count("DeadLetter", queue=queue)
        logger.error("record parked in the dead-letter queue", queue=queue, error=type(error).__name__)
