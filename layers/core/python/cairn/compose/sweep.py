"""sweep: resumes paused work."""

import os

from cairn.adapters import aws
from cairn.adapters.dynamodb.paused_work import DynamoWaitingRoom
from cairn.adapters.dynamodb.switches import DynamoSwitches
from cairn.adapters.sqs.message_queue import MessagesQueue
from cairn.adapters.sqs.wake_queue import WakesQueue
from cairn.application.operations.resume_paused import Sweep
from cairn.compose.table import bind_table
from cairn.domain.shared.channels import Purpose
from cairn.settings import SweepSettings


def sweep() -> Sweep:
    settings = SweepSettings.from_environment(os.environ)
    bind_table(settings.table_name)
    sqs = aws.client("sqs")
    lanes = {Purpose.TRANSACTIONAL: settings.messages_queue_url, Purpose.MARKETING: settings.marketing_queue_url}
    return Sweep(
        switches=DynamoSwitches(),
        waiting_room=DynamoWaitingRoom(),
        wakes=WakesQueue(sqs, settings.wakes_queue_url),
        outbox=MessagesQueue(sqs, lanes),
    )
