"""The imports' state machine: a Distributed Map over the rows of a file in S3, which starts import_rows in batches.

The file is one that `cairn import` has checked and prepared, or any CSV, JSON lines or Parquet file in the same bucket.
https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
"""

import json
from collections.abc import Mapping
from typing import Any

from aws_cdk import CfnOutput, Duration, Fn, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cairn.settings import IMPORT_BATCH, IMPORTS_PREFIX
from infra.cloud.function import Function
from infra.cloud.nag import acknowledge
from infra.cloud.overflow import OverflowBucket
from infra.cloud.stage import Stage

Json = dict[str, Any]

READERS: Mapping[str, Json] = {
    "prepared": {"InputType": "JSONL"},
    "jsonl": {"InputType": "JSONL"},
    "csv": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
    "parquet": {"InputType": "PARQUET"},
}
"""How each format is read. `prepared`: JSON lines of `cairn import`, each a row with its line in the operator's file.

The CDK has no reader of Parquet, so the definition is written as Amazon States Language.
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
"""

RETRY: Json = {
    "ErrorEquals": ["States.ALL"],
    "IntervalSeconds": 2,
    "BackoffRate": 2,
    "MaxAttempts": 5,
    "MaxDelaySeconds": 30,
    "JitterStrategy": "FULL",
}
"""Of a batch that time may mend, within the five minutes of an Express workflow. Later, the execution is redriven."""

BATCH_BYTES = 200_000
"""Of an invocation's input: Step Functions passes on 256 KiB
(https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)."""

LONGEST = Duration.days(7)


def definition(rows: str) -> Json:
    """The states, for the ARN of the function. Where a batch fails to the end, the execution fails."""
    choices = [
        {"Variable": "$.format", "StringEquals": format_, "Next": f"{format_.capitalize()}Rows"} for format_ in READERS
    ]
    return {
        "StartAt": "FormatOfTheFile",
        "TimeoutSeconds": LONGEST.to_seconds(),
        "States": {
            "FormatOfTheFile": {"Type": "Choice", "Choices": choices, "Default": "UnknownFormat"},
            "UnknownFormat": {"Type": "Fail", "Cause": f"format is one of {', '.join(READERS)}"},
            **{f"{format_.capitalize()}Rows": _map(format_, reader, rows) for format_, reader in READERS.items()},
        },
    }


def _map(format_: str, reader: Json, rows: str) -> Json:
    """Every row with its position, in batches; the answers about them are written beside the file."""
    title = format_.capitalize()
    return {
        "Type": "Map",
        "Label": title,
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": reader,
            "Parameters": {"Bucket.$": "$.bucket", "Key.$": "$.key"},
        },
        "ItemSelector": {"index.$": "$$.Map.Item.Index", "value.$": "$$.Map.Item.Value"},
        "ItemBatcher": {
            "MaxItemsPerBatch": IMPORT_BATCH,
            "MaxInputBytesPerBatch": BATCH_BYTES,
            "BatchInput": {name + ".$": f"$.common.{name}" for name in ("import", "mapping", "prepared")},
        },
        "MaxConcurrencyPath": "$.concurrency",
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
            "StartAt": f"{title}Batch",
            "States": {f"{title}Batch": {"Type": "Task", "Resource": rows, "Retry": [RETRY], "End": True}},
        },
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Parameters": {"Bucket.$": "$.bucket", "Prefix.$": "$.results"},
        },
        "ResultPath": None,
        "End": True,
    }


class Imports(sfn.StateMachine):
    def __init__(self, scope: Construct, *, stage: Stage, overflow: OverflowBucket, rows: Function) -> None:
        stack = Stack.of(scope)
        states = stack.to_json_string(definition(rows.live.function_arn))
        super().__init__(
            scope,
            "Imports",
            comment="Cairn: imports of files",
            definition_body=sfn.DefinitionBody.from_string(states),
            tracing_enabled=stage.tracing,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.add_to_role_policy(
            iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[rows.live.function_arn])
        )
        self._may_use_files(overflow)
        self._may_start_runs()
        acknowledge(
            self,
            "AwsSolutions-SF1",
            "Serverless-StepFunctionStateMachineLogging",
            because="the function logs each batch, and the Map writes each answer and each failure to S3",
        )
        if not stage.tracing:
            acknowledge(
                self, "AwsSolutions-SF2", "Serverless-StepFunctionStateMachineXray", because="the stage says so"
            )
        CfnOutput(scope, "ImportsArn", value=self.state_machine_arn, description="What cairn import starts")

    def _may_use_files(self, overflow: OverflowBucket) -> None:
        """Below one prefix: the Map reads a file, and writes its results in parts."""
        self.add_to_role_policy(
            iam.PolicyStatement(
                actions=["s3:GetObject", "s3:PutObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"],
                resources=[f"{Fn.import_value(overflow.export)}/{IMPORTS_PREFIX}*"],
            )
        )
        acknowledge(
            self.role,
            f"AwsSolutions-IAM5[Resource::{overflow.export}/{IMPORTS_PREFIX}*]",
            "AwsSolutions-IAM5[Resource::*]",
            because="files and results have the names of their imports; X-Ray's segments know no resource",
        )

    def _may_start_runs(self) -> None:
        """Its runs are executions of the same state machine.

        https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
        """
        name = Fn.select(6, Fn.split(":", self.state_machine_arn))
        runs = Stack.of(self).format_arn(service="states", resource=f"execution:{name}/*")
        # A policy of its own: one that the state machine waits for cannot name it.
        policy = iam.Policy(
            self,
            "Runs",
            statements=[
                iam.PolicyStatement(actions=["states:StartExecution"], resources=[self.state_machine_arn]),
                iam.PolicyStatement(
                    actions=["states:DescribeExecution", "states:StopExecution", "states:RedriveExecution"],
                    resources=[runs],
                ),
            ],
        )
        policy.attach_to_role(self.role)
        arn = "arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>"
        own = Stack.of(self).resolve(name)
        acknowledge(
            policy,
            f"AwsSolutions-IAM5[Resource::{arn}:execution:{json.dumps(own, separators=(',', ':'))}/*]",
            because="each run has an id of its own below the state machine's name",
        )
