"""The gate's verdicts on a message."""

from dataclasses import dataclass
from datetime import datetime

from cairn.domain.gate.codes import Reason, Why
from cairn.domain.gate.reasons import DeferReason, GateReason, Paused, SendReason, SuppressReason
from cairn.domain.shared.channels import Channel


class _Reasoned:
    """The code and the wire form of a verdict's reason."""

    __slots__ = ()
    because: GateReason

    @property
    def reason(self) -> Reason:
        return self.because.code

    @property
    def why(self) -> Why:
        return self.because.why()


@dataclass(frozen=True, slots=True)
class Send(_Reasoned):
    channel: Channel
    address: str
    because: SendReason


@dataclass(frozen=True, slots=True)
class Defer(_Reasoned):
    """Not now. At `until` the gate decides again."""

    until: datetime | None
    """None: until an operator resumes the target."""
    because: DeferReason

    @property
    def paused_target(self) -> str:
        """The paused target, by which the message is found again; empty where nothing is paused."""
        return self.because.target if isinstance(self.because, Paused) and self.until is None else ""


@dataclass(frozen=True, slots=True)
class Suppress(_Reasoned):
    because: SuppressReason


Verdict = Send | Defer | Suppress
