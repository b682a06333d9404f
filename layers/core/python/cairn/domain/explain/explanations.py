"""Why a message went out, waits or was dropped, and the state of a customer: in plain sentences, for people.

Read from the timeline alone, so that it gives the decision of that time, not today's. Instants are on the
customer's own clock.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from cairn.domain.consent.changes import ConsentChange, ConsentStatus
from cairn.domain.consent.contact import Contact
from cairn.domain.consent.suppression import Suppression
from cairn.domain.customer.state import Customer
from cairn.domain.explain.leads import LeadExplanation, sentences
from cairn.domain.gate.codes import Reason
from cairn.domain.gate.decision import Decision, TimelineEntry, how, on_day, suppressed_by
from cairn.domain.identity.identifiers import EMAIL, PHONE, USER_ID
from cairn.domain.identity.trust import is_provider
from cairn.domain.people.task import COMES_BACK
from cairn.domain.profile.attributes import FIRST_NAME, LAST_NAME, TAGS
from cairn.domain.shared.channels import CHANNELS, Channel
from cairn.domain.shared.instants import instant_from_wire

DEFERRED = "deferred"
OUTCOMES = frozenset({"message", "suppressed", "failed", "undecided"})
DECISIONS = OUTCOMES | {DEFERRED}
"""Kinds of entries that hold a decision on a message."""

UNFIT = {"foreign_link": "A value in it was a foreign link", "too_long": "It was too long"}
"""Why a channel was not tried at all, beside the refusals of its provider."""

LATEST = 20
"""The default number of decisions in the explanation of a customer."""


ZoneOfJourney = Callable[[str], str]
"""The time zone of a journey, by its name; empty where it is not known."""


def no_zone(_journey: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """An event or a decision, and its reason."""

    at: datetime
    local: str
    """The instant on the customer's clock."""
    text: str
    kind: str
    message: str = ""
    audit_id: str = ""
    """Of a decision: `<message id>.<number>`."""
    origin: str = ""
    """The step of the message, or the keyword that it answers."""


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
    lead: tuple[str, ...]
    consents: tuple[str, ...]
    suppressions: tuple[str, ...]
    waiting: tuple[str, ...]
    decisions: tuple[Sentence, ...]
    """The latest first."""


def explain_message(
    message_id: str, customer: Customer, entries: Sequence[TimelineEntry], zone_of_journey: ZoneOfJourney = no_zone
) -> MessageExplanation | None:
    """The whole history of a message: its decisions and the reports on it. None if there is no decision."""
    own = [entry for entry in entries if entry["kind"] in DECISIONS and entry.get("message_id") == message_id]
    if not own:
        return None
    zone = customer.zone(zone_of_journey(str(own[0].get("journey", ""))))
    reported = [entry for entry in entries if _reports_on(entry, message_id)]
    reported += _delivery_noted(own[-1], reported)
    # At equal timestamps, decisions come before reports: the sort is stable.
    history = sorted([*own, *reported], key=lambda entry: instant_from_wire(entry["at"]))
    return MessageExplanation(
        message_id, customer.id, _origin(own[0]), zone.key, tuple(sentence_at(entry, zone) for entry in history)
    )


def explain_customer(  # noqa: PLR0913  all that is explained
    customer: Customer,
    suppressed: Mapping[Channel, Sequence[Suppression]],
    entries: Sequence[TimelineEntry],
    *,
    latest: int = LATEST,
    lead: LeadExplanation | None = None,
    time_zone: str = "",
) -> CustomerExplanation:
    """The profile, consents, suppressions, waiting work and latest decisions.

    `time_zone` is for a customer whose own is not known.
    """
    zone = customer.zone(time_zone)
    decided = [entry for entry in entries if entry["kind"] in DECISIONS]
    return CustomerExplanation(
        id=customer.id,
        zone=zone.key,
        profile=tuple(_profile(customer, zone)),
        lead=tuple(sentences(lead, zone)) if lead else (),
        consents=tuple(_consents(customer, zone)),
        suppressions=tuple(
            f"{CHANNELS[channel].address_noun}: nothing{_for_purpose(suppression)} goes there,"
            f" since {suppressed_by(suppression.cause)} {on_day(suppression.at, zone)}."
            for channel, standing in suppressed.items()
            for suppression in standing
        ),
        waiting=tuple(_waiting(customer, entries, zone)),
        decisions=tuple(sentence_at(entry, zone) for entry in decided[: -latest - 1 : -1]),
    )


def last_journey(entries: Sequence[TimelineEntry]) -> str:
    """The journey that did something last; empty where none did."""
    return next((str(one["journey"]) for one in reversed(entries) if one.get("journey")), "")


