"""Stored secrets: each one that is none is refused by itself, and the identity key is taken whole or not at all."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters.http.standard_webhooks import problem_of_key
from cairn.adapters.secrets_manager import SourceSecrets, identity_keys
from cairn.adapters.sources import sources
from cairn.domain.shared.errors import (
    IdentityKeyError,
    SecretMissingError,
    SecretUnusableError,
    ServiceBusyError,
)
from cairn.domain.shared.secrets import problem_of_secret
from tests.unit.fakes import KEYS

GOOD, OTHER = "a-secret-of-a-source", "another-secret-of-it"
KEY = "a-key-of-tests-with-32-bytes-or-more"

weak = st.sampled_from(["", " ", "whsec_", "\u200b" * 20, "short", None, 7, True, {"a": GOOD}, [GOOD]])
strong = st.sampled_from([GOOD, OTHER, "whsec_Y2Fpcm4tbG9jYWwtc2VjcmV0LWZvci10ZXN0cw=="])
values = strong | weak | st.lists(strong | weak, max_size=4)


class SecretsManager:
    """One secret, and how often it was read."""

    def __init__(self, content: Any) -> None:
        self.content = content if isinstance(content, str) else json.dumps(content)
        self.reads = 0

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803  AWS's name
        assert SecretId == "id"
        self.reads += 1
        return {"SecretString": self.content}


class Broken:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def get_secret_value(self, **_: str) -> dict[str, str]:
        raise self.error


def read(content: Any) -> tuple[SourceSecrets, list[tuple[str, str]]]:
    refused: list[tuple[str, str]] = []
    return SourceSecrets(SecretsManager(content), "id", lambda name, problem: refused.append((name, problem))), refused


@given(st.dictionaries(st.sampled_from(["shop", "till", "crm", "links"]), values))
def test_a_refused_secret_leaves_its_neighbours_alone(content: dict[str, Any]) -> None:
    secrets, refused = read(content)
    secrets.read_ahead()

    for name, value in content.items():
        listed = value if isinstance(value, list) else [value]
        found = tuple(one for one in listed if not problem_of_secret(one))
        if found:
            assert secrets.of(name) == found
        else:
            with pytest.raises(SecretUnusableError, match=name):
                secrets.of(name)
        assert len([one for one, _ in refused if one == name]) == max(len(listed) - len(found), not listed)


@given(st.dictionaries(st.sampled_from(["shop", "till"]), st.lists(st.text(max_size=15), max_size=3)))
def test_what_is_refused_is_never_quoted(content: dict[str, list[str]]) -> None:
    secrets, refused = read(content)
    secrets.read_ahead()

    sentences = {
        "is empty",
        "is blank",
        "is an empty list",
        *(f"has {n} bytes; it needs 16 or more" for n in range(61)),
    }
    assert {problem for _, problem in refused} <= sentences
    assert repr(secrets) == "SourceSecrets(…)"


@pytest.mark.parametrize("content", ["", "{", "null", "[]", '"a text"', "12", '["a-secret-of-a-source"]'])
def test_what_is_no_object_has_one_clear_error(content: str) -> None:
    secrets, refused = read(content)
    secrets.read_ahead()

    with pytest.raises(SecretMissingError, match="no secret for shop" if not content else "not a JSON object"):
        secrets.of("shop")
    assert not refused


def test_a_source_without_a_secret_is_named() -> None:
    with pytest.raises(SecretMissingError, match="no secret for shop"):
        read({"till": GOOD})[0].of("shop")


def test_secrets_are_read_once_and_while_the_function_starts() -> None:
    client = SecretsManager({"shop": GOOD, "till": OTHER})
    secrets = SourceSecrets(client, "id", lambda *_: None)

    secrets.read_ahead()

    assert (secrets.of("shop"), secrets.of("till"), client.reads) == ((GOOD,), (OTHER,), 1)


def test_a_function_starts_without_secrets_manager_and_the_request_says_so() -> None:
    secrets = SourceSecrets(Broken(EndpointConnectionError(endpoint_url="x")), "id", lambda *_: None)
    secrets.read_ahead()

    with pytest.raises(ServiceBusyError):
        secrets.of("shop")


@pytest.mark.parametrize(
    ("secret", "problem"),
    [
        ("whsec_not base64, long enough", "is not base64 after whsec_"),
        ("c2l4dGVlbi1jaGFycw==", "has 13 bytes; it needs 16 or more"),
        ("AAAAAAAAAAAAAAAA", "has 12 bytes; it needs 16 or more"),
        ("whsec_Y2Fpcm4tbG9jYWwtc2VjcmV0LWZvci10ZXN0cw", ""),
    ],
)
def test_a_key_of_standard_webhooks_is_measured_as_it_signs(secret: str, problem: str) -> None:
    assert problem_of_key(secret) == problem
    assert sources().problem_of_secret("track", secret) == problem
    assert not sources().problem_of_secret("shopify", secret), "another scheme signs with the text itself"
    assert not sources().problem_of_secret("whatsapp-verify", secret)


def test_what_one_scheme_cannot_use_is_refused_when_its_source_first_posts() -> None:
    refused = []
    content = {
        "track": ["AAAAAAAAAAAAAAAA", "whsec_Y2Fpcm4tbG9jYWwtc2VjcmV0LWZvci10ZXN0cw=="],
        "hmac": "AAAAAAAAAAAAAAAA",
    }
    secrets = SourceSecrets(
        SecretsManager(content),
        "id",
        lambda name, problem: refused.append((name, problem)),
        sources().problem_of_secret,
    )

    assert secrets.of("track") == secrets.of("track") == ("whsec_Y2Fpcm4tbG9jYWwtc2VjcmV0LWZvci10ZXN0cw==",)
    assert secrets.of("hmac") == ("AAAAAAAAAAAAAAAA",)
    assert refused == [("track", "has 12 bytes; it needs 16 or more")]


def test_the_identity_key_makes_the_keys() -> None:
    keys = identity_keys(SecretsManager({"key": KEY}), "id", KEYS.fingerprint)

    assert keys == KEYS


def test_a_salt_beside_the_key_is_that_of_a_moved_deployment() -> None:
    keys = identity_keys(SecretsManager({"key": KEY, "salt": "chosen-once"}), "id")

    assert keys.queue_groups == KEYS.queue_groups
    assert keys.customer_ids != KEYS.customer_ids
    assert keys.fingerprint != KEYS.fingerprint


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"key": "another-key-of-tests-with-32-bytes-or-more"}, "another than the one"),
        ({"key": KEY, "salt": "added later"}, "another than the one"),
        ({}, "the identity key is empty"),
        ({"key": "too-short"}, "has 9 bytes; it needs 32 or more"),
        ({"key": "\u2800" * 40}, "is blank"),
        ({"key": None}, "but null"),
        ({"key": [KEY]}, "but a list"),
        ({"key": KEY, "salt": ""}, "field salt"),
        ({"key": KEY, "salt": 1}, "field salt"),
        ({"key": KEY, "salt": None}, "field salt"),
        (KEY, "not a JSON object"),
        ([KEY], "not a JSON object"),
    ],
)
def test_another_identity_key_or_none_is_refused_with_the_way_back(content: Any, problem: str) -> None:
    with pytest.raises(IdentityKeyError, match=problem) as error:
        identity_keys(SecretsManager(content), "id", KEYS.fingerprint)

    assert "backup (docs/operations.md" in str(error.value)
    assert KEY not in str(error.value)


def test_a_lost_identity_key_is_refused_with_the_way_back() -> None:
    gone = ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")

    with pytest.raises(IdentityKeyError, match="ResourceNotFoundException"):
        identity_keys(Broken(gone), "id")


def test_a_busy_secrets_manager_is_asked_again() -> None:
    busy = ClientError({"Error": {"Code": "ThrottlingException"}}, "GetSecretValue")

    with pytest.raises(ServiceBusyError):
        identity_keys(Broken(busy), "id")
