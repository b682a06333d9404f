"""The table that PynamoDB's models are bound to."""

import os

from cairn.adapters.dynamodb import table


def bind_table(name: str) -> None:
    region = os.environ.get("AWS_REGION") or os.environ["AWS_DEFAULT_REGION"]
    table.bind(name, region)
