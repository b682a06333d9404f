"""What lies outside the table ends when docs/privacy.md says."""

import re
from pathlib import Path

import pytest

from tests.infra.conftest import Templates

PAGE = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text(encoding="utf-8")
DAY = 24 * 60 * 60


def days(kind: str) -> int:
    found = re.search(rf"^\| {kind} \|.*?(\d+) days \|$", PAGE, re.MULTILINE)
    assert found, kind
    return int(found[1])


@pytest.fixture(params=["dev", "prod"])
def templates(request: pytest.FixtureRequest, synthesized: dict[str, Templates]) -> Templates:
    return synthesized[request.param]


def test_queues_and_dead_letters_have_a_retention(templates: Templates) -> None:
    queues = templates.all("AWS::SQS::Queue").values()

    work = {one["MessageRetentionPeriod"] for one in queues if "RedrivePolicy" in one}
    retentions = {one["MessageRetentionPeriod"] for one in queues if "RedrivePolicy" not in one}
    assert work == {days("queues") * DAY}
    assert retentions == {days("dead letters") * DAY}


def test_bodies_expire(templates: Templates) -> None:
    (bucket,) = [one for name, one in templates.all("AWS::S3::Bucket").items() if name.startswith("Overflow")]

    rules = {one.get("Prefix", ""): one["ExpirationInDays"] for one in bucket["LifecycleConfiguration"]["Rules"]}
    files = days("S3 imports and exports")
    assert rules == {"": days("S3 bodies"), "imports/": files, "exports/": files}


def test_facts_expire_by_kind(templates: Templates) -> None:
    (bucket,) = [one for name, one in templates.all("AWS::S3::Bucket").items() if name.startswith("Facts")]

    rules = bucket["LifecycleConfiguration"]["Rules"]
    stored = {one["Prefix"]: one["ExpirationInDays"] for one in rules if one.get("Prefix", "").startswith("facts/")}
    assert stored == {"facts/stored=long/": days("facts, for long"), "facts/stored=short/": days("facts, for short")}


def test_every_log_has_the_retention_of_its_stage(templates: Templates) -> None:
    groups = templates.all("AWS::Logs::LogGroup").values()

    assert {one["RetentionInDays"] for one in groups} == {templates.stage.log_retention_days}
    assert "| `log_retention_days` of the stage |" in PAGE


def test_the_table_deletes_expired_items(templates: Templates) -> None:
    (table,) = templates.all("AWS::DynamoDB::Table").values()

    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
