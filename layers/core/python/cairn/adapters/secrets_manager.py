"""The secrets of a deployment, from Secrets Manager; never printed."""

import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
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

Refused = Callable[[str, str], None]
"""Gets the name of each secret that is refused, and the reason."""

ProblemOf = Callable[[str, str], str]
"""Why a secret of this name is no key of its signature scheme; empty where it is one."""


class SourceSecrets:
    """Implements the port Secrets: one secret, a JSON object of source: secret or list of secrets.

    A secret that is too short, blank or no text is refused by itself: the others of its list and of the object work.
    The object is read again after REREAD_AFTER.
    """

    def __init__(
        self, client: Any, secret_id: str, refused: Refused, problem_of: ProblemOf = lambda _name, _secret: ""
    ) -> None:
        self._client = client
        self._secret_id = secret_id
        self._refused = refused
        self._problem_of = problem_of
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
            raise SecretMissingError(
                f"no secret for {source}: add it to the secret in Secrets Manager that lists the others"
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
            found = read_object(self._client, self._secret_id)
            self._stored = {name: self._listed(name, value) for name, value in found.items()}
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
        return "SourceSecrets(…)"


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


def read_object(client: Any, secret_id: str) -> dict[str, Any]:
    """The JSON object in a secret. Raises SecretUnusableError where something else stands there."""
    with calling("secretsmanager"):
        answer = client.get_secret_value(SecretId=secret_id)
    try:
        stored = json.loads(answer.get("SecretString") or "{}")
    except ValueError:
        stored = None
    if not isinstance(stored, dict):
        raise SecretUnusableError('the secret in Secrets Manager is not a JSON object, such as {"name": "…"}')
    return stored