def sentence_of(entry: TimelineEntry, zone: ZoneInfo) -> str:
    """One sentence for a decision. Each Reason has its own."""
    decision = Decision(entry, zone)
    if entry["kind"] == DEFERRED:
        until = decision.ahead_of(entry.get("until"))
        return f"Held{f' until {until}' if until else ''} because {decision.because()}."
    if entry["kind"] == "suppressed":
        return f"Not sent: {decision.because()}.{_tried(entry)}"
    if entry["kind"] == "undecided":
        return _undecided(entry)
    if entry["kind"] == "failed" and entry.get("reason") not in set(Reason):
        return f"Not sent: {_failure(entry)}.{_tried(entry)}"
    if "reason" not in entry:
        return "Sent; its sender did not live to write down why."
    failed = "; the provider could not deliver it" if entry["kind"] == "failed" else ""
    return f"Sent {_sent_as(decision)}: {decision.because()}{failed}.{_tried(entry)}"


def _undecided(entry: TimelineEntry) -> str:
    met = entry.get("error", "an error")
    if entry.get("reason") == "not_handed_over":
        return (
            f"Not sent: it could not be handed to the provider ({met}). Its dead letter can be redriven.{_tried(entry)}"
        )
    if entry.get("purpose") == "transactional":
        return (
            f"Perhaps sent: the provider's answer could not be read ({met}). A redrive of its dead letter sends again."
        )
    return "Perhaps sent: its sender stopped in the middle of handing it over, and marketing is not sent twice."


def _sent_as(decision: Decision) -> str:
    return _by(decision.channel) if decision.channel else "as a message"


def _tried(entry: TimelineEntry) -> str:
    """The channels that were tried before."""
    refused = [
        f" {UNFIT.get(entry[f'rejected_{channel}'], 'The provider had refused it')} {_by(channel)} before"
        f" ({entry[f'rejected_{channel}']})."
        for channel in Channel
        if f"rejected_{channel}" in entry
    ]
    return "".join(refused)


def _failure(entry: TimelineEntry) -> str:
    error = f" ({entry['error']})" if entry.get("error") else ""
    match entry.get("reason"):
        case "template":
            return f"its template could not be filled{error}"
        case "foreign_link":
            return f"a value in it is a link to a host that nobody named{error}"
        case "too_long":
            return f"it became longer than its template allows{error}"
        case "provider":
            return f"the provider refused it{error}"
        case other:
            return f"{other or 'the provider could not deliver it'}{error}"


def sentence_at(entry: TimelineEntry, zone: ZoneInfo, text: str | None = None) -> Sentence:
    """An entry's sentence; without a text, that of a decision or of a provider's report."""
    at = instant_from_wire(entry["at"])
    if text is None:
        text = sentence_of(entry, zone) if entry["kind"] in DECISIONS else _reported(entry)
    message, audit_id = str(entry.get("message_id", "")), str(entry.get("audit_id", ""))
    return Sentence(at, _day(at, zone), text, entry["kind"], message, audit_id, _origin(entry))


def _origin(entry: TimelineEntry) -> str:
    """`step hello of journey welcome`, or the keyword that it answers."""
    if entry.get("answers"):
        return f"answer to {str(entry['answers']).upper()}"
    if entry.get("written_by"):
        return f"answer of {entry['written_by']}"
    step, journey = entry.get("step"), entry.get("journey")
    return f"step {step} of journey {journey}" if step and journey else ""


def _reports_on(entry: TimelineEntry, message_id: str) -> bool:
    about = entry.get("properties", {})
    report = entry["kind"] == "event" and entry["type"].startswith("message.") and is_provider(entry["source"])
    return bool(report and about.get("message_id") == message_id)


def _delivery_noted(decision: TimelineEntry, reported: Sequence[TimelineEntry]) -> list[TimelineEntry]:
    """The report that a message was delivered, where it became no event: the message's record has its instant."""
    at = decision.get("delivered_at")
    if not at or any(entry["type"] == DELIVERED for entry in reported):
        return []
    return [{"at": at, "kind": "event", "type": DELIVERED}]


DELIVERED = "message.delivered"

REPORTS = {
    DELIVERED: "The provider reported that it was delivered",
    "message.bounced": "The provider reported that it bounced",
    "message.complained": "The recipient reported it as spam",
    "message.opened": "It was opened",
    "message.clicked": "A link in it was followed",
    "message.dismissed": "Its reader dismissed it",
    "message.auto_replied": "An automatic answer came, such as out of office",
    "message.reported": "The recipient's provider reported on it; nobody complained",
    "message.failed": "The provider reported that it could not be delivered",
    "message.replied": "The customer replied",
    "message.stopped": "The customer replied STOP",
    "message.started": "The customer replied START",
    "message.helped": "The customer replied HELP",
}
DETAILS = ("bounce_type", "reason", "code", "error")
"""Details of a report that are not personal."""

PERSON = (FIRST_NAME, LAST_NAME, USER_ID, EMAIL, PHONE)


