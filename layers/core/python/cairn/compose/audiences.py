"""The audiences that lie beside the policy, where the deployment has any."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cairn.domain.audience.audiences import Audiences

AUDIENCES = "audiences.json"
"""The compiled audiences, beside the compiled journeys and the policy."""


def audiences_beside(file: Path) -> "Audiences | None":
    """Without audiences.toml nothing of it is loaded: every cold start would pay for that."""
    path = file.with_name(AUDIENCES)
    if not path.is_file():
        return None
    from cairn.adapters.documents.audiences import audiences_at  # noqa: PLC0415  see above

    return audiences_at(path)
