"""Stored secrets: each one that is none is refused by itself, and the identity key is taken whole or not at all."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from cairn.adapters.http.standard_webhooks import problem_of_key
from cairn.adapters.secrets_manager import DrawnLinksSecret, Part, PartSecrets, identity_keys
from cairn.adapters.sources import sources
from cairn.domain.shared.errors import (
    IdentityKeyError,
    SecretMissingError,
    SecretUnusableError,
    ServiceBusyError,
    ServiceRefusedError,
)
from cairn.domain.shared.secrets import problem_of_secret
from tests.unit.fakes import KEYS

GOOD, OTHER = "a-secret-of-a-source", "another-secret-of-it"
KEY = "a-key-of-tests-with-32-bytes-or-more"

weak = st.sampled_from(["", " ", "whsec_", "\u200b" * 20, "short", None, 7, True, {"a": GOOD}, [GOOD]])
strong = st.sampled_from([GOOD, OTHER, "whsec_Y2Fpcm4tbG9jYWwtc2VjcmV0LWZvci10ZXN0cw=="])
values = strong | weak | st.lists(strong | weak, max_size=4)


class SecretsManager:
    """One secret with a version for each label, and how often it was read."""

    def __init__(self, content: Any = "", **labelled: Any) -> None:
        versions = {"AWSCURRENT": content, **labelled}
        self.versions = {label: one if isinstance(one, str) else json.dumps(one) for label, one in versions.items()}
        self.reads = 0

    def get_secret_value(self, *, SecretId: str, VersionStage: str = "AWSCURRENT") -> dict[str, str]:  # noqa: N803
        assert SecretId == "id"
        self.reads += 1
        if VersionStage not in self.versions:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")
        return {"SecretString": self.versions[VersionStage]}


class Broken:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def get_secret_value(self, **_: str) -> dict[str, str]:
        raise self.error


def read(
    content: Any, part: Part = Part.SOURCES, *, drawn: str = "", **labelled: Any
) -> tuple[PartSecrets, list[tuple[str, str]]]:
    refused: list[tuple[str, str]] = []
    client = SecretsManager(content, **labelled)
    return PartSecrets(client, "id", part, lambda *one: refused.append(one), drawn=drawn), refused


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
    assert repr(secrets) == "PartSecrets(…)"


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
    secrets = PartSecrets(client, "id", Part.SOURCES, lambda *_: None)

    secrets.read_ahead()

    assert (secrets.of("shop"), secrets.of("till"), client.reads) == ((GOOD,), (OTHER,), 1)


def test_a_function_starts_without_secrets_manager_and_the_request_says_so() -> None:
    broken = Broken(EndpointConnectionError(endpoint_url="x"))
    secrets = PartSecrets(broken, "id", Part.SOURCES, lambda *_: None)
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
    secrets = PartSecrets(
        SecretsManager(content),
        "id",
        Part.SOURCES,
        lambda name, problem: refused.append((name, problem)),
        sources().problem_of_secret,
    )

    assert secrets.of("track") == secrets.of("track") == ("whsec_Y2Fpcm4tbG9jYWwtc2VjcmV0LWZvci10ZXN0cw==",)
    assert secrets.of("hmac") == ("AAAAAAAAAAAAAAAA",)
    assert refused == [("track", "has 12 bytes; it needs 16 or more")]


def test_a_part_has_its_own_secrets_and_none_of_the_others() -> None:
    content = {"links": {"links": GOOD}, "webhook-endpoints": {"shop": OTHER}}

    sources, _ = read({"shop": GOOD}, **content)
    links, _ = read({"shop": GOOD}, Part.LINKS, **content)
    endpoints, _ = read({"shop": GOOD}, Part.WEBHOOK_ENDPOINTS, **content)

    assert (sources.of("shop"), links.of("links"), endpoints.of("shop")) == ((GOOD,), (GOOD,), (OTHER,))
    for secrets, name in ((sources, "links"), (links, "shop"), (endpoints, "links")):
        with pytest.raises(SecretMissingError):
            secrets.of(name)


def test_a_part_that_nobody_has_written_is_named_by_its_label() -> None:
    secrets, refused = read({"crm": GOOD}, Part.WEBHOOK_ENDPOINTS)

    with pytest.raises(SecretMissingError, match=r"no secret for crm: .* label webhook-endpoints$"):
        secrets.of("crm")
    assert not refused


def test_a_secret_that_is_gone_is_no_part_that_nobody_has_written() -> None:
    gone = Broken(ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue"))

    with pytest.raises(ServiceRefusedError, match="ResourceNotFoundException"):
        PartSecrets(gone, "id", Part.SOURCES, lambda *_: None).of("shop")


drawn = st.just("32 characters that nobody chose!")


@given(links=st.none() | values, drawn=st.none() | drawn | weak)
def test_the_drawn_value_signs_links_until_there_is_one_and_opens_them_afterwards(links: Any, drawn: Any) -> None:
    content = {name: one for name, one in (("links", links), ("unused", drawn)) if one is not None}
    secrets, _ = read({}, Part.LINKS, drawn="links", links=content)

    listed = [one for value in (links, drawn) for one in (value if isinstance(value, list) else [value])]
    good = tuple(one for one in listed if not problem_of_secret(one))
    if good:
        assert secrets.of("links") == good, "the first signs, all verify"
    else:
        with pytest.raises(SecretMissingError):
            secrets.of("links")


def test_the_drawn_value_is_no_secret_of_a_source() -> None:
    secrets, _ = read({"shop": GOOD, "unused": OTHER})

    assert secrets.of("shop") == (GOOD,)


class Versions:
    """A secret's versions, two to a page, and the label that was moved."""

    def __init__(self, *versions: tuple[str, int, list[str]]) -> None:
        self.versions = [
            {"VersionId": id_, "CreatedDate": datetime(2026, 3, day, tzinfo=UTC)}
            | ({"VersionStages": on} if on else {})
            for id_, day, on in versions
        ]
        self.moved: list[dict[str, str]] = []

    def list_secret_version_ids(self, **named: Any) -> dict[str, Any]:
        start = int(named.pop("NextToken", "0"))
        assert named == {"SecretId": "id", "IncludeDeprecated": True}
        end = start + 2
        more = {"NextToken": str(end)} if end < len(self.versions) else {}
        return {"Versions": self.versions[start:end], **more}

    def update_secret_version_stage(self, **named: str) -> None:
        self.moved.append(named)


def test_the_first_version_is_the_drawn_one_however_often_people_wrote_others() -> None:
    client = Versions(("c", 4, ["AWSCURRENT"]), ("b", 3, ["AWSPREVIOUS"]), ("a", 1, []), ("between", 2, []))
    links = DrawnLinksSecret(client, "id")
    assert not links.is_there()

    links.take_the_drawn_one()

    assert client.moved == [{"SecretId": "id", "VersionStage": "links", "MoveToVersionId": "a"}]


def test_a_links_secret_is_found_on_any_page() -> None:
    assert DrawnLinksSecret(Versions(("b", 3, ["AWSCURRENT"]), ("c", 2, []), ("a", 1, ["links"])), "id").is_there()


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
