"""Addresses that must not be written to, whoever they belong to: known by a hash, so they outlive profiles and erasure.

What is known of an address is a set of marks that only grows. The set says the same whatever the order in which
its marks arrive, and however often: a re-import, a merge or a late report cannot bring an address back.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Self

from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire


class Cause(StrEnum):
    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    STOP = "stop"
    UNSUBSCRIBE = "unsubscribe"
    INVALID_NUMBER = "invalid_number"
    OPERATOR = "operator"
    ERASURE = "erasure"  # whoever lived there asked to be forgotten


ASKED_AT_THE_ADDRESS = frozenset({Cause.STOP, Cause.UNSUBSCRIBE})
"""What is lifted by nobody but the customer who reads there: by a START, or behind a link that was sent there."""

ALL = "all"


@dataclass(frozen=True, slots=True)
class Mark:
    """Somebody's word on an address: suppressed for a cause, or released from it."""

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
    """A mark, and the address that it is about: by itself, or by its key where that is all that is known of it."""

    channel: Channel
    mark: Mark
    address: str = ""
    key: str = ""

    def key_with(self, salt: str) -> str:
        return self.key or suppression_key(self.channel, self.address, salt)


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why an address is left alone, and since when; `purpose` None means for everything."""

    cause: Cause
    at: datetime
    purpose: Purpose | None = None

    def covers(self, purpose: Purpose) -> bool:
        return self.purpose in {None, purpose}


def suppression_key(channel: Channel, address: str, salt: str) -> str:
    """What stands for an address where it must not be named: nobody without the salt can tell which one it is."""
    return hmac.new(salt.encode(), f"{channel}:{address}".encode(), sha256).hexdigest()[:40]


def current_suppressions(marks: Iterable[Mark]) -> tuple[Suppression, ...]:
    """What holds now: of each cause and purpose the latest word, and of two at one instant the suppression.

    Who was forgotten has come back once they ask, at the address, to be written to again.
    """
    latest: dict[tuple[Cause, Purpose | None], Mark] = {}
    for mark in marks:
        known = latest.setdefault((mark.cause, mark.purpose), mark)
        latest[mark.cause, mark.purpose] = max(known, mark, key=lambda one: (one.at, not one.lifted))
    asked = [one for one in latest.values() if one.lifted and one.cause in ASKED_AT_THE_ADDRESS]
    held = (
        Suppression(one.cause, one.at, one.purpose)
        for one in latest.values()
        if not one.lifted and not (one.cause is Cause.ERASURE and any(_takes_back(each, one) for each in asked))
    )
    return tuple(sorted(held, key=lambda one: (one.at, one.cause, one.purpose or ALL)))


def _takes_back(asked: Mark, erasure: Mark) -> bool:
    return asked.at > erasure.at and asked.purpose in {None, erasure.purpose}
