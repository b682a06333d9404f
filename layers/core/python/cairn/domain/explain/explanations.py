"""Why a message went out, waits or was dropped, and where a customer stands: in plain sentences, for people.

Told from the lines of the timeline and nothing else, so that it says what was decided on then, not what would be now.
Instants are on the customer's own clock.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from cairn.domain.consent.changes import ConsentChange, ConsentStatus, Method
from cairn.domain.consent.suppression import Cause, Suppression
from cairn.domain.customer.customer import Customer
from cairn.domain.gate.verdict import Reason
from cairn.domain.identity.identifiers import EMAIL, PHONE, USER_ID
from cairn.domain.identity.trust import is_provider
from cairn.domain.profile.attributes import FIRST_NAME, LAST_NAME, TAGS, TIME_ZONE
from cairn.domain.shared.channels import CHANNELS, Channel
from cairn.domain.shared.instants import instant_from_wire, zone_named

TimelineEntry = Mapping[str, Any]
"""An entry of the timeline, as `cairn replay --json` prints it."""

DEFERRED = "deferred"
OUTCOMES = frozenset({"message", "suppressed", "failed", "undecided"})
DECISIONS = OUTCOMES | {DEFERRED}
"""Kinds of lines that tell what was decided of a message."""

LATEST = 20
"""Decisions that are told of a customer, unless more are asked for."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One thing that happened, and why."""

    at: datetime
    local: str
    """The instant on the customer's clock."""
    text: str
    kind: str
    message: str = ""
    audit_id: str = ""
    """Of a decision: `<message id>.<number>`."""
    origin: str = ""
    """Whence the message comes."""


@dataclass(frozen=True, slots=True)
class MessageExplanation:
    id: str
    customer: str
    origin: str
    zone: str
    history: tuple[Sentence, ...]


@dataclass(frozen=True, slots=True)
class CustomerExplanation:
    id: str
    zone: str
    profile: tuple[str, ...]
    consents: tuple[str, ...]
    suppressions: tuple[str, ...]
    waiting: tuple[str, ...]
    decisions: tuple[Sentence, ...]
    """The latest first."""


def explain_message(message_id: str, customer: Customer, lines: Sequence[TimelineEntry]) -> MessageExplanation | None:
    """The whole history of a message: each decision on it, and what was reported since. None where there is none."""
    own = [line for line in lines if line["kind"] in DECISIONS and line.get("message_id") == message_id]
    if not own:
        return None
    zone = zone_of(customer)
    reported = [line for line in lines if _reports_on(line, message_id)]
    # What is told of one instant was decided before anybody could report on it; the sort is stable.
    told = sorted([*own, *reported], key=lambda line: instant_from_wire(line["at"]))
    return MessageExplanation(
        message_id, customer.id, _whence(own[0]), zone.key, tuple(_sentence(line, zone) for line in told)
    )


def explain_customer(
    customer: Customer,
    suppressed: Mapping[Channel, Sequence[Suppression]],
    lines: Sequence[TimelineEntry],
    *,
    latest: int = LATEST,
) -> CustomerExplanation:
    """Who it is, what may be sent, what waits, and what was decided lately."""
    zone = zone_of(customer)
    decided = [line for line in lines if line["kind"] in DECISIONS]
    return CustomerExplanation(
        id=customer.id,
        zone=zone.key,
        profile=tuple(_profile(customer, zone)),
        consents=tuple(_consents(customer, zone)),
        suppressions=tuple(
            f"{CHANNELS[channel].address_noun}: nothing{_for_purpose(one)} goes there,"
            f" since {_suppressed_by(one.cause)} {_on_day(one.at, zone)}."
            for channel, standing in suppressed.items()
            for one in standing
        ),
        waiting=tuple(_waiting(customer, lines, zone)),
        decisions=tuple(_sentence(line, zone) for line in decided[: -latest - 1 : -1]),
    )


def zone_of(customer: Customer) -> ZoneInfo:
    return zone_named(customer.profile.get(TIME_ZONE), "UTC")


