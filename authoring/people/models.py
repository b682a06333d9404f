"""The keys and values of people.toml. The models only check, like those of the policy."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from authoring.journeys.calendars import CalendarFile, Holidays, weekly_hours
from authoring.journeys.values import AttributeName, Day, Duration, EventType, Slug, Text, TimeZone
from authoring.policy.models import Country, Table
from authoring.problems import did_you_mean
from authoring.shape import wrong
from cairn.domain.identity.emails import canonical_email
from cairn.domain.identity.phones import international
from cairn.domain.people.members import Strategy
from cairn.domain.people.routing import EMAIL_DOMAIN, MAX_OPEN, MAX_WEIGHT

REGION = re.compile(r"(?P<country>[A-Z]{2})-[A-Z0-9]{1,3}")
POSTAL_CODE = re.compile(r"[A-Z0-9-]+")
LANGUAGE = re.compile(r"[a-z]{2}")
MOST_REASSIGNED = 20


def _region(text: str) -> str:
    if not REGION.fullmatch(text):
        raise wrong(f'"{text}" is not a region', "Write it as ISO 3166-2 does, with its country: US-NY.")
    return text


def _postal_code(text: str) -> str:
    if not POSTAL_CODE.fullmatch(text):
        raise wrong(f'"{text}" is not the beginning of a postal code', "Write it in capitals, without blanks: SW1.")
    return text


def _language(text: str) -> str:
    if not LANGUAGE.fullmatch(text):
        raise wrong(f'"{text}" is not a language', "Write two small letters, as ISO 639-1 does: es.")
    return text


def _strategy(text: str) -> str:
    known = [one.value for one in Strategy]
    if text not in known:
        raise wrong(f'"{text}" is no strategy', did_you_mean(text, known, f"Known are {', '.join(known)}."))
    return text


def _email(text: str) -> str:
    if canonical_email(text) is None:
        raise wrong(f'"{text}" is not an e-mail address', "Write it as ana@northside.example.com.")
    return text


def _phone(text: str) -> str:
    if international(text) is None:
        raise wrong(f'"{text}" is not a phone number', "Write it with its country code: +1 201 555 0100.")
    return text


class TerritoryTable(Table):
    country: Country = Field(default_factory=str, examples=['"US"'])
    region: Annotated[str, AfterValidator(_region)] = Field(default_factory=str, examples=['"US-NY"'])
    postal_code: Annotated[str, AfterValidator(_postal_code)] = Field(default_factory=str, examples=['"122"'])
    latitude: Annotated[float, Field(ge=-90, le=90)] | None = Field(default=None, examples=["42.65"])
    longitude: Annotated[float, Field(ge=-180, le=180)] | None = Field(default=None, examples=["-73.75"])
    kilometres: Annotated[float, Field(gt=0, le=20_000)] | None = Field(default=None, examples=["50.0"])

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        around = [self.latitude, self.longitude, self.kilometres]
        if any(one is not None for one in around) and None in around:
            raise wrong("a distance has a centre", "Write latitude, longitude and kilometres.")
        if not (self.country or self.region or self.postal_code or self.kilometres):
            raise wrong("this is the whole world", "Name a country, a region, a postal code or a distance.")
        if self.region and self.country not in {"", self.region.partition("-")[0]}:
            raise wrong(f"{self.region} is not in {self.country}", "Leave the country out, or correct it.")
        if self.postal_code and not (self.country or self.region):
            raise wrong("a postal code is of a country", "Add the country.")
        return self


class OutcomeTable(Table):
    title: Text = Field(examples=['"No answer"'])
    again: Duration | None = Field(default=None, examples=['"2h"'])
    at_hour_of_choice: bool = Field(default=False, examples=["true"])
    event: EventType | None = Field(default=None, examples=['"visit.booked"'])

    @model_validator(mode="after")
    def _one_way_to_go_on(self) -> Self:
        if self.again and self.at_hour_of_choice:
            raise wrong("it comes back at two times", "Leave out again, or at_hour_of_choice.")
        return self


class QueueTable(Table):
    title: Text = Field(examples=['"Coaches"'])
    calendar: Slug | None = Field(default=None, examples=['"club"'])
    strategy: Annotated[str, AfterValidator(_strategy)] = Field(default="round_robin", examples=['"round_robin"'])
    sticky: bool = Field(default=False, examples=["true"])
    territories: list[TerritoryTable] = Field(default_factory=list, examples=['[{region = "US-NY"}]'])
    branches: list[Slug] = Field(default_factory=list, examples=['["albany"]'])
    fallback: Slug | None = Field(default=None, examples=['"desk"'])
    due: Duration = Field(default="24h", examples=['"4h"'])
    remind: Duration | None = Field(default=None, examples=['"1h"'])
    reassign: Annotated[int, Field(ge=0, le=MOST_REASSIGNED)] = Field(default=0, examples=["2"])
    escalate_to: Slug | None = Field(default=None, examples=['"managers"'])
    outcomes: dict[Slug, OutcomeTable] = Field(default_factory=dict)


class AbsenceTable(Table):
    from_: Day = Field(alias="from", examples=['"2026-07-06"'])
    to: Day = Field(examples=['"2026-07-17"'])

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.to < self.from_:
            raise wrong("it ends before it begins", "`to` is the last day of it.")
        return self


class MemberTable(Table):
    name: Text = Field(examples=['"Ana Ruiz"'])
    queues: list[Slug] = Field(examples=['["coaches"]'])
    email: Annotated[str, AfterValidator(_email)] | None = Field(default=None, examples=['"ana@northside.example.com"'])
    phone: Annotated[str, AfterValidator(_phone)] | None = Field(default=None, examples=['"+1 201 555 0100"'])
    webhook: Slug | None = Field(default=None, examples=['"crm"'])
    webhook_form: Literal["event", "slack", "teams"] | None = Field(default=None, examples=['"slack"'])
    notify_by: Literal["email", "sms", "webhook", "nothing"] | None = Field(default=None, examples=['"sms"'])
    notify_every: Duration | None = Field(default=None, examples=['"1h"'])
    zone: TimeZone | None = Field(default=None, examples=['"America/New_York"'])
    calendar: Slug | None = Field(default=None, examples=['"club"'])
    hours: Annotated[dict[str, str], AfterValidator(weekly_hours)] | None = Field(
        default=None, examples=['{mon-fri = "09:00-13:00"}']
    )
    languages: list[Annotated[str, AfterValidator(_language)]] = Field(default_factory=list, examples=['["en", "es"]'])
    skills: list[Slug] = Field(default_factory=list, examples=['["yoga"]'])
    territories: list[TerritoryTable] = Field(default_factory=list, examples=['[{region = "US-NY"}]'])
    capacity: Annotated[int, Field(ge=1, le=MAX_OPEN)] | None = Field(default=None, examples=["20"])
    weight: Annotated[int, Field(ge=1, le=MAX_WEIGHT)] = Field(default=1, examples=["2"])
    absences: list[AbsenceTable] = Field(default_factory=list, examples=['[{from = "2026-07-06", to = "2026-07-17"}]'])
    manager: Slug | None = Field(default=None, examples=['"maria"'])

    @model_validator(mode="after")
    def _hours_somewhere(self) -> Self:
        if self.hours and self.calendar:
            raise wrong("it has hours and a calendar", "Leave one of them out.")
        if self.hours and not self.zone:
            raise wrong("hours are in a time zone", 'Add zone = "America/New_York", or another one.')
        return self

    @model_validator(mode="after")
    def _can_be_notified(self) -> Self:
        needed = {"email": self.email, "sms": self.phone, "webhook": self.webhook}
        if self.notify_by in needed and not needed[self.notify_by]:
            key = "phone" if self.notify_by == "sms" else self.notify_by
            raise wrong(f"nobody can be told by {self.notify_by} without it", f"Add {key}, or leave notify_by out.")
        if self.webhook_form and not self.webhook:
            raise wrong("a form of a webhook without one", "Add webhook, or leave webhook_form out.")
        return self


class PeopleFile(Table):
    deal_keys: list[AttributeName] = Field(default_factory=list, examples=[f'["{EMAIL_DOMAIN}", "tax_id"]'])
    calendars: dict[Slug, CalendarFile] = Field(default_factory=dict)
    queues: dict[Slug, QueueTable] = Field(default_factory=dict)
    members: dict[Slug, MemberTable] = Field(default_factory=dict)


TABLES: Mapping[str, type[BaseModel]] = {"calendars": CalendarFile, "queues": QueueTable, "members": MemberTable}
"""The model of each entry of a table."""

WITHIN: Mapping[str, type[BaseModel]] = {
    "absences": AbsenceTable,
    "holidays": Holidays,
    "outcomes": OutcomeTable,
    "territories": TerritoryTable,
}
"""The model of what stands in an entry."""
