"""What `cairn` asks of a deployment is signed as AWS demands; a laptop's server is asked in the clear."""

import gzip
import hashlib
import hmac
import io
import json
from collections.abc import Callable
from email.message import Message as Headers
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request

import pytest
import typer
from typer.testing import CliRunner

from cli import manage_client
from cli.main import app
from cli.manage_client import Manage, ManageError

DEPLOYED = "https://abc123.execute-api.eu-central-1.amazonaws.com"
KEY, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session-token"


class Answer(io.BytesIO):
    headers = Headers()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """The requests; each is answered with an empty object."""
    requests: list[Request] = []

    def take(request: Request, timeout: float) -> Answer:  # noqa: ARG001  urlopen's signature
        requests.append(request)
        return Answer(b"{}")

    monkeypatch.setattr(manage_client, "urlopen", take)
    return requests


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    variables = {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": TOKEN,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


def signature_of(request: Request, path: str, query: str, body: bytes, region: str) -> str:
    """Signature Version 4 by its specification, and by none of the code that made it.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    headers = {name.lower(): value for name, value in request.header_items()}
    headers["host"] = DEPLOYED.removeprefix("https://")
    named = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in named)
    payload = hashlib.sha256(body).hexdigest()
    canonical = "\n".join([request.get_method(), path, query, lines, ";".join(named), payload])
    at = headers["x-amz-date"]
    scope = f"{at[:8]}/{region}/execute-api/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", at, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{SECRET}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def test_a_request_to_a_deployment_is_signed_with_the_callers_credentials(asked: list[Request]) -> None:
    Manage(DEPLOYED).post("explain", customer="Mía@example.com")

    (request,) = asked
    authorization = request.get_header("Authorization") or ""
    body = request.data
    assert isinstance(body, bytes)
    assert f"Credential={KEY}/" in authorization
    assert "/eu-central-1/execute-api/aws4_request" in authorization
    assert request.get_header("X-amz-security-token") == TOKEN
    assert authorization.endswith(signature_of(request, "/manage/explain", "", body, "eu-central-1"))


def test_a_query_is_signed_as_it_is_sent(asked: list[Request]) -> None:
    Manage(DEPLOYED).get("audit", limit=5, before="2026-03-02T14:00:00.000005Z#abc")

    (request,) = asked
    query = "before=2026-03-02T14%3A00%3A00.000005Z%23abc&limit=5"
    assert request.full_url == f"{DEPLOYED}/manage/audit?limit=5&before=2026-03-02T14%3A00%3A00.000005Z%23abc"
    assert (request.get_header("Authorization") or "").endswith(
        signature_of(request, "/manage/audit", query, b"", "eu-central-1")
    )


def test_no_url_names_a_customer(asked: list[Request]) -> None:
    ours = Manage(DEPLOYED)
    ours.explain("mia@example.com", "")
    ours.explain("abcdefghijklmnopqrst-hello-1", "mia@example.com")
    for name in ("export", "erase", "consent", "suppressions"):
        ours.post(name, customer="mia@example.com")

    assert not any("mia" in request.full_url for request in asked)
    assert all(b"mia@example.com" in (request.data or b"") for request in asked)  # type: ignore[operator]


def test_headers_that_a_proxy_may_change_are_not_signed(asked: list[Request]) -> None:
    Manage(DEPLOYED).get("switches")

    (request,) = asked
    signed = (request.get_header("Authorization") or "").split("SignedHeaders=")[1].split(",")[0]
    assert "accept-encoding" not in signed


def test_further_headers_are_sent_and_signed(asked: list[Request]) -> None:
    Manage(DEPLOYED, {"x-cairn-client": "mcp"}).get("switches")

    (request,) = asked
    signed = (request.get_header("Authorization") or "").split("SignedHeaders=")[1].split(",")[0]
    assert request.get_header("X-cairn-client") == "mcp"
    assert "x-cairn-client" in signed


def test_a_laptops_server_needs_no_signature(asked: list[Request]) -> None:
    Manage("http://127.0.0.1:8787/").get("switches")

    (request,) = asked
    assert request.full_url == "http://127.0.0.1:8787/manage/switches"
    assert not request.has_header("Authorization")


@pytest.mark.parametrize(
    ("what", "sent"),
    [
        ("abcdefghijklmnopqrst-hello-1", {"message": "abcdefghijklmnopqrst-hello-1"}),
        ("abcdefghijklmnopqrst-hello-1.2", {"message": "abcdefghijklmnopqrst-hello-1.2"}),
        ("abcdefghijklmnop.1", {"message": "abcdefghijklmnop.1"}),
        ("mia@example.com", {"customer": "mia@example.com"}),
        ("member-4711", {"customer": "member-4711"}),
        ("shop:4711", {"customer": "shop:4711"}),
        ("+12015550123", {"customer": "+12015550123"}),
        ("c_abcdefghijklmnopqrstuvwxyz", {"customer": "c_abcdefghijklmnopqrstuvwxyz"}),
    ],
)
def test_an_argument_that_looks_like_a_message_id_is_one(asked: list[Request], what: str, sent: dict[str, str]) -> None:
    Manage("http://127.0.0.1:8787").explain(what, "")

    (request,) = asked
    assert json.loads(request.data or b"") == sent  # type: ignore[arg-type]


def test_a_compressed_answer_is_decompressed(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Answer(gzip.compress(b'{"a": 1}'))
    answer.headers = Headers()
    answer.headers["content-encoding"] = "gzip"
    monkeypatch.setattr(manage_client, "urlopen", lambda *_, **__: answer)

    assert Manage("http://127.0.0.1:8787").get("switches") == {"a": 1}


def refusing(status: int, body: bytes) -> Callable[..., Any]:
    def refuse(request: Request, **_: Any) -> Any:
        raise HTTPError(request.full_url, status, "Refused", Headers(), io.BytesIO(body))

    return refuse


def unreachable(*_: Any, **__: Any) -> Any:
    raise URLError("Connection refused")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (refusing(400, b'{"problems": ["why: missing", "do: wrong"]}'), "why: missing\ndo: wrong"),
        (refusing(404, b'{"detail": "nobody is known by that name"}'), "404: nobody is known by that name"),
        (refusing(403, b'{"message": "Forbidden"}'), "403: Forbidden"),
        (refusing(502, b"<html>"), "502: Refused"),
        (unreachable, "http://127.0.0.1:1 cannot be reached: Connection refused. Is `make serve` running?"),
    ],
)
def test_an_error_ends_the_command_with_the_deployments_message(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[..., Any], said: str
) -> None:
    monkeypatch.setattr(manage_client, "urlopen", answer)

    ended = CliRunner().invoke(app, ["switch", "list", "--to", "http://127.0.0.1:1"])

    assert ended.exit_code == 1
    assert ended.stderr == f"{said}\n"


@pytest.mark.parametrize(
    ("url", "environment", "said"),
    [
        (DEPLOYED, {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "no AWS credentials"),
        (DEPLOYED, {"AWS_PROFILE": "none"}, "AWS credentials cannot be read"),
        ("https://cairn.example.com", {"AWS_PROFILE": "none"}, "AWS credentials cannot be read"),
        ("https://cairn.example.com", {}, "set AWS_REGION"),
    ],
)
def test_a_missing_credential_or_region_is_reported(
    monkeypatch: pytest.MonkeyPatch, url: str, environment: dict[str, str], said: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ManageError, match=said):
        Manage(url).get("switches")


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_a_custom_domain_is_signed_for_the_region_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, asked: list[Request], name: str
) -> None:
    monkeypatch.setenv(name, "eu-west-1")

    Manage("https://cairn.example.com").get("switches")

    assert "/eu-west-1/execute-api/" in (asked[0].get_header("Authorization") or "")


def test_an_invalid_url_is_refused() -> None:
    with pytest.raises(typer.BadParameter):
        Manage("abc123.execute-api").get("switches")
