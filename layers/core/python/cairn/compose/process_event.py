"""process_event: decides what events and wake-ups do, and commits it."""

import os
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from cairn.adapters import aws
from cairn.adapters.backoff import attempts
from cairn.adapters.documents.catalogue import Catalogue
from cairn.adapters.documents.policy import policy_at
from cairn.adapters.dynamodb.chosen_arms import DynamoChosenArms
from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.deliveries import DynamoDeliveries
from cairn.adapters.dynamodb.erasure_orders import DynamoErasureOrders
from cairn.adapters.dynamodb.switches import DynamoSwitches
from cairn.adapters.phone.numbers import phones_of
from cairn.adapters.s3 import Overflow
from cairn.adapters.secrets_manager import identity_keys
from cairn.adapters.sqs.dead_letter_queue import DeadLetterQueue
from cairn.application.events.process_event import ProcessEvent
from cairn.compose import people, seen
from cairn.compose.audiences import audiences_beside
from cairn.compose.leads import leads_beside
from cairn.compose.table import bind_table
from cairn.settings import ProcessEventSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from cairn.application.audience.begin_broadcast import BeginBroadcast
    from cairn.application.events.read_reply import ReadReply
    from cairn.application.people.fire_task_timer import FireTaskTimer


def process_event() -> ProcessEvent:
    settings = ProcessEventSettings.from_environment(os.environ)
    bind_table(settings.table_name)
    keys = identity_keys(aws.client("secretsmanager"), settings.identity_secret_id, settings.identity_fingerprint)
    journeys = Catalogue(Path(settings.journeys_path))
    return ProcessEvent(
        customers=DynamoCustomers(keys),
        journeys=journeys,
        read_phone=phones_of(settings.phone_region),
        keys=keys,
        switches=DynamoSwitches(),
        chosen=DynamoChosenArms(),
        sent=DynamoDeliveries(),
        orders=DynamoErasureOrders(),
        languages=tuple(settings.reply_languages.split()),
        policy=policy_at(Path(settings.policy_path)),
        leads=leads_beside(Path(settings.policy_path)),
        audiences=audiences_beside(Path(settings.policy_path)),
        read_reply=_read_reply(settings, journeys),
        attempts=attempts,
    )


def begin_broadcast() -> "Callable[[], BeginBroadcast]":
    """Made with the first event about a thing: few events are."""
    settings = ProcessEventSettings.from_environment(os.environ)

    @cache
    def made() -> "BeginBroadcast":
        from cairn.adapters.dynamodb.broadcasts import DynamoBroadcasts  # noqa: PLC0415  see above
        from cairn.application.audience.begin_broadcast import BeginBroadcast  # noqa: PLC0415
        from cairn.domain.audience.audiences import Audiences  # noqa: PLC0415

        broadcasts = DynamoBroadcasts(aws.client("dynamodb", validated=True), settings.table_name)
        return BeginBroadcast(audiences_beside(Path(settings.policy_path)) or Audiences(()), broadcasts)

    return made


def fire_task_timer() -> "Callable[[], FireTaskTimer]":
    """Made when a task's timer fires for the first time: few wake-ups are of tasks."""
    settings = ProcessEventSettings.from_environment(os.environ)
    return cache(partial(people.fire_task_timer, settings.people_path, aws.client("sqs"), settings.notices_queue_url))


def _read_reply(settings: ProcessEventSettings, journeys: Catalogue) -> "Callable[[], ReadReply]":
    """Made with the first reply, since few events are one."""

    @cache
    def made() -> "ReadReply":
        from cairn.adapters.documents.replies import replies_beside  # noqa: PLC0415  at the first reply
        from cairn.application.events.read_reply import ReadReply  # noqa: PLC0415

        languages = tuple(settings.reply_languages.split())
        reader = ReadReply(journeys, replies_beside(Path(settings.policy_path)), languages)
        if not settings.bedrock_model:
            return reader
        from cairn.adapters.bedrock import PATIENCE, SERVICE, BedrockInterpreter  # noqa: PLC0415  most ask no model
        from cairn.adapters.dynamodb.model_calls import DynamoModelCalls  # noqa: PLC0415

        return replace(
            reader,
            interpreter=BedrockInterpreter(aws.client(SERVICE, patience=PATIENCE), settings.bedrock_model),
            calls=DynamoModelCalls(aws.client("dynamodb", validated=True), settings.table_name),
        )

    return made


def dead_letters() -> tuple[DeadLetterQueue, DeadLetterQueue]:
    """Where events and wake-ups go that cannot be processed."""
    settings = ProcessEventSettings.from_environment(os.environ)
    sqs = aws.client("sqs")
    return (
        DeadLetterQueue(sqs, settings.events_dead_letter_queue_url),
        DeadLetterQueue(sqs, settings.wakes_dead_letter_queue_url),
    )


def overflow() -> Overflow:
    """Where the bodies lie that were too large for the events queue."""
    return Overflow(lambda: aws.client("s3"), ProcessEventSettings.from_environment(os.environ).overflow_bucket)


def count_seen() -> seen.Count:
    return seen.count_seen(ProcessEventSettings.from_environment(os.environ).table_name)
