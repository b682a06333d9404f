"""What the rules of leads.toml make of a simulated customer, as a deployment applies them."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Self

from cairn.domain.effects import Fact
from cairn.domain.event import Event
from cairn.domain.profile.profile import Profile

if TYPE_CHECKING:
    from cairn.domain.lead.changes import Changed, OwnEvent
    from cairn.domain.lead.leads import Leads


@dataclass(frozen=True, slots=True)
class Lead:
    """The rules, and what they have just made. Without rules, nothing."""

    rules: "Leads | None" = None
    profile: Profile | None = None
    """None: unchanged."""
    facts: tuple[Fact, ...] = ()
    says: "tuple[OwnEvent, ...]" = ()
    """The events that follow."""
    looks_at: datetime | None = None
    """When a hot customer may have cooled."""

    def known(self, profile: Profile, now: datetime) -> Self:
        """A customer whose attributes were known before: what follows from them is no news."""
        if self.rules is None:
            return self
        profile = self.rules.read(profile)
        nothing = replace(profile, attributes={}, identifiers=())
        after = self._taking(self.rules.settled(nothing, profile, now, by="", starts=True))
        return replace(after, facts=(), says=())

    def heard(self, before: Profile, profile: Profile, event: Event, now: datetime) -> Self:
        """The rules that hear the event, and those that read what has changed by it."""
        if self.rules is None:
            return self
        heard = self._taking(self.rules.heard(profile, event, now, by_vouched=True))
        return heard.settled(before, heard.profile or profile, now, by=event.type)

    def settled(self, before: Profile, profile: Profile, now: datetime, by: str = "") -> Self:
        """The rules that read what has changed since `before`."""
        if self.rules is None or (not by and profile.attributes is before.attributes):
            return self
        return self._taking(self.rules.settled(before, profile, now, by=by, starts=True))

    def cooled(self, profile: Profile, now: datetime) -> Self:
        """At `looks_at`."""
        changed = None if self.rules is None else self.rules.cooled(profile, now)
        return (
            replace(self, looks_at=None)
            if changed is None
            else replace(self._taking(changed), looks_at=changed.look_at)
        )

    def _taking(self, changed: "Changed") -> Self:
        return replace(
            self,
            profile=changed.profile,
            facts=(*self.facts, *changed.facts),
            says=(*self.says, *changed.says),
            looks_at=changed.look_at or self.looks_at,
        )
