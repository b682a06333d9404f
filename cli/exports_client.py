"""The items of a whole table: from `cairn serve`, or by DynamoDB's own export to S3, which uses no read capacity."""

import gzip
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from authoring.exports.spool import Raw
from cairn.domain.imports.rows import Kind
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.shared.errors import CairnError
from cairn.settings import EXPORTS_PREFIX
from cli.manage_client import actor_header

POLL_SECONDS = 15.0
ACTION = "export"


class ExportStoppedError(CairnError):
    """An export did not come to its end; the message says why."""


class TableReader(Protocol):
    def items(self, kind: Kind, why: str) -> Iterator[Raw]:
        """Every item of the table, once the audit says who asked. Raises ExportStoppedError."""


@dataclass(frozen=True, slots=True)
class LocalTable:
    """Implements TableReader by a route of `cairn serve`."""

    url: str

    def items(self, kind: Kind, why: str) -> Iterator[Raw]:
        if not self.url.startswith(("http://", "https://")):
            raise ExportStoppedError("--to is a URL that begins with http:// or https://")
        body = json.dumps({"kind": kind.value, "why": why}).encode()
        try:
            with urlopen(Request(f"{self.url.rstrip('/')}/_table", body, actor_header()), timeout=300) as answer:  # noqa: S310
                for line in answer:
                    found = json.loads(line)
                    if "End" in found:
                        return
                    yield found["Item"]
            raise ExportStoppedError(f"{self.url} stopped in the middle of the table: see what its terminal says")
        except HTTPError as error:
            only = "only `cairn serve` has this route; a deployment is named by --stack"
            raise ExportStoppedError(f"{error.url} answered {error.code}: {only}") from None
        except URLError as error:
            raise ExportStoppedError(
                f"{self.url} cannot be reached: {error.reason}. Is `make serve` running?"
            ) from None


@dataclass(frozen=True, slots=True)
class DeployedTable:
    """Implements TableReader by an export of the table's point-in-time recovery.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.HowItWorks.html
    """

    client: Callable[[str], Any]
    outputs: Mapping[str, str]
    write_audit: Callable[[AuditEntry], None]
    actor: str
    sleep: Callable[[float], None] = field(default=time.sleep)

    def items(self, kind: Kind, why: str) -> Iterator[Raw]:
        now = datetime.now(UTC)
        self.write_audit(AuditEntry(now, self.actor, ACTION, f"all {kind.value}", why))
        dynamodb, s3, bucket = self.client("dynamodb"), self.client("s3"), self.outputs["OverflowBucket"]
        table = dynamodb.describe_table(TableName=self.outputs["TableName"])["Table"]["TableArn"]
        prefix = f"{EXPORTS_PREFIX}{now:%Y-%m-%dT%H%M%SZ}"
        arn = dynamodb.export_table_to_point_in_time(
            TableArn=table, S3Bucket=bucket, S3Prefix=prefix, ExportFormat="DYNAMODB_JSON"
        )["ExportDescription"]["ExportArn"]
        self._wait(dynamodb, arn)
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for key in (one["Key"] for page in pages for one in page.get("Contents", ())):
            if "/data/" in key and key.endswith(".json.gz"):
                body = s3.get_object(Bucket=bucket, Key=key)["Body"]
                with gzip.open(body, "rt", encoding="utf-8") as lines:
                    for line in lines:
                        yield json.loads(line)["Item"]

    def _wait(self, dynamodb: Any, arn: str) -> None:
        while True:
            found = dynamodb.describe_export(ExportArn=arn)["ExportDescription"]
            if found["ExportStatus"] == "COMPLETED":
                return
            if found["ExportStatus"] == "FAILED":
                raise ExportStoppedError(f"DynamoDB's export failed: {found.get('FailureMessage', 'without a reason')}")
            self.sleep(POLL_SECONDS)


def of_stack(name: str) -> DeployedTable:
    """The table of a deployment, found by the outputs of its data stack."""
    from cairn.adapters import aws  # noqa: PLC0415  slow to import
    from cairn.adapters.dynamodb import table  # noqa: PLC0415
    from cairn.adapters.dynamodb.audit import DynamoAudit  # noqa: PLC0415
    from cairn.domain.operations.actor import Actor  # noqa: PLC0415
    from cli.stack import data_outputs  # noqa: PLC0415

    outputs = data_outputs(name)
    table.bind(outputs["TableName"], aws.client("dynamodb").meta.region_name)
    caller = aws.client("sts").get_caller_identity()
    actor = Actor.of_aws(arn=caller["Arn"], account=caller["Account"], user_id=caller["UserId"])
    return DeployedTable(aws.client, outputs, DynamoAudit().write, actor)
