"""What moto gets wrong of DynamoDB is put right. MiniStack, which is independent of moto, shows the same."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cairn.adapters import aws
from infra.local.moto_corrections import MAX_ITEM_BYTES, item_size

Json = dict[str, Any]
ONE = {":one": {"N": "1"}}


def key(name: str) -> Json:
    return {"pk": {"S": name}, "sk": {"S": name}}


def refusal(call: Callable[[], Any]) -> str:
    """The code of an error, and the reasons of a cancelled transaction."""
    with pytest.raises(ClientError) as caught:
        call()
    reasons = [one["Code"] for one in caught.value.response.get("CancellationReasons", ())]
    return " ".join([aws.code_of(caught.value), *reasons])


class Store:
    """A table of one of the stores."""

    def __init__(self, name: str) -> None:
        self.name, self.client = name, aws.client("dynamodb")

    def puts(self, name: str, **attributes: Json) -> None:
        self.client.put_item(TableName=self.name, Item=key(name) | attributes)

    def updates(self, name: str, expression: str, values: Json | None = None) -> None:
        self.client.update_item(
            TableName=self.name, Key=key(name), UpdateExpression=expression, ExpressionAttributeValues=values or ONE
        )

    def put(self, name: str, **attributes: Json) -> Json:
        return {"Put": {"TableName": self.name, "Item": key(name) | attributes}}

    def update(self, name: str, expression: str, values: Json | None = None) -> Json:
        named = {"UpdateExpression": expression, "ExpressionAttributeValues": values or ONE}
        return {"Update": {"TableName": self.name, "Key": key(name), **named}}

    def transacts(self, *items: Json, **named: str) -> None:
        self.client.transact_write_items(TransactItems=list(items), **named)

    def get(self, name: str) -> Json | None:
        found: Json | None = self.client.get_item(TableName=self.name, Key=key(name)).get("Item")
        return found


@pytest.fixture
def store(table: str) -> Store:
    return Store(table)


def text(length: int) -> Json:
    return {"S": "x" * length}


def test_an_item_has_400_kb_with_the_names_of_its_attributes(store: Store) -> None:
    keys = item_size(key("a"))

    store.puts("a", x=text(MAX_ITEM_BYTES - keys - 1))

    assert refusal(lambda: store.puts("a", x=text(MAX_ITEM_BYTES - keys))) == "ValidationException"


def test_an_update_above_400_kb_changes_nothing(store: Store) -> None:
    store.puts("a", x=text(300_000))

    assert refusal(lambda: store.updates("a", "SET y = :y", {":y": text(200_000)})) == "ValidationException"
    assert store.get("a") == key("a") | {"x": text(300_000)}


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "ä"}, 2),
        ({"N": "1234"}, 3),
        ({"N": "-1200"}, 3),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}]}, 6),
        ({"M": {"a": {"S": "bc"}}}, 7),
        ({"SS": ["ab", "c"]}, 3),
    ],
)
def test_the_size_of_a_value_follows_the_documented_rules(value: Json, size: int) -> None:
    assert item_size({"": value}) == size


def test_an_expression_has_4_kb(store: Store) -> None:
    store.puts("a")
    sets = ", ".join(f"a{number:04} = :one" for number in range(400))
    exists = " OR ".join(f"attribute_exists(a{number:04})" for number in range(200))

    assert refusal(lambda: store.updates("a", f"SET {sets}")) == "ValidationException"
    assert refusal(lambda: store.transacts(store.update("a", f"SET {sets}"))) == "ValidationException"
    condition = {"TableName": store.name, "Item": key("a"), "ConditionExpression": exists}
    assert refusal(lambda: store.client.put_item(**condition)) == "ValidationException"


def test_an_expression_of_less_may_have_hundreds_of_clauses(store: Store) -> None:
    store.updates("a", "SET " + ",".join(f"a{number}=:one" for number in range(290)))

    assert len(store.get("a") or {}) == 292


def test_a_transaction_takes_no_two_operations_on_one_item_and_not_more_than_100(store: Store) -> None:
    delete = {"Delete": {"TableName": store.name, "Key": key("a")}}

    assert refusal(lambda: store.transacts(store.put("a"), delete)) == "ValidationException"
    assert refusal(lambda: store.transacts(*(store.put(str(n)) for n in range(101)))) == "ValidationException"
    store.transacts(*(store.put(str(n)) for n in range(100)))


def test_a_transaction_has_4_mb(store: Store) -> None:
    items = [store.put(str(number), x=text(300_000)) for number in range(15)]

    assert refusal(lambda: store.transacts(*items)) == "ValidationException"
    assert store.get("0") is None


def test_an_attribute_that_does_not_exist_is_no_number(store: Store) -> None:
    assert refusal(lambda: store.updates("a", "SET n = n + :one")) == "ValidationException"
    assert store.get("a") is None


def test_in_a_transaction_what_an_item_does_not_allow_cancels_it_whole(store: Store) -> None:
    store.puts("large", x=text(300_000))
    grows = store.update("large", "SET y = :y", {":y": text(200_000)})

    missing = refusal(lambda: store.transacts(store.put("a"), store.update("b", "SET n = n + :one")))
    too_large = refusal(lambda: store.transacts(store.put("a"), grows))

    assert missing == too_large == "TransactionCanceledException None ValidationError"
    assert store.get("a") is None
    assert store.get("large") == key("large") | {"x": text(300_000)}


def test_a_transaction_with_a_known_token_is_done_once(store: Store) -> None:
    counts = store.update("a", "ADD n :one")

    store.transacts(counts, ClientRequestToken="first")
    store.transacts(counts, ClientRequestToken="first")

    assert (store.get("a") or {})["n"] == {"N": "1"}
    other = refusal(lambda: store.transacts(store.put("b"), ClientRequestToken="first"))
    assert other == "IdempotentParameterMismatchException"


def test_a_batch_has_25_writes_and_each_item_once(store: Store) -> None:
    def writes(*requests: Json) -> None:
        store.client.batch_write_item(RequestItems={store.name: list(requests)})

    puts = [{"PutRequest": {"Item": key(str(number))}} for number in range(26)]

    assert refusal(lambda: writes(*puts)) == "ValidationException"
    assert refusal(lambda: writes(puts[0], {"DeleteRequest": {"Key": key("0")}})) == "ValidationException"
    writes(*puts[:25])


def test_a_query_gives_a_partition_in_pages_of_1_mb(store: Store) -> None:
    for number in range(12):
        item = {"pk": {"S": "q"}, "sk": {"S": str(number)}, "x": text(100_000)}
        store.client.put_item(TableName=store.name, Item=item)
    store.puts("other")

    asked = {"KeyConditionExpression": "pk = :q", "ExpressionAttributeValues": {":q": {"S": "q"}}}
    page = store.client.query(TableName=store.name, **asked)
    rest = store.client.query(TableName=store.name, ExclusiveStartKey=page["LastEvaluatedKey"], **asked)

    assert page["Count"] < 12
    assert page["Count"] + rest["Count"] == 12
