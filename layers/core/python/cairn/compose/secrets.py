"""The secrets of a function, read while it starts, over one connection. Each one refused is logged and counted."""

from typing import Any

from cairn.adapters.secrets_manager import ProblemOf, SourceSecrets
from cairn.telemetry import count, logger


def secrets_in(client: Any, secret_id: str, problem_of: ProblemOf = lambda _name, _secret: "") -> SourceSecrets:
    secrets = SourceSecrets(client, secret_id, note_refused, problem_of)
    secrets.read_ahead()
    return secrets


def note_refused(name: str, problem: str) -> None:
    count("SecretRefused")
    logger.error("a stored secret is refused", secret=name, problem=problem)
