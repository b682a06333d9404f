"""The keys and values of policy.toml and law.toml. The models only check, like those of journeys."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, model_validator

from authoring.journeys.models import Analysis
from authoring.journeys.values import Channel, Duration, EventType, LinkHost, Otherwise, Purpose, Slug, Text, TimeOfDay
from authoring.shape import all_wrong, wrong
from cairn.adapters.documents.shares import share
from cairn.adapters.phone.jurisdiction import zones_by_country
from cairn.domain.consent.contact import HISTORY_WINDOW
from cairn.domain.consent.keywords import WORDS
from cairn.domain.identity.placeholders import word_of
from cairn.domain.journey import expressions
from cairn.domain.journey.conditions import FUNCTION_NAMES
from cairn.domain.policy import EVERYWHERE, MAX_COUNTED, MAX_IDENTIFIERS
from cairn.domain.shared.instants import duration, duration_text

REGION = re.compile(r"[A-Z0-9]{1,3}")
YEARLY = re.compile(r"\d{2}-\d{2}")
LEAP_YEAR = "2024"
MIDNIGHT = "00:00"
JOURNEY_PART = re.compile(r"[a-z][a-z0-9-]{0,62}/[a-z][a-z0-9_-]{0,63}")
ENTITY = re.compile(r"[0-9]{4,64}")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
LONGEST_WAIT = timedelta(days=30)

CONDITION = expressions.NamesInScope(("profile",), "profile")
GOAL = expressions.NamesInScope(("event", "profile"), "event.properties")


class Table(BaseModel):
    """A table of the file. Unknown keys are problems."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def _distinct(values: list[Any]) -> list[Any]:
    if not values or len(set(values)) < len(values):
        raise wrong("a list here is not empty and names each thing once", "Leave the key out to mean all of them.")
    return values


def _country(code: str) -> str:
    if code not in zones_by_country():
        raise wrong(f'"{code}" is not a country', "Write its ISO 3166-1 code in capitals, such as US.")
    return code


def _jurisdiction(text: str) -> str:
    country, hyphen, region = text.partition("-")
    if text != EVERYWHERE and (country not in zones_by_country() or bool(hyphen) != bool(REGION.fullmatch(region))):
        raise wrong(f'"{text}" is not a jurisdiction', "Write a country (US), a region of one (US-FL), or * for all.")
    return text


def _zone(name: str) -> str:
    if not any(name in zones for zones in zones_by_country().values()):
        fix = "Write one of the IANA database's, as its zone.tab has it: America/New_York."
        raise wrong(f'"{name}" is not the zone of a place', fix)
    return name


def _day(text: str) -> str:
    try:
        date.fromisoformat(f"{LEAP_YEAR}-{text}" if YEARLY.fullmatch(text) else text)
    except ValueError:
        raise wrong(f'"{text}" is not a date', "Write 12-25 for every year, or 2026-11-26 for one.") from None
    return text


def _window(text: str) -> str:
    if text in {"day", "week"}:
        return text
    return _within(text, HISTORY_WINDOW, "sends are remembered")


def _countable(caps: "list[Cap]") -> "list[Cap]":
    total = sum(cap.limit for cap in caps)
    if total > MAX_COUNTED:
        fix = f"All caps together count up to {MAX_COUNTED} messages, which are stored with each customer."
        raise wrong(f"these caps count {total} messages", fix)
    return caps


def _within(text: str, longest: timedelta, because: str) -> str:
    try:
        length = duration(text)
    except ValueError as error:
        raise wrong(f'"{text}" is not a length of time', f"Remember that {error}.") from None
    if not timedelta() < length <= longest:
        raise wrong(f'"{text}" is too short or too long', f"Up to {duration_text(longest)}, as {because} so long.")
    return text


def _share(value: Any) -> Any:
    try:
        fraction = share(value) if isinstance(value, str | float | int) and not isinstance(value, bool) else -1
    except ValueError:
        fraction = -1
    if not 0 <= fraction <= 1:
        raise wrong(f"{value} is not a share", 'Write 0.03 or "3%".')
    return value


def _shaped(shape: re.Pattern[str], what: str, fix: str) -> AfterValidator:
    def check(text: str) -> str:
        if not shape.fullmatch(text):
            raise wrong(f'"{text}" is not {what}', fix)
        return text

    return AfterValidator(check)


def _condition(text: str) -> str:
    found = expressions.problems_of(text, CONDITION)
    ours = [name for name in expressions.OWN_ARGUMENTS if f"{name}(" in text and name in FUNCTION_NAMES]
    for message, fix in found or [(f"{one}() is not known here", "Look at the profile alone.") for one in ours]:
        raise wrong(message, fix)
    return text