def sentence_of(line: TimelineEntry, zone: ZoneInfo) -> str:
    """What a decision says, in one sentence. Every Reason has its own."""
    case = _Case(line, zone)
    if line["kind"] == DEFERRED:
        until = case.until
        return f"Held{f' until {until}' if until else ''} because {case.because()}."
    if line["kind"] == "suppressed":
        return f"Not sent: {case.because()}.{case.tried()}"
    if line["kind"] == "undecided":
        return "Perhaps sent: its sender stopped in the middle of handing it over, and marketing is not sent twice."
    if line["kind"] == "failed" and line.get("reason") not in set(Reason):
        return f"Not sent: {case.failure()}.{case.tried()}"
    if "reason" not in line:
        return "Sent; its sender did not live to write down why."
    failed = "; the provider could not deliver it" if line["kind"] == "failed" else ""
    return f"Sent {case.as_what}: {case.because()}{failed}.{case.tried()}"


METHODS = {
    Method.SINGLE_OPT_IN: "by a form",
    Method.DOUBLE_OPT_IN: "confirmed by the customer",
    Method.IMPORT: "by an import",
    Method.REPLY: "by a reply",
    Method.STOP: "by replying STOP",
    Method.START: "by replying START",
    Method.PREFERENCE_PAGE: "on the preference page",
    Method.ONE_CLICK: "by the link to unsubscribe",
    Method.API: "by the API",
    Method.OPERATOR: "by one of our own people",
}

CAUSES = {
    Cause.HARD_BOUNCE: "mail to it bounced for good",
    Cause.COMPLAINT: "a message was reported as spam there",
    Cause.STOP: "whoever is there replied STOP",
    Cause.UNSUBSCRIBE: "whoever is there unsubscribed",
    Cause.INVALID_NUMBER: "the number turned out not to be in service",
    Cause.OPERATOR: "one of our own people suppressed it",
}


@dataclass(frozen=True, slots=True)
class _Case:
    """A decision, with the words that its sentence is made of."""

    line: TimelineEntry
    zone: ZoneInfo

    @property
    def why(self) -> Mapping[str, Any]:
        why = self.line.get("why")
        return why if isinstance(why, Mapping) else {}

    @property
    def reason(self) -> Reason:
        return Reason(self.line["reason"])

    @property
    def channel(self) -> Channel | None:
        told = self.line.get("channel") or self.why.get("channel")
        channels = [told] if told else self.line.get("channels", ())
        return Channel(channels[0]) if len(channels) == 1 and channels[0] in set(Channel) else None

    @property
    def purpose(self) -> str:
        return str(self.line.get("purpose") or self.why.get("purpose") or "")

    @property
    def as_what(self) -> str:
        """`as a text`."""
        return _by(self.channel) if self.channel else "as a message"

    @property
    def what(self) -> str:
        """`marketing texts`."""
        return f"{self.purpose} {self.plural}".strip()

    @property
    def plural(self) -> str:
        return CHANNELS[self.channel].plural if self.channel else "messages"

    @property
    def until(self) -> str:
        return self.ahead(self.line.get("until"))

    def ahead(self, told: Any) -> str:
        """`09:00 on Tuesday 3 March in Europe/Paris`: by the clock that was gone by; with the year where it changes."""
        at = _instant(told)
        if at is None:
            return ""
        zone = zone_named(self.why.get("zone"), self.zone.key)
        local, now = at.astimezone(zone), _instant(self.line.get("at"))
        year = f" {local.year}" if now is None or now.astimezone(zone).year != local.year else ""
        return f"{local:%H:%M} on {local:%A} {local.day} {local:%B}{year} in {zone.key}"

    def on_day(self, told: Any) -> str:
        """`on 3 March 2026, 14:02`; nothing where it is not known."""
        at = _instant(told)
        return f" {_on_day(at, self.zone)}" if at else ""

    def because(self, reason: Reason | None = None) -> str:
        return SENTENCES[reason or self.reason](self)

    def source(self) -> str:
        """The rule that speaks, by where it stands written."""
        jurisdiction = str(self.why.get("jurisdiction") or self.why.get("country") or "")
        told = str(self.why.get("source") or "")
        return told or (f"the law of {jurisdiction}" if jurisdiction not in {"", "*"} else "a rule of our own")

    def tried(self) -> str:
        """The channels that a provider had refused before."""
        refused = [
            f" The provider had refused it {_by(Channel(channel))} before ({self.line[f'rejected_{channel}']})."
            for channel in Channel
            if f"rejected_{channel}" in self.line
        ]
        return "".join(refused)

    def failure(self) -> str:
        error = f" ({self.line['error']})" if self.line.get("error") else ""
        match self.line.get("reason"):
            case "template":
                return f"its template could not be filled{error}"
            case "provider":
                return f"the provider refused it{error}"
            case other:
                return f"{other or 'the provider could not deliver it'}{error}"


