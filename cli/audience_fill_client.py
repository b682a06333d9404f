"""Fills audiences of a deployment from an export of its table, with the operator's own credentials.

The export goes to S3 and takes no read units of the table. Its files are read one after the other into a database file
that brings the parts of each customer together, and then customer after customer is written. The database says how far
it is, so it may be interrupted anywhere; it and the export are deleted at the end.
"""

import gzip
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from authoring.audiences import FILE, compile_audiences
from authoring.leads import compile_leads, leads_of
from cairn.adapters import aws
from cairn.adapters.documents.audiences import audiences_from_document
from cairn.adapters.documents.leads import rules_from_document
from cairn.adapters.dynamodb import table
from cairn.adapters.dynamodb.audiences import DynamoAudiences
from cairn.adapters.dynamodb.copied_customers import Raw, counts, customer_among, memberships_among
from cairn.application.audience.fill_audiences import FillAudiences, unfilled
from cairn.domain.audience.audiences import Audiences
from cairn.domain.lead.leads import Leads
from cairn.domain.shared.errors import CairnError, ServiceBusyError
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire
from cli.migrate_table_client import UnitRate
from cli.stack import data_outputs

FOLDER = "exports"
"""In the bucket of large bodies, whose objects expire anyway; no function may read it."""

POLL_SECONDS = 10

CUSTOMERS_AT_ONCE = 200
"""Customers between two notes of how far it is; after an interruption, so many are written once more at most."""

