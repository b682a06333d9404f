"""Fills audiences of a deployment from an export of its table, with the operator's own credentials.

The export goes to S3 and takes no read units of the table. Its files are read one after the other into a database file
that brings the parts of each customer together, and then customer after customer is written. The database says how far
it is, so it may be interrupted anywhere; it and the export are deleted at the end.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from authoring.audiences import FILE, compile_audiences
from authoring.exports.noted import NotedFile
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
from cairn.domain.shared.errors import CairnError
from cairn.domain.shared.instants import instant_from_wire
from cli.migrate_table_client import UnitRate
from cli.table_copy import Progress, TableCopy, explained, table_and_bucket

NEEDED = ", Query, GetItem, PutItem, DeleteItem"
"""Actions of DynamoDB beside those of a copy."""

CUSTOMERS_AT_ONCE = 200
"""Customers between two notes of how far it is; after an interruption, so many are written once more at most."""


class FillError(CairnError):
    """Audiences cannot be filled so; the message says what to do."""


class Copy(NotedFile):
    """The database of one filling: the needed items of the export, and how far it is."""

    def take(self, item: Raw) -> None:
        if counts(item):
            row = (item["pk"]["S"], item["sk"]["S"], json.dumps(item))
            self.database.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?)", row)

    def partitions(self, after: str) -> Iterator[tuple[str, dict[str, Raw]]]:
        """The items of each partition behind this one, in order."""
        rows = self.database.execute("SELECT pk, sk, item FROM items WHERE pk > ? ORDER BY pk, sk", (after,))
        present, items = "", dict[str, Raw]()
        for pk, sk, item in rows:
            if pk != present and items:
                yield present, items
                items = {}
            present, items[sk] = pk, json.loads(item)
        if items:
            yield present, items


@dataclass(slots=True)
class Filling:
    table: TableCopy
    copy: Copy
    fill: FillAudiences

    @classmethod
    @contextmanager
    def of_stack(cls, name: str, policy: Path, work: Path, rate: UnitRate, *, again: bool) -> Iterator["Filling"]:
        """Raises FillError where there is no such stack, or nothing to fill."""
        audiences, leads = _rules(policy)
        with rate.limits(), explained(name, NEEDED):
            name_of_table, bucket = table_and_bucket(name)
            table.unbind()
            aws.client.cache_clear()  # a client of before would not be limited
            client = aws.client("dynamodb", validated=True)
            table.bind(name_of_table, client.meta.region_name)
            index = DynamoAudiences(client, name_of_table)
            filling = audiences.all if again else unfilled(audiences, index.filled())
            copy = Copy(work)
            try:
                fill = FillAudiences(audiences, filling, leads, index)
                yield cls(TableCopy(name_of_table, bucket, copy), copy, fill)
            finally:
                copy.close()
                table.unbind()

    def steps(self, now: datetime) -> Iterator[Progress]:
        """Do all of it, or what an interrupted command has left."""
        self._check_same()
        yield from self.table.steps(now)
        yield from self._write(now)
        self.fill.done(instant_from_wire(self.copy.get("at")))
        self.table.clear()
        self.copy.delete()

    def _check_same(self) -> None:
        """An interrupted filling goes on with the same audiences."""
        versions = " ".join(f"{one.name}.{one.version}" for one in self.fill.filling)
        if before := self.copy.get("versions"):
            if before != versions:
                raise FillError(f"{self.copy.file} is of other audiences: delete it, and the filling begins anew")
        else:
            self.copy.put(versions=versions)

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


def _rules(policy: Path) -> tuple[Audiences, Leads | None]:
    """The audiences and the rules of leads beside the policy."""
    document = compile_audiences(policy.with_name(FILE))
    if document is None:
        raise FillError(f"there is no {policy.with_name(FILE)}: run it where the deployed files are")
    rules: dict[str, Any] | None = compile_leads(leads_of(policy))
    return audiences_from_document(document), None if rules is None else Leads(rules_from_document(rules))
