"""Erasures queue → table, schedules, dead letters: remove all data of a customer, or of one source's record."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from cairn.adapters.sqs.erasure_queue import order_in
from cairn.application.privacy.erase_customer import EraseCustomer
from cairn.application.privacy.erase_record import EraseRecord
from cairn.compose import erase_customer as compose
from cairn.compose.queues import consumed_queues
from cairn.domain.effects import EraseRecord as Record
from cairn.sqs_records import Consumer, consume
from cairn.telemetry import count, logger


@cache
def erasures() -> tuple[EraseCustomer, EraseRecord]:
    return compose.erasures()


@cache
def consumer() -> Consumer:
    return Consumer(
        function="erase_customer",
        queue="erasures",
        dead_letters=compose.dead_letters(),
        put_off=consumed_queues().put_off,
    )


def warm() -> None:
    erasures()
    consumer()


def handler(event: dict[str, Any], context: Any) -> Any:
    return consume(event, context, erase_one, consumer())


def erase_one(record: SQSRecord) -> None:
    customer, order = order_in(record.body)
    of_customer, of_record = erasures()
    now = datetime.now(UTC)
    outcome = of_record(customer, order, now) if isinstance(order, Record) else of_customer(customer, order, now)
    count("Erasure", outcome=outcome.value)
    logger.info("erasure carried out", customer=customer, receipt=order.id, outcome=outcome.value)
