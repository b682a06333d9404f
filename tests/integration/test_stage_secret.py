"""The stage's secret has a version for each part. MiniStack, which is independent of moto, keeps labels alike.

Not all of them: it leaves a label at the version that had it, too, and deletes a version that has none. AWS moves the
label, and keeps the version. https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from cairn.adapters import aws
from cairn.adapters.secrets_manager import DrawnLinksSecret, Part, PartSecrets, read_object
from cairn.domain.shared.errors import SecretMissingError
from cli.secrets_client import SecretsOfBefore
from infra.local.cloud import SANDBOX, sandbox
from tests.integration.conftest import ENDPOINT

DRAWN = "32 characters that nobody chose!"
A, B = "the-first-secret-of-somebody", "the-second-secret-of-somebody"


@dataclass
class Stored:
    """The stage's secret as CloudFormation makes it."""

    client: Any
    id: str

    @classmethod
    def drawn(cls) -> "Stored":
        client = aws.client("secretsmanager")
        made = client.create_secret(Name=f"cairn-{os.urandom(4).hex()}", SecretString=json.dumps({"unused": DRAWN}))
        return cls(client, made["ARN"])

    def put(self, content: dict[str, Any], *labels: str) -> None:
        named = {"VersionStages": list(labels)} if labels else {}
        self.client.put_secret_value(SecretId=self.id, SecretString=json.dumps(content), **named)

    def of(self, part: Part, name: str) -> tuple[str, ...]:
        drawn = "links" if part is Part.LINKS else ""
        return PartSecrets(self.client, self.id, part, lambda *_: None, drawn=drawn).of(name)


@pytest.fixture
def on_moto() -> Iterator[Stored]:
    with sandbox():
        yield Stored.drawn()


@pytest.fixture(params=["moto", "ministack"])
def stored(request: pytest.FixtureRequest) -> Iterator[Stored]:
    if request.param == "moto":
        yield request.getfixturevalue("on_moto")
        return
    if os.environ.get(ENDPOINT):
        pytest.skip(f"{ENDPOINT} is no Secrets Manager")
    endpoint = request.getfixturevalue("endpoint")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (SANDBOX | {"AWS_ENDPOINT_URL_SECRETS_MANAGER": endpoint}).items():
            patch.setenv(name, value)
        aws.session.cache_clear()
        yield Stored.drawn()
        aws.session.cache_clear()


def test_a_part_is_written_without_changing_the_others(stored: Stored) -> None:
    stored.put({"shop": A})
    stored.put({"links": B}, Part.LINKS)
    stored.put({"crm": B}, Part.WEBHOOK_ENDPOINTS)

    assert read_object(stored.client, stored.id) == {"shop": A}, "a reader of version 0.2 names no label"
    assert stored.of(Part.SOURCES, "shop") == (A,)
    assert stored.of(Part.LINKS, "links") == (B,)
    assert stored.of(Part.WEBHOOK_ENDPOINTS, "crm") == (B,)

    stored.put({"shop": B})

    assert stored.of(Part.SOURCES, "shop") == (B,)
    assert stored.of(Part.LINKS, "links") == (B,)
    assert stored.of(Part.WEBHOOK_ENDPOINTS, "crm") == (B,)


def test_a_part_is_written_anew_and_the_others_stay(on_moto: Stored) -> None:
    on_moto.put({"shop": A})
    on_moto.put({"links": B}, Part.LINKS)

    on_moto.put({"links": [A, B]}, Part.LINKS)

    assert on_moto.of(Part.LINKS, "links") == (A, B)
    assert on_moto.of(Part.SOURCES, "shop") == (A,)


def test_a_part_that_nobody_has_written_is_empty(stored: Stored) -> None:
    for part in (Part.LINKS, Part.WEBHOOK_ENDPOINTS):
        assert read_object(stored.client, stored.id, part) == {}
        with pytest.raises(SecretMissingError):
            stored.of(part, "links")


def test_the_drawn_value_signs_links_whatever_is_written_for_sources_afterwards(stored: Stored) -> None:
    links = DrawnLinksSecret(stored.client, stored.id)
    assert not links.is_there()

    links.take_the_drawn_one()
    for number in range(3):
        stored.put({"shop": f"{A}-{number}"})

    assert links.is_there()
    assert stored.of(Part.LINKS, "links") == (DRAWN,)
    assert stored.of(Part.SOURCES, "shop") == (f"{A}-2",)


def test_the_drawn_value_is_rotated_by_a_secret_beside_it(on_moto: Stored) -> None:
    DrawnLinksSecret(on_moto.client, on_moto.id).take_the_drawn_one()

    on_moto.put({"links": A, "unused": DRAWN}, Part.LINKS)

    assert on_moto.of(Part.LINKS, "links") == (A, DRAWN), "the new one signs, the drawn one still opens"


def test_the_drawn_value_is_found_once_people_have_written_secrets_of_sources(on_moto: Stored) -> None:
    for number in range(3):
        on_moto.put({"shop": f"{A}-{number}"})

    DrawnLinksSecret(on_moto.client, on_moto.id).take_the_drawn_one()

    assert on_moto.of(Part.LINKS, "links") == (DRAWN,)
    assert on_moto.of(Part.SOURCES, "shop") == (f"{A}-2",)


def test_secrets_of_before_become_parts_and_the_current_version_stays(stored: Stored) -> None:
    stored.put({"shop": A})
    before = {
        Part.WEBHOOK_ENDPOINTS: stored.client.create_secret(
            Name=f"{stored.id[-6:]}-endpoints", SecretString=json.dumps({"unused": DRAWN, "crm": [A, B]})
        )["ARN"],
        Part.LINKS: stored.client.create_secret(
            Name=f"{stored.id[-6:]}-links", SecretString=json.dumps({"links": [B, A]})
        )["ARN"],
    }
    secrets = SecretsOfBefore(stored.client, stored.id, before)

    for part, content in secrets.unjoined().items():
        secrets.copy(part, content)

    assert not secrets.unjoined()
    assert stored.of(Part.WEBHOOK_ENDPOINTS, "crm") == (A, B)
    assert stored.of(Part.LINKS, "links") == (B, A)
    assert read_object(stored.client, stored.id) == {"shop": A}
