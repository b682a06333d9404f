"""The choices of the business and the demands of the law, as data. `Policy()` demands nothing but consent.

People write it as policy.toml and law.toml (docs/policy.md); the functions get it compiled and checked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Literal

from cairn.domain.consent.keywords import Intent
from cairn.domain.shared.announced import AnnouncedType
from cairn.domain.shared.channels import Channel, Purpose

EVERYWHERE = "*"
"""The jurisdiction of a rule that holds in every country."""

EVERY_JOURNEY = "*"
"""In the place of a journey's name: what concerns the holdout across all journeys."""

ERASURE_ORDERS_PER_HOUR = 20
"""A shop with a million customers has a few a day; a clean-up of a vendor, or a stolen secret, thousands."""

EVERY_CHANNEL = frozenset(Channel)
MARKETING = frozenset({Purpose.MARKETING})
EVERY_DAY = frozenset(range(1, 8))
"""ISO weekdays: Monday is 1, Sunday 7."""


MAX_COUNTED = 1000
"""Messages that all caps count together. So many claims are stored with each customer, about 100 bytes apiece: 100 KB,
of the 400 KB that an item may have.
"""

MAX_IDENTIFIERS = 20
"""Identifiers of one customer: a person has a few, a mistake has many."""

MAX_NAMES = 30
"""Identifiers of one event that count, the strongest first. Each may lead to a customer of its own, whom the commit
then merges: two items each, of the hundred that a transaction of DynamoDB takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Territory:
    """Where a rule applies: a country (`IN`), a region of one (`US-FL`, ISO 3166-2), or `*` for everywhere."""

    jurisdiction: str
    channels: frozenset[Channel] = EVERY_CHANNEL
    purposes: frozenset[Purpose] = MARKETING
    zones: frozenset[str] = frozenset()
    """For a region: its IANA zones. A customer of unknown region in one of them may be in this region."""
    source: str = ""
    """The source of the rule: a law, a carrier's page, or the business's own choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours(Territory):
    """On these days, from `start` until just before `end`, by the customer's wall clock; 00:00 as an end is midnight.

    Rules of one jurisdiction and one source complement each other (Mon-Sat from 9, Sunday from 12); hours in none of
    them are closed. Rules of different jurisdictions or sources must all agree.
    """

    start: time
    end: time
    days: frozenset[int] = EVERY_DAY
    clock: str = ""
    """The IANA zone whose clock counts, if not the customer's: India's operators use their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(Territory):
    """Days without messages: weekdays, dates of every year (`12-25`) and single dates (`2026-11-26`)."""

    days: frozenset[int] = frozenset()
    yearly: frozenset[str] = frozenset()
    """`MM-DD`."""
    dates: frozenset[date] = frozenset()


Window = Literal["day", "week"] | timedelta
"""`day` and `week` (from Monday) are the calendar's in the customer's zone; a length rolls with time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most `limit` messages of these purposes in a window, on all channels and journeys or on the named one."""

    limit: int
    """At least 1."""
    window: Window
    reserved: int = 0
    """How many of them are for messages with a priority above 0; less than the limit."""
    channel: Channel | None = None
    purposes: frozenset[Purpose] = MARKETING
    """The messages that are limited, and that count. By default receipts are not limited."""
    journey: str = ""

    @property
    def depth(self) -> int:
        """The newest messages that decide whether it is reached."""
        return self.limit

    @property
    def is_general(self) -> bool:
        """Whether it counts messages of every channel and journey."""
        return self.channel is None and not self.journey

    def room(self, priority: int) -> int:
        """How many messages there may be for one of this priority to be the last of them."""
        return self.limit if priority > 0 else self.limit - self.reserved

    def covers(self, purpose: Purpose, channel: Channel, journey: str) -> bool:
        """Whether it limits such a message. It counts the same messages that it limits."""
        return purpose in self.purposes and self.channel in {None, channel} and self.journey in {"", journey}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cooldown:
    """The least time between two messages of these purposes."""

    length: timedelta
    channel: Channel | None = None
    purposes: frozenset[Purpose] = MARKETING

    @property
    def depth(self) -> int:
        """The newest messages that decide whether it is in force."""
        return 1

    @property
    def is_general(self) -> bool:
        """Whether it counts messages of every channel."""
        return self.channel is None

    def covers(self, purpose: Purpose, channel: Channel, journey: str) -> bool:  # noqa: ARG002  as of a cap
        """Whether it limits such a message. It counts the same messages that it limits."""
        return purpose in self.purposes and self.channel in {None, channel}


@dataclass(frozen=True, slots=True, kw_only=True)
class Forbidden:
    """Messages that are never sent to a country, whatever the customer's consent."""

    channel: Channel
    purpose: Purpose
    country: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A token bucket: the capacity of a channel's provider, in all or for one country."""

    channel: Channel
    per_second: float
    country: str = ""
    reserved: float = 0.0
    """The share that is reserved for transactional messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """When a journey or a channel pauses by itself: shares of the messages reported within the window."""

    failure: float = 0.10
    bounce: float = 0.03
    complaint: float = 0.0008
    minimum: int = 100
    """The least number of messages in the window for a share to count."""
    window: timedelta = timedelta(minutes=30)
    doubling: float = 2.0
    """It also trips if complaints grow by this factor since the window before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpoint:
    """A system that gets every change of consent and suppression, and what journeys post, as Standard Webhooks."""

    name: str
    url: str
    secret: str
    """Its name in the deployment's secret of webhook endpoints."""
    consent: bool = True
    """Whether it gets changes of consent; otherwise only what journeys post to it, and `events`."""
    events: frozenset[AnnouncedType] = frozenset()
    """What it hears beside that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRule:
    """Messages that a person approves first: of these steps or templates, or to customers that meet `when`."""

    queue: str
    within: timedelta
    otherwise: Literal["send", "drop"]
    """The outcome without a decision in that time."""
    steps: frozenset[str] = frozenset()
    """`<journey>/<step>`."""
    templates: frozenset[str] = frozenset()
    """`<journey>/<template>`."""
    when: str = ""
    """A condition in JMESPath on `profile`, without Cairn's functions. With steps or templates, both must match."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OverallHoldout:
    """The customers who enter no journey that sends marketing, so that all of those together can be measured."""

    version: str
    """Another one after each change of the table: customers are then drawn anew."""
    share: float
    exclude: str = ""
    """A condition on the profile: such customers are not drawn, and enter as ever."""
    event: str
    """The goal, which counts for everybody who was drawn."""
    where: str | None = None
    within: timedelta
    amount: str = ""
    currency: str = ""
    """Expressions on the goal's event; empty: it has no value."""
    major: bool = False
    """Whether the amount is in whole units (12.50), not in minor ones (1250)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    # Time
    hours: tuple[Hours, ...] = ()
    closed: tuple[Closed, ...] = ()
    unknown_region: Literal["strictest", "country"] = "strictest"
    """For a customer of unknown region: the rules of every possible region apply, or only the country's."""
    regions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The regions of a country, where they are listed. Other region codes count as unknown."""
    preferred_hour_window: timedelta = timedelta(hours=1)
    """How long after the customer's preferred time a message may still arrive."""
    max_hold: timedelta = timedelta(days=14)
    """A message that cannot go out within this time is dropped."""

    # Limits
    caps: tuple[Cap, ...] = ()
    cooldowns: tuple[Cooldown, ...] = ()
    rates: tuple[Rate, ...] = ()
    breaker: Breaker = field(default_factory=Breaker)

    holdout: OverallHoldout | None = None

    # Permission
    forbidden: tuple[Forbidden, ...] = ()
    double_opt_in: frozenset[Channel] = frozenset()
    """Channels on which a marketing consent counts only after a confirmation."""
    revoke_all: bool = False
    """Whether a STOP on one channel counts on all of them."""
    countries_needing_registration: Mapping[Channel, frozenset[str]] = field(default_factory=dict)
    """Countries that accept only messages with the ids of a registered template (India's DLT)."""
    dlt_entity: str = ""
    """The business's own id in India's DLT."""
    reviews: tuple[ReviewRule, ...] = ()

    # Identity
    placeholders: frozenset[str] = frozenset()
    """Texts that name no customer, besides those of domain/identity/placeholders, as its `word_of` writes them."""
    max_identifiers: int = MAX_IDENTIFIERS
    guarded: frozenset[str] = frozenset()
    """Attributes that these rules read, beside those that Cairn itself reads: no visitor changes them."""

    # The sender, and its answers
    brand: str = ""
    contact: str = ""
    postal_address: str = ""
    answers: Mapping[str, Mapping[Intent, str]] = field(default_factory=dict)
    """By ISO 639-1 language: the answers to STOP, HELP and START, ready to send."""
    webhook_endpoints: tuple[WebhookEndpoint, ...] = ()
    link_hosts: tuple[str, ...] = ()
    """Hosts that links in values may lead to; `*.example.com` names all below one."""

    # Privacy
    erasure_orders_per_hour: int = ERASURE_ORDERS_PER_HOUR
    """Vendors' orders to erase that are carried out within an hour; each further one waits for a person."""

    @property
    def limits(self) -> tuple[Cap | Cooldown, ...]:
        return (*self.caps, *self.cooldowns)

    @property
    def announced_to(self) -> Mapping[AnnouncedType, tuple[str, ...]]:
        """The names of the endpoints that hear of each of these; only those that any endpoint hears of."""
        hearing = {
            type_: tuple(one.name for one in self.webhook_endpoints if type_ in one.events) for type_ in AnnouncedType
        }
        return {type_: names for type_, names in hearing.items() if names}

    def answer(self, intent: Intent, locale: str = "") -> str:
        """The answer in the customer's language, else in English; empty if there is none."""
        for language in (locale.replace("_", "-").partition("-")[0].lower(), "en"):
            if answer := self.answers.get(language, {}).get(intent):
                return answer
        return ""

    def needs_registration(self, channel: Channel, country: str) -> bool:
        return country in self.countries_needing_registration.get(channel, frozenset())

    def forbidding(self, channel: Channel, purpose: Purpose, country: str) -> Forbidden | None:
        """The rule that forbids such a message to a country."""
        asked = (channel, purpose, country)
        return next((rule for rule in self.forbidden if (rule.channel, rule.purpose, rule.country) == asked), None)
