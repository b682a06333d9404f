"""A customer's consent, recent sends and deferred messages. It is small, because every send writes it."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol, Self

from cairn.domain.consent.changes import ConsentChange, ConsentStatus, Method, latest
from cairn.domain.consent.suppression import Suppression
from cairn.domain.shared.channels import CHANNELS, Channel, Purpose

HISTORY_WINDOW = timedelta(days=30)
"""Caps and cooldowns look no further back."""

HISTORY_LENGTH = 24
"""Claims that are stored whatever the policy says: about two kilobytes. A cap that a deployment adds counts them."""

RECEIPT_WINDOW = timedelta(hours=72)
"""How late a carrier may report a failed delivery (docs.aws.amazon.com/sms-voice, delivery receipts)."""

MAX_REPORTABLE = 50
"""Claims stored beyond that because a provider may still report their messages as failed; the newest ones."""


ID_SEPARATOR = "-"
"""A message's id begins with its enrollment's and this (domain/effects)."""

IMPLIED = "implied"
"""The consent before a STOP if the customer never gave any: it is implied by leaving the address."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A sender's claim of a message. A message has one claim, so it is sent once."""

    at: datetime
    purpose: Purpose
    channel: Channel
    journey: str
    attempt: str = ""
    """The attempt to deliver that made it. A sender whose claim got no answer knows it by this when it reads again."""


class Limit(Protocol):
    """A cap or a cooldown (domain/policy): it counts claims."""

    @property
    def depth(self) -> int:
        """How many of the newest claims decide whether it is reached."""

    def covers(self, purpose: Purpose, channel: Channel, journey: str) -> bool:
        """Whether it limits such a message, and counts it."""


@dataclass(frozen=True, slots=True)
class Deferral:
    """A message that waits for an instant or for an operator. Later messages of its enrollment wait behind it."""

    until: datetime | None
    """None: until an operator acts."""
    reason: str
    enrollment: str
    decided_at: datetime
    position: int
    purpose: Purpose = Purpose.MARKETING
    tried_at: datetime | None = None
    """When its provider last did not take it, after `until`: the queue has it since then, and tries again."""
    priority: int = 0
    """Of the messages that a limit makes wait, those with the most come first."""

    @property
    def order(self) -> tuple[datetime, int]:
        return self.decided_at, self.position