def _reported(entry: TimelineEntry) -> str:
    about = entry.get("properties", {})
    more = ", ".join(str(about[name]) for name in DETAILS if about.get(name))
    return f"{REPORTS.get(entry['type'], entry['type'])}{f' ({more})' if more else ''}."


def _profile(customer: Customer, zone: ZoneInfo) -> Iterator[str]:
    view = customer.profile.view()
    named = [(name, view.get(name)) for name in PERSON]
    named += sorted(view["external_ids"].items())
    yield from (f"{name}: {value}" for name, value in named if value)
    typed = sorted({name.kind for name in customer.profile.identifiers if name.key in customer.profile.typed})
    if typed:
        yield f"typed by a visitor, and vouched for by no source: {', '.join(typed)}"
    if view[TAGS]:
        yield f"tags: {', '.join(view[TAGS])}"
    yield f"known since {_day(customer.profile.created_at, zone)}"
    yield f"last heard of {on_day(customer.profile.last_activity, zone)}"


def _consents(customer: Customer, zone: ZoneInfo) -> Iterator[str]:
    changes = customer.contact.consents.values()
    for change in sorted(changes, key=lambda change: (change.channel, change.purpose, change.at)):
        if change.status is ConsentStatus.IN_DOUBT:
            yield f"{change.purpose} {CHANNELS[change.channel].plural}: {_doubt(change, customer.contact, zone)}."
            continue
        status = {
            ConsentStatus.GRANTED: "consented",
            ConsentStatus.DENIED: "said no",
            ConsentStatus.PENDING: "was asked to confirm",
        }[change.status]
        yield f"{change.purpose} {CHANNELS[change.channel].plural}: {status}{_change(change, zone)}."


def _doubt(change: ConsentChange, contact: Contact, zone: ZoneInfo) -> str:
    """What came of a reply that may be a STOP."""
    if change.until is None:
        return f"a reply that looked like a STOP was decided {on_day(change.at, zone)}: it is none"
    if contact.doubt(change.channel) is None:
        return f"a reply {on_day(change.at, zone)} looked like a STOP, and a newer answer or a decision counts"
    return (
        f"the customer's reply {on_day(change.at, zone)} may be a STOP. They wait for a person's decision until "
        f"{ahead(change.until, zone)}, and then it is one (cairn privacy list)"
    )


def _change(change: ConsentChange, zone: ZoneInfo) -> str:
    return f" {on_day(change.at, zone)}{how(change.evidence.get('method'))} (source {change.source})"


def _waiting(customer: Customer, entries: Sequence[TimelineEntry], zone: ZoneInfo) -> Iterator[str]:
    enrollments = customer.enrollments.values()
    for enrollment in sorted(enrollments, key=lambda waiting: (waiting.due_at is None, str(waiting.due_at))):
        if enrollment.open and enrollment.step:
            until = f" until {ahead(enrollment.due_at, zone)}" if enrollment.due_at else ""
            yield f"Journey {enrollment.journey} waits at step {enrollment.step}{until}."
    decided = {entry["message_id"]: entry for entry in entries if entry["kind"] in DECISIONS}
    for id_, entry in decided.items():
        if entry["kind"] == DEFERRED and id_ in customer.contact.deferrals:
            yield f"Message {id_} ({_origin(entry)}): {sentence_of(entry, zone)}"
    for entry in entries:
        if entry["kind"] == "task" and entry.get("status") == "open":
            due = ahead(instant_from_wire(entry["due_at"]), zone)
            yield f"Task “{entry['title']}” for {entry.get('now_in') or entry['queue']}, due {due}{_owned(entry)}."


def _owned(task: TimelineEntry) -> str:
    """The owner of a task, and why it became theirs."""
    owner = task.get("owner", "")
    given = [one.get("why") for one in task.get("history", ()) if one["what"] not in COMES_BACK]
    why = next((one for one in reversed(given) if one), "")
    if not why:
        return f", of {owner}" if owner else ""
    return f", {f'of {owner}' if owner else 'of nobody yet'} ({why})"


def _for_purpose(suppression: Suppression) -> str:
    return f" for {suppression.purpose}" if suppression.purpose else ""


def _by(channel: Channel) -> str:
    traits = CHANNELS[channel]
    return f"as {traits.article} {traits.noun}"


def ahead(at: datetime | None, zone: ZoneInfo) -> str:
    """`18:30 on Thursday 5 March 2026 in Europe/Paris`; empty for no instant."""
    local = at.astimezone(zone) if at else None
    return f"{local:%H:%M} on {local:%A} {local.day} {local:%B} {local.year} in {zone.key}" if local else ""


def _day(at: datetime, zone: ZoneInfo) -> str:
    """`Tuesday 3 March 2026, 14:02`."""
    local = at.astimezone(zone)
    return f"{local:%A} {local.day} {local:%B} {local.year}, {local:%H:%M}"
