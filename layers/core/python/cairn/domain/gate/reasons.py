"""Every reason that the gate can give: its fields, its wire form, and the sentence that `explain` prints.

The wire form stays with the message for years. So a sentence is made from what was stored, which may lack fields that
a class has today.
"""

from dataclasses import dataclass
from datetime import datetime, time
from typing import TYPE_CHECKING, ClassVar, Protocol, assert_never

from cairn.domain.consent.changes import ConsentChange, ConsentStatus, Method
from cairn.domain.consent.suppression import Cause, Suppression
from cairn.domain.gate.codes import Reason, Why
from cairn.domain.gate.limits import LimitDenial
from cairn.domain.gate.quiet_hours import Opening
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.instants import instant_to_wire

if TYPE_CHECKING:
    from cairn.domain.gate.decision import Decision


class GateReason(Protocol):
    """The members of each class below. `reason_class` finds the class, and mypy compares the two."""

    code: ClassVar[Reason]

    def why(self) -> Why:
        """The wire form."""

    @staticmethod
    def sentence(stored: "Decision") -> str:
        """The text after `because` or a colon."""


# Sent


@dataclass(frozen=True, slots=True)
class Granted:
    code: ClassVar = Reason.GRANTED
    consent: ConsentChange

    def why(self) -> Why:
        return _proof(self.consent)

    @staticmethod
    def sentence(stored: "Decision") -> str:
        return f"the customer consented to {stored.what}{stored.proof()}"


@dataclass(frozen=True, slots=True)
class Implied:
    code: ClassVar = Reason.IMPLIED

    def why(self) -> Why:
        return {}

    @staticmethod
    def sentence(stored: "Decision") -> str:
        return f"{stored.what} need no consent of their own where the customer left the address for what it asked for"


@dataclass(frozen=True, slots=True)
class Answer:
    code: ClassVar = Reason.ANSWER
    keyword: str

    def why(self) -> Why:
        return {"keyword": self.keyword}

    @staticmethod
    def sentence(stored: "Decision") -> str:
        return f"it answers the customer's {stored.text('keyword').upper()}"


# Deferred


@dataclass(frozen=True, slots=True)
class Paused:
    code: ClassVar = Reason.PAUSED
    target: str
    resumed: bool = False
    """Whether the pause is over, and the message waits for the instant that it was moved to."""

    def why(self) -> Why:
        return {"resumed" if self.resumed else "paused": self.target}

    @staticmethod
    def sentence(stored: "Decision") -> str:
        if "resumed" in stored.why:
            return f"it came due while {stored.target('resumed')} was paused, and its turn is then"
        return f"{stored.target('paused')} is paused, until somebody resumes it"


@dataclass(frozen=True, slots=True)
class InDoubt:
    code: ClassVar = Reason.IN_DOUBT
    channel: Channel
    reply: ConsentChange

    def why(self) -> Why:
        decide_by = {"decide_by": instant_to_wire(self.reply.until)} if self.reply.until else {}
        return {"channel": self.channel.value} | _proof(self.reply) | decide_by

    @staticmethod
    def sentence(stored: "Decision") -> str:
        reply = f"the customer's reply{stored.on_day('at')} may be a STOP"
        return f"{reply}; a person decides by {stored.ahead('decide_by')}, else it is one"


@dataclass(frozen=True, slots=True)
class Review:
    code: ClassVar = Reason.REVIEW
    channel: Channel
    queue: str

    def why(self) -> Why:
        return {"channel": self.channel.value, "queue": self.queue}

    @staticmethod
    def sentence(stored: "Decision") -> str:
        return f"somebody of “{stored.text('queue')}” has to approve it before it goes out"


@dataclass(frozen=True, slots=True)
class Order:
    code: ClassVar = Reason.ORDER
    behind: str
    """The id of the message that goes first."""

    def why(self) -> Why:
        return {"behind": self.behind}

    @staticmethod
    def sentence(stored: "Decision") -> str:
        return f"the journey means to say something else first, which waits too ({stored.text('behind')})"


@dataclass(frozen=True, slots=True)
class QuietHours:
    code: ClassVar = Reason.QUIET_HOURS
    opening: Opening

    def why(self) -> Why:
        return self.opening.why()

    @staticmethod
    def sentence(stored: "Decision") -> str:
        hours = stored.text("hours")
        if not hours:
            return f"{stored.source()} allows no {stored.what} at this hour{stored.also()}"
        start, _, end = hours.partition("-")
        plain = " " not in hours
        allowed = f"from {start} to {end}" if plain else hours
        return f"{stored.source()} allows {stored.what} {allowed} only{stored.also()}"