def _answer(text: str) -> str:
    for name in PLACEHOLDER.findall(text):
        if name not in {"brand", "contact"}:
            raise wrong(f"nothing fills in {{{name}}}", "Known here are {brand} and {contact}.")
    if "{brand}" not in text:
        raise wrong("an answer names who gives it", "Write {brand} in it (CTIA Messaging Principles, 5.1.3).")
    return text


Announced = Literal["task.opened", "breaker.tripped", "experiment.decided"]
Channels = Annotated[list[Channel], AfterValidator(_distinct)]
Purposes = Annotated[list[Purpose], AfterValidator(_distinct)]
Weekdays = Annotated[list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]], AfterValidator(_distinct)]
Jurisdiction = Annotated[str, AfterValidator(_jurisdiction)]
Country = Annotated[str, AfterValidator(_country)]
Zone = Annotated[str, AfterValidator(_zone)]
Day = Annotated[str, AfterValidator(_day)]
Window = Annotated[str, AfterValidator(_window)]


def _of_goal(text: str) -> str:
    if found := expressions.problems_of(text, GOAL):
        raise all_wrong(found)
    return text


OfGoal = Annotated[str, AfterValidator(_of_goal)]
Share = Annotated[Any, PlainValidator(_share)]
Answer = Annotated[Text, AfterValidator(_answer)]
MaxHold = Annotated[str, AfterValidator(lambda text: _within(text, LONGEST_WAIT, "held messages are kept"))]
JourneyPart = Annotated[
    str, _shaped(JOURNEY_PART, "a step or template of a journey", "Write journey/step, such as trial/confirm.")
]
Condition = Annotated[Text, AfterValidator(_condition)]


class Territory(Table):
    jurisdiction: Jurisdiction = Field(examples=['"US-FL"'])
    channels: Channels = Field(default_factory=list, examples=['["sms"]'])
    purposes: Purposes = Field(default_factory=list, examples=['["marketing"]'])
    zones: list[Zone] = Field(default_factory=list, examples=['["America/New_York"]'])
    source: Text = Field(default_factory=str, examples=['"47 CFR 64.1200(c)(1)"'])

    @model_validator(mode="after")
    def _zones_of_regions(self) -> Self:
        country, _, region = self.jurisdiction.partition("-")
        if not region and self.zones:
            raise wrong(
                "zones are for a region", "Leave them out: whoever is in the country is known by phone or profile."
            )
        if region and not self.zones:
            raise wrong(
                "a region needs its zones", "Add zones: those in which a customer of unknown region may be in it."
            )
        strange = [zone for zone in self.zones if zone not in zones_by_country()[country]]
        if strange:
            raise wrong(f"{', '.join(strange)} is not in {country}", "Write the zones that its zone.tab lists.")
        return self


class Hours(Territory):
    from_: TimeOfDay = Field(alias="from", examples=['"08:00"'])
    to: TimeOfDay = Field(examples=['"21:00"'])
    days: Weekdays = Field(default_factory=list, examples=['["mon", "tue"]'])
    clock: Zone = Field(default_factory=str, examples=['"Asia/Kolkata"'])

    @model_validator(mode="after")
    def _opens(self) -> Self:
        if self.to != MIDNIGHT and self.from_ >= self.to:
            raise wrong(
                f"{self.from_} is not before {self.to}", "Hours over midnight are two: until 00:00, and from 00:00."
            )
        return self


class Closed(Territory):
    days: Weekdays = Field(default_factory=list, examples=['["sun"]'])
    dates: list[Day] = Field(default_factory=list, examples=['["12-25", "2026-11-26"]'])

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.days and not self.dates:
            raise wrong("this closes no day", "Give it days or dates.")
        return self


class Cap(Table):
    limit: int = Field(ge=1, examples=["2"])
    window: Window = Field(examples=['"day"'])
    reserved: int = Field(default=0, ge=0, examples=["1"])
    channel: Channel | None = Field(default=None, examples=['"sms"'])
    purposes: Purposes = Field(default_factory=list, examples=['["marketing"]'])
    journey: Text = Field(default_factory=str, examples=['"fitness-trial-to-paid"'])

    @model_validator(mode="after")
    def _leaves_some(self) -> Self:
        if self.reserved >= self.limit:
            raise wrong(
                f"all {self.limit} are reserved, so a message without a priority would never go out",
                "Reserve fewer than the limit.",
            )
        return self


