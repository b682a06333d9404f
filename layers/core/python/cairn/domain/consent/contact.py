"""Whether and how a customer may be contacted, and what was sent lately. Small, because every send writes it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

from cairn.domain.consent.changes import ConsentChange, ConsentStatus, Method, latest
from cairn.domain.consent.suppression import Suppression
from cairn.domain.shared.channels import Channel, Purpose

HISTORY_WINDOW = timedelta(days=30)
HISTORY_LENGTH = 24
"""Sends remembered per customer: they keep the item under a kilobyte or two, and caps look no further back."""


IMPLIED = "implied"
"""What stood before a STOP where nothing had been said: the consent that comes with handing over the address."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A message that a sender took on. There is one claim a message, which is why it is sent once."""

    at: datetime
    purpose: Purpose
    channel: Channel
    journey: str


@dataclass(frozen=True, slots=True)
class Deferral:
    """A message that waits for its instant, or for a person. What its journey says later waits behind it."""

    until: datetime | None
    """None: until somebody acts."""
    reason: str
    enrollment: str
    decided_at: datetime
    position: int
    purpose: Purpose = Purpose.MARKETING

    @property
    def order(self) -> tuple[datetime, int]:
        return self.decided_at, self.position


@dataclass(frozen=True, slots=True)
class Contact:
    consents: Mapping[str, ConsentChange] = field(default_factory=dict)
    """By `channel:purpose`; questions that await an answer by `channel:purpose:pending`."""
    claims: Mapping[str, Claim] = field(default_factory=dict)
    """By message id."""
    deferrals: Mapping[str, Deferral] = field(default_factory=dict)
    """By message id."""
    last_inbound: Mapping[Channel, datetime] = field(default_factory=dict)
    """When the customer last wrote to us on a channel; WhatsApp's session counts from it."""
    version: int = 0
    """Grows with every change: a decision made on one turn is not carried out on another."""
    suppressed: Mapping[Channel, tuple[Suppression, ...]] = field(default_factory=dict)
    """Of the addresses of the message at hand. Kept by address, not here (domain/consent/suppression)."""

    def change(self, channel: Channel, purpose: Purpose) -> ConsentChange | None:
        """The word that counts: the latest answer, or the question where that is newer than a denial."""
        answer = self.consents.get(f"{channel}:{purpose}")
        question = self.consents.get(f"{channel}:{purpose}:{ConsentStatus.PENDING}")
        if answer is None or question is None or answer.status is ConsentStatus.GRANTED:
            return answer or question
        return max(answer, question, key=lambda one: one.at)

    def consent(self, channel: Channel, purpose: Purpose) -> ConsentStatus | None:
        change = self.change(channel, purpose)
        return change.status if change else None

    def after(self, changes: Iterable[ConsentChange]) -> Self:
        consents = dict(self.consents)
        for change in changes:
            consents[change.key] = latest(consents.get(change.key), change)
        return replace(self, consents=consents)

    def stop_changes(self, channel: Channel, at: datetime, source: str) -> tuple[ConsentChange, ...]:
        """What the customer's STOP on a channel says: every purpose of it is withdrawn, and what it was is kept."""
        return tuple(
            ConsentChange(
                channel,
                purpose,
                ConsentStatus.DENIED,
                at,
                source,
                {"method": Method.STOP.value, "before": self._before_stop(channel, purpose)},
            )
            for purpose in Purpose
        )

    def start_changes(self, channel: Channel, at: datetime, source: str) -> tuple[ConsentChange, ...]:
        """What the customer's START says: a STOP is taken back, and no more is given than was before it."""
        return tuple(
            ConsentChange(channel, purpose, ConsentStatus.GRANTED, at, source, {"method": Method.START.value})
            for purpose in Purpose
            if (change := self.consents.get(f"{channel}:{purpose}")) is not None
            and change.evidence.get("method") == Method.STOP
            and change.evidence.get("before") in {ConsentStatus.GRANTED, IMPLIED}
        )

    def confirm_changes(self, channel: Channel, at: datetime, source: str) -> tuple[ConsentChange, ...]:
        """What a YES says: each question that was asked on the channel before it is answered."""
        evidence = {"method": Method.DOUBLE_OPT_IN.value}
        return tuple(
            ConsentChange(channel, purpose, ConsentStatus.GRANTED, at, source, {**change.evidence, **evidence})
            for purpose in Purpose
            if (change := self.change(channel, purpose)) is not None
            and change.status is ConsentStatus.PENDING
            and change.at <= at
        )

    def has_deferred(self, enrollment: str) -> bool:
        """Whether a message of an enrollment is held."""
        return any(hold.enrollment == enrollment for hold in self.deferrals.values())

    def has_stopped(self, channel: Channel) -> bool:
        """Whether a STOP on the channel stands."""
        changes = (self.consents.get(f"{channel}:{purpose}") for purpose in Purpose)
        return any(
            change is not None
            and change.status is ConsentStatus.DENIED
            and change.evidence.get("method") == Method.STOP
            for change in changes
        )

    def _before_stop(self, channel: Channel, purpose: Purpose) -> str:
        """What a STOP withdraws; after another STOP still what that one withdrew."""
        change = self.consents.get(f"{channel}:{purpose}")
        if change is not None and change.evidence.get("method") == Method.STOP:
            return str(change.evidence.get("before"))
        if change is not None:
            return change.status.value
        return IMPLIED if purpose is Purpose.TRANSACTIONAL else "none"

    def with_inbound(self, channel: Channel, at: datetime) -> Self:
        return replace(self, last_inbound={**self.last_inbound, channel: max(at, self.last_inbound.get(channel, at))})

    def absorbing(self, other: "Contact") -> Self:
        merged = self.after(other.consents.values())
        for channel, at in other.last_inbound.items():
            merged = merged.with_inbound(channel, at)
        return replace(merged, claims={**other.claims, **self.claims}, deferrals={**other.deferrals, **self.deferrals})

    def pruned(self, now: datetime) -> Self:
        """Without claims that no cap and no retry looks at any more; the same object where there is nothing to drop."""
        if len(self.claims) <= HISTORY_LENGTH:
            return self
        young = {key: claim for key, claim in self.claims.items() if now - claim.at < HISTORY_WINDOW}
        return self if len(young) == len(self.claims) else replace(self, claims=young)
