"""The function `sweep`: resumes paused work."""

import os

from cairn.adapters import aws
from cairn.adapters.dynamodb.paused_work import DynamoPausedWork
from cairn.adapters.dynamodb.switches import DynamoSwitches
from cairn.adapters.sqs.message_queue import MessageQueue
from cairn.adapters.sqs.wake_queue import WakeQueue
from cairn.application.operations.resume_paused import ResumePaused
from cairn.compose.table import bind_table
from cairn.domain.shared.channels import Purpose
from cairn.settings import SweepSettings


def sweep() -> ResumePaused:
    settings = SweepSettings.from_environment(os.environ)
    bind_table(settings.table_name)
    sqs = aws.client("sqs")
    lanes = {Purpose.TRANSACTIONAL: settings.messages_queue_url, Purpose.MARKETING: settings.marketing_queue_url}
    return ResumePaused(
        switches=DynamoSwitches(),
        paused_work=DynamoPausedWork(),
        wake_now=WakeQueue(sqs, settings.wakes_queue_url).wake_now,
        messages=MessageQueue(sqs, lanes),
    )
