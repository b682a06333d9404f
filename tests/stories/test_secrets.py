"""Secrets that are none: nobody signs with an empty text, a blank, or what is too short, and the others sign on."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from authoring.sources.samples import path_of, signed_headers
from cairn.adapters.secrets_manager import REREAD_AFTER
from infra.local.deployment import LocalDeployment, local_deployment
from infra.local.signing import LOCAL_SECRET, local_secrets
from tests.conftest import MONDAY, SHORT_JOURNEY

EVENT = json.dumps({"id": "e-1", "type": "page.viewed", "customer": {"email": "mia@example.com"}}).encode()
SHORT = ["", " ", "whsec_", "\u200b" * 16, "\u2003" * 16, "\u3164" * 16, "fifteen-letters"]
NO_TEXT = [None, 1, 12345678901234567890, True, {"secret": LOCAL_SECRET}]


@pytest.fixture(scope="module")
def made() -> Iterator[LocalDeployment]:
    with local_deployment(SHORT_JOURNEY, start=MONDAY, secrets=local_secrets({})) as deployment:
        yield deployment


def stores(made: LocalDeployment, **secrets: Any) -> None:
    """Every source has the local secret, but for these; the functions have read it."""
    content = json.dumps({**local_secrets({}), **secrets})
    made.cloud.client("secretsmanager").put_secret_value(SecretId=made.cloud.secret_id, SecretString=content)
    made.advance_to(made.now() + REREAD_AFTER)


def posts(made: LocalDeployment, source: str, secret: str) -> tuple[int, dict[str, Any]]:
    """Posts an event signed with this secret, as its vendor signs."""
    headers = {name.lower(): value for name, value in signed_headers(source, EVENT, secret, made.now()).items()}
    answer = made.request("POST", f"https://localhost{path_of(source)}", headers, EVENT, source)
    return answer["statusCode"], json.loads(answer["body"])


def forges(made: LocalDeployment, key: bytes) -> int:
    """Posts to the track API with a signature of this key."""
    now = str(int(made.now().timestamp()))
    signature = base64.b64encode(hmac.digest(key, b"m." + now.encode() + b"." + EVENT, hashlib.sha256)).decode()
    headers = {"webhook-id": "m", "webhook-timestamp": now, "webhook-signature": f"v1,{signature}"}
    return int(made.request("POST", "https://localhost/events", headers, EVENT)["statusCode"])


@pytest.mark.parametrize("secret", [*SHORT, *NO_TEXT, [], [[LOCAL_SECRET]]], ids=repr)
def test_a_secret_that_is_none_verifies_nothing_and_its_neighbours_verify(made: LocalDeployment, secret: Any) -> None:
    stores(made, hmac=secret)

    status, problem = posts(made, "hmac", secret if isinstance(secret, str) else "")

    assert (status, problem["title"]) == (503, "secret-unusable")
    assert "hmac" in problem["detail"]
    assert posts(made, "track", LOCAL_SECRET)[0] == 202
    assert posts(made, "standard-webhooks", LOCAL_SECRET)[0] == 202


def test_a_list_keeps_its_good_secrets_whatever_stands_beside_them(made: LocalDeployment) -> None:
    good = "the-new-secret-of-the-till"
    stores(made, hmac=[*SHORT, good, *NO_TEXT, [good]])

    assert posts(made, "hmac", good)[0] == 202
    for weak in SHORT:
        assert posts(made, "hmac", weak)[0] == 401


@pytest.mark.parametrize("secret", ["whsec_", "", ["whsec_", LOCAL_SECRET], "whsec_AAAA"], ids=repr)
def test_nobody_posts_with_an_empty_key(made: LocalDeployment, secret: Any) -> None:
    stores(made, track=secret)

    for key in (b"", b"\x00\x00\x00", b"whsec_"):
        assert forges(made, key) == (401 if isinstance(secret, list) else 503)


def test_a_secret_that_is_not_base64_leaves_its_neighbour_alone(made: LocalDeployment) -> None:
    stores(made, track=["this is no base64 at all", "AAAAAAAAAAAAAAAAAAAA", LOCAL_SECRET])
    assert posts(made, "track", LOCAL_SECRET)[0] == 202

    stores(made, track=["this is no base64 at all", "AAAAAAAAAAAAAAAAAAAA"])
    status, problem = posts(made, "track", LOCAL_SECRET)
    assert (status, problem["title"]) == (503, "secret-unusable")


@pytest.mark.parametrize("content", ["{", "[]", "null", '"a text"'])
def test_what_is_no_object_has_one_clear_problem(made: LocalDeployment, content: str) -> None:
    made.cloud.client("secretsmanager").put_secret_value(SecretId=made.cloud.secret_id, SecretString=content)
    made.advance_to(made.now() + REREAD_AFTER)

    status, problem = posts(made, "track", LOCAL_SECRET)

    assert (status, problem["title"]) == (503, "secret-unusable")
    assert "not a JSON object" in problem["detail"]


@pytest.mark.parametrize(
    ("token", "status"), [("a-token-of-our-own-making", 200), ("fifteen-letters", 503), (" " * 20, 503)]
)
def test_a_verify_token_is_as_long_as_a_secret(made: LocalDeployment, token: str, status: int) -> None:
    stores(made, **{"whatsapp-verify": token})
    query = urlencode({"hub.mode": "subscribe", "hub.verify_token": token, "hub.challenge": "42"})

    answer = made.request("GET", f"https://localhost/webhooks/whatsapp?{query}", {}, b"", "whatsapp")

    assert answer["statusCode"] == status


def test_every_refused_secret_is_logged_by_name_and_never_shown(
    made: LocalDeployment, caplog: pytest.LogCaptureFixture
) -> None:
    stores(made, hmac=["fifteen-letters", "a-secret-that-is-long-enough"], shopify=" ", stripe=None)

    posts(made, "hmac", "a-secret-that-is-long-enough")

    refused = [one for one in caplog.records if one.message == "a stored secret is refused"]
    assert {(one.__dict__["secret"], one.__dict__["problem"], one.levelname) for one in refused} == {
        ("hmac", "has 15 bytes; it needs 16 or more", "ERROR"),
        ("shopify", "is blank", "ERROR"),
        ("stripe", "is no text, but null", "ERROR"),
    }
    assert "fifteen-letters" not in caplog.text
