"""The items of the local table, beyond the number that stays in memory: found, changed and indexed as before."""

import pickle
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from infra.local import cloud, stored_items
from infra.local.cloud import Cloud, sandbox
from infra.local.deployment import LocalDeployment, local_deployment
from infra.local.shapes import ACCOUNT, REGION
from infra.local.signing import local_secrets
from infra.local.stored_items import StoredItems

JOURNEYS = Path(__file__).parents[2] / "layers" / "journeys"
NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)


def text(value: str) -> DynamoType:
    return DynamoType({"S": value})


def item(pk: str, sk: str, **attributes: Any) -> Item:
    return Item(text(pk), text(sk), {"pk": {"S": pk}, "sk": {"S": sk}, **attributes})


@pytest.fixture(autouse=True)
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored_items, "MOST_IN_MEMORY", 4)


@pytest.fixture
def deployment() -> Iterator[LocalDeployment]:
    with local_deployment(JOURNEYS, start=NOW, secrets=local_secrets({})) as made:
        yield made


@given(st.lists(st.tuples(st.sampled_from("abcdefghij"), st.sampled_from(["put", "take", "look"])), max_size=60))
def test_it_is_a_mapping_whatever_lies_in_the_file(steps: list[tuple[str, str]]) -> None:
    stored, plain = StoredItems(), dict[str, set[str]]()
    for number, (name, step) in enumerate(steps):
        key = text(name)
        if step == "put":
            stored[key][text(str(number))] = item(name, str(number), n={"N": str(number)})
            plain.setdefault(name, set()).add(str(number))
        elif step == "take":
            stored.pop(key, None)
            plain.pop(name, None)
        else:
            assert {one.value for one in stored.get(key, {})} == plain.get(name, set())

    assert {key.value: {one.value for one in found} for key, found in stored.items() if found} == plain
    assert {name for name in "abcdefghij" if stored.seen(text(name))} == set(plain)


def test_an_index_finds_items_in_memory_and_in_the_file() -> None:
    stored = StoredItems()
    for number in range(20):
        index = {"gsi1pk": {"S": "queue" if number % 2 else "other"}} if number % 3 else {}
        stored[text(f"c-{number}")][text("task")] = item(f"c-{number}", "task", **index)

    found = {key.value for key, _ in stored.with_index_key("gsi1pk", text("queue"))}

    assert found == {f"c-{number}" for number in range(20) if number % 2 and number % 3}


def test_an_item_comes_back_as_it_was() -> None:
    attributes = {
        "n": {"N": "1"},
        "b": {"B": "AAEC"},
        "ss": {"SS": ["x", "y"]},
        "m": {"M": {"k": {"L": [{"NULL": True}]}}},
    }
    one = item("c", "s", **attributes)

    assert pickle.loads(pickle.dumps(one)).to_json() == one.to_json()  # noqa: S301


def test_customers_live_on_beyond_memory(deployment: LocalDeployment) -> None:
    from authoring.imports.mapping import mapping_named
    from cairn.adapters.imports.batch import batch_to_wire
    from cairn.domain.imports.rows import Import, Kind, Row

    mapping = mapping_named("", Kind.CUSTOMERS)
    for name in ("first", "second"):
        of = Import(name=name, kind=Kind.CUSTOMERS, as_of=deployment.now())
        rows = [
            Row(number, {"user_id": f"u-{number}", "email": f"u{number}@example.com", "attributes": {name: "yes"}})
            for number in range(40)
        ]
        answer = deployment.import_rows(batch_to_wire(of, mapping, rows))
        deployment.settle()

        assert answer is not None
        assert answer["counts"] == {"created" if name == "first" else "updated": 40}

    assert len(deployment.timeline()) == 80
    assert len(deployment.timeline("u7@example.com")) == 2


def test_the_stream_forgets_old_changes_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud, "CHANGES_THAT_STAY", 3)
    with sandbox():
        made = Cloud()
        made.create({})
        for number in range(10):
            put(made, number)
        before = made.changes(None)

        made.forget_changes(before[7]["dynamodb"]["SequenceNumber"])
        put(made, 10)

        assert made.changes(None)[:-1] == before[5:]
        assert names(made.changes(before[-1]["dynamodb"]["SequenceNumber"])) == ["c-10"]


def put(made: Cloud, number: int) -> None:
    made.client("dynamodb").put_item(TableName=made.table, Item={"pk": {"S": f"c-{number}"}, "sk": {"S": "state"}})


def names(changes: Any) -> list[str]:
    return [one["dynamodb"]["Keys"]["pk"]["S"] for one in changes]


def test_tokens_of_transactions_are_forgotten_after_ten_minutes() -> None:
    from moto.dynamodb.models import dynamodb_backends

    with time_machine.travel(NOW, tick=False) as clock, sandbox():
        made = Cloud()
        made.create({})
        for token in ("first", "second", "third"):
            one = {"Put": {"TableName": made.table, "Item": {"pk": {"S": token}, "sk": {"S": "state"}}}}
            made.client("dynamodb").transact_write_items(TransactItems=[one], ClientRequestToken=token)
            clock.shift(timedelta(minutes=6))

        assert list(dynamodb_backends[ACCOUNT][REGION].client_request_tokens) == ["second", "third"]
