"""The single table, in moto and in a store that is independent of it and atomic between threads."""

import os
import time
from collections.abc import Iterator

import pytest

from cairn.adapters.dynamodb.table import unbind
from infra.local.cloud import sandbox
from tests.ministack import ministack
from tests.table import ENDPOINT, bound_table, stored_at

STORES = ("moto", "endpoint" if os.environ.get(ENDPOINT) else "ministack")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each contract of the table on both stores; those that need atomic writes on the second only."""
    if "database" in metafunc.fixturenames:
        atomic = metafunc.definition.get_closest_marker("atomic_writes") is not None
        metafunc.parametrize("database", STORES[1:] if atomic else STORES, indirect=True, scope="module")


@pytest.fixture(scope="session")
def endpoint(dynamodb_endpoint: str | None) -> Iterator[str]:
    """The endpoint of AWS_ENDPOINT_URL_DYNAMODB, or of a MiniStack process that stores in memory."""
    if dynamodb_endpoint:
        yield dynamodb_endpoint
        return
    with ministack({"SERVICES": "dynamodb,secretsmanager"}) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """The store for the tables of one module; gives its name."""
    if request.param == "moto":
        with sandbox():
            yield request.param
        return
    endpoint = request.getfixturevalue("endpoint")
    with stored_at(endpoint):
        yield request.param


@pytest.fixture
def table(database: str) -> Iterator[str]:
    """An empty table that the adapters are bound to; gives its name."""
    yield bound_table(f"{database}-{time.monotonic_ns()}")
    unbind()
