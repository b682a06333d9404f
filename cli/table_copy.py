"""A copy of a deployment's table, by DynamoDB's export to S3: it takes no read units, and may be interrupted anywhere.

The operator's own credentials do it. What the copy is read into says how far it is.
"""

import gzip
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from authoring.exports.noted import NotedFile
from cairn.adapters import aws
from cairn.domain.shared.errors import CairnError, ServiceBusyError
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_to_wire
from cli.stack import data_outputs

FOLDER = "exports"
"""In the bucket of large bodies, whose objects expire anyway; no function may read it."""

POLL_SECONDS = 10


class CopyError(CairnError):
    """The table cannot be copied so; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Progress:
    what: str
    done: int
    total: int


def table_and_bucket(stack: str) -> tuple[str, str]:
    """The table, and the bucket that it is exported to. Raises CopyError where the stack has none."""
    outputs = data_outputs(stack)
    if not {"TableName", "OverflowBucket"} <= outputs.keys():
        raise CopyError(f"stack {stack}-Data puts out no table and bucket: is it Cairn's, and up to date?")
    return outputs["TableName"], outputs["OverflowBucket"]


@dataclass(slots=True)
class TableCopy:
    table: str
    bucket: str
    into: NotedFile
    sleep: Callable[[float], None] = time.sleep

    def steps(self, now: datetime) -> Iterator[Progress]:
        """Export the table and read the files, or do what an interrupted command has left."""
        yield from self._export(now)
        yield from self._read()

    def clear(self) -> None:
        """Delete the export, which has copies of personal data."""
        s3 = aws.client("s3")
        for key in self._objects():
            s3.delete_object(Bucket=self.bucket, Key=key)

    def _export(self, now: datetime) -> Iterator[Progress]:
        client = aws.client("dynamodb")
        if not self.into.get("at"):
            self.into.put(at=instant_to_wire(now))
        prefix = f"{FOLDER}/{self.into.get('at').replace(':', '')}"
        if not self.into.get("export"):
            arn = client.describe_table(TableName=self.table)["Table"]["TableArn"]
            started = client.export_table_to_point_in_time(
                TableArn=arn,
                S3Bucket=self.bucket,
                S3Prefix=prefix,
                ExportFormat="DYNAMODB_JSON",
                ClientToken=short_hash(self.table, prefix),
            )
            self.into.put(export=started["ExportDescription"]["ExportArn"], prefix=prefix)
        while not self.into.get("exported"):
            state = client.describe_export(ExportArn=self.into.get("export"))["ExportDescription"]
            if state["ExportStatus"] == "FAILED":
                why = state.get("FailureMessage") or state.get("FailureCode")
                raise CopyError(f"the export has failed: {why}. Delete {self.into.file}, and run it again")
            if state["ExportStatus"] == "COMPLETED":
                self.into.put(exported="yes")
                break
            yield Progress("exporting the table", 0, 1)
            self.sleep(POLL_SECONDS)

    def _read(self) -> Iterator[Progress]:
        s3 = aws.client("s3")
        files = [one for one in self._objects() if "/data/" in one and one.endswith(".gz")]
        for number, key in enumerate(files, 1):
            if not self.into.has(key):
                body = s3.get_object(Bucket=self.bucket, Key=key)["Body"]
                with gzip.GzipFile(fileobj=body) as lines:
                    self.into.add(key, (json.loads(line)["Item"] for line in lines if line.strip()))
            yield Progress("reading files", number, len(files))

    def _objects(self) -> Iterator[str]:
        pages = aws.client("s3").get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.bucket, Prefix=f"{self.into.get('prefix')}/"):
            yield from (one["Key"] for one in page.get("Contents", ()))


@contextmanager
def explained(stack: str, further: str = "") -> Iterator[None]:
    """Errors of AWS with what to do about them; `further` actions of DynamoDB are needed beside those of a copy."""
    try:
        yield
    except (BotoCoreError, ClientError, PynamoDBException, ServiceBusyError) as error:
        if isinstance(error, ServiceBusyError) or aws.is_transient(error):
            raise CopyError(f"{error}. Run it again, and it goes on; more slowly, where it is throttled") from None
        needed = (
            f"cloudformation:DescribeStacks; dynamodb:DescribeTable, ExportTableToPointInTime, DescribeExport{further};"
            " s3:ListBucket, PutObject, GetObject and DeleteObject"
        )
        raise CopyError(f"stack {stack}: {error}. Is it this account's and region's, and may you {needed}?") from None
