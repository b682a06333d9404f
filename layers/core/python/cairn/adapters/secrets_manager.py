"""The secrets of a deployment, from Secrets Manager; never printed.

A stage has two: the identity key alone, and one for all that people edit. That one has a version for each part, and a
part's staging label names its version: IAM grants one label and not the others
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html, VersionStage).
"""

import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from cairn.adapters.aws import calling
from cairn.domain.identity.identity_key import IdentityKeys
from cairn.domain.shared.errors import (
    CairnError,
    IdentityKeyError,
    SecretMissingError,
    SecretUnusableError,
    ServiceRefusedError,
)
from cairn.domain.shared.secrets import MIN_SECRET_BYTES, problem_of_secret

REREAD_AFTER = timedelta(minutes=5)
"""How long a rotated secret takes to reach every function; vendors accept old and new for hours."""

IDENTITY_KEY = "key"
IDENTITY_SALT = "salt"
"""The fields of the identity secret. Only a deployment that was moved has a salt (docs/operations.md)."""

RESTORE = "Put back the value from your backup (docs/operations.md, The identity key)"

DRAWN = "unused"
"""The name of the value that Secrets Manager draws when it makes the stage's secret: 32 characters, 200 bits."""

NOT_FOUND = "ResourceNotFoundException"
"""Secrets Manager's code for a secret, or a version of one, that does not exist."""


class Part(StrEnum):
    """A version of the stage's secret, by its staging label."""

    SOURCES = "AWSCURRENT"
    """The signing secrets of sources: the version that is shown and edited where nobody names another."""
    LINKS = "links"
    """The signing secret of the links in messages."""
    WEBHOOK_ENDPOINTS = "webhook-endpoints"
    """Our signing secret for each webhook endpoint."""


Refused = Callable[[str, str], None]
"""Gets the name of each secret that is refused, and the reason."""

ProblemOf = Callable[[str, str], str]
"""Why a secret of this name is no key of its signature scheme; empty where it is one."""


class PartSecrets:
    """Implements the port Secrets: a part of the stage's secret, a JSON object of name: secret or list of secrets.

    A secret that is too short, blank or no text is refused by itself: the others of its list and of the object work.
    The object is read again after REREAD_AFTER. The value that Secrets Manager drew counts as the last of the secrets
    named `drawn`.
    """

    def __init__(  # noqa: PLR0913  where it stands, and what is done with it
        self,
        client: Any,
        secret_id: str,
        part: Part,
        refused: Refused,
        problem_of: ProblemOf = lambda _name, _secret: "",
        *,
        drawn: str = "",
    ) -> None:
        self._client = client
        self._secret_id = secret_id
        self._part = part
        self._refused = refused
        self._problem_of = problem_of
        self._drawn = drawn
        self._stored: dict[str, tuple[str, ...]] = {}
        self._usable: dict[str, tuple[str, ...]] = {}
        self._read_at: datetime | None = None

    def read_ahead(self) -> None:
        """Read while the function starts. Where this fails, the first request tries again."""
        try:
            self._refresh()
        except CairnError:
            return

    def of(self, source: str) -> tuple[str, ...]:
        """Raises SecretMissingError, or SecretUnusableError where all are refused."""
        self._refresh()
        if source not in self._stored:
            version = "" if self._part is Part.SOURCES else f", in its version with the label {self._part}"
            raise SecretMissingError(
                f"no secret for {source}: add it to the secret in Secrets Manager that lists the others{version}"
            )
        if source not in self._usable:
            self._usable[source] = self._without_refused(
                source, self._stored[source], lambda secret: self._problem_of(source, secret)
            )
        if not self._usable[source]:
            raise SecretUnusableError(
                f"no stored secret of {source} is usable: each is a text of {MIN_SECRET_BYTES} bytes or more. "
                "The log says what is wrong"
            )
        return self._usable[source]

    def _refresh(self) -> None:
        now = datetime.now(UTC)
        if self._read_at is None or not (self._read_at <= now < self._read_at + REREAD_AFTER):
            found = read_object(self._client, self._secret_id, self._part)
            self._stored = {name: self._listed(name, value) for name, value in found.items()}
            if self._drawn and DRAWN in self._stored:
                self._stored[self._drawn] = self._stored.get(self._drawn, ()) + self._stored.pop(DRAWN)
            self._usable, self._read_at = {}, now

    def _listed(self, name: str, value: Any) -> tuple[str, ...]:
        if value == []:
            self._refused(name, "is an empty list")
        return self._without_refused(name, value if isinstance(value, list) else [value], problem_of_secret)

    def _without_refused(self, name: str, secrets: Iterable[Any], problem_of: Callable[[Any], str]) -> tuple[str, ...]:
        problems = [(secret, problem_of(secret)) for secret in secrets]
        for _, problem in problems:
            if problem:
                self._refused(name, problem)
        return tuple(secret for secret, problem in problems if not problem)

    def __repr__(self) -> str:
        return "PartSecrets(…)"


