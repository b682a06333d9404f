"""Suppressed addresses, stored by a hash, so that a suppression outlives profiles and erasure.

An address has a set of marks that only grows. Their order of arrival and repeats make no difference: an import,
a merge or a late report cannot release an address.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from cairn.domain.identity.addresses import canonical_address
from cairn.domain.identity.identity_key import SuppressionKey
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire


class Cause(StrEnum):
    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    STOP = "stop"
    UNSUBSCRIBE = "unsubscribe"
    INVALID_NUMBER = "invalid_number"
    OPERATOR = "operator"
    ERASURE = "erasure"  # the customer at the address was erased


ASKED_AT_THE_ADDRESS = frozenset({Cause.STOP, Cause.UNSUBSCRIBE})
"""Only the customer can lift these: by a START from the address, or with a link that was sent to it."""

ALL = "all"


@dataclass(frozen=True, slots=True)
class Mark:
    """An address is suppressed for a cause, or released from it (`lifted`)."""

    cause: Cause
    at: datetime
    purpose: Purpose | None = None
    """None for every purpose."""
    lifted: bool = False

    def to_wire(self) -> str:
        return f"{self.cause} {self.purpose or ALL} {'-' if self.lifted else '+'} {instant_to_wire(self.at)}"

    @classmethod
    def from_wire(cls, text: str) -> Self:
        cause, purpose, sign, at = text.split(" ")
        return cls(Cause(cause), instant_from_wire(at), None if purpose == ALL else Purpose(purpose), sign == "-")


@dataclass(frozen=True, slots=True)
class SuppressionChange:
    """A mark and its address, or the address's key if only that is known."""

    channel: Channel
    mark: Mark
    address: str = ""
    key: str = ""

    def key_with(self, key: SuppressionKey) -> str:
        return self.key or suppression_key(self.channel, self.address, key)


@dataclass(frozen=True, slots=True)
class Suppression:
    """A suppression in force: its cause, its beginning, and its purpose (None for all)."""

    cause: Cause
    at: datetime
    purpose: Purpose | None = None

    def covers(self, purpose: Purpose) -> bool:
        return self.purpose in {None, purpose}


def suppression_key(channel: Channel, address: str, key: SuppressionKey) -> str:
    """A keyed hash of an address, the same for all its spellings. Without the key it does not reveal the address."""
    return key.mac(f"{channel}:{canonical_address(channel, address) or address}").hex()[:40]


def current_suppressions(marks: Iterable[Mark]) -> tuple[Suppression, ...]:
    """The suppressions in force: the latest mark of each cause and purpose counts, at the same instant the suppression.

    A later START or resubscription from the address lifts the suppression of an erasure.
    """
    latest: dict[tuple[Cause, Purpose | None], Mark] = {}
    for mark in marks:
        known = latest.setdefault((mark.cause, mark.purpose), mark)
        latest[mark.cause, mark.purpose] = max(known, mark, key=lambda each: (each.at, not each.lifted))
    asked = [mark for mark in latest.values() if mark.lifted and mark.cause in ASKED_AT_THE_ADDRESS]
    in_force = (
        Suppression(mark.cause, mark.at, mark.purpose)
        for mark in latest.values()
        if not mark.lifted and not (mark.cause is Cause.ERASURE and any(_takes_back(each, mark) for each in asked))
    )
    return tuple(sorted(in_force, key=lambda each: (each.at, each.cause, each.purpose or ALL)))


def _takes_back(asked: Mark, erasure: Mark) -> bool:
    return asked.at > erasure.at and asked.purpose in {None, erasure.purpose}
