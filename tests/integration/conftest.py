"""The single table, in moto and, where it can be had, in Amazon's own DynamoDB Local."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from cairn.adapters import aws
from cairn.adapters.dynamodb import items
from infra.local.cloud import SANDBOX, sandbox

ENDPOINT = "AWS_ENDPOINT_URL_DYNAMODB"
FOLDER = Path(__file__).parents[2] / "build" / "dynamodb-local"
DOWNLOAD_SECONDS = 45
START_SECONDS = 20

POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>cairn</groupId><artifactId>dynamodb-local</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>com.amazonaws</groupId><artifactId>DynamoDBLocal</artifactId><version>2.6.1</version></dependency>
  </dependencies>
</project>
"""


@pytest.fixture(scope="session")
def dynamodb_local(dynamodb_endpoint: str | None) -> Iterator[str]:
    """The endpoint that AWS_ENDPOINT_URL_DYNAMODB names, or DynamoDB Local in a process of its own."""
    if dynamodb_endpoint:
        yield dynamodb_endpoint
        return
    java = shutil.which("java")
    if java is None:
        pytest.skip(f"DynamoDB Local needs Java; install one, or set {ENDPOINT}")
    jars = _downloaded()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    main = "com.amazonaws.services.dynamodbv2.local.main.ServerRunner"
    arguments = ["-Xmx256m", f"-Djava.library.path={jars}", "-cp", f"{jars}/*", main, "-inMemory", "-port", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = {**os.environ, "DDB_LOCAL_TELEMETRY": "0"}
    with subprocess.Popen([java, *arguments], env=environment, **quiet) as server:  # noqa: S603  the jar above
        try:
            _wait_for(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


@pytest.fixture(scope="module", params=["moto", "dynamodb-local"])
def database(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where tables are made, for as long as a module lasts; gives its name."""
    if request.param == "moto":
        with sandbox():
            yield request.param
        return
    endpoint = request.getfixturevalue("dynamodb_local")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (SANDBOX | {ENDPOINT: endpoint}).items():
            patch.setenv(name, value)
        aws.session.cache_clear()
        yield request.param
        aws.session.cache_clear()


@pytest.fixture
def table(database: str) -> Iterator[str]:
    """An empty table that the adapters are bound to; gives its name."""
    yield _bound_table(f"{database}-{time.monotonic_ns()}")
    _forget_connections()


def _bound_table(name: str) -> str:
    _forget_connections()
    index = {"IndexName": "gsi1", "KeySchema": _key("gsi1pk", "gsi1sk"), "Projection": {"ProjectionType": "ALL"}}
    aws.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk", "gsi1pk", "gsi1sk")],
        KeySchema=_key("pk", "sk"),
        GlobalSecondaryIndexes=[index],
    )
    items.bind(name, SANDBOX["AWS_REGION"])
    return name


def _key(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]


def _forget_connections() -> None:
    """PynamoDB's models keep the client that they made first, and with it its endpoint."""
    for model in items.MODELS:
        model._connection = None  # noqa: SLF001


def _downloaded() -> Path:
    jars = FOLDER / "lib"
    if jars.is_dir():
        return jars
    maven = shutil.which("mvn")
    if maven is None:
        pytest.skip(f"DynamoDB Local comes from Maven Central; install mvn, or set {ENDPOINT}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "pom.xml").write_text(POM)
    partly = FOLDER / f"lib-{os.getpid()}"
    copy = ["-q", "-B", "-f", str(FOLDER / "pom.xml"), "dependency:copy-dependencies", f"-DoutputDirectory={partly}"]
    try:
        subprocess.run([maven, *copy], check=True, capture_output=True, timeout=DOWNLOAD_SECONDS)  # noqa: S603
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"Maven Central gave no DynamoDB Local ({type(error).__name__}); set {ENDPOINT} to another one")
    partly.rename(jars)
    return jars


def _wait_for(endpoint: str) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            urlopen(endpoint, timeout=1)  # noqa: S310  loopback
        except HTTPError:
            return  # it answers, if only to say that this was no request of DynamoDB's
        except OSError:
            time.sleep(0.1)
    pytest.skip("DynamoDB Local did not start")
