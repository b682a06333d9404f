"""A table of its own, in moto or in whatever stands behind an endpoint."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from cairn.adapters import aws
from cairn.adapters.dynamodb.table import bind, unbind
from infra.local.cloud import SANDBOX

ENDPOINT = "AWS_ENDPOINT_URL_DYNAMODB"


@contextmanager
def stored_at(endpoint: str) -> Iterator[None]:
    """Within the block, all clients use the table's store at this endpoint."""
    with patch.dict(os.environ, SANDBOX | {ENDPOINT: endpoint}):
        aws.forget()
        yield
        aws.forget()


@contextmanager
def empty_table(endpoint: str) -> Iterator[str]:
    """A table there that the adapters are bound to; gives its name."""
    with stored_at(endpoint):
        yield bound_table("table")
        unbind()


def bound_table(name: str) -> str:
    unbind()
    indexes = [
        {
            "IndexName": name,
            "KeySchema": _key(f"{name}pk", f"{name}sk"),
            "Projection": {"ProjectionType": projection},
        }
        for name, projection in (("gsi1", "ALL"), ("gsi2", "KEYS_ONLY"))
    ]
    keys = ("pk", "sk", "gsi1pk", "gsi1sk", "gsi2pk", "gsi2sk")
    aws.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=_key("pk", "sk"),
        GlobalSecondaryIndexes=indexes,
    )
    bind(name, SANDBOX["AWS_REGION"])
    return name


def _key(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]
