"""The table of a deployment, with the operator's own credentials: customers stored as older versions did, moved."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from cairn.adapters import aws
from cairn.adapters.documents.journey import status_reports_in
from cairn.adapters.dynamodb import table
from cairn.adapters.dynamodb.customers import DynamoCustomers
from cairn.adapters.dynamodb.items import JOURNEY, STATE, VERSION
from cairn.adapters.dynamodb.journey_versions import saved_version
from cairn.adapters.dynamodb.status_reports import note_complete, note_heard
from cairn.domain.shared.errors import CairnError, ConflictError, ServiceBusyError
from cli.stack import data_outputs, stack_outputs

PAGE = 1_000
"""Items that DynamoDB looks at for one answer; it also stops at 1 MB, which is 128 read units."""

LIMITED = "dynamodb.*"

FOUND = {
    "FilterExpression": "(sk = :state AND attribute_exists(enrollments)) OR begins_with(pk, :journey)",
    "ExpressionAttributeValues": {":state": {"S": STATE}, ":journey": {"S": JOURNEY}},
    "ProjectionExpression": "pk, sk",
}
"""Enrollments in the head: always until version 0.2, and since then after many of them changed at once. And journey
versions: those that version 0.2 stored are noted nowhere (adapters/dynamodb/status_reports)."""

NOTES = "NotesStatusReports"
"""The output of an engine's stack whose functions note which status reports a journey version hears."""


class MigrationError(CairnError):
    """A table cannot be migrated so; the message says what to do."""


@dataclass(slots=True)
class UnitRate:
    """At most so many read and write units of DynamoDB a second: each call waits until the ones before are paid for.

    A call's own units are known only when it is answered. So one call may be above it, and the next one waits for that.
    """

    units_per_second: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    units: float = 0
    """Of all calls so far, as DynamoDB counts them."""
    _free_at: float = 0

    def ask(self, **kwargs: Any) -> None:
        """Before a call. One that is not about items takes no units."""
        if "ReturnConsumedCapacity" not in kwargs["model"].input_shape.members:
            return
        kwargs["params"]["ReturnConsumedCapacity"] = "TOTAL"
        ahead = self._free_at - self.clock()
        if ahead > 0:
            self.sleep(ahead)

    def note(self, **kwargs: Any) -> None:
        """After a call. A transaction names its units by table, any other call has one number."""
        consumed = kwargs["parsed"].get("ConsumedCapacity") or ()
        units = sum(float(one["CapacityUnits"]) for one in ([consumed] if isinstance(consumed, dict) else consumed))
        self.units += units
        self._free_at = max(self._free_at, self.clock()) + units / self.units_per_second

    @contextmanager
    def limits(self) -> Iterator[None]:
        """Every call to DynamoDB by a client that is made within the block is limited."""
        session = aws.session()
        session.register(f"provide-client-params.{LIMITED}", self.ask)
        session.register(f"after-call.{LIMITED}", self.note)
        try:
            yield
        finally:
            session.unregister(f"provide-client-params.{LIMITED}", self.ask)
            session.unregister(f"after-call.{LIMITED}", self.note)


@dataclass(slots=True)
class Migration:
    """The work so far. Repeated, it goes on where something is left: who is done is not found any more."""

    client: Any
    table: str
    is_deployed: bool = False
    """Whether the functions of this release run: only then can nothing be stored any more as before."""
    looked_at: int = 0
    """Items of the table."""
    rewritten: int = 0
    changed: int = 0
    """Customers whom a commit changed meanwhile."""
    failed: dict[str, str] = field(default_factory=dict)
    """Why a customer could not be rewritten, by id."""

    @classmethod
    @contextmanager
    def of_stack(cls, name: str, rate: UnitRate) -> Iterator["Migration"]:
        """The table is found by the outputs of the data stack. Raises MigrationError where there is none."""
        with rate.limits(), _explained(name):
            outputs = data_outputs(name)
            if "TableName" not in outputs:
                raise MigrationError(f"stack {name}-Data does not put out TableName: is it Cairn's, and up to date?")
            table.unbind()
            aws.client.cache_clear()  # a client of before would not be limited
            client = aws.client("dynamodb")
            table.bind(outputs["TableName"], client.meta.region_name)
            try:
                yield cls(client, outputs["TableName"], is_deployed=NOTES in stack_outputs(name))
            finally:
                table.unbind()

    def pages(self) -> Iterator[None]:
        """Rewrite all customers of the table, a page of it at a time."""
        scan = self.client.get_paginator("scan").paginate(
            TableName=self.table, PaginationConfig={"PageSize": PAGE}, **FOUND
        )
        for page in scan:
            for item in page["Items"]:
                pk, sk = item["pk"]["S"], item["sk"]["S"]
                if sk == STATE:
                    self._rewrite(pk)
                else:
                    _note(pk.removeprefix(JOURNEY), sk.removeprefix(VERSION))
            self.looked_at += page["ScannedCount"]
            yield
        if self.is_deployed:
            note_complete(datetime.now(UTC))

    def _rewrite(self, customer: str) -> None:
        """A customer who cannot be read stops no other."""
        try:
            self.rewritten += DynamoCustomers.rewrite(customer)
        except ConflictError:
            self.changed += 1
        except (ServiceBusyError, PynamoDBException, ClientError, BotoCoreError):
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, it is this customer's alone
            self.failed[customer] = type(error).__name__


def _note(journey: str, version: str) -> None:
    """Note which status reports a stored version may hear."""
    stored = saved_version(journey, version)
    heard = status_reports_in(stored["document"]) if stored else frozenset()
    if heard:
        note_heard(heard)


@contextmanager
def _explained(stack: str) -> Iterator[None]:
    """Errors of AWS with what to do about them."""
    try:
        yield
    except (BotoCoreError, ClientError, PynamoDBException, ServiceBusyError) as error:
        if isinstance(error, ServiceBusyError) or aws.is_transient(error):
            raise MigrationError(
                f"{error}. Run it again; with fewer --units-per-second, where it is throttled"
            ) from None
        needed = "cloudformation:DescribeStacks and dynamodb:Scan, GetItem, Query, PutItem, UpdateItem and DeleteItem"
        raise MigrationError(
            f"stack {stack}: {error}. Is it this account's and region's, and may you {needed}?"
        ) from None
