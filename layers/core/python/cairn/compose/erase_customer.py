"""erase_customer: removes the data of erased customers."""

import os

from cairn.adapters import aws
from cairn.adapters.dynamodb.erasure import DynamoErasureStore
from cairn.adapters.dynamodb.timeline import DynamoTimeline
from cairn.adapters.s3 import Overflow
from cairn.adapters.scheduler.schedule_group import ScheduleGroup
from cairn.adapters.secrets_manager import identity_keys
from cairn.adapters.sqs.dead_letter_eraser import DeadLetterEraser
from cairn.adapters.sqs.dead_letter_queue import DeadLetterQueue
from cairn.adapters.sqs.erasure_queue import ErasureQueue
from cairn.application.privacy.erase_customer import EraseCustomer
from cairn.compose.table import bind_table
from cairn.settings import EraseCustomerSettings


def erase_customer() -> EraseCustomer:
    settings = EraseCustomerSettings.from_environment(os.environ)
    bind_table(settings.table_name)
    keys = identity_keys(aws.client("secretsmanager"), settings.identity_secret_id, settings.identity_fingerprint)
    sqs = aws.client("sqs")
    return EraseCustomer(
        store=DynamoErasureStore(keys),
        cancel_schedules=ScheduleGroup(scheduler=aws.client("scheduler"), group=settings.schedule_group).cancel,
        remove_dead_letters=DeadLetterEraser(
            sqs=sqs,
            urls=settings.letters_queue_urls.split(),
            overflow=Overflow(lambda: aws.client("s3"), settings.overflow_bucket),
            wait_seconds=int(settings.letters_wait_seconds),
        ).remove,
        erasures=ErasureQueue(sqs, settings.erasures_queue_url),
        tasks=DynamoTimeline(),
    )


def dead_letters() -> DeadLetterQueue:
    settings = EraseCustomerSettings.from_environment(os.environ)
    return DeadLetterQueue(aws.client("sqs"), settings.erasures_dead_letter_queue_url)
