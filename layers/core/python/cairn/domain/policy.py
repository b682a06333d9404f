"""What this business has chosen and what the law demands, as data. `Policy()` asks for nothing beyond consent.

People write it as policy.toml and law.toml (docs/policy.md); the functions get it compiled and checked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Literal

from cairn.domain.consent.keywords import Intent
from cairn.domain.shared.channels import Channel, Purpose

EVERYWHERE = "*"
"""The jurisdiction of a rule that holds in every country."""

EVERY_CHANNEL = frozenset(Channel)
MARKETING = frozenset({Purpose.MARKETING})
EVERY_DAY = frozenset(range(1, 8))
"""ISO weekdays: Monday is 1, Sunday 7."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Territory:
    """Whom a rule is about: a country (`IN`), a region of one (`US-FL`, ISO 3166-2), or `*` for everywhere."""

    jurisdiction: str
    channels: frozenset[Channel] = EVERY_CHANNEL
    purposes: frozenset[Purpose] = MARKETING
    zones: frozenset[str] = frozenset()
    """For a region: the IANA zones in which a customer of unknown region may be in this one."""
    source: str = ""
    """Where the rule stands written: the law, a carrier's page, or the business's own choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours(Territory):
    """On these days, from `start` until just before `end`, by the customer's wall clock; 00:00 as an end is midnight.

    Rules of one jurisdiction and one source complement each other (Mon-Sat from 9, Sunday from 12), and what none of
    them opens is closed. Of different jurisdictions or sources, all must agree.
    """

    start: time
    end: time
    days: frozenset[int] = EVERY_DAY
    clock: str = ""
    """The IANA zone whose clock counts where that is not the customer's: India's operators go by their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(Territory):
    """Days on which nothing goes out: weekdays, dates of every year (`12-25`) and single dates (`2026-11-26`)."""

    days: frozenset[int] = frozenset()
    yearly: frozenset[str] = frozenset()
    """`MM-DD`."""
    dates: frozenset[date] = frozenset()


Window = Literal["day", "week"] | timedelta
"""`day` and `week` (from Monday) are the calendar's in the customer's zone; a length rolls with time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most `limit` messages of these purposes in a window; only on one channel or of one journey where named."""

    limit: int
    """At least 1."""
    window: Window
    channel: Channel | None = None
    purposes: frozenset[Purpose] = MARKETING
    """Those that are limited, and those that count. A cap that names none leaves receipts alone."""
    journey: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cooldown:
    """The least time between two messages of these purposes."""

    length: timedelta
    channel: Channel | None = None
    purposes: frozenset[Purpose] = MARKETING


@dataclass(frozen=True, slots=True, kw_only=True)
class Forbidden:
    """What is never sent to a country, whatever the customer's consent."""

    channel: Channel
    purpose: Purpose
    country: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A token bucket: what a channel's provider takes, in all or for one country."""

    channel: Channel
    per_second: float
    country: str = ""
    reserved: float = 0.0
    """The share that marketing leaves to transactional messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """When a journey or a channel pauses by itself: shares of what was sent within the window, from a least volume."""

    failure: float = 0.10
    bounce: float = 0.03
    complaint: float = 0.0008
    minimum: int = 100
    """Messages within the window below which no share says anything."""
    window: timedelta = timedelta(minutes=30)
    doubling: float = 2.0
    """Complaints at so many times the window before trip it as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpoint:
    """A system that is told of every change of consent and suppression, as signed Standard Webhooks."""

    name: str
    url: str
    secret: str
    """Its name in the deployment's subscribers secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRule:
    """Messages that a person approves first: of these steps or templates, or to customers for whom `when` holds."""

    queue: str
    within: timedelta
    otherwise: Literal["send", "drop"]
    """What happens where nobody has decided within that time."""
    steps: frozenset[str] = frozenset()
    """`<journey>/<step>`."""
    templates: frozenset[str] = frozenset()
    """`<journey>/<template>`."""
    when: str = ""
    """A condition in JMESPath on `profile`, without our functions. Beside steps or templates, both must hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    # Time
    hours: tuple[Hours, ...] = ()
    closed: tuple[Closed, ...] = ()
    unknown_region: Literal["strictest", "country"] = "strictest"
    """Of a customer whose region is not known: every region's rules that may be its own hold, or its country's only."""
    regions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Every region that a country has, where it is told: what a profile has beyond those is not known."""
    preferred_hour_window: timedelta = timedelta(hours=1)
    """How long after a customer's preferred time a message still meets it."""
    max_hold: timedelta = timedelta(days=14)
    """What cannot go out within this time is dropped."""

    # Limits
    caps: tuple[Cap, ...] = ()
    cooldowns: tuple[Cooldown, ...] = ()
    rates: tuple[Rate, ...] = ()
    breaker: Breaker = field(default_factory=Breaker)

    # Permission
    forbidden: tuple[Forbidden, ...] = ()
    double_opt_in: frozenset[Channel] = frozenset()
    """Channels on which a marketing consent counts only once it is confirmed."""
    revoke_all: bool = False
    """Whether a STOP on one channel is a STOP on all of them."""
    countries_needing_registration: Mapping[Channel, frozenset[str]] = field(default_factory=dict)
    """Where a message goes out only with the ids under which its template was registered (India's DLT)."""
    dlt_entity: str = ""
    """The business's own id in India's DLT."""
    reviews: tuple[ReviewRule, ...] = ()

    # Who writes, and what it answers
    brand: str = ""
    contact: str = ""
    postal_address: str = ""
    answers: Mapping[str, Mapping[Intent, str]] = field(default_factory=dict)
    """By ISO 639-1 language: what is said to STOP, HELP and START, ready to send."""
    webhook_endpoints: tuple[WebhookEndpoint, ...] = ()

    def answer(self, intent: Intent, locale: str = "") -> str:
        """What is said in the customer's language, else in English; empty where nothing is to be said."""
        for language in (locale.replace("_", "-").partition("-")[0].lower(), "en"):
            if said := self.answers.get(language, {}).get(intent):
                return said
        return ""

    def needs_registration(self, channel: Channel, country: str) -> bool:
        return country in self.countries_needing_registration.get(channel, frozenset())

    def forbidding(self, channel: Channel, purpose: Purpose, country: str) -> Forbidden | None:
        """The rule that keeps such a message from a country."""
        asked = (channel, purpose, country)
        return next((one for one in self.forbidden if (one.channel, one.purpose, one.country) == asked), None)
