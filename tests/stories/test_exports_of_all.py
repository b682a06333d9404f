"""An export of everything is what an import reads: into an empty deployment, it makes the same customers."""

import json
from contextlib import ExitStack
from datetime import timedelta
from gzip import compress
from pathlib import Path
from typing import Any

import pytest

from authoring.exports import Spool, rows_of, write_rows
from cairn.domain.imports.rows import Kind
from cairn.domain.operations.audit import AuditEntry
from cli.exports_client import DeployedTable, ExportStoppedError
from tests.stories.shop import CONSENTED, NEW_YORK_MORNING, RECEIPT, Opens, Shop, shops

PROVEN = {
    "channel": "email", "purpose": "marketing", "status": "granted", "source": "form", "at": "2026-01-05T00:00:00Z",
    "wording": "Yes, send me offers.", "wording_version": "3", "ip": "203.0.113.7", "page": {"url": "/join"},
}  # fmt: skip
FORMATS = ("jsonl", "csv", "parquet")


def lived(shop: Shop) -> None:
    """Three customers: one with much, one whom a visitor typed, one who was merged and unsubscribed."""
    attributes = {"plan": "gold", "age": 41, "height": 1.75, "vip": True, "kids": ["Al", "Bo"], "size": "42"}
    attributes |= {"utm:source": "ad", "address.city": "Albany", "tags": ["a, b", "vip"]}
    shop.happens("page.viewed", attributes=attributes, consent=[PROVEN])
    shop.happens(
        "order.created", customer={"external_ids": {"crm": "7"}}, attributes={"age": "old"}, properties={"total": 12.5},
        consent=[CONSENTED[0] | {"status": "denied"}],
    )  # fmt: skip
    shop.happens("page.left", customer={"email": "second@example.com"}, attributes={}, consent=[])
    shop.happens("accounts.linked", customer={"user_id": "mia", "email": "second@example.com"}, consent=[])
    shop.cairn("suppress", "mia@example.com", "--why", "a test")
    shop.passes("1m")


def exported(shop: Shop, kind: str, file: str) -> str:
    shop.cairn("export", kind, "--out", file, "--why", "the yearly copy", "--force")
    return file


def rows(shop: Shop, kind: Kind) -> list[dict[str, Any]]:
    exported(shop, kind.value, "rows.jsonl")
    return [json.loads(line) for line in Path("rows.jsonl").read_text().splitlines()]


def without(names: tuple[str, ...], found: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps({k: v for k, v in one.items() if k not in names}, sort_keys=True) for one in found)


def export_all(folder: Path, format_: str) -> dict[Kind, list[dict[str, Any]]]:
    """Live through the story, export every kind in a format, and return the rows."""
    (folder / "one").mkdir()
    with shops(folder / "one") as opens:
        shop = opens(RECEIPT)
        lived(shop)
        for kind in Kind:
            exported(shop, kind.value, f"{kind.value}.{format_}")
        return {kind: rows(shop, kind) for kind in Kind}


@pytest.mark.parametrize("format_", FORMATS)
def test_an_export_is_imported_into_an_empty_deployment_and_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    monkeypatch.chdir(tmp_path)
    before = export_all(tmp_path, format_)
    (tmp_path / "two").mkdir()

    with ExitStack() as stack:
        shop = stack.enter_context(shops(tmp_path / "two"))(RECEIPT, at=NEW_YORK_MORNING + timedelta(days=1))
        for kind in Kind:
            done = shop.tries("import", kind.value, f"{kind.value}.{format_}", "--why", "moved")
            assert done.exit_code == 0, done.output
        shop.passes("1m")
        after = {kind: rows(shop, kind) for kind in Kind}

    assert len(before[Kind.CUSTOMERS]) == 2
    assert len(before[Kind.CONSENTS]) == 2
    assert len(before[Kind.EVENTS]) == 4
    assert len(before[Kind.SUPPRESSIONS]) == 1
    assert without(("created_at", "at"), before[Kind.CUSTOMERS]) == without(("created_at", "at"), after[Kind.CUSTOMERS])
    assert without((), before[Kind.SUPPRESSIONS]) == without((), after[Kind.SUPPRESSIONS])
    own = ("id", "source", "properties")
    assert without(own, before[Kind.EVENTS]) == without(own, after[Kind.EVENTS])
    for one in after[Kind.CONSENTS]:
        one["evidence"].pop("import")
        one.update({} if one["evidence"] else {"evidence": {}})
    stated = [{"evidence": {}, **one} for one in before[Kind.CONSENTS]]
    assert without((), stated) == without((), after[Kind.CONSENTS])


