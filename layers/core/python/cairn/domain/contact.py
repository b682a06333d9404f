"""Whether and how a customer may be contacted, and what was sent lately. Small, because every send writes it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

from cairn.domain.consent import Channel, ConsentChange, ConsentStatus, Purpose, latest

HISTORY_WINDOW = timedelta(days=30)
HISTORY_LENGTH = 24
"""Sends remembered per customer: they keep the item under a kilobyte or two, and caps look no further back."""


IMPLIED = "implied"
"""What stood before a STOP where nothing had been said: the consent that comes with handing over the address."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address that must not be written to any more, and why."""

    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that a sender took on. There is one claim a message, which is why it is sent once."""

    at: datetime
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class Contact:
    consents: Mapping[str, ConsentChange] = field(default_factory=dict)
    """By `channel:purpose`."""
    suppressed: Mapping[str, Suppression] = field(default_factory=dict)
    """By address."""
    claims: Mapping[str, Claim] = field(default_factory=dict)
    """By message id."""

    def consent(self, channel: Channel, purpose: Purpose) -> ConsentStatus | None:
        change = self.consents.get(f"{channel}:{purpose}")
        return change.status if change else None

    def after(self, changes: Iterable[ConsentChange]) -> Self:
        consents = dict(self.consents)
        for change in changes:
            consents[change.key] = latest(consents.get(change.key), change)
        return replace(self, consents=consents)

    def stopping(self, channel: Channel, at: datetime, source: str) -> Self:
        """The customer's STOP on a channel: it withdraws every purpose of it, and remembers what it withdrew."""
        return self.after(
            ConsentChange(
                channel,
                purpose,
                ConsentStatus.DENIED,
                at,
                source,
                {"method": "stop", "before": self._standing(channel, purpose)},
            )
            for purpose in Purpose
        )

    def starting(self, channel: Channel, at: datetime, source: str) -> Self:
        """The customer's START: takes back a STOP, and gives no more than was given before it."""
        return self.after(
            ConsentChange(channel, purpose, ConsentStatus.GRANTED, at, source, {"method": "start"})
            for purpose in Purpose
            if (change := self.consents.get(f"{channel}:{purpose}")) is not None
            and change.evidence.get("method") == "stop"
            and change.evidence.get("before") in {ConsentStatus.GRANTED, IMPLIED}
        )

    def _standing(self, channel: Channel, purpose: Purpose) -> str:
        """What a STOP withdraws; after another STOP still what that one withdrew."""
        change = self.consents.get(f"{channel}:{purpose}")
        if change is not None and change.evidence.get("method") == "stop":
            return str(change.evidence.get("before"))
        if change is not None:
            return change.status.value
        return IMPLIED if purpose is Purpose.TRANSACTIONAL else "none"

    def suppressing(self, address: str, reason: str, at: datetime) -> Self:
        return self._without({address: Suppression(reason, at)})

    def absorbing(self, other: "Contact") -> Self:
        return replace(
            self.after(other.consents.values()),
            suppressed=self._without(other.suppressed).suppressed,
            claims={**other.claims, **self.claims},
        )

    def _without(self, dead: Mapping[str, Suppression]) -> Self:
        """What was told first of an address counts, whenever it arrives."""
        known = {
            address: min(one, self.suppressed.get(address, one), key=lambda told: (told.at, told.reason))
            for address, one in dead.items()
        }
        return replace(self, suppressed={**self.suppressed, **known})

    def pruned(self, now: datetime) -> Self:
        """Without claims that no cap and no retry looks at any more; the same object where there is nothing to drop."""
        if len(self.claims) <= HISTORY_LENGTH:
            return self
        young = {key: claim for key, claim in self.claims.items() if now - claim.at < HISTORY_WINDOW}
        return self if len(young) == len(self.claims) else replace(self, claims=young)
