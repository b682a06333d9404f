"""Replies that may be a STOP. A person decides; meanwhile marketing on the channel waits, and transactional goes on.

Without a decision by the deadline such a reply counts as a STOP. The gate knows the deadline, so a lost timer sends
nothing; the timer makes it a STOP for the address and for the webhook endpoints, too.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cairn.domain.consent.changes import ConsentChange, ConsentStatus
from cairn.domain.consent.contact import Contact
from cairn.domain.effects import CloseTask, OpenTask, WakeAt
from cairn.domain.event import Event
from cairn.domain.identity.trust import OPERATORS_SOURCE, is_provider
from cairn.domain.privacy.requests import QUEUE, SCRIPT, Choice
from cairn.domain.shared.channels import CHANNELS, Channel, Purpose
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_to_wire

DECIDE_WITHIN = timedelta(days=1)
"""How long a person has. 47 CFR 64.1200(a)(10) gives ten business days to honor a request, but where it was one,
a day without marketing costs nothing."""

REQUEST = "message.possible_stop"
"""`request` in the task's context."""

OPT_OUT_DECIDED = "opt_out.decided"
"""The event of a person's choice, or of the deadline."""

POSSIBLE_STOP = "possible_stop"
"""The property, true, of a reply that may be a STOP."""

ADDRESS_KEY = "address_key"
"""The property with the key of the address that such a reply came from (domain/consent/suppression)."""

DEADLINE = "deadline"
"""The actor of a STOP that nobody decided."""

CHOICES = (Choice.STOP, Choice.CONTINUE)
TITLE = "Decide whether a customer's reply means STOP; without a decision it does"
MAX_TEXT_SHOWN = 1_000
"""Characters of the reply that the task shows."""

WAKE = "opt-out-"
"""With a channel, the enrollment in the wake-up of the deadline. No enrollment has such an id."""


@dataclass(frozen=True, slots=True)
class PossibleOptOut:
    """A reply that may be a STOP, and what follows: a task for a person, and a timer for its deadline."""

    change: ConsentChange
    task: OpenTask
    timer: WakeAt


def possible_opt_out(contact: Contact, customer_id: str, event: Event, now: datetime) -> PossibleOptOut | None:
    """None where no marketing may go out on the channel anyway, or an earlier such reply waits for its decision."""
    channel = event.channel
    if channel is None or not is_provider(event.source) or event.properties.get(POSSIBLE_STOP) is not True:
        return None
    answer = contact.consents.get(f"{channel}:{Purpose.MARKETING}")
    granted = answer is not None and answer.status is ConsentStatus.GRANTED
    if not (granted or contact.implies_consent(channel, Purpose.MARKETING)) or contact.doubt(channel) is not None:
        return None
    task_id, due_at = short_hash("opt-out", customer_id, event.key), now + DECIDE_WITHIN
    evidence = {"until": instant_to_wire(due_at), "task": task_id, ADDRESS_KEY: event.properties.get(ADDRESS_KEY, "")}
    change = _in_doubt(channel, event.occurred_at, event.source, evidence)
    if contact.after([change]).doubt(channel) is None:  # it is older than what a person decided since
        return None
    return PossibleOptOut(change, _task(task_id, customer_id, channel, event, due_at), _timer(channel, task_id, due_at))


def tasks_that_end(before: Contact, after: Contact, event: Event) -> tuple[CloseTask, ...]:
    """The tasks about replies that this event has decided: a STOP, a START, another answer, or a person's choice."""
    over = (doubt for channel in Channel if (doubt := before.doubt(channel)) and after.doubt(channel) is None)
    return tuple(_closed(doubt, after, event) for doubt in over)


def _closed(doubt: ConsentChange, after: Contact, event: Event) -> CloseTask:
    task, by = str(doubt.evidence.get("task", "")), str(event.properties.get("actor") or event.source)
    denied = after.consent(doubt.channel, Purpose.MARKETING) is ConsentStatus.DENIED
    outcome = Choice.STOP if denied else Choice.CONTINUE
    return CloseTask(short_hash("close", task, event.key), task, outcome.value, by, event.occurred_at)


def channel_to_decide(enrollment_id: str) -> Channel | None:
    """The channel of a deadline's wake-up; None for the wake-up of an enrollment."""
    channel = enrollment_id.removeprefix(WAKE)
    return Channel(channel) if enrollment_id.startswith(WAKE) and channel in set(Channel) else None


def stop_at_deadline(contact: Contact, customer_id: str, channel: Channel, now: datetime) -> Event | None:
    """The STOP that a reply has become because nobody decided; None where nothing waits, or has more time."""
    doubt = contact.doubt(channel)
    if doubt is None or doubt.until is None or now < doubt.until:
        return None
    return decided(customer_id, channel, Choice.STOP, by=DEADLINE, task=str(doubt.evidence.get("task", "")), at=now)


def decided(customer_id: str, channel: Channel, choice: Choice, *, by: str, task: str, at: datetime) -> Event:  # noqa: PLR0913
    """The event of a choice. The same choice about the same task is the same event."""
    return Event(
        id=short_hash("opt-out", task, choice, length=26),
        source=OPERATORS_SOURCE,
        type=OPT_OUT_DECIDED,
        occurred_at=at,
        customer_id=customer_id,
        properties={"channel": channel.value, "choice": choice.value, "actor": by, "task": task},
    )


def choice_in(event: Event) -> Choice | None:
    """The choice that an event is about a reply; None for any other event."""
    if event.type != OPT_OUT_DECIDED or event.source != OPERATORS_SOURCE:
        return None
    return next((one for one in CHOICES if one.value == event.properties.get("choice")), None)


def settled(doubt: ConsentChange, at: datetime, by: str) -> ConsentChange:
    """A doubt that is over: the customer's consent is as it was before the reply."""
    return _in_doubt(doubt.channel, max(at, doubt.at), doubt.source, {"outcome": Choice.CONTINUE.value, "actor": by})


def _in_doubt(channel: Channel, at: datetime, source: str, evidence: dict[str, object]) -> ConsentChange:
    return ConsentChange(channel, Purpose.MARKETING, ConsentStatus.IN_DOUBT, at, source, evidence)


def _task(task_id: str, customer_id: str, channel: Channel, event: Event, due_at: datetime) -> OpenTask:
    return OpenTask(
        id=task_id,
        enrollment="",
        step="",
        queue=QUEUE,
        title=TITLE,
        due_at=due_at,
        customer=customer_id,
        context={
            "source": event.source,
            "request": REQUEST,
            "channel": channel.value,
            "because": f"the reply may ask for no more {CHANNELS[channel].plural}",
            "text": str(event.properties.get("text") or "")[:MAX_TEXT_SHOWN],
            "choices": [choice.value for choice in CHOICES],
        },
        script=SCRIPT.format(task=task_id, customer=customer_id, choices="|".join(CHOICES)),
    )


def _timer(channel: Channel, task_id: str, due_at: datetime) -> WakeAt:
    return WakeAt(short_hash("opt-out timer", task_id), f"{WAKE}{channel}", 0, due_at)
