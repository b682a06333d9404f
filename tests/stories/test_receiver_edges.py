"""What arrives at the edge: compressed, deep and long bodies, and sources with tokens and key pairs."""

import gzip
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from authoring.sources.samples import path_of, posting, signed_headers, url_of
from cairn.adapters.sources import Sources, sources
from cairn.application.events.accept_webhook import Request
from infra.local.deployment import LocalDeployment, local_deployment
from infra.local.signing import LOCAL_SECRET, local_secrets, secret_problems, signed_again, stored
from tests.conftest import MONDAY, SHORT_JOURNEY

SOURCES = """
[[hmac]]
name = "till"
signature = { scheme = "pem", header = "X-Till-Signature", algorithm = "ed25519" }

[[hmac]]
name = "bank"
signature = { scheme = "pem", header = "X-Bank-Signature", algorithm = "rsa-sha256", timestamp_header = "X-Bank-At" }

[[hmac]]
name = "list"
signature = { scheme = "query-token", parameter = "token" }

[[hmac]]
name = "desk"
signature = { scheme = "basic-auth" }

[[hmac]]
name = "pay"
[hmac.signature]
scheme = "certificate-url"
header = "PAYPAL-TRANSMISSION-SIG"
algorithm = "rsa-sha256"
timestamp_header = "PAYPAL-TRANSMISSION-TIME"
timestamp_format = "iso8601"
signed = "{header.paypal-transmission-id}|{timestamp}|{secret}|{crc32}"
url_header = "PAYPAL-CERT-URL"
urls = ["https://api.paypal.com/v1/notifications/certs/"]

[[hmac]]
name = "challenger"
[hmac.signature]
scheme = "static-token"
header = "X-Token"
[hmac.handshake]
when = "body.type == 'url_verification'"
answer = { challenge = "body.challenge" }
"""
OWN = ("till", "bank", "list", "desk", "pay", "challenger")


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    path = tmp_path_factory.mktemp("sources") / "sources.toml"
    path.write_text(SOURCES, encoding="utf-8")
    return sources(path)


@pytest.fixture(scope="module")
def made(known: Sources, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalDeployment]:
    path = tmp_path_factory.mktemp("deployed") / "sources.toml"
    path.write_text(SOURCES, encoding="utf-8")
    secrets = local_secrets({}, known)
    with local_deployment(SHORT_JOURNEY, start=MONDAY, secrets=secrets, configuration=path) as one:
        yield one


def note(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "type": "note.written", "customer": {"user_id": f"user-{name}"}, **more}


def tracks(made: LocalDeployment, body: bytes, **headers: str) -> Any:
    signed = signed_headers("track", body, LOCAL_SECRET, made.now(), headers=headers)
    lower = {name.lower(): one for name, one in signed.items()}
    answer = made.request("POST", "https://localhost/events", lower, body)
    made.settle()
    return answer


def dead(made: LocalDeployment) -> int:
    return sum(row["count"] for row in made.dead_letters().summary())


def lines(made: LocalDeployment, name: str) -> list[Mapping[str, Any]]:
    return [line for line in made.timeline() if line.get("customer") == f"user-{name}"]


def test_a_compressed_body_is_an_event(made: LocalDeployment) -> None:
    answer = tracks(made, gzip.compress(json.dumps(note("packed")).encode()), **{"content-encoding": "gzip"})

    assert answer["statusCode"] == 202
    assert [line["kind"] for line in lines(made, "packed")] == ["event"]


