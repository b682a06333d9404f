"""Count how many customers a condition has that is no audience yet, from customers drawn by lot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cairn.application.audience.ask_audiences import SAMPLE_MEMBERS, Order
from cairn.application.ports import Audit, CustomersByLot
from cairn.domain.audience.audiences import Audiences
from cairn.domain.audience.estimate import Estimate, estimated
from cairn.domain.audience.writing import change_with_time, problems_by_leads, problems_of
from cairn.domain.journey.conditions import Scope, is_met
from cairn.domain.privacy.requests import masked
from cairn.domain.shared.errors import InvalidRequestError, ServiceBusyError
from cairn.domain.shared.hashing import share, short_hash

if TYPE_CHECKING:
    from cairn.domain.lead.leads import Leads
    from cairn.domain.profile.profile import Profile

SHOWN = 5
"""Customers that a sample names, masked."""


@dataclass(frozen=True, slots=True)
class Tried:
    looked_at: int
    """Customers."""
    share: float
    """Of the table that they are; 1 for all of it."""
    matched: Estimate
    overlaps: Sequence[tuple[str, Estimate, Estimate]]
    """Of each audience: how many of them are in it, too, and how many customers are in it."""
    sample: Sequence[Sequence[str]]
    """The names of a few, masked."""


@dataclass(frozen=True, slots=True)
class TryCondition:
    audiences: Audiences | None
    leads: "Leads | None"
    rules: Mapping[str, Any]
    """Those of leads.toml, compiled."""
    lot: CustomersByLot
    audit: Audit

    def __call__(self, when: str, order: Order, *, is_shown: bool) -> Tried:
        """The customers are those of the day's lot, so that only the condition changes the numbers.

        Raises InvalidRequestError with each problem of the condition, as `cairn check` words it.
        """
        found = problems_of(when) or problems_by_leads(when, change_with_time(self.rules))
        if found:
            raise InvalidRequestError([f"when: {message}. {fix}" for message, fix in found])
        drawn = self.lot.draw(order.now.date().isoformat())
        if not drawn.share:
            raise ServiceBusyError("no part of the table could be read whole; ask again in a minute")
        profiles = [self.leads.read(one) if self.leads else one for one in drawn.profiles]
        matching = [one for one in profiles if _is_met(when, one, order.now)]
        sample = sorted(matching, key=lambda one: share(order.now.isoformat(), one.id))[:SHOWN] if is_shown else []
        if sample:  # not the condition itself, which may name a person
            self.audit.write(order.entry(SAMPLE_MEMBERS, f"condition {short_hash(when)}"))
        return Tried(
            len(profiles),
            drawn.share,
            estimated(len(matching), drawn.share),
            list(self._overlaps(profiles, matching, drawn.share, order.now)),
            [[masked(name) for name in one.identifiers] for one in sample],
        )

    def _overlaps(
        self, profiles: "Sequence[Profile]", matching: "Sequence[Profile]", part: float, now: datetime
    ) -> "Sequence[tuple[str, Estimate, Estimate]]":
        found = []
        for one in self.audiences.all if self.audiences else ():
            members = {profile.id for profile in profiles if _is_met(one.condition, profile, now)}
            both = sum(profile.id in members for profile in matching)
            found.append((one.name, estimated(both, part), estimated(len(members), part)))
        return found


def _is_met(condition: str, profile: "Profile", now: datetime) -> bool:
    return is_met(condition, Scope(profile, now, {}))
