"""The rules of leads.toml, as customers and their profiles ask them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from cairn.domain.event import Event
from cairn.domain.lead import ageing, changes, reading
from cairn.domain.lead.changes import Changed
from cairn.domain.lead.rules import Rules
from cairn.domain.profile.profile import Profile


@dataclass(frozen=True, slots=True)
class Leads:
    """Implements LeadReader. A deployment without leads.toml has none, and loads nothing of this package."""

    rules: Rules

    def view(self, profile: Profile, now: datetime) -> Mapping[str, Any]:
        return reading.view(self.rules, profile, now)

    def read(self, profile: Profile) -> Profile:
        """The profile whose view has what the rules give; the same one where it has it already."""
        return profile if profile.reader is self else replace(profile, reader=self)

    def heard(self, profile: Profile, event: Event, now: datetime, *, by_vouched: bool) -> Changed:
        return changes.heard(self.rules, profile, event, now, by_vouched=by_vouched)

    def settled(self, before: Profile, profile: Profile, now: datetime, *, by: str, starts: bool) -> Changed:
        return changes.settled(self.rules, before, profile, now, by=by, starts=starts)

    def aged(self, profile: Profile, now: datetime, *, by: str, starts: bool) -> Changed:
        return ageing.heard(self.rules, profile, now, by=by, starts=starts)

    def grown_old(self, profile: Profile, now: datetime) -> Changed | None:
        return ageing.fired(self.rules, profile, now)

    def cooled(self, profile: Profile, now: datetime) -> Changed | None:
        return changes.cooled(self.rules, profile, now)
