"""The construct of every function."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from functools import cached_property
from typing import Any

from aws_cdk import CfnOutput, Duration, Names, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from constructs import Construct

from cairn.settings import FUNCTION_TIMEOUT, OVERFLOW_PREFIX, Settings
from infra.cloud.bundle.code import function_code
from infra.cloud.bundle.dependencies import ROOTS_PATH
from infra.cloud.layers import ARCHITECTURE, RUNTIME, Layers
from infra.cloud.logs import LogGroup
from infra.cloud.nag import acknowledge
from infra.cloud.overflow import OverflowBucket
from infra.cloud.queues import Queues, WorkQueue
from infra.cloud.stage import Stage
from infra.cloud.table import AUDIT

MAX_AGE = Duration.hours(23)
"""How long a failing batch is retried, halved each time, before its position is dead-lettered; the stream stores
records for a day. It comes to that only where SQS, too, is out of order for a day: the function itself dead-letters
effects that can never be carried out, and puts those that wait into their queue.
"""

HANDLER = "cairn.lambda_entry.handle"
MEMORY_MB = 512

LIVE = "live"
"""The alias that starts a function: the version that is published last, and for the length of a rollout two."""

CHANGES = (
    *("dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"),
    *("dynamodb:PartiQLUpdate", "dynamodb:PartiQLDelete"),
)
"""All that changes or deletes an item. TransactWriteItems is authorised by the actions of the items in it."""

ADDITIONS = ("dynamodb:PutItem", "dynamodb:PartiQLInsert")


@dataclass(frozen=True, kw_only=True)
class Shared:
    """The parts of the stack that every function needs."""

    stage: Stage
    layers: Layers
    queues: Queues


class Function(lambda_.Function):
    """One folder of functions/, with the environment of its Settings and the permissions granted here.

    Where its settings name the journeys or the policy, it gets their layer. One that is not `published` has no version
    and no alias, and is started as it was deployed last.
    """

    def __init__(  # noqa: PLR0913  one argument for each difference
        self,
        scope: Construct,
        name: str,
        *,
        shared: Shared,
        settings: Settings,
        reserved_concurrency: int = 0,
        timeout: timedelta = FUNCTION_TIMEOUT,
        published: bool = True,
    ) -> None:
        id_ = name.title().replace("_", "")
        layers = [shared.layers.dependencies, shared.layers.core]
        if hasattr(settings, "journeys_path") or hasattr(settings, "policy_path"):
            layers.append(shared.layers.journeys)
        log_group = LogGroup(scope, f"{id_}Logs", stage=shared.stage)
        self.execution_role = iam.Role(scope, f"{id_}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        log_group.grant_write(self.execution_role)
        CfnOutput(Stack.of(scope), f"{id_}LogGroup", value=log_group.log_group_name)
        super().__init__(
            scope,
            id_,
            description=f"Cairn: functions/{name}",
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            handler=HANDLER,
            code=lambda_.Code.from_asset(str(function_code(name))),
            layers=layers,
            role=self.execution_role,
            memory_size=MEMORY_MB,
            timeout=Duration.seconds(int(timeout.total_seconds())),
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if published and shared.stage.snap_start else None,
            reserved_concurrent_executions=reserved_concurrency or None,
            tracing=lambda_.Tracing.ACTIVE if shared.stage.tracing else lambda_.Tracing.DISABLED,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            system_log_level_v2=lambda_.SystemLogLevel.INFO
            if shared.stage.platform_logs
            else lambda_.SystemLogLevel.WARN,
            environment={
                **settings.environment(),
                "AWS_CA_BUNDLE": ROOTS_PATH,
                "POWERTOOLS_SERVICE_NAME": name,
                "POWERTOOLS_METRICS_NAMESPACE": shared.stage.metrics_namespace,
            },
        )
        self.service = name
        self.logs = log_group
        acknowledge(
            self.execution_role,
            "AwsSolutions-IAM5[Resource::*]",
            because="what knows no resource: X-Ray's segments and, for the reader of a stream, ListStreams",
        )
        if not shared.stage.tracing:
            acknowledge(
                self,
                "Serverless-LambdaTracing",
                because="the stage says so: traces cost by the million, and the logs name every request and customer",
            )
        acknowledge(
            self,
            "AwsSolutions-L1",
            "Serverless-LambdaLatestVersion",
            because="python3.13 is what the layers' wheels and bytecode are built for and the tests cover",
        )
        acknowledge(
            self,
            "Serverless-LambdaDLQ",
            because="nothing invokes it asynchronously but CloudFormation, which fails without an answer; its event "
            "sources have dead-letter queues",
        )

    @cached_property
    def live(self) -> lambda_.Alias:
        """What triggers start. A version is published when code, layers or configuration change, and at no other time.

        The version of before is deleted once the deployment has come to its end.
        """
        return lambda_.Alias(self, "Live", alias_name=LIVE, version=self.current_version)

    def consume(
        self, queue: WorkQueue, *, batch_size: int, max_concurrency: int | None = None, enabled: bool | None = None
    ) -> None:
        """Start by a queue; only failed messages of a batch return to it. One that is not `enabled` is not polled."""
        mapping = lambda_.EventSourceMapping(
            self,
            f"From{queue.node.id}",
            target=self.live,
            event_source_arn=queue.queue_arn,
            batch_size=batch_size,
            max_concurrency=max_concurrency,
            enabled=enabled,
            report_batch_item_failures=True,
        )
        queue.grant_consume_messages(self)
        acknowledge(
            mapping,
            "Serverless-LambdaEventSourceMappingDestination",
            because="a queue's event source knows no destination; the queue's redrive policy is it",
        )

    def follow(
        self, table: dynamodb.ITable, queues: Queues, filters: Sequence[Mapping[str, Any]], **options: Any
    ) -> None:
        """Start by the table's stream.

        Under the function and by this id, as in stages that are deployed already: CloudFormation then updates the
        mapping, which goes on where it is in the stream. Another one would begin a day earlier.
        """
        lambda_.EventSourceMapping(
            self,
            f"DynamoDBEventSource:{Names.node_unique_id(table.node)}",
            target=self.live,
            event_source_arn=table.table_stream_arn,
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            filters=[{"pattern": json.dumps(one)} for one in filters],
            bisect_batch_on_error=True,
            max_record_age=MAX_AGE,
            on_failure=sources.SqsDlq(queues.stream_dead_letters),
            **options,
        )
        table.grant_stream_read(self)

    def may_overflow(self, action: str, bucket: OverflowBucket) -> None:
        """Write bodies that are too large for a queue, or read them."""
        self.may(action, on=bucket.bodies_arn)
        acknowledge(
            self.execution_role,
            f"AwsSolutions-IAM5[Resource::{bucket.export}/{OVERFLOW_PREFIX}*]",
            because="a body is named after what is in it; the bucket holds nothing else",
        )

    def may_use(self, table: dynamodb.ITable, *actions: str, adds_to_audit: bool = False) -> None:
        """Grant actions on the table, but none that changes or deletes an entry of the audit."""
        self.may(*actions, on=table.table_arn)
        self.keep_audit(table, adds=adds_to_audit)

    def keep_audit(self, table: dynamodb.ITable, *, adds: bool = False) -> None:
        """Deny all changes of the audit's entries, whatever else allows them.

        IAM cannot distinguish a new item from one that replaces another: a function that adds entries may put items
        there, under a condition of its own, and the others may not.
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
        """
        self.add_to_role_policy(
            iam.PolicyStatement(
                effect=iam.Effect.DENY,
                actions=[*CHANGES, *(() if adds else ADDITIONS)],
                resources=[table.table_arn],
                conditions={"ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": [AUDIT]}},
            )
        )

    def may(self, *actions: str, on: str | Sequence[str], when: Mapping[str, Any] | None = None) -> None:
        """Grant actions on one or several ARNs, under the given conditions."""
        resources = [on] if isinstance(on, str) else list(on)
        self.add_to_role_policy(
            iam.PolicyStatement(actions=list(actions), resources=resources, conditions=when and dict(when))
        )

    def may_email(self, sender: str, configuration_set: str = "") -> None:
        """Send e-mail by SES in the sender's name alone."""
        arn = Stack.of(self).format_arn
        sets = [arn(service="ses", resource="configuration-set", resource_name=configuration_set)]
        self.may(
            *("ses:SendEmail", *(["ses:SendRawEmail"] if configuration_set else [])),
            on=[arn(service="ses", resource="identity", resource_name="*"), *(sets if configuration_set else [])],
            when={"StringEquals": {"ses:FromAddress": parseaddr(sender)[1]}},
        )
        acknowledge(
            self.execution_role,
            "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ses:<AWS::Region>:<AWS::AccountId>:identity/*]",
            because="any identity, since SES in its sandbox asks for the recipient's too; a condition names the sender",
        )

    def may_text(self, origination: str) -> None:
        """Send texts: from this identity of End User Messaging; without one, by SNS.

        A phone number is no resource, so SNS's policy excludes everything that has an ARN.
        """
        if origination:
            self.may("sms-voice:SendTextMessage", on=origination)
            return
        named = Stack.of(self).format_arn(service="sns", resource="*", region="*", account="*")
        self.add_to_role_policy(iam.PolicyStatement(actions=["sns:Publish"], not_resources=[named]))