def _granted(case: _Case) -> str:
    return f"the customer consented to {case.what}{_proof(case)}"


def _implied(case: _Case) -> str:
    return f"{case.what} need no consent of their own where the customer left the address for what it asked for"


def _answer(case: _Case) -> str:
    return f"it answers the customer's {str(case.why.get('keyword', '')).upper()}"


def _paused(case: _Case) -> str:
    if "resumed" in case.why:
        return f"it came due while {_target(case.why['resumed'])} was paused, and its turn is then"
    return f"{_target(case.why.get('paused'))} is paused, until somebody resumes it"


def _review(case: _Case) -> str:
    return f"somebody of “{case.why.get('queue', '')}” has to approve it before it goes out"


def _order(case: _Case) -> str:
    return f"the journey means to say something else first, which waits too ({case.why.get('behind', '')})"


def _quiet_hours(case: _Case) -> str:
    hours = str(case.why.get("hours") or "")
    if not hours:
        return f"{case.source()} allows no {case.what} at this hour{_also(case)}"
    start, _, end = hours.partition("-")
    plain = " " not in hours
    return f"{case.source()} allows {case.what} {f'from {start} to {end}' if plain else hours} only{_also(case)}"


def _closed_day(case: _Case) -> str:
    return f"{case.source()} allows no {case.what} on this day{_also(case)}"


def _preferred_hour(case: _Case) -> str:
    return f"{case.why.get('time', 'that')} is when the customer likes to hear from us"


def _cap(case: _Case) -> str:
    limit, count = case.why.get("limit", ""), case.why.get("count", "")
    return f"a customer gets at most {limit} {_limited(case)} {_window(case)}, and {count} have gone out"


def _cooldown(case: _Case) -> str:
    return f"there are at least {case.why.get('length', '')} between two {_limited(case)}"


def _rate(case: _Case) -> str:
    return f"the provider takes no more {case.plural} at once"


def _kill_switch(case: _Case) -> str:
    return f"{_target(case.why.get('switch'))} was switched off"


def _ended(case: _Case) -> str:
    return f"the customer had left journey {case.why.get('journey', '')} before it could go out"


def _no_address(case: _Case) -> str:
    where = f" for {case.plural}" if case.channel else " for any of the step's channels"
    return f"there is no address{where} at which the customer can be reached"


def _suppressed_address(case: _Case) -> str:
    return f"the address is suppressed: {_suppressed_by(case.why.get('cause'))}{case.on_day(case.why.get('since'))}"


def _opted_out(case: _Case) -> str:
    method, at = case.why.get("method"), case.on_day(case.why.get("at") or case.why.get("since"))
    if Method.STOP in {method, case.why.get("cause")}:
        return f"the customer replied STOP{at}"
    if method in {Method.ONE_CLICK, Method.PREFERENCE_PAGE} or case.why.get("cause") == Cause.UNSUBSCRIBE:
        return f"the customer unsubscribed from {case.what}{at}"
    return f"the customer said no to {case.what}{_proof(case)}"


def _no_consent(case: _Case) -> str:
    return f"the customer has not consented to {case.what}"


def _unconfirmed(case: _Case) -> str:
    return f"the customer has not confirmed the consent to {case.what}{_proof(case)}"


def _forbidden(case: _Case) -> str:
    return f"{case.what} may not be sent to {case.why.get('country', '')} ({case.source()})"


def _session_over(case: _Case) -> str:
    approved = "only a template that WhatsApp has approved may go out"
    if case.why.get("heard"):
        return f"the customer last wrote{case.on_day(case.why['heard'])}, and 24 hours after that {approved}"
    return f"the customer has not written to us, and until then {approved}"


def _unregistered(case: _Case) -> str:
    country = case.why.get("country", "")
    return f"{country} takes {case.plural} only from templates that are registered there, and this one is not"


def _stale(case: _Case) -> str:
    useful = f"it was of use until {case.ahead(case.why.get('useful_until'))} only"
    if "because" not in case.why:
        return useful
    held = case.because(Reason(case.why["because"]))
    return f"{useful}, and would have had to wait until {case.ahead(case.why.get('until'))} because {held}"


def _no_legal_hour(case: _Case) -> str:
    if "because" in case.why:
        return f"its rules leave no instant at which it may go out ({case.why['because'].replace('_', ' ')})"
    return f"{case.source()} leaves no hour for {case.what} within two weeks{_also(case)}"


