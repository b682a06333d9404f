"""Members, who work on tasks, and the queues in which they do, and when (people.toml, docs/people.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from cairn.domain.shared.calendars import Calendar


class Strategy(StrEnum):
    """How a queue chooses among the members that may take a task."""

    ROUND_ROBIN = "round_robin"
    """Each in turn: their counts differ by one at most."""
    WEIGHTED = "weighted"
    """The same, in proportion to the weights."""
    LEAST_LOADED = "least_loaded"
    """The one with the fewest open tasks."""
    TERRITORY = "territory"
    """The one whose territory is the narrowest around the customer: the nearest, or the longest postal code."""


@dataclass(frozen=True, slots=True)
class Territory:
    """An area; every field that is given must fit."""

    country: str = ""
    """ISO 3166-1 alpha-2."""
    region: str = ""
    """ISO 3166-2, with its country: `US-NY`."""
    postal_code: str = ""
    """The beginning of postal codes, in capitals, without blanks."""
    latitude: float | None = None
    longitude: float | None = None
    kilometres: float = 0.0
    """Around that point."""


@dataclass(frozen=True, slots=True)
class Absence:
    start: datetime
    end: datetime


class NotifyBy(StrEnum):
    """How a member hears of tasks."""

    EMAIL = "email"
    SMS = "sms"
    WEBHOOK = "webhook"


class WebhookForm(StrEnum):
    """The body that a member's webhook endpoint gets."""

    EVENT = "event"
    """A Standard Webhook, as for any other system."""
    SLACK = "slack"
    """`text`, as an incoming webhook of Slack takes it (docs.slack.dev, Sending messages using incoming webhooks)."""
    TEAMS = "teams"
    """An adaptive card, as a workflow of Teams takes it (learn.microsoft.com, Create incoming webhooks)."""


@dataclass(frozen=True, slots=True)
class Member:
    """Someone who works on tasks: a person, or a partner's office."""

    id: str
    name: str
    email: str = ""
    phone: str = ""
    webhook: str = ""
    """The name of an endpoint in policy.toml."""
    webhook_form: WebhookForm = WebhookForm.EVENT
    notify_by: NotifyBy | None = None
    """None: no notification is sent; the member looks at the list."""
    notify_every: timedelta | None = None
    """Hear of everything within this time at once; None: of each by itself. An urgent one does not wait for it."""
    zone: str = ""
    """The IANA name of the time zone; empty: that of the queue's calendar."""
    calendar: Calendar | None = None
    """The member's own working hours; None: those of the queue."""
    languages: frozenset[str] = frozenset()
    """ISO 639-1 codes; empty: any."""
    skills: frozenset[str] = frozenset()
    territories: tuple[Territory, ...] = ()
    """Empty: everywhere."""
    capacity: int = 0
    """The most open tasks at once, in all queues together; 0: no limit."""
    absences: tuple[Absence, ...] = ()
    manager: str = ""
    """The id of the member to whom overdue work goes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result of a task, and what follows from it."""

    name: str
    title: str
    again: timedelta | None = None
    """The same task again after this time, in the queue's working hours (nobody answered)."""
    at_hour_of_choice: bool = False
    """The member enters when: a callback, due at that minute."""
    event: str = ""
    """The type of a further event of the customer, by which a journey may start."""


@dataclass(frozen=True, slots=True)
class Queue:
    """Where tasks of a kind go: a team, a branch, a partner."""

    name: str
    title: str
    members: Mapping[str, int] = field(default_factory=dict)
    """Ids of its members, each with its weight."""
    calendar: Calendar | None = None
    """Its working hours; None: all the time."""
    strategy: Strategy = Strategy.ROUND_ROBIN
    sticky: bool = False
    """Whether the customer's owner comes first, and then who has an open task about the customer."""
    territories: tuple[Territory, ...] = ()
    """Of a branch: where its customers are; empty: anywhere."""
    branches: tuple[str, ...] = ()
    """Queues that come first where the customer is in their territory, the narrowest before the others."""
    fallback: str = ""
    """The queue to which a task goes that nobody here may take."""
    due: timedelta = timedelta(hours=24)
    """The time allowed where the step names none, in working hours."""
    remind: timedelta | None = None
    """How long before it is due its owner is reminded, in working hours."""
    reassign: int = 0
    """How often an overdue task goes to another member, before it goes up."""
    escalate_to: str = ""
    """The queue to which an overdue task goes then."""
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class People:
    """All that people.toml says."""

    queues: Mapping[str, Queue] = field(default_factory=dict)
    members: Mapping[str, Member] = field(default_factory=dict)
    deal_keys: tuple[str, ...] = ()
    """What a deal is registered by, in this order: `email_domain`, or the name of an attribute."""

    def queue(self, name: str) -> Queue:
        """A queue by its name; one that people.toml does not have has nobody, and works at all hours."""
        return self.queues.get(name, Queue(name, name))

    def clock_of(self, member: Member, queue: str) -> str:
        """The zone in which a member reads the times of a queue's tasks: their own, or the queue's; else empty."""
        calendar = member.calendar or self.queue(queue).calendar
        return member.zone or (calendar.zone if calendar else "")


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a queue's work one member was given, by the rules (routing.py). In UNITs, but for the number."""

    position: int = 0
    """The least of all gets the next task. A task moves it up, and so does coming back."""
    number: int = 0
    """Tasks given in all."""
    start: int = 0
    """The position at which the last task was given."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one member has, as the table says."""

    open: frozenset[str] = frozenset()
    """The names of the open tasks (`Task.listed_as`)."""
    shares: Mapping[str, Share] = field(default_factory=dict)
    """By queue."""
    version: int = 0
    """How often a task was given or a change of the member was made."""


@dataclass(frozen=True, slots=True)
class Override:
    """What operators say about a member; it comes before people.toml."""

    absences: tuple[Absence, ...] = ()
    capacity: int | None = None
    back: datetime | None = None
    """Since when the member is back: it ends the absences of people.toml that had begun by then."""
    left: datetime | None = None
    """Since when the member works here no longer."""


@dataclass(frozen=True, slots=True)
class Deal:
    """A customer whom one partner has registered, and nobody else may call until then."""

    partner: str
    """The id of a member."""
    until: datetime
