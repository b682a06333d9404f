"""The rules of leads that lie beside the policy, where the deployment has any."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cairn.domain.lead.leads import Leads

LEADS = "leads.json"
"""The compiled rules of leads, beside the compiled journeys and the policy."""


def leads_beside(file: Path) -> "Leads | None":
    """Without leads.toml nothing of it is loaded: every cold start would pay for that."""
    path = file.with_name(LEADS)
    if not path.is_file():
        return None
    from cairn.adapters.documents.leads import leads_at  # noqa: PLC0415  see above

    return leads_at(path)
