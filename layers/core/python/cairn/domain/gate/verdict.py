"""The gate's verdicts on a message."""

from dataclasses import dataclass
from datetime import datetime

from cairn.domain.gate.codes import Reason, Why
from cairn.domain.gate.reasons import DeferReason, Paused, SendReason, SuppressReason
from cairn.domain.shared.channels import Channel


@dataclass(frozen=True, slots=True)
class Send:
    channel: Channel
    address: str
    because: SendReason

    @property
    def reason(self) -> Reason:
        return self.because.code

    @property
    def why(self) -> Why:
        return self.because.why()


@dataclass(frozen=True, slots=True)
class Defer:
    """Not now. At `until` the gate decides again."""

    until: datetime | None
    """None: until an operator resumes the target."""
    because: DeferReason

    @property
    def reason(self) -> Reason:
        return self.because.code

    @property
    def why(self) -> Why:
        return self.because.why()

    @property
    def paused_target(self) -> str:
        """The paused target, by which the message is found again; empty where nothing is paused."""
        return self.because.target if isinstance(self.because, Paused) and self.until is None else ""


@dataclass(frozen=True, slots=True)
class Suppress:
    because: SuppressReason

    @property
    def reason(self) -> Reason:
        return self.because.code

    @property
    def why(self) -> Why:
        return self.because.why()


Verdict = Send | Defer | Suppress