class Cooldown(Table):
    length: Annotated[str, AfterValidator(lambda text: _within(text, HISTORY_WINDOW, "sends are remembered"))] = Field(
        examples=['"4h"']
    )
    channel: Channel | None = Field(default=None, examples=['"sms"'])
    purposes: Purposes = Field(default_factory=list, examples=['["marketing"]'])


class Forbidden(Table):
    channel: Channel = Field(examples=['"whatsapp"'])
    purpose: Purpose = Field(examples=['"marketing"'])
    country: Country = Field(examples=['"US"'])
    source: Text = Field(default_factory=str, examples=['"Meta"'])


class Registration(Table):
    channel: Channel = Field(examples=['"sms"'])
    country: Country = Field(examples=['"IN"'])
    source: Text = Field(default_factory=str, examples=['"TCCCPR 2018"'])


class Rate(Table):
    channel: Channel = Field(examples=['"sms"'])
    per_second: float = Field(gt=0, examples=["20"])
    country: Country = Field(default_factory=str, examples=['"US"'])
    reserved: Share = Field(default=0, examples=['"20%"'])


class Breaker(Table):
    failure: Share = Field(default=0, examples=['"10%"'])
    bounce: Share = Field(default=0, examples=['"3%"'])
    complaint: Share = Field(default=0, examples=['"0.08%"'])
    minimum: int = Field(default=1, ge=1, examples=["100"])
    window: Duration = Field(default="30m", examples=['"30m"'])
    doubling: float = Field(default=2, gt=1, examples=["2.0"])


class Privacy(Table):
    orders_per_hour: int = Field(default=20, ge=0, le=1000, examples=["20"])


class ReviewRule(Table):
    steps: Annotated[list[JourneyPart], AfterValidator(_distinct)] = Field(
        default_factory=list, examples=['["payment-rescue/apology"]']
    )
    templates: Annotated[list[JourneyPart], AfterValidator(_distinct)] = Field(
        default_factory=list, examples=['["payment-rescue/dispute"]']
    )
    when: Condition = Field(default_factory=str, examples=["\"contains(profile.tags, 'vip')\""])
    queue: Slug = Field(examples=['"compliance"'])
    within: Duration = Field(examples=['"24h"'])
    otherwise: Otherwise = Field(examples=['"drop"'])

    @model_validator(mode="after")
    def _about_something(self) -> Self:
        if not (self.steps or self.templates or self.when):
            raise wrong("this is about every message", "Give it steps, templates or when.")
        return self


class WebhookEndpoint(Table):
    name: Slug = Field(examples=['"crm"'])
    url: Annotated[str, _shaped(re.compile(r"https://[^\s/]+\S*"), "an https URL", "Write https://… in full.")] = Field(
        examples=['"https://crm.example.com/hooks/cairn"']
    )
    secret: Slug = Field(examples=['"crm"'])
    consent: bool = Field(default=True, examples=["false"])
    events: list[Announced] = Field(default_factory=list, examples=['["task.opened", "breaker.tripped"]'])


class Answers(Table):
    stop: Answer = Field(examples=['"{brand}: you are unsubscribed. No more messages will be sent."'])
    help: Answer = Field(examples=['"{brand}: {contact}. Reply STOP to stop."'])
    start: Answer = Field(examples=['"{brand}: you are subscribed again. Reply STOP to stop, HELP for help."'])

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if "{contact}" not in self.help:
            raise wrong("HELP is answered with a way to reach you", "Write {contact} in it (CTIA, 5.1.3).")
        return self


def _placeholders(texts: list[str]) -> list[str]:
    if blank := [text for text in texts if not word_of(text)]:
        raise wrong(f"{blank[0]!r} is no text", "Leave it out: an empty name never counts.")
    return texts


class Identity(Table):
    max_identifiers: Annotated[int, Field(ge=2, le=100)] = Field(default=MAX_IDENTIFIERS, examples=["20"])
    placeholders: Annotated[list[Text], AfterValidator(_distinct), AfterValidator(_placeholders)] = Field(
        default_factory=list, examples=['["walk-in", "counter@example.com"]']
    )


def _languages(answers: dict[str, Any]) -> dict[str, Any]:
    if "en" not in answers:
        raise wrong("English is always understood, and so it is always answered", "Add [answers.en].")
    unknown = sorted(answers.keys() - WORDS.keys())
    if unknown:
        raise wrong(f"no keyword is understood in {', '.join(unknown)}", f"Known are {', '.join(sorted(WORDS))}.")
    return answers


