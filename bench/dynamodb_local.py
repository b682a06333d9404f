"""DynamoDB Local, AWS's own DynamoDB for a laptop, where DYNAMODB_LOCAL names its folder.

It says what each call consumes. The folder holds `DynamoDBLocal-*.jar` and the jars that it depends on, here or in
`lib/`. From Maven Central: a pom.xml with the dependency com.amazonaws:DynamoDBLocal, and
`mvn dependency:copy-dependencies -DoutputDirectory=lib`. It runs on Java 17 and newer.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from botocore.exceptions import ClientError, ReadTimeoutError

from infra.local.cloud import Cloud
from infra.local.deployment import LocalDeployment, local_deployment
from infra.local.servers import on_loopback
from infra.local.shapes import Shape
from infra.local.signing import local_secrets

VARIABLE = "DYNAMODB_LOCAL"
START_SECONDS = 60
ENDPOINTS = ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_DYNAMODB_STREAMS")


class NotThereError(Exception):
    """DynamoDB Local cannot be started; the message says why."""


def folder() -> Path | None:
    """The folder with the jars, or None where the variable is not set. Raises NotThereError where it is wrong."""
    named = os.environ.get(VARIABLE, "")
    if not named:
        return None
    for one in (Path(named), Path(named) / "lib"):
        if list(one.glob("DynamoDBLocal-*.jar")):
            if shutil.which("java") is None:
                raise NotThereError("DynamoDB Local needs Java, and there is no java on the path")
            return one
    raise NotThereError(f"{VARIABLE}={named}: no DynamoDBLocal-*.jar there, nor in its lib/")


@contextmanager
def dynamodb_local() -> Iterator[str | None]:
    """The endpoint of a server that stores in memory for as long as the block lasts, or None without one."""
    jars = folder()
    if jars is None:
        yield None
        return
    options = ("-Daws.region=us-east-1", "-Dsqlite4java.library.path=.", "-Xmx4g", "-cp", f"{jars}/*")
    program = ("java", *options, "com.amazonaws.services.dynamodbv2.local.main.ServerRunner")

    def start(port: int) -> "subprocess.Popen[bytes]":
        command = [*program, "-inMemory", "-disableTelemetry", "-port", str(port)]
        return subprocess.Popen(command, cwd=jars, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603

    with on_loopback(start, within=START_SECONDS) as endpoint:
        yield endpoint


@contextmanager
def deployment(endpoint: str | None, journeys: Path, *, start: datetime) -> Iterator[LocalDeployment]:
    """A local deployment whose table is in DynamoDB Local, or in moto where there is no endpoint."""
    with ExitStack() as stack:
        if endpoint is not None:
            stack.enter_context(table_at(endpoint))
        made = stack.enter_context(local_deployment(journeys, start=start, secrets=local_secrets({})))
        if endpoint is not None:
            table = made.cloud.client("dynamodb")
            stack.callback(_drop, table, made.cloud.table)
        yield made


@contextmanager
def table_at(endpoint: str) -> Iterator[None]:
    """Meanwhile, local deployments have their table and its stream at this endpoint, and all else in moto."""
    with ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ, dict.fromkeys(ENDPOINTS, endpoint)))
        # Moto has no such table.
        stack.enter_context(patch.object(Cloud, "changes", _changes))
        stack.enter_context(patch.object(Cloud, "_store_in_a_file", _leave))
        stack.enter_context(patch.object(Cloud, "forget_changes", _leave))
        yield


def _leave(*_: Any) -> None:
    """Nothing: the server stores its items and changes itself."""


def _drop(client: Any, table: str) -> None:
    """A hundred thousand customers take longer to delete than a call waits for its answer; the server ends anyway."""
    with suppress(ClientError, ReadTimeoutError):
        client.delete_table(TableName=table)


def _changes(cloud: Cloud, after: str | None) -> list[Shape]:
    """The table's changes by the API of streams, with the local deployment's time: the server has another clock."""
    streams = cloud.client("dynamodbstreams")
    position = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": after}
    iterator = streams.get_shard_iterator(
        StreamArn=cloud.stream_arn,
        ShardId=cloud.stream_shard_id,
        **(position if after else {"ShardIteratorType": "TRIM_HORIZON"}),
    )["ShardIterator"]
    found: list[Shape] = streams.get_records(ShardIterator=iterator)["Records"]
    for change in found:
        change["dynamodb"]["ApproximateCreationDateTime"] = datetime.now(UTC)
    return found