@dataclass(frozen=True, slots=True)
class ClosedDay:
    code: ClassVar = Reason.CLOSED_DAY
    opening: Opening

    def why(self) -> Why:
        return self.opening.why()

    @staticmethod
    def sentence(stored: "Decision") -> str:
        return f"{stored.source()} allows no {stored.what} on this day{stored.also()}"


@dataclass(frozen=True, slots=True)
class PreferredHour:
    code: ClassVar = Reason.PREFERRED_HOUR
    time: time
    zone: str

    def why(self) -> Why:
        return {"time": self.time.isoformat("minutes"), "zone": self.zone}

    @staticmethod
    def sentence(stored: "Decision") -> str:
        return f"{stored.text('time', 'that')} is when the customer likes to hear from us"


@dataclass(frozen=True, slots=True)
class CapReached:
    code: ClassVar = Reason.CAP
    denial: LimitDenial

    def why(self) -> Why:
        return self.denial.why()

    @staticmethod
    def sentence(stored: "Decision") -> str:
        limit, count, window = stored.text("limit"), stored.text("count"), stored.text("window")
        within = f"a {window}" if window in {"day", "week"} else f"within {window}"
        reserved = stored.text("reserved")
        of_which = f", {reserved} of them only with a priority" if reserved else ""
        most = f"a customer gets at most {limit} {stored.limited()} {within}{of_which}"
        return f"{stored.yields()}: {most}" if stored.yields() else f"{most}, and {count} have gone out"


@dataclass(frozen=True, slots=True)
class CoolingDown:
    code: ClassVar = Reason.COOLDOWN
    denial: LimitDenial

    def why(self) -> Why:
        return self.denial.why()

    @staticmethod
    def sentence(stored: "Decision") -> str:
        apart = f"there are at least {stored.text('length')} between two {stored.limited()}"
        return f"{stored.yields()}: {apart}" if stored.yields() else apart


@dataclass(frozen=True, slots=True)
class Rate:
    """The provider has no capacity now."""

    code: ClassVar = Reason.RATE
    channel: Channel
    limit: str = ""
    """The limit at which the message has a reservation; empty where all reservations are taken."""

    @classmethod
    def from_wire(cls, why: Why) -> "Rate":
        return cls(Channel(why["channel"]), why.get("place", ""))

    def why(self) -> Why:
        return {"channel": self.channel.value} | ({"place": self.limit} if self.limit else {})

    @staticmethod
    def sentence(stored: "Decision") -> str:
        return f"the provider takes no more {stored.plural} at once"


# Dropped


@dataclass(frozen=True, slots=True)
class KillSwitch:
    code: ClassVar = Reason.KILL_SWITCH
    target: str

    def why(self) -> Why:
        return {"switch": self.target}

    @staticmethod
    def sentence(stored: "Decision") -> str:
        return f"{stored.target('switch')} was switched off"


@dataclass(frozen=True, slots=True)
class Ended:
    code: ClassVar = Reason.ENDED
    journey: str

    def why(self) -> Why:
        return {"journey": self.journey}

    @staticmethod
    def sentence(stored: "Decision") -> str:
        return f"the customer had left journey {stored.text('journey')} before it could go out"


@dataclass(frozen=True, slots=True)
class NoAddress:
    code: ClassVar = Reason.NO_ADDRESS
    channel: Channel | None = None

    def why(self) -> Why:
        return {"channel": self.channel.value} if self.channel else {}

    @staticmethod
    def sentence(stored: "Decision") -> str:
        where = f" for {stored.plural}" if stored.channel else " for any of the step's channels"
        return f"there is no address{where} at which the customer can be reached"


@dataclass(frozen=True, slots=True)
class SuppressedAddress:
    code: ClassVar = Reason.SUPPRESSED_ADDRESS
    channel: Channel
    suppression: Suppression

    def why(self) -> Why:
        return _suppressed(self.channel, self.suppression)

    @staticmethod
    def sentence(stored: "Decision") -> str:
        return f"the address is suppressed: {stored.suppressed_by()}{stored.on_day('since')}"