class Prices(Table):
    minute_of_work: Annotated[float, Field(ge=0)] = Field(default=0.0, examples=["0.60"])


class HoldoutValue(Table):
    amount: OfGoal = Field(examples=['"event.properties.total"'])
    currency: OfGoal = Field(examples=['"event.properties.currency"'])
    unit: Literal["minor", "major"] = Field(default="minor", examples=['"major"'])


class HoldoutGoal(Table):
    event: EventType = Field(examples=['"order.paid"'])
    where: OfGoal | None = Field(default=None, examples=['"event.properties.total > `0`"'])
    within: Duration = Field(examples=['"90d"'])
    value: HoldoutValue | None = None


class OverallHoldout(Table):
    share: Share = Field(examples=['"2%"'])
    goal: HoldoutGoal = Field(examples=[])
    analysis: Analysis | None = Field(default=None, examples=[])

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not share(self.share):
            raise wrong("nobody is in this holdout", "Give it a share such as 2%, or leave the table out.")
        return self


def _each_stage_once(stages: "list[Kpi]") -> "list[Kpi]":
    names = [one.stage for one in stages]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise wrong(f'there are two stages "{twice[0]}"', "Name the events of a stage in one list.")
    return stages


class Kpi(Table):
    stage: Slug = Field(examples=['"awareness"'])
    events: Annotated[list[EventType], Field(min_length=1), AfterValidator(_distinct)] = Field(
        examples=['["lead.created", "page.viewed"]']
    )


class Policy(Table):
    brand: Text = Field(examples=['"Northside Fitness"'])
    contact: Text = Field(examples=['"help@northside.example.com"'])
    postal_address: Text = Field(examples=['"1 River Road, Albany, NY 12207, USA"'])
    double_opt_in: list[Channel] = Field(default_factory=list, examples=['["email"]'])
    revoke_all: bool = Field(default=False, examples=["true"])
    unknown_region: Literal["strictest", "country"] = Field(default="strictest", examples=['"strictest"'])
    preferred_hour_window: Duration = Field(default="1h", examples=['"1h"'])
    max_hold: MaxHold = Field(default="14d", examples=['"14d"'])
    dlt_entity: Annotated[str, _shaped(ENTITY, "an id of India's DLT", "Write its digits.")] = Field(
        default_factory=str, examples=['"1101000000000000001"']
    )
    link_hosts: list[LinkHost] = Field(default_factory=list, examples=['["pay.example.com", "*.example.com"]'])
    hours: list[Hours] = Field(default_factory=list)
    closed: list[Closed] = Field(default_factory=list)
    caps: Annotated[list[Cap], AfterValidator(_countable)] = Field(default_factory=list)
    cooldowns: list[Cooldown] = Field(default_factory=list)
    forbidden: list[Forbidden] = Field(default_factory=list)
    rates: list[Rate] = Field(default_factory=list)
    breaker: Breaker = Field(default_factory=Breaker)
    privacy: Privacy = Field(default_factory=Privacy)
    reviews: list[ReviewRule] = Field(default_factory=list)
    subscribers: list[WebhookEndpoint] = Field(default_factory=list)
    identity: Identity = Field(default_factory=Identity)
    prices: Prices = Field(default_factory=Prices)
    holdout: OverallHoldout | None = None
    kpis: Annotated[list[Kpi], AfterValidator(_each_stage_once)] = Field(default_factory=list)
    answers: Annotated[dict[str, Answers], AfterValidator(_languages)]


class Law(Table):
    """Rules that hold for every business; each row names its source."""

    regions: dict[
        Country, list[Annotated[str, _shaped(REGION, "a region", "Write the second part of ISO 3166-2.")]]
    ] = Field(default_factory=dict)
    hours: list[Hours] = Field(default_factory=list)
    closed: list[Closed] = Field(default_factory=list)
    forbidden: list[Forbidden] = Field(default_factory=list)
    registration: list[Registration] = Field(default_factory=list)


BY_TABLE: Mapping[str, type[Table]] = {
    "hours": Hours,
    "closed": Closed,
    "caps": Cap,
    "cooldowns": Cooldown,
    "forbidden": Forbidden,
    "registration": Registration,
    "rates": Rate,
    "breaker": Breaker,
    "privacy": Privacy,
    "reviews": ReviewRule,
    "subscribers": WebhookEndpoint,
    "identity": Identity,
    "holdout": OverallHoldout,
    "kpis": Kpi,
    "answers": Answers,
}
"""The model of each table, by name."""