def test_one_that_is_broken_or_of_another_kind_is_refused_with_what_to_do(made: LocalDeployment) -> None:
    broken = tracks(made, gzip.compress(json.dumps(note("broken")).encode())[:-9], **{"content-encoding": "gzip"})
    other = tracks(made, b"\x8b\x02\x80{}\x03", **{"content-encoding": "br"})
    bomb = tracks(made, gzip.compress(b" " * 20_000_000), **{"content-encoding": "gzip"})

    found = [(one["statusCode"], json.loads(one["body"])["title"]) for one in (broken, other, bomb)]
    assert found == [(400, "malformed-body"), (415, "unsupported-encoding"), (413, "body-too-large")]
    assert dead(made) == 0


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("deep", json.loads('{"a":' * 40 + "1" + "}" * 40), "value_too_deep"),
        ("long", "x" * 900_000, "data_too_large"),
        ("wide", [[1] * 10] * 40_000, "data_too_large"),
    ],
)
def test_a_property_that_cannot_be_stored_is_dropped_with_its_reason(
    made: LocalDeployment, name: str, value: Any, reason: str
) -> None:
    answer = tracks(made, json.dumps(note(name, properties={"note": value, "kept": 1})).encode())

    event, dropped = lines(made, name)
    assert answer["statusCode"] == 202
    assert event["properties"] == {"kept": 1}
    assert (dropped["kind"], dropped["field"], dropped["reason"]) == ("dropped", "properties.note", reason)
    assert dead(made) == 0


def test_a_body_that_nests_without_end_is_refused(made: LocalDeployment) -> None:
    answer = tracks(made, b"[" * 1_000_000)

    assert (answer["statusCode"], json.loads(answer["body"])["title"]) == (400, "malformed-body")


@pytest.mark.parametrize("name", OWN)
def test_a_laptop_signs_for_every_scheme_and_takes_nobody_elses_signature(
    made: LocalDeployment, known: Sources, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def posts(secret: str) -> int:
        sent = posting(name, note(name), secret, made.now(), known=known)
        headers = {key.lower(): one for key, one in sent.headers.items()}
        status: int = made.request("POST", sent.url, headers, sent.body, name)["statusCode"]
        return status

    assert (posts(LOCAL_SECRET), posts("whsec_YW5vdGhlci1zZWNyZXQtb2YtdGVzdHM=")) == (202, 401)
    made.settle()
    assert [line["type"] for line in lines(made, name)] == ["note.written"]
    heard = capsys.readouterr()
    assert LOCAL_SECRET.removeprefix("whsec_").rstrip("=") not in heard.out + heard.err


def test_a_vendor_that_tries_its_url_by_a_get_needs_the_token(made: LocalDeployment, known: Sources) -> None:
    url = url_of("list", LOCAL_SECRET, "https://localhost", known)

    assert made.request("GET", url, {}, b"", "list")["statusCode"] == 202
    assert made.request("GET", f"https://localhost{path_of('list')}", {}, b"", "list")["statusCode"] == 401
    assert dead(made) == 0


def test_a_challenge_is_answered_and_is_no_event(made: LocalDeployment, known: Sources) -> None:
    document = {"type": "url_verification", "challenge": "3eZbrw1a"}
    sent = posting("challenger", document, LOCAL_SECRET, made.now(), known=known)

    answer = made.request(
        "POST", sent.url, {key.lower(): one for key, one in sent.headers.items()}, sent.body, "challenger"
    )

    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"challenge": "3eZbrw1a"})


@pytest.mark.parametrize("name", ["till", "bank", "pay"])
def test_a_key_pairs_signature_is_made_anew_where_the_clock_was_moved(
    made: LocalDeployment, known: Sources, name: str
) -> None:
    sent = posting(name, note(name), LOCAL_SECRET, MONDAY, known=known)
    headers = {key.lower(): one for key, one in sent.headers.items()}

    again = signed_again(known[name], Request(sent.url, headers, sent.body), LOCAL_SECRET, MONDAY, made.now())

    found = stored({name: LOCAL_SECRET}, known)[name]
    known[name].verify(Request(sent.url, again, sent.body), found, made.now())


def test_the_secrets_of_this_environment_are_checked_as_they_are_stored(known: Sources) -> None:
    public = stored({"till": LOCAL_SECRET}, known)["till"][0]
    other_kind = stored({"bank": LOCAL_SECRET}, known)["bank"][0]

    assert secret_problems({"CAIRN_SECRET_TILL": public, "CAIRN_SECRET_BANK": "a secret of one's own"}, known) == []
    assert secret_problems({"CAIRN_SECRET_TILL": other_kind}, known) == ["CAIRN_SECRET_TILL is no key for ed25519"]