def test_the_audit_says_who_exported_all(opens: Opens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shop = opens(RECEIPT)

    exported(shop, "customers", "all.csv")

    (entry,) = [one for one in shop.asks("GET", "audit")["entries"] if one["what"] == "export"]
    assert (entry["target"], entry["why"]) == ("all customers", "the yearly copy")
    assert Path("all.csv").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("customers", "--why", "x"), "name the file: --out customers.csv"),
        (("customers", "--out", "all.csv"), "say why, for the audit"),
        (("customers", "--out", "all.xlsx", "--why", "x"), "which says the format"),
    ],
)
def test_what_is_missing_is_named(opens: Opens, words: tuple[str, ...], problem: str) -> None:
    done = opens(RECEIPT).tries("export", *words)

    assert done.exit_code == 1
    assert problem in " ".join(done.output.split())


class Dynamo:
    """DynamoDB's export to S3: it is done at the second look."""

    def __init__(self, shop: Shop, failure: str = "") -> None:
        self.shop, self.failure, self.looks = shop, failure, 0

    def describe_table(self, **_: str) -> dict[str, Any]:
        return {"Table": {"TableArn": "arn:table"}}

    def export_table_to_point_in_time(self, **asked: str) -> dict[str, Any]:
        cloud = self.shop.deployment.cloud
        lines = [json.dumps({"Item": one}) for key in cloud.partition_keys() for one in cloud.items_of(key)]
        for number, some in enumerate((lines[::2], lines[1::2])):
            key = f"{asked['S3Prefix']}/AWSDynamoDB/01/data/part-{number}.json.gz"
            body = compress("\n".join(some).encode())
            cloud.client("s3").put_object(Bucket=asked["S3Bucket"], Key=key, Body=body)
        return {"ExportDescription": {"ExportArn": "arn:export"}}

    def describe_export(self, **_: str) -> dict[str, Any]:
        self.looks += 1
        status = "FAILED" if self.failure else "COMPLETED" if self.looks > 1 else "IN_PROGRESS"
        return {"ExportDescription": {"ExportStatus": status, "FailureMessage": self.failure}}


def deployed(shop: Shop, audit: list[AuditEntry], failure: str = "") -> DeployedTable:
    clients: dict[str, Any] = {"dynamodb": Dynamo(shop, failure), "s3": shop.deployment.cloud.client("s3")}
    outputs = {"TableName": "cairn", "OverflowBucket": shop.deployment.cloud.bucket}
    return DeployedTable(clients.__getitem__, outputs, audit.append, "ada", sleep=lambda _: None)


def test_a_deployments_table_is_exported_without_reading_it(
    opens: Opens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shop, audit = opens(RECEIPT), list[AuditEntry]()
    lived(shop)
    wanted = rows(shop, Kind.CUSTOMERS)

    with Spool.made() as spool:
        spool.add(deployed(shop, audit).items(Kind.CUSTOMERS, "the yearly copy"))
        write_rows(tmp_path / "there.jsonl", lambda: rows_of(Kind.CUSTOMERS, spool))

    assert [json.loads(line) for line in (tmp_path / "there.jsonl").read_text().splitlines()] == wanted
    assert [(one.actor, one.action, one.target) for one in audit] == [("ada", "export", "all customers")]


def test_an_export_that_fails_says_why(opens: Opens) -> None:
    shop = opens(RECEIPT)

    with pytest.raises(ExportStoppedError, match="no rights"):
        list(deployed(shop, [], "no rights").items(Kind.CUSTOMERS, "x"))
