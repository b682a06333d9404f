"""The secrets of a function, read while it starts, over one connection. Each one refused is logged and counted."""

from typing import Any

from cairn.adapters.secrets_manager import Part, PartSecrets, ProblemOf
from cairn.telemetry import need_person


def secrets_in(
    client: Any, secret_id: str, part: Part, problem_of: ProblemOf = lambda _name, _secret: "", *, drawn: str = ""
) -> PartSecrets:
    secrets = PartSecrets(client, secret_id, part, note_refused, problem_of, drawn=drawn)
    secrets.read_ahead()
    return secrets


def note_refused(name: str, problem: str) -> None:
    do = "store a longer secret here, and at the other end"
    need_person("SecretRefused", "a stored secret is refused", do=do, each=[{"secret": name, "problem": problem}])
