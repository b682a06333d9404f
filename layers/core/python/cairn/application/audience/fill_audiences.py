"""Fill audiences with the customers that there were when they were deployed.

Each customer is as a copy of the table has it, with its version: a change that was committed since counts more. So this
may stop anywhere and be repeated.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from cairn.application.ports import AudienceFiller
from cairn.application.values.audiences import FilledAudience
from cairn.domain.audience.audiences import Audience, Audiences
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.hashing import short_hash

if TYPE_CHECKING:
    from cairn.domain.lead.leads import Leads


@dataclass(frozen=True, slots=True)
class CopiedCustomer:
    """A customer in a copy of the table."""

    profile: Profile
    version: int


@dataclass(slots=True)
class FillAudiences:
    audiences: Audiences
    """All of the deployment."""
    filling: tuple[Audience, ...]
    """Those to fill."""
    leads: "Leads | None"
    filler: AudienceFiller
    found: Counter[str] = field(default_factory=Counter)
    """Members by audience."""

    def customer(self, copied: CopiedCustomer, now: datetime) -> None:
        """Write where the customer is a member. What a condition reads does not depend on `now`."""
        profile = copied.profile if self.leads is None else self.leads.read(copied.profile)
        for one in self.filling:
            position = one.position(profile, now)
            if position is not None:
                this = short_hash("fill", one.name, one.version, profile.id)
                self.filler.fill(profile.id, one.joining(this, profile.id, position), copied.version)
                self.found[one.name] += 1

    def memberships(self, customer_id: str, listed: Mapping[str, str]) -> None:
        """Remove those that are of another version: `listed` are index keys by audience."""
        for name, listed_as in listed.items():
            present = self.audiences.named(name)
            if present is None or not self.filler.is_listed_in(present, listed_as):
                self.filler.remove(customer_id, name, listed_as)

    def done(self, at: datetime) -> None:
        """Note that they are filled with the customers of this instant."""
        for one in self.filling:
            self.filler.note_filled(one.name, FilledAudience(one.version, at, self.found[one.name]))


def unfilled(audiences: Audiences, filled: Mapping[str, FilledAudience]) -> tuple[Audience, ...]:
    """The audiences whose present version was never filled."""
    return tuple(one for one in audiences.all if one.name not in filled or filled[one.name].version != one.version)
