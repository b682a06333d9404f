"""erase_customer: removes the data of erased customers."""

import os

from cairn.adapters import aws
from cairn.adapters.dynamodb.audit import DynamoAudit
from cairn.adapters.dynamodb.erasure import DynamoErasureStore
from cairn.adapters.dynamodb.timeline import DynamoTimeline
from cairn.adapters.s3 import Overflow
from cairn.adapters.scheduler.schedule_group import ScheduleGroup
from cairn.adapters.secrets_manager import identity_keys
from cairn.adapters.sqs.dead_letter_eraser import DeadLetterEraser
from cairn.adapters.sqs.dead_letter_queue import DeadLetterQueue
from cairn.adapters.sqs.erasure_queue import ErasureQueue
from cairn.application.privacy.erase_customer import EraseCustomer
from cairn.application.privacy.erase_record import EraseRecord
from cairn.compose.table import bind_table
from cairn.settings import EraseCustomerSettings


def erasures() -> tuple[EraseCustomer, EraseRecord]:
    """What erases a whole customer, and what erases one source's record of a customer."""
    settings = EraseCustomerSettings.from_environment(os.environ)
    bind_table(settings.table_name)
    keys = identity_keys(aws.client("secretsmanager"), settings.identity_secret_id, settings.identity_fingerprint)
    sqs, store, tasks = aws.client("sqs"), DynamoErasureStore(keys), DynamoTimeline()
    remove_dead_letters = DeadLetterEraser(
        sqs=sqs,
        urls=settings.letters_queue_urls.split(),
        overflow=Overflow(lambda: aws.client("s3"), settings.overflow_bucket),
        wait_seconds=int(settings.letters_wait_seconds),
    ).remove
    whole = EraseCustomer(
        store=store,
        cancel_schedules=ScheduleGroup(scheduler=aws.client("scheduler"), group=settings.schedule_group).cancel,
        remove_dead_letters=remove_dead_letters,
        erasures=ErasureQueue(sqs, settings.erasures_queue_url),
        tasks=tasks,
    )
    return whole, EraseRecord(store, remove_dead_letters, tasks, DynamoAudit())


def dead_letters() -> DeadLetterQueue:
    settings = EraseCustomerSettings.from_environment(os.environ)
    return DeadLetterQueue(aws.client("sqs"), settings.erasures_dead_letter_queue_url)