@dataclass(frozen=True, slots=True)
class OptedOut:
    code: ClassVar = Reason.OPTED_OUT
    channel: Channel
    purpose: Purpose
    by: ConsentChange | Suppression

    def why(self) -> Why:
        if isinstance(self.by, Suppression):
            return _suppressed(self.channel, self.by)
        undecided = {"undecided": True} if self.by.status is ConsentStatus.IN_DOUBT else {}
        return {"channel": self.channel.value, "purpose": self.purpose.value} | _proof(self.by) | undecided

    @staticmethod
    def sentence(stored: "Decision") -> str:
        method, cause = stored.why.get("method"), stored.why.get("cause")
        at = stored.on_day("at", "since")
        if stored.why.get("undecided"):
            return f"the customer's reply{at} may be a STOP, and nobody decided in time"
        if Method.STOP in {method, cause}:
            return f"the customer replied STOP{at}"
        if method in {Method.ONE_CLICK, Method.PREFERENCE_PAGE} or cause == Cause.UNSUBSCRIBE:
            return f"the customer unsubscribed from {stored.what}{at}"
        return f"the customer said no to {stored.what}{stored.proof()}"


@dataclass(frozen=True, slots=True)
class NoConsent:
    code: ClassVar = Reason.NO_CONSENT
    channel: Channel
    purpose: Purpose

    def why(self) -> Why:
        return {"channel": self.channel.value, "purpose": self.purpose.value}

    @staticmethod
    def sentence(stored: "Decision") -> str:
        return f"the customer has not consented to {stored.what}"


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    code: ClassVar = Reason.UNCONFIRMED
    channel: Channel
    purpose: Purpose
    consent: ConsentChange

    def why(self) -> Why:
        return {"channel": self.channel.value, "purpose": self.purpose.value} | _proof(self.consent)

    @staticmethod
    def sentence(stored: "Decision") -> str:
        return f"the customer has not confirmed the consent to {stored.what}{stored.proof()}"


@dataclass(frozen=True, slots=True)
class Forbidden:
    code: ClassVar = Reason.FORBIDDEN
    channel: Channel
    country: str
    source: str

    def why(self) -> Why:
        return {"channel": self.channel.value, "country": self.country, "source": self.source}

    @staticmethod
    def sentence(stored: "Decision") -> str:
        return f"{stored.what} may not be sent to {stored.text('country')} ({stored.source()})"


@dataclass(frozen=True, slots=True)
class SessionOver:
    code: ClassVar = Reason.SESSION_OVER
    channel: Channel
    last_inbound: datetime | None

    def why(self) -> Why:
        last = {"heard": instant_to_wire(self.last_inbound)} if self.last_inbound else {}
        return {"channel": self.channel.value} | last

    @staticmethod
    def sentence(stored: "Decision") -> str:
        approved = "only a template that WhatsApp has approved may go out"
        if stored.why.get("heard"):
            return f"the customer last wrote{stored.on_day('heard')}, and 24 hours after that {approved}"
        return f"the customer has not written to us, and until then {approved}"


@dataclass(frozen=True, slots=True)
class Unregistered:
    code: ClassVar = Reason.UNREGISTERED
    channel: Channel
    country: str

    def why(self) -> Why:
        return {"channel": self.channel.value, "country": self.country}

    @staticmethod
    def sentence(stored: "Decision") -> str:
        only = "only from templates that are registered there, and this one is not"
        return f"{stored.text('country')} takes {stored.plural} {only}"


@dataclass(frozen=True, slots=True)
class Stale:
    code: ClassVar = Reason.STALE
    useful_until: datetime
    deferred: "DeferReason | None" = None
    """The reason for the wait that would be too long."""
    until: datetime | None = None

    def why(self) -> Why:
        useful = {"useful_until": instant_to_wire(self.useful_until)}
        if self.deferred is None or self.until is None:
            return useful
        late = {"because": self.deferred.code.value, "until": instant_to_wire(self.until)}
        return {**self.deferred.why(), **late, **useful}

    @staticmethod
    def sentence(stored: "Decision") -> str:
        useful = f"it was of use until {stored.ahead('useful_until')} only"
        if "because" not in stored.why:
            return useful
        deferred = stored.because(Reason(stored.why["because"]))
        return f"{useful}, and would have had to wait until {stored.ahead('until')} because {deferred}"