def _rejected(case: _Case) -> str:
    return f"{case.why.get('by', 'somebody')} rejected it{case.on_day(case.why.get('at'))}"


def _unreviewed(case: _Case) -> str:
    return f"nobody of “{case.why.get('queue', '')}” had approved it by {case.ahead(case.why.get('deadline'))}"


def _late(case: _Case) -> str:
    return f"it came due while {_target(case.why.get('resumed'))} was paused, and what was late by then is passed over"


SENTENCES: Mapping[Reason, Callable[[_Case], str]] = {
    Reason.GRANTED: _granted,
    Reason.IMPLIED: _implied,
    Reason.ANSWER: _answer,
    Reason.PAUSED: _paused,
    Reason.REVIEW: _review,
    Reason.ORDER: _order,
    Reason.QUIET_HOURS: _quiet_hours,
    Reason.CLOSED_DAY: _closed_day,
    Reason.PREFERRED_HOUR: _preferred_hour,
    Reason.CAP: _cap,
    Reason.COOLDOWN: _cooldown,
    Reason.RATE: _rate,
    Reason.KILL_SWITCH: _kill_switch,
    Reason.ENDED: _ended,
    Reason.NO_ADDRESS: _no_address,
    Reason.SUPPRESSED_ADDRESS: _suppressed_address,
    Reason.OPTED_OUT: _opted_out,
    Reason.NO_CONSENT: _no_consent,
    Reason.UNCONFIRMED: _unconfirmed,
    Reason.FORBIDDEN: _forbidden,
    Reason.SESSION_OVER: _session_over,
    Reason.UNREGISTERED: _unregistered,
    Reason.STALE: _stale,
    Reason.NO_LEGAL_HOUR: _no_legal_hour,
    Reason.REJECTED: _rejected,
    Reason.UNREVIEWED: _unreviewed,
    Reason.LATE: _late,
}
"""What each reason says, after `because` or a colon."""


def _sentence(line: TimelineEntry, zone: ZoneInfo) -> Sentence:
    at = instant_from_wire(line["at"])
    says = sentence_of(line, zone) if line["kind"] in DECISIONS else _reported(line)
    message, audit_id = str(line.get("message_id", "")), str(line.get("audit_id", ""))
    return Sentence(at, _day(at, zone), says, line["kind"], message, audit_id, _whence(line))


def _whence(line: TimelineEntry) -> str:
    """`step hello of journey welcome`, or what is answered."""
    if line.get("answers"):
        return f"answer to {str(line['answers']).upper()}"
    step, journey = line.get("step"), line.get("journey")
    return f"step {step} of journey {journey}" if step and journey else ""


def _reports_on(line: TimelineEntry, message_id: str) -> bool:
    about = line.get("properties", {})
    told = line["kind"] == "event" and line["type"].startswith("message.") and is_provider(line["source"])
    return bool(told and about.get("message_id") == message_id)


REPORTS = {
    "message.delivered": "The provider reported that it was delivered",
    "message.bounced": "The provider reported that it bounced",
    "message.complained": "The recipient reported it as spam",
    "message.opened": "It was opened",
    "message.clicked": "A link in it was followed",
    "message.failed": "The provider reported that it could not be delivered",
    "message.replied": "The customer replied",
    "message.stopped": "The customer replied STOP",
    "message.started": "The customer replied START",
    "message.helped": "The customer replied HELP",
}
DETAILS = ("bounce_type", "reason", "code", "error")
"""Of a report, what tells more and names nobody."""

PERSON = (FIRST_NAME, LAST_NAME, USER_ID, EMAIL, PHONE)


def _reported(line: TimelineEntry) -> str:
    about = line.get("properties", {})
    more = ", ".join(str(about[name]) for name in DETAILS if about.get(name))
    return f"{REPORTS.get(line['type'], line['type'])}{f' ({more})' if more else ''}."


def _profile(customer: Customer, zone: ZoneInfo) -> Iterator[str]:
    view = customer.profile.view()
    named = [(name, view.get(name)) for name in PERSON]
    named += sorted(view["external_ids"].items())
    yield from (f"{name}: {value}" for name, value in named if value)
    if view[TAGS]:
        yield f"tags: {', '.join(view[TAGS])}"
    yield f"known since {_day(customer.profile.created_at, zone)}"
    yield f"last heard of {_on_day(customer.profile.last_activity, zone)}"


