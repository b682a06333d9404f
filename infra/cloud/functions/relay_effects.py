"""relay_effects: started by the table's stream, carries out the effects of commits."""

from collections.abc import Iterable, Mapping
from typing import Any

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_sns as sns
from constructs import Construct

from cairn.domain.shared.announced import AnnouncedType
from cairn.settings import RelayEffectsSettings
from infra.cloud.bundle.journeys import PEOPLE_PATH, POLICY_PATH
from infra.cloud.function import Function, Shared
from infra.cloud.schedules import Schedules
from infra.cloud.table import INDEX
from infra.cloud.topics import TopicKey

BATCH_SIZE = 100

PARALLEL_BATCHES = 10
"""Batches of one shard at a time, the maximum of Lambda. The order of each item's changes is kept ("in-order processing
at the item (partition and sort key) level"); effects need no other one.
https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
"""

WAITING_BATCH_SIZE = 10

WAITING_CONCURRENCY = 5
"""Of the effects that wait: few, for what they wait for has just been out of order."""

ITEMS = ("open#state", "task#", "broadcast#")
"""How the sort keys of items with outboxes begin."""

WITH_OUTBOX = {
    "dynamodb": {
        "Keys": {"sk": {"S": [{"prefix": one} for one in ITEMS]}},
        "NewImage": {"outbox": {"S": [{"exists": True}]}},
    }
}
"""What starts the function: no commit that decided nothing, and no other change.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
"""

OPEN_TASKS = {"dynamodb": {"Keys": {"sk": {"S": [{"prefix": "task#"}]}}, "NewImage": {"status": {"S": ["open"]}}}}
ORDERS = {"eventName": ["INSERT"], "dynamodb": {"Keys": {"pk": {"S": ["audit"]}}}}
ANNOUNCED = {
    AnnouncedType.TASK_OPENED: OPEN_TASKS,
    AnnouncedType.BREAKER_TRIPPED: ORDERS,
    AnnouncedType.EXPERIMENT_DECIDED: ORDERS,
}
"""What starts it too, where a webhook endpoint hears of that."""


def filters_for(announced: Iterable[AnnouncedType]) -> list[Mapping[str, Any]]:
    wanted = [ANNOUNCED[one] for one in sorted(announced)]
    return [WITH_OUTBOX, *(one for one in (OPEN_TASKS, ORDERS) if one in wanted)]


class RelayEffects(Function):
    def __init__(  # noqa: PLR0913  one argument for each part
        self,
        scope: Construct,
        *,
        shared: Shared,
        schedules: Schedules,
        table: dynamodb.ITable,
        alarms: sns.ITopic,
        key: TopicKey,
    ) -> None:
        stage, queues = shared.stage, shared.queues
        super().__init__(
            scope,
            "relay_effects",
            shared=shared,
            settings=RelayEffectsSettings(
                stage=stage.name,
                table_name=table.table_name,
                events_queue_url=queues.events.queue_url,
                erasures_queue_url=queues.erasures.queue_url,
                effects_queue_url=queues.effects.queue_url,
                wakes_queue_url=queues.wakes.queue_url,
                wakes_queue_arn=queues.wakes.queue_arn,
                wakes_dead_letter_queue_arn=queues.wakes.dead_letters.queue_arn,
                schedule_group=schedules.group_name,
                schedule_role_arn=schedules.role.role_arn,
                messages_queue_url=queues.messages.queue_url,
                marketing_queue_url=queues.marketing.queue_url,
                notices_queue_url=queues.notices.queue_url,
                effects_dead_letter_queue_url=queues.effects.dead_letters.queue_url,
                alarm_topic_arn=alarms.topic_arn,
                policy_path=POLICY_PATH,
                people_path=PEOPLE_PATH,
            ),
        )
        self.follow(
            table,
            queues,
            filters_for(shared.layers.announced),
            batch_size=BATCH_SIZE,
            parallelization_factor=PARALLEL_BATCHES,
            report_batch_item_failures=True,
        )
        self.consume(queues.effects, batch_size=WAITING_BATCH_SIZE, max_concurrency=WAITING_CONCURRENCY)
        self.may_use(
            table,
            "dynamodb:GetItem",
            "dynamodb:BatchGetItem",
            "dynamodb:BatchWriteItem",
            "dynamodb:Query",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
            adds_to_audit=True,
        )
        self.may("dynamodb:Query", on=f"{table.table_arn}/index/{INDEX}")
        self.may(
            "sqs:SendMessage",
            on=[
                queues.events.queue_arn,
                queues.wakes.queue_arn,
                queues.messages.queue_arn,
                queues.marketing.queue_arn,
                queues.notices.queue_arn,
                queues.erasures.queue_arn,
                queues.effects.queue_arn,
                queues.effects.dead_letters.queue_arn,
            ],
        )
        self.may("sns:Publish", on=alarms.topic_arn)
        self.may("kms:Decrypt", "kms:GenerateDataKey", on=key.key_arn)  # SNS encrypts on behalf of the publisher
        schedules.let_set(self)