def identity_keys(client: Any, secret_id: str, fingerprint: str | None = None) -> IdentityKeys:
    """The keys that are derived from the identity key.

    Raises IdentityKeyError where the key is gone, unusable, or not the one with this fingerprint.
    """
    try:
        stored = read_object(client, secret_id)
    except (ServiceRefusedError, SecretUnusableError) as error:
        raise IdentityKeyError(f"the identity key cannot be read: {error}. {RESTORE}") from None
    keys = identity_keys_from(stored)
    if fingerprint is not None and not hmac.compare_digest(keys.fingerprint, fingerprint):
        raise IdentityKeyError(f"the identity key is another than the one that made the customer ids. {RESTORE}")
    return keys


def identity_keys_from(stored: Mapping[str, Any]) -> IdentityKeys:
    """Raises IdentityKeyError where the object has no usable key, or a salt that is none."""
    salt = stored.get(IDENTITY_SALT, "")
    if not isinstance(salt, str) or (IDENTITY_SALT in stored and not salt):
        raise IdentityKeyError(f"the field {IDENTITY_SALT} of the identity secret is not a text. {RESTORE}")
    try:
        return IdentityKeys.derive(stored.get(IDENTITY_KEY, ""), salt)
    except IdentityKeyError as error:
        raise IdentityKeyError(f"{error}. {RESTORE}") from None


def read_object(client: Any, secret_id: str, part: Part | None = None) -> dict[str, Any]:
    """The JSON object in a secret, or in a part of the stage's secret; empty where nobody has written the part.

    Raises SecretUnusableError where something else stands there.
    """
    return object_in(read_version(client, secret_id, part))


def read_version(client: Any, secret_id: str, part: Part | None = None) -> Mapping[str, Any]:
    """Secrets Manager's answer, with the value and its date; empty where nobody has written the part."""
    try:
        with calling("secretsmanager"):
            answer: Mapping[str, Any] = client.get_secret_value(
                SecretId=secret_id, **({"VersionStage": part.value} if part else {})
            )
    except ServiceRefusedError as error:
        if error.code != NOT_FOUND or part in (None, Part.SOURCES):
            raise
        return {}
    return answer


def object_in(answer: Mapping[str, Any]) -> dict[str, Any]:
    try:
        stored = json.loads(answer.get("SecretString") or "{}")
    except ValueError:
        stored = None
    if not isinstance(stored, dict):
        raise SecretUnusableError('the secret in Secrets Manager is not a JSON object, such as {"name": "…"}')
    return stored


class DrawnLinksSecret:
    """Implements the port LinksSecret. It reads and writes no value: it moves a staging label."""

    def __init__(self, client: Any, secret_id: str) -> None:
        self._client = client
        self._secret_id = secret_id

    def is_there(self) -> bool:
        return any(Part.LINKS in one.get("VersionStages", ()) for one in self._versions())

    def take_the_drawn_one(self) -> None:
        """Secrets Manager drew the first version, which keeps its label when people write others."""
        first = min(self._versions(), key=lambda one: one["CreatedDate"])
        with calling("secretsmanager"):
            self._client.update_secret_version_stage(
                SecretId=self._secret_id, VersionStage=Part.LINKS, MoveToVersionId=first["VersionId"]
            )

    def _versions(self) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        after: dict[str, str] = {}
        while True:
            with calling("secretsmanager"):
                page = self._client.list_secret_version_ids(SecretId=self._secret_id, IncludeDeprecated=True, **after)
            found += page["Versions"]
            if not page.get("NextToken"):
                return found
            after = {"NextToken": page["NextToken"]}
