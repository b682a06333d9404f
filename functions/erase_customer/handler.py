"""Erasures queue → table, schedules, dead letters: remove all data of a customer, or of one source's record."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from cairn.adapters.sqs.dead_letter_queue import DeadLetterQueue
from cairn.adapters.sqs.erasure_queue import order_in
from cairn.application.privacy.erase_customer import EraseCustomer
from cairn.application.privacy.erase_record import EraseRecord
from cairn.compose import erase_customer as compose
from cairn.domain.effects import EraseRecord as Record
from cairn.sqs_records import dead_lettering
from cairn.telemetry import count, logger


@cache
def erasures() -> tuple[EraseCustomer, EraseRecord]:
    return compose.erasures()


@cache
def dead_letters() -> DeadLetterQueue:
    return compose.dead_letters()


def warm() -> None:
    erasures()
    dead_letters()


def handler(event: dict[str, Any], context: Any) -> Any:
    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    return process_partial_response(event, erase_one, processor, context)


def erase_one(record: SQSRecord) -> None:
    with dead_lettering(record, dead_letters(), "erasures"):
        customer, order = order_in(record.body)
        of_customer, of_record = erasures()
        now = datetime.now(UTC)
        outcome = of_record(customer, order, now) if isinstance(order, Record) else of_customer(customer, order, now)
        count("Erasure", outcome=outcome.value)
        logger.info("erasure carried out", customer=customer, receipt=order.id, outcome=outcome.value)
