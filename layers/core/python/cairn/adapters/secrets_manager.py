"""The sources' signing secrets, from Secrets Manager; read again after some minutes, never printed."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from cairn.adapters.aws import calling
from cairn.domain.shared.errors import SecretMissingError

REREAD_AFTER = timedelta(minutes=5)
"""How long a rotated secret takes to reach every function; vendors accept old and new for hours."""


class SourceSecrets:
    """Implements the port Secrets: one secret, a JSON object of source: secret or list of secrets."""

    def __init__(self, client: Any, secret_id: str) -> None:
        self._client = client
        self._secret_id = secret_id
        self._known: dict[str, tuple[str, ...]] = {}
        self._read_at: datetime | None = None

    def of(self, source: str) -> tuple[str, ...]:
        now = datetime.now(UTC)
        if self._read_at is None or not (self._read_at <= now < self._read_at + REREAD_AFTER):
            self._known, self._read_at = self._read(), now
        try:
            return self._known[source]
        except KeyError:
            raise SecretMissingError(
                f"no secret for {source}: add it to the secret in Secrets Manager that lists the others"
            ) from None

    def _read(self) -> dict[str, tuple[str, ...]]:
        with calling("secretsmanager"):
            text = self._client.get_secret_value(SecretId=self._secret_id)["SecretString"]
        stored = json.loads(text or "{}")
        return {source: (value,) if isinstance(value, str) else tuple(value) for source, value in stored.items()}

    def __repr__(self) -> str:
        return "SourceSecrets(…)"
