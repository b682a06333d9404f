"""log_facts: started by the table's stream, writes what can be counted into the log of facts."""

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from cairn.adapters.dynamodb.flow_counters import FLOW
from cairn.adapters.dynamodb.logged_facts import LOGGED
from cairn.adapters.dynamodb.seen import SEEN
from cairn.domain.measurement.facts import Stored
from cairn.settings import LogFactsSettings
from infra.cloud.fact_log import FactLog
from infra.cloud.function import Function, Shared

BATCH_SIZE, WINDOW = 1000, Duration.minutes(5)
"""Few invocations with many changes: nobody waits for the log, and Firehose counts by begun 5 KB."""

PRESENT = {"eventName": ["INSERT", "MODIFY"]}

WITH_FACTS = (
    PRESENT | {"dynamodb": {"Keys": {"sk": {"S": [{"prefix": one} for one in LOGGED]}}}},
    PRESENT | {"dynamodb": {"Keys": {"pk": {"S": [SEEN]}}}},
)
"""What starts the function: records, and the counts of what reached no customer. Nothing that expires."""


class LogFacts(Function):
    def __init__(self, scope: Construct, *, shared: Shared, table: dynamodb.ITable, log: FactLog) -> None:
        super().__init__(
            scope,
            "log_facts",
            shared=shared,
            settings=LogFactsSettings(
                stage=shared.stage.name,
                table_name=table.table_name,
                long_stream=log.streams[Stored.LONG].ref,
                short_stream=log.streams[Stored.SHORT].ref,
            ),
        )
        self.follow(table, shared.queues, WITH_FACTS, batch_size=BATCH_SIZE, max_batching_window=WINDOW)
        CfnOutput(Stack.of(self), "LogFactsArn", value=self.function_arn, description="For cairn dlq redrive stream")
        self.may("firehose:PutRecordBatch", on=log.stream_arns())
        only_counters = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [FLOW]}}
        self.may("dynamodb:UpdateItem", on=table.table_arn, when=only_counters)
        self.keep_audit(table)