def _consents(customer: Customer, zone: ZoneInfo) -> Iterator[str]:
    changes = customer.contact.consents.values()
    for change in sorted(changes, key=lambda one: (one.channel, one.purpose, one.at)):
        told = {
            ConsentStatus.GRANTED: "consented",
            ConsentStatus.DENIED: "said no",
            ConsentStatus.PENDING: "was asked to confirm",
        }[change.status]
        yield f"{change.purpose} {CHANNELS[change.channel].plural}: {told}{_change(change, zone)}."


def _change(change: ConsentChange, zone: ZoneInfo) -> str:
    return f" {_on_day(change.at, zone)}{_how(change.evidence.get('method'))} (source {change.source})"


def _waiting(customer: Customer, lines: Sequence[TimelineEntry], zone: ZoneInfo) -> Iterator[str]:
    for enrollment in sorted(customer.enrollments.values(), key=lambda one: (one.due_at is None, str(one.due_at))):
        if enrollment.open and enrollment.step:
            until = f" until {_ahead(enrollment.due_at, zone)}" if enrollment.due_at else ""
            yield f"Journey {enrollment.journey} waits at step {enrollment.step}{until}."
    held = {line["message_id"]: line for line in lines if line["kind"] in DECISIONS}
    for id_, line in held.items():
        if line["kind"] == DEFERRED and id_ in customer.contact.deferrals:
            yield f"Message {id_} ({_whence(line)}): {sentence_of(line, zone)}"
    for line in lines:
        if line["kind"] == "task" and line.get("status") == "open":
            due = _ahead(instant_from_wire(line["due_at"]), zone)
            yield f"Task “{line['title']}” for {line['queue']}, due {due}."


def _proof(case: _Case) -> str:
    """When a consent was given or taken back, how, and who brought it."""
    source = f" (source {case.why['source']})" if case.why.get("source") else ""
    return f"{case.on_day(case.why.get('at'))}{_how(case.why.get('method'))}{source}"


def _how(method: Any) -> str:
    return f" {METHODS[Method(method)]}" if method in set(Method) else ""


def _suppressed_by(cause: Any) -> str:
    return CAUSES.get(cause, str(cause).replace("_", " "))


def _for_purpose(one: Suppression) -> str:
    return f" for {one.purpose}" if one.purpose else ""


def _also(case: _Case) -> str:
    """Who else makes the wait longer."""
    others = [_Case({**case.line, "why": one}, case.zone).source() for one in case.why.get("also", ())]
    return f", and then {' and '.join(dict.fromkeys(others))}" if others else ""


def _limited(case: _Case) -> str:
    """What a limit counts: `marketing texts of journey welcome`."""
    purposes = " and ".join(case.why.get("purposes", ()))
    journey = f" of journey {case.why['journey']}" if case.why.get("journey") else ""
    channel = case.why.get("channel")
    noun = CHANNELS[Channel(channel)].plural if channel in set(Channel) else "messages"
    return f"{purposes} {noun}{journey}".strip()


def _window(case: _Case) -> str:
    window = str(case.why.get("window", ""))
    return f"a {window}" if window in {"day", "week"} else f"within {window}"


def _target(target: Any) -> str:
    """What a switch is about, in words."""
    kind, _, name = str(target or "").partition(":")
    match kind:
        case "all":
            return "all sending"
        case "channel" if name in set(Channel):
            return f"sending {CHANNELS[Channel(name)].plural}"
        case "template":
            journey, _, template = name.partition("/")
            return f"template {template} of journey {journey}"
        case "country":
            return f"sending to {name}"
        case _:
            return f"{kind} {name}".strip()


def _by(channel: Channel) -> str:
    traits = CHANNELS[channel]
    return f"as {traits.article} {traits.noun}"


def _instant(told: Any) -> datetime | None:
    return instant_from_wire(told) if isinstance(told, str) and told else None


def _ahead(at: datetime | None, zone: ZoneInfo) -> str:
    local = at.astimezone(zone) if at else None
    return f"{local:%H:%M} on {local:%A} {local.day} {local:%B} {local.year} in {zone.key}" if local else ""


def _on_day(at: datetime, zone: ZoneInfo) -> str:
    """`on 3 March 2026, 14:02`."""
    local = at.astimezone(zone)
    return f"on {local.day} {local:%B} {local.year}, {local:%H:%M}"


def _day(at: datetime, zone: ZoneInfo) -> str:
    """`Tuesday 3 March 2026, 14:02`."""
    local = at.astimezone(zone)
    return f"{local:%A} {local.day} {local:%B} {local.year}, {local:%H:%M}"