TABLES = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS files (name TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS items (pk TEXT, sk TEXT, item TEXT NOT NULL, PRIMARY KEY (pk, sk)) WITHOUT ROWID;
"""


class FillError(CairnError):
    """Audiences cannot be filled so; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Progress:
    what: str
    done: int
    total: int


class Copy:
    """The database of one filling: the needed items of the export, and how far it is."""

    def __init__(self, file: Path) -> None:
        file.touch(mode=0o600)
        self.file = file
        self._database = sqlite3.connect(file, isolation_level=None)
        self._database.executescript(TABLES)

    def get(self, name: str) -> str:
        row = self._database.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def put(self, **values: str) -> None:
        self._database.executemany("INSERT OR REPLACE INTO about VALUES (?, ?)", values.items())

    def has(self, name: str) -> bool:
        return self._database.execute("SELECT 1 FROM files WHERE name = ?", (name,)).fetchone() is not None

    def add(self, name: str, items: Iterator[Raw]) -> None:
        """All items of a file, or none of them."""
        rows = ((one["pk"]["S"], one["sk"]["S"], json.dumps(one)) for one in items if counts(one))
        with self._database:
            self._database.execute("BEGIN")
            self._database.executemany("INSERT OR REPLACE INTO items VALUES (?, ?, ?)", rows)
            self._database.execute("INSERT INTO files VALUES (?)", (name,))

    @property
    def size(self) -> int:
        return int(self._database.execute("SELECT COUNT(DISTINCT pk) FROM items").fetchone()[0])

    def partitions(self, after: str) -> Iterator[tuple[str, dict[str, Raw]]]:
        """The items of each partition behind this one, in order."""
        rows = self._database.execute("SELECT pk, sk, item FROM items WHERE pk > ? ORDER BY pk, sk", (after,))
        present, items = "", dict[str, Raw]()
        for pk, sk, item in rows:
            if pk != present and items:
                yield present, items
                items = {}
            present, items[sk] = pk, json.loads(item)
        if items:
            yield present, items

    def close(self) -> None:
        self._database.close()

    def delete(self) -> None:
        self.close()
        self.file.unlink()


@dataclass(slots=True)
class Filling:
    table: str
    bucket: str
    copy: Copy
    fill: FillAudiences
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    @contextmanager
    def of_stack(cls, name: str, policy: Path, work: Path, rate: UnitRate, *, again: bool) -> Iterator["Filling"]:
        """Raises FillError where there is no such stack, or nothing to fill."""
        audiences, leads = _rules(policy)
        with rate.limits(), _explained(name):
            outputs = data_outputs(name)
            if not {"TableName", "OverflowBucket"} <= outputs.keys():
                raise FillError(f"stack {name}-Data puts out no table and bucket: is it Cairn's, and up to date?")
            table.unbind()
            aws.client.cache_clear()  # a client of before would not be limited
            client = aws.client("dynamodb", validated=True)
            table.bind(outputs["TableName"], client.meta.region_name)
            index = DynamoAudiences(client, outputs["TableName"])
            filling = audiences.all if again else unfilled(audiences, index.filled())
            copy = Copy(work)
            try:
                fill = FillAudiences(audiences, filling, leads, index)
                yield cls(outputs["TableName"], outputs["OverflowBucket"], copy, fill)
            finally:
                copy.close()
                table.unbind()

    def steps(self, now: datetime) -> Iterator[Progress]:
        """Do all of it, or what an interrupted command has left."""
        self._check_same()
        yield from self._export(now)
        yield from self._read()
        yield from self._write(now)
        self.fill.done(instant_from_wire(self.copy.get("at")))
        self._clear()

    def _check_same(self) -> None:
        """An interrupted filling goes on with the same audiences."""
        versions = " ".join(f"{one.name}.{one.version}" for one in self.fill.filling)
        if before := self.copy.get("versions"):
            if before != versions:
                raise FillError(f"{self.copy.file} is of other audiences: delete it, and the filling begins anew")
        else:
            self.copy.put(versions=versions)

    def _export(self, now: datetime) -> Iterator[Progress]:
        client = aws.client("dynamodb")
        if not self.copy.get("at"):
            self.copy.put(at=instant_to_wire(now))
        prefix = f"{FOLDER}/{self.copy.get('at').replace(':', '')}"
        if not self.copy.get("export"):
            arn = client.describe_table(TableName=self.table)["Table"]["TableArn"]
            started = client.export_table_to_point_in_time(
                TableArn=arn,
                S3Bucket=self.bucket,
                S3Prefix=prefix,
                ExportFormat="DYNAMODB_JSON",
                ClientToken=short_hash(self.table, prefix),
            )
            self.copy.put(export=started["ExportDescription"]["ExportArn"], prefix=prefix)
        while not self.copy.get("exported"):
            state = client.describe_export(ExportArn=self.copy.get("export"))["ExportDescription"]
            if state["ExportStatus"] == "FAILED":
                why = state.get("FailureMessage") or state.get("FailureCode")
                raise FillError(f"the export has failed: {why}. Delete {self.copy.file}, and run it again")
            if state["ExportStatus"] == "COMPLETED":
                self.copy.put(exported="yes")
                break
            yield Progress("exporting the table", 0, 1)
            self.sleep(POLL_SECONDS)

    def _read(self) -> Iterator[Progress]:
        s3 = aws.client("s3")
        files = [one for one in self._objects() if "/data/" in one and one.endswith(".gz")]
        for number, key in enumerate(files, 1):
            if not self.copy.has(key):
                body = s3.get_object(Bucket=self.bucket, Key=key)["Body"]
                with gzip.GzipFile(fileobj=body) as lines:
                    self.copy.add(key, (json.loads(line)["Item"] for line in lines if line.strip()))
            yield Progress("reading files", number, len(files))

    def _write(self, now: datetime) -> Iterator[Progress]:
        done, total = int(self.copy.get("done") or 0), self.copy.size
        self.fill.found.update(json.loads(self.copy.get("found") or "{}"))
        for customer_id, items in self.copy.partitions(self.copy.get("customer")):
            customer = customer_among(items)
            if customer is not None:
                self.fill.customer(customer, now)
            self.fill.memberships(customer_id, memberships_among(items))
            done += 1
            if done % CUSTOMERS_AT_ONCE == 0:
                self.copy.put(done=str(done), customer=customer_id, found=json.dumps(self.fill.found))
                yield Progress("writing members", done, total)
        yield Progress("writing members", done, total)

    def _clear(self) -> None:
        """Delete what has copies of personal data."""
        s3 = aws.client("s3")
        for key in self._objects():
            s3.delete_object(Bucket=self.bucket, Key=key)
        self.copy.delete()

    def _objects(self) -> Iterator[str]:
        pages = aws.client("s3").get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.bucket, Prefix=f"{self.copy.get('prefix')}/"):
            yield from (one["Key"] for one in page.get("Contents", ()))


def _rules(policy: Path) -> tuple[Audiences, Leads | None]:
    """The audiences and the rules of leads beside the policy."""
    document = compile_audiences(policy.with_name(FILE))
    if document is None:
        raise FillError(f"there is no {policy.with_name(FILE)}: run it where the deployed files are")
    rules: dict[str, Any] | None = compile_leads(leads_of(policy))
    return audiences_from_document(document), None if rules is None else Leads(rules_from_document(rules))


@contextmanager
def _explained(stack: str) -> Iterator[None]:
    """Errors of AWS with what to do about them."""
    try:
        yield
    except (BotoCoreError, ClientError, PynamoDBException, ServiceBusyError) as error:
        if isinstance(error, ServiceBusyError) or aws.is_transient(error):
            raise FillError(f"{error}. Run it again; with fewer --units-per-second, where it is throttled") from None
        needed = (
            "cloudformation:DescribeStacks; dynamodb:DescribeTable, ExportTableToPointInTime, DescribeExport, Query, "
            "GetItem, PutItem and DeleteItem; s3:ListBucket, PutObject, GetObject and DeleteObject"
        )
        raise FillError(f"stack {stack}: {error}. Is it this account's and region's, and may you {needed}?") from None
