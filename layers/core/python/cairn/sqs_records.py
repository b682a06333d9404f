"""One SQS record at a time: a permanent or last failure goes to the dead letters, with its reason."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cairn.adapters.sqs.dead_letter_queue import DeadLetterQueue
from cairn.domain.shared.errors import CairnError, ErasedCustomerError
from cairn.settings import MAX_RECEIVES
from cairn.telemetry import count, logger, where

WORD = re.compile(r"\S+")
NUMBER = re.compile(r"\+?(?:\d[ ().-]*){9,}")
NAME_AND_AT = re.compile(r"[^\s:;,]@\S")
ENDS_A_NAME = ":;,"

MASK = "•••"


def without_personal_data(reason: str) -> str:
    """The reason without what may be an address or a number: it may quote a field of a document."""
    return NUMBER.sub(MASK, WORD.sub(_without_address, reason))


def _without_address(word: re.Match[str]) -> str:
    """Word by word: a pattern around the @ takes the square of a long word's length."""
    found = NAME_AND_AT.search(word[0])
    if found is None:
        return word[0]
    return word[0][: max(word[0].rfind(mark, 0, found.start()) for mark in ENDS_A_NAME) + 1] + MASK


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
        reason = without_personal_data(reason)
        dead_letters.add(record.body, reason, record.attributes.message_group_id or "", record.message_id)
        count("DeadLetter", queue=queue)
        logger.error("record parked in the dead-letter queue", queue=queue, error=type(error).__name__)