@dataclass(frozen=True, slots=True)
class Contact:
    consents: Mapping[str, ConsentChange] = field(default_factory=dict)
    """By `channel:purpose`; requests to confirm by `channel:purpose:pending`."""
    claims: Mapping[str, Claim] = field(default_factory=dict)
    """By message id."""
    deferrals: Mapping[str, Deferral] = field(default_factory=dict)
    """By message id."""
    last_inbound: Mapping[Channel, datetime] = field(default_factory=dict)
    """When the customer last wrote to us on a channel; WhatsApp's session begins then."""
    version: int = 0
    """Grows with every change. A decision on an older version is not carried out."""
    suppressed: Mapping[Channel, tuple[Suppression, ...]] = field(default_factory=dict)
    """The suppressions of the current message's addresses, stored by address (domain/consent/suppression)."""

    def change(self, channel: Channel, purpose: Purpose) -> ConsentChange | None:
        """The change that counts: the latest answer, or the request to confirm if it is newer than a denial."""
        answer = self.consents.get(f"{channel}:{purpose}")
        question = self.consents.get(f"{channel}:{purpose}:{ConsentStatus.PENDING}")
        if answer is None or question is None or answer.status is ConsentStatus.GRANTED:
            return answer or question
        return max(answer, question, key=lambda change: change.at)

    def implies_consent(self, channel: Channel, purpose: Purpose) -> bool:
        """Whether the address alone is consent. It is not after an answer; a request to confirm lifts no denial."""
        return purpose in CHANNELS[channel].implied_consent and f"{channel}:{purpose}" not in self.consents

    def doubt(self, channel: Channel) -> ConsentChange | None:
        """The reply that may be a STOP to marketing; None where there is none, or an answer or decision came since."""
        doubt = self.consents.get(f"{channel}:{Purpose.MARKETING}:{ConsentStatus.IN_DOUBT}")
        answer = self.consents.get(f"{channel}:{Purpose.MARKETING}")
        if doubt is None or doubt.until is None or (answer is not None and latest(doubt, answer) is answer):
            return None
        return doubt

    def consent(self, channel: Channel, purpose: Purpose) -> ConsentStatus | None:
        change = self.change(channel, purpose)
        return change.status if change else None

    def after(self, changes: Iterable[ConsentChange]) -> Self:
        consents = dict(self.consents)
        for change in changes:
            consents[change.key] = latest(consents.get(change.key), change)
        return replace(self, consents=consents)

    def stop_changes(self, channel: Channel, at: datetime, source: str) -> tuple[ConsentChange, ...]:
        """The changes of a STOP: it denies every purpose of the channel, and stores the status before it."""
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
        """The changes of a START: it reverses a STOP, and grants only what was granted before it."""
        return tuple(
            ConsentChange(channel, purpose, ConsentStatus.GRANTED, at, source, {"method": Method.START.value})
            for purpose in Purpose
            if (change := self.consents.get(f"{channel}:{purpose}")) is not None
            and change.evidence.get("method") == Method.STOP
            and change.evidence.get("before") in {ConsentStatus.GRANTED, IMPLIED}
        )

    def confirm_changes(self, channel: Channel, at: datetime, source: str) -> tuple[ConsentChange, ...]:
        """The changes of a YES: it grants every purpose whose request to confirm is older."""
        evidence = {"method": Method.DOUBLE_OPT_IN.value}
        return tuple(
            ConsentChange(channel, purpose, ConsentStatus.GRANTED, at, source, {**change.evidence, **evidence})
            for purpose in Purpose
            if (change := self.change(channel, purpose)) is not None
            and change.status is ConsentStatus.PENDING
            and change.at <= at
        )

    def narrowed(self, channels: Container[Channel]) -> Self:
        """Of other channels than these, only the denials: no consent, and no session that an answer opened."""
        consents = {
            key: change
            for key, change in self.consents.items()
            if change.channel in channels or change.status in {ConsentStatus.DENIED, ConsentStatus.IN_DOUBT}
        }
        inbound = {channel: at for channel, at in self.last_inbound.items() if channel in channels}
        return replace(self, consents=consents, last_inbound=inbound)

    def has_deferred(self, enrollment: str) -> bool:
        """Whether a message of an enrollment is deferred."""
        return any(deferral.enrollment == enrollment for deferral in self.deferrals.values())

    def has_stopped(self, channel: Channel) -> bool:
        """Whether a STOP on the channel is in force."""
        changes = (self.consents.get(f"{channel}:{purpose}") for purpose in Purpose)
        return any(
            change is not None
            and change.status is ConsentStatus.DENIED
            and change.evidence.get("method") == Method.STOP
            for change in changes
        )

    def _before_stop(self, channel: Channel, purpose: Purpose) -> str:
        """The status before a STOP; after a second STOP, the status before the first."""
        change = self.consents.get(f"{channel}:{purpose}")
        if change is not None and change.evidence.get("method") == Method.STOP:
            return str(change.evidence.get("before"))
        if change is not None:
            return change.status.value
        return IMPLIED if purpose is Purpose.TRANSACTIONAL else "none"

    def with_inbound(self, channel: Channel, at: datetime) -> Self:
        return replace(self, last_inbound={**self.last_inbound, channel: max(at, self.last_inbound.get(channel, at))})

    def settled_with(self, other: "Contact") -> tuple[ConsentChange, ...]:
        """Where both say something else, what counts of it: its instant may be in no record (a repetition)."""
        both = sorted(self.consents.keys() & other.consents.keys())
        pairs = ((self.consents[key], other.consents[key]) for key in both)
        return tuple(
            latest(one, another)
            for one, another in pairs
            if not one.repeats(another) and ConsentStatus.IN_DOUBT not in {one.status, another.status}
        )

    def absorbing(self, other: "Contact") -> Self:
        merged = self.after(other.consents.values())
        for channel, at in other.last_inbound.items():
            merged = merged.with_inbound(channel, at)
        return replace(merged, claims={**other.claims, **self.claims}, deferrals={**other.deferrals, **self.deferrals})

    def sent_lately(self, enrollment: str, now: datetime) -> bool:
        """Whether a provider may still report that a message of the enrollment has failed."""
        prefix = enrollment + ID_SEPARATOR
        return any(id_.startswith(prefix) and now - claim.at < RECEIPT_WINDOW for id_, claim in self.claims.items())

    def pruned(self, now: datetime, limits: Iterable[Limit] = ()) -> Self:
        """Without the claims that nothing needs any more; the same object if there are none.

        However many messages there were, what is stored is bounded: HISTORY_LENGTH and MAX_REPORTABLE claims, and for
        each limit of the policy as many as it counts. A limit comes to the same with these as with all claims: it is
        reached or not by the newest claims that it covers, and ends with one of them.

        A transactional message whose claim was dropped is sent again, as after a crash; so is a marketing message if
        a delivery that was interrupted is repeated after this many newer ones.
        """
        if len(self.claims) <= HISTORY_LENGTH:
            return self
        newest = [
            (id_, claim)
            for id_, claim in sorted(self.claims.items(), key=lambda entry: (entry[1].at, entry[0]), reverse=True)
            if now - claim.at < HISTORY_WINDOW
        ]
        stored = {id_ for id_, _ in newest[:HISTORY_LENGTH]}
        stored |= {id_ for id_, claim in newest[:MAX_REPORTABLE] if now - claim.at < RECEIPT_WINDOW}
        for limit in limits:
            covered = (id_ for id_, claim in newest if limit.covers(claim.purpose, claim.channel, claim.journey))
            stored |= set(islice(covered, limit.depth))
        if len(stored) == len(self.claims):
            return self
        return replace(self, claims={id_: claim for id_, claim in self.claims.items() if id_ in stored})
