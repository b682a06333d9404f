"""The invite of a `send`: which appointment it is, and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from cairn.domain.journey.calendar import Missed, instant_of
from cairn.domain.journey.conditions import asks_about_profile
from cairn.domain.journey.walk import Walk
from cairn.domain.shared.instants import LATEST, duration, moved
from cairn.domain.shared.invites import Invite, sequence_at, uid_of


@dataclass(frozen=True, slots=True)
class InviteRule:
    starts: str
    """JMESPath to a date; empty where it cancels without one."""
    lasts: timedelta | None = None
    ends: str = ""
    """JMESPath to a date; one of the two says when it ends."""
    cancels: bool = False
    of: str = ""
    """The journey whose invite it moves or cancels, by the same key; empty: its own."""

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        lasts = duration(document["lasts"]) if "lasts" in document else None
        of, cancels = document.get("of", ""), document.get("cancel", False)
        return cls(document.get("starts", ""), lasts, document.get("ends", ""), cancels, of)

    def invite(self, walk: Walk) -> Invite | Missed:
        """The invite without its texts; why there is none. A cancellation needs no date."""
        enrollment = walk.enrollment
        times = self._times(walk)
        if isinstance(times, str) and not self.cancels:
            return times
        starts, ends = (None, None) if isinstance(times, str) else times
        # What a visitor has typed, such as the key of another booking, moves and cancels no entry but its own.
        typed_by = "" if enrollment.addresses is None else walk.profile.id
        uid = uid_of(self.of or enrollment.journey, enrollment.key or enrollment.id, typed_by)
        sequence = sequence_at(self._as_of(walk), cancels=self.cancels)
        return Invite(uid, sequence, starts, ends, cancels=self.cancels)

    def _times(self, walk: Walk) -> tuple[datetime, datetime] | Missed:
        if not self.starts:
            return "moment_unknown"
        starts = instant_of(self.starts, walk.scope())
        if isinstance(starts, str):
            return starts
        ends = instant_of(self.ends, walk.scope()) if self.lasts is None else moved(starts, self.lasts)
        if isinstance(ends, str):
            return ends
        if ends >= LATEST:  # never
            return "moment_unknown"
        if ends <= starts:
            return "moment_unreadable"
        return (starts, ends) if starts > walk.now else "moment_past"

    def _as_of(self, walk: Walk) -> datetime:
        """Since when it is known: since the newest event that the data come from; a date of the profile, since now."""
        if asks_about_profile(self.starts) or asks_about_profile(self.ends):
            return walk.now
        events = [walk.event.occurred_at] if walk.event else []
        return max([walk.enrollment.data_at or walk.enrollment.since, *events])