@dataclass(frozen=True, slots=True)
class NoLegalHour:
    code: ClassVar = Reason.NO_LEGAL_HOUR
    by: "Opening | DeferReason"
    """The hours that never open, or the first of several rules that never agree."""

    def why(self) -> Why:
        return self.by.why() if isinstance(self.by, Opening) else {"because": self.by.code.value}

    @staticmethod
    def sentence(stored: "Decision") -> str:
        if "because" in stored.why:
            return f"its rules leave no instant at which it may go out ({stored.text('because').replace('_', ' ')})"
        why = stored.why
        lost = "" if why.get("zone") or not why.get("hours") else ", since the number belongs to no country or zone"
        return f"{stored.source()} leaves no hour for {stored.what} within two weeks{lost}{stored.also()}"


@dataclass(frozen=True, slots=True)
class Rejected:
    code: ClassVar = Reason.REJECTED
    by: str
    at: datetime

    def why(self) -> Why:
        return {"by": self.by, "at": instant_to_wire(self.at)}

    @staticmethod
    def sentence(stored: "Decision") -> str:
        return f"{stored.text('by', 'somebody')} rejected it{stored.on_day('at')}"


@dataclass(frozen=True, slots=True)
class Unreviewed:
    code: ClassVar = Reason.UNREVIEWED
    queue: str
    deadline: datetime

    def why(self) -> Why:
        return {"queue": self.queue, "deadline": instant_to_wire(self.deadline)}

    @staticmethod
    def sentence(stored: "Decision") -> str:
        return f"nobody of “{stored.text('queue')}” had approved it by {stored.ahead('deadline')}"


@dataclass(frozen=True, slots=True)
class Late:
    code: ClassVar = Reason.LATE
    target: str

    def why(self) -> Why:
        return {"resumed": self.target}

    @staticmethod
    def sentence(stored: "Decision") -> str:
        return f"it came due while {stored.target('resumed')} was paused, and what was late by then is passed over"


SendReason = Granted | Implied | Answer
DeferReason = (
    Paused | InDoubt | Review | Order | QuietHours | ClosedDay | PreferredHour | CapReached | CoolingDown | Rate
)
SuppressReason = (
    KillSwitch
    | Ended
    | NoAddress
    | SuppressedAddress
    | OptedOut
    | NoConsent
    | Unconfirmed
    | Forbidden
    | SessionOver
    | Unregistered
    | Stale
    | NoLegalHour
    | Rejected
    | Unreviewed
    | Late
)


def reason_class(code: Reason) -> type[GateReason]:  # noqa: C901, PLR0911, PLR0912  one line a reason
    match code:
        case Reason.GRANTED:
            return Granted
        case Reason.IMPLIED:
            return Implied
        case Reason.ANSWER:
            return Answer
        case Reason.PAUSED:
            return Paused
        case Reason.IN_DOUBT:
            return InDoubt
        case Reason.REVIEW:
            return Review
        case Reason.ORDER:
            return Order
        case Reason.QUIET_HOURS:
            return QuietHours
        case Reason.CLOSED_DAY:
            return ClosedDay
        case Reason.PREFERRED_HOUR:
            return PreferredHour
        case Reason.CAP:
            return CapReached
        case Reason.COOLDOWN:
            return CoolingDown
        case Reason.RATE:
            return Rate
        case Reason.KILL_SWITCH:
            return KillSwitch
        case Reason.ENDED:
            return Ended
        case Reason.NO_ADDRESS:
            return NoAddress
        case Reason.SUPPRESSED_ADDRESS:
            return SuppressedAddress
        case Reason.OPTED_OUT:
            return OptedOut
        case Reason.NO_CONSENT:
            return NoConsent
        case Reason.UNCONFIRMED:
            return Unconfirmed
        case Reason.FORBIDDEN:
            return Forbidden
        case Reason.SESSION_OVER:
            return SessionOver
        case Reason.UNREGISTERED:
            return Unregistered
        case Reason.STALE:
            return Stale
        case Reason.NO_LEGAL_HOUR:
            return NoLegalHour
        case Reason.REJECTED:
            return Rejected
        case Reason.UNREVIEWED:
            return Unreviewed
        case Reason.LATE:
            return Late
        case _:
            assert_never(code)


def _proof(consent: ConsentChange) -> dict[str, str]:
    """When the customer gave or withdrew consent, how, and which source reported it."""
    at, method = instant_to_wire(consent.at), str(consent.evidence.get("method", ""))
    fields = {"source": consent.source, "at": at, "method": method}
    return {name: text for name, text in fields.items() if text}


def _suppressed(channel: Channel, suppression: Suppression) -> dict[str, str]:
    since = instant_to_wire(suppression.at)
    return {"channel": channel.value, "cause": suppression.cause.value, "since": since}
