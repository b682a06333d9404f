"""The language of journey files: which keys there are, and their values. Its JSON Schema is docs/journey.schema.json.

The models only check: the document goes on as it is written, so the defaults that count are those of the code that
reads it (`cairn.adapters.documents.journey`, `cairn.domain.journey.steps`). Each union names the member that was
meant, so that an error is about that one.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, field_validator, model_validator

from authoring.journeys.automation import LEAST, MOST
from authoring.journeys.steps import WRITTEN_KINDS, Step, kinds_of, model_of
from authoring.journeys.steps.base import FEWEST, WHERE, Match, Models, Wire
from authoring.journeys.steps.update import UpdateStep
from authoring.journeys.steps.wait_for import in_the_shadow, several
from authoring.journeys.values import (
    LONGEST,
    Again,
    Cap,
    CustomerCap,
    Day,
    Decide,
    DltTemplate,
    Duration,
    Effect,
    EntryExpression,
    EntryKey,
    EventType,
    Holdout,
    JourneyName,
    LinkHost,
    Locale,
    MatchExpression,
    Priority,
    ProfileExpression,
    Slug,
    Text,
    TimeOfDay,
    TimeZone,
    WatchedExpression,
    WhatsAppLanguage,
    WhatsAppTemplate,
    not_null,
)
from authoring.shape import wrong
from cairn.domain.message.in_app import LONGEST_SHOWN, SHOWN_FOR
from cairn.domain.message.sms import DEFAULT_MAX_PARTS, MOST_PARTS
from cairn.domain.shared.instants import duration


class EntryMatch(Wire):
    event: EventType = Field(description="The type of the event that starts the journey.", examples=["trial.signup"])
    where: EntryExpression = Field(default_factory=str, description=WHERE)
    key: EntryKey = Field(
        default_factory=str,
        description="JMESPath on the event, such as a booking's id: a customer may have one enrollment for each key.",
        examples=["event.properties.booking_id"],
    )


def _each_reached(matches: list[EntryMatch]) -> list[EntryMatch]:
    later = in_the_shadow(matches, lambda earlier, _: not earlier.key)
    if later is not None:
        raise wrong(
            f"an earlier match without a key takes every {later.event} that this one would",
            "Write the match with a key first, or remove one of them.",
        )
    return matches


AGAIN = Field(
    default="never",
    description="Whether a customer may enter again with the same key: never, when-ended, "
    "or when ended and this long after the last entry.",
    examples=["when-ended", "30d"],
)


class AnyEntry(Wire):
    """What every entry may say."""

    from_: Day = Field(
        alias="from",
        default_factory=str,
        description="The first day on which it may be entered, in the journey's zone.",
        examples=["2026-12-01"],
    )
    until: Day = Field(default_factory=str, description="The last day.", examples=["2026-12-24"])
    priority: Priority = Field(
        default=0,
        description="Of several journeys that one event starts, that with the most is the first. "
        "Of several messages that a limit makes wait, too.",
        examples=[10],
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.from_ and self.until and self.from_ > self.until:
            raise wrong("`from` is after `until`, so nobody may enter", "Write the first day and the last one.")
        return self


class ExclusiveEntry(AnyEntry):
    unless_in: list[JourneyName] = Field(
        default_factory=list, description="Nobody enters who is in one of these journeys.", examples=["[win-back]"]
    )
    at_most: Cap = Field(
        default_factory=str,
        description="So many enrollments of all customers may begin in an hour or a day of the journey's zone.",
        examples=["500 per day"],
    )
    per_customer: CustomerCap = Field(
        default_factory=str,
        description="So many enrollments of one customer may begin within a time, whatever their keys.",
        examples=["3 in 90d"],
    )

    @model_validator(mode="after")
    def _more_than_once(self) -> Self:
        matches = getattr(self, "any_", [self])
        once = getattr(self, "again", "never") == "never" and not any(getattr(one, "key", "") for one in matches)
        if self.per_customer and once:
            raise wrong(
                "a customer enters here once only, so nothing is left to limit",
                "Add `again`, or leave `per_customer` out.",
            )
        return self


class Entry(ExclusiveEntry, EntryMatch):
    again: Again = AGAIN


class EntryAny(ExclusiveEntry):
    any_: Annotated[list[EntryMatch], AfterValidator(several), AfterValidator(_each_reached)] = Field(
        alias="any",
        json_schema_extra={"minItems": FEWEST},
        description="Events of which each starts the journey, the first match by its key.",
    )
    again: Again = AGAIN


class EntryDate(AnyEntry):
    date: WatchedExpression = Field(description="A date of the profile.", examples=["profile.birthday"])
    at: TimeOfDay = Field(description="The customer's wall clock on that day.", examples=["09:00"])
    day: int = Field(
        default=0, ge=-LONGEST.days, le=LONGEST.days, description="So many days from the date.", examples=[-3]
    )
    every: Literal["year"] = Field(default="year", description="On this day of each year.", examples=["year"])
    where: ProfileExpression = Field(default_factory=str, description="A condition, asked on the day.")
    again: Again = AGAIN

    @model_validator(mode="after")
    def _every_year_again(self) -> Self:
        if {"every", "again"} <= self.model_fields_set:
            raise wrong("what begins every year begins again", "Leave `again` out.")
        return self


class EntrySilence(AnyEntry):
    none_of: Annotated[list[EventType], Field(min_length=1)] = Field(
        description="Events of which none may happen.", examples=["[app.opened, order.placed]"]
    )
    for_: Duration = Field(alias="for", description="For how long, counted from the last of them.", examples=["90d"])
    where: ProfileExpression = Field(default_factory=str, description="A condition, asked when it has been so long.")
    again: Again = AGAIN


class EntryWhen(ExclusiveEntry):
    when: WatchedExpression = Field(
        description="A condition about the profile: it starts when this begins to be met.",
        examples=["profile.stage == 'customer'"],
    )
    again: Again = AGAIN


ENTRIES: Mapping[str, type[Wire]] = {"any": EntryAny, "date": EntryDate, "none_of": EntrySilence, "when": EntryWhen}
"""The entries by the key that says which kind one is; any other is a match."""


def _entry_kind(entry: Any) -> str:
    kinds = (kind for kind in ENTRIES if isinstance(entry, Mapping) and kind in entry)
    return f"entry:{next(kinds, 'one')}"


WrittenEntry = Annotated[
    Annotated[Entry, Tag("entry:one")]
    | Annotated[EntryAny, Tag("entry:any")]
    | Annotated[EntryDate, Tag("entry:date")]
    | Annotated[EntrySilence, Tag("entry:none_of")]
    | Annotated[EntryWhen, Tag("entry:when")],
    Discriminator(_entry_kind),
]


class GoalValue(Wire):
    amount: MatchExpression = Field(
        description="JMESPath on the event: what the goal is worth.", examples=["event.properties.total"]
    )
    currency: MatchExpression = Field(
        description="The same, a code of ISO 4217.", examples=["event.properties.currency", "\"'USD'\""]
    )
    unit: Literal["minor", "major"] = Field(
        default="minor", description="Whether the amount is in cents or in whole units.", examples=["major"]
    )


class Goal(Match):
    within: Duration = Field(default="30d", description="How long after the start it counts.", examples=["14d"])
    value: GoalValue | None = Field(
        default=None,
        description="What it is worth, where the event says so.",
        examples=["{amount: event.properties.total, currency: event.properties.currency}"],
    )

    _no_null = field_validator("value", mode="before")(not_null)


class Guardrails(Wire):
    """How much more of the customers in the journey than of its holdout may do this within the goal's time."""

    complained: Holdout = Field(default=None, description="Called a message spam.", examples=["0.1%"])
    unsubscribed: Holdout = Field(default=None, description="Took back a consent, or wrote STOP.", examples=["1%"])
    escalated: Holdout = Field(default=None, description="Had a task that was escalated.", examples=["2%"])


class Analysis(Wire):
    exclude: ProfileExpression = Field(
        default_factory=str,
        description="Customers who are neither held out nor counted: JMESPath on the profile.",
        examples=["contains(profile.tags, 'vip')"],
    )
    metric: Literal["rate", "value"] = Field(
        default="rate", description="What decides: how many reach the goal, or what it is worth.", examples=["value"]
    )
    effect: Effect = Field(
        default=None,
        description="The smallest difference that is worth finding: a share, or of value cents for each customer.",
        examples=["2%", 150],
    )
    error: Holdout = Field(default=0.05, description="How often a finding may be wrong.", examples=["5%"])
    decide: Decide = Field(
        default="anytime",
        description="When it is decided: at any look, or once, after so many customers or on a day.",
        examples=["anytime", 4000, "2027-03-01"],
    )
    guardrails: Guardrails | None = Field(
        default=None, description="What must not get worse.", examples=["{complained: 0.1%}"]
    )

    _no_null = field_validator("guardrails", mode="before")(not_null)


class Sender(Wire):
    brand: Text = Field(
        default_factory=str, description="The name that its messages carry.", examples=["Northside Fitness"]
    )
    postal_address: Text = Field(
        default_factory=str,
        description="The business's postal address; its e-mails show it.",
        examples=["12 Example Street, Springfield, NY 10000"],
    )


def _updates(steps: Any) -> Any:
    for step in steps if isinstance(steps, list) else ():
        for kind in kinds_of(step):
            if kind != "update":
                raise wrong(
                    f"{kind} is no step for the end: an enrollment that has ended only updates the profile",
                    "Write an `update` here, and the other step before the end.",
                )
    return steps


AUTOMATE_EXAMPLE = (
    "{impact: 4, volume: 5, trigger_reliability: 5, data_readiness: 4, experience_risk: 2, compliance_sensitivity: 2}"
)
Grade = Annotated[int, Field(ge=LEAST, le=MOST)]


class Automate(Wire):
    """How much speaks for running without a person, each from 1 to 5."""

    impact: Grade = Field(description="What it brings.", examples=[4])
    volume: Grade = Field(description="How often it happens.", examples=[5])
    trigger_reliability: Grade = Field(description="How surely its event means what it says.", examples=[5])
    data_readiness: Grade = Field(description="How complete and right the data is that it reads.", examples=[4])
    experience_risk: Grade = Field(description="What a wrong message costs; 5 is the worst.", examples=[2])
    compliance_sensitivity: Grade = Field(description="What the law has to say about it; 5 is the most.", examples=[2])


class Journey(Wire):
    """A Cairn journey; docs/journeys.md describes the language."""

    journey: JourneyName = Field(description="The name, which is the folder's too.")
    description: Text = Field(default_factory=str, description="What it is for.")
    time_zone: TimeZone = Field(
        default="UTC",
        description="The zone of customers whose own is not known.",
        examples=["Europe/Madrid"],
    )
    language: Locale = Field(
        default="en", description="The language of templates whose name has none.", examples=["de", "pt-BR"]
    )
    sender: Sender = Field(
        default_factory=Sender,
        description="The sender, where it differs from the policy's; preflight looks for it.",
        examples=["{brand: Northside Fitness}"],
    )
    link_hosts: list[LinkHost] = Field(
        default_factory=list,
        description="Hosts of the links that `data` and `profile` hold; *.example.com names all below one.",
        examples=["[pay.example.com]"],
    )
    automate: Automate | None = Field(
        default=None,
        description="Whether it may run without a person, by six grades (docs/people.md).",
        examples=[AUTOMATE_EXAMPLE],
    )
    entry: WrittenEntry = Field(description="What starts the journey.", examples=["{event: trial.signup}"])
    goal: Goal | None = Field(default=None, description="The conversion, by which the journey is measured.")
    holdout: Holdout = Field(default=0, description="The share of customers who get nothing.", examples=[0.1])
    analysis: Analysis | None = Field(
        default=None,
        description="How its effect is measured, written before it starts (docs/measuring.md).",
        examples=["{effect: 2%, decide: anytime}"],
    )
    exit_on: list[Match] = Field(default_factory=list, description="Events that end the journey at any step.")
    refresh_on: list[Match] = Field(
        default_factory=list, description="Events whose properties update `data`; a wait for a date follows it."
    )
    steps: list[Step] = Field(min_length=1, description="What happens, in order.")

    paths: dict[Slug, Annotated[list[Step], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="Steps that are written once and used at several places, by name.",
        examples=["{apologise: [{id: sorry, wait: 1h}]}"],
    )
    finally_: Annotated[list[UpdateStep], BeforeValidator(_updates)] = Field(
        alias="finally",
        default_factory=list,
        description="Updates of the profile when an enrollment ends, however it ends.",
        examples=["[{id: clean-up, update: {tags: {remove: [trial]}}}]"],
    )

    _not_null = field_validator("goal", "automate", "analysis", mode="before")(not_null)


class EmailFront(Wire):
    subject: Text = Field(
        description="The subject; a template.", examples=["Your visit on {{ data.visit_at | local('%A') }}"]
    )
    preview: Text = Field(default_factory=str, description="The line that inboxes show beside the subject; a template.")
    invite_title: Text = Field(
        default_factory=str,
        description="Of the calendar invite, where the step has one; a template. Default: the subject.",
        examples=["Your visit to Northside"],
    )
    invite_location: Text = Field(
        default_factory=str, description="The same: where it is.", examples=["12 Example Street, Springfield"]
    )
    invite_description: Text = Field(
        default_factory=str, description="The same: what else to know.", examples=["Bring {{ data.guests }} tickets."]
    )


class PushFront(Wire):
    title: Text = Field(description="The title; a template.", examples=["Your visit"])


class InAppFront(Wire):
    title: Text = Field(description="The title; a template.", examples=["Your visit"])
    link: Text = Field(
        default_factory=str,
        description="Where the button leads: a web address, or a path of your site such as /orders/7; a template.",
        examples=["https://example.com/visits/{{ data.id }}"],
    )
    button: Text = Field(default_factory=str, description="The text of the button; a template.", examples=["Show it"])
    expires_after: Duration = Field(
        default=SHOWN_FOR, description="How long the inbox shows it; 365d at most.", examples=["7d"]
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.link) != bool(self.button):
            raise wrong("a link has a button, and a button a link", "Write both `link` and `button`, or neither.")
        if duration(self.expires_after) > LONGEST_SHOWN:
            raise wrong(f"{self.expires_after} is too long to show it", f"Write {LONGEST_SHOWN.days}d at most.")
        return self


class SmsFront(Wire):
    dlt_template: DltTemplate = Field(
        default_factory=str,
        description="India: the id under which exactly this text is registered.",
        examples=['"1107160000000012345"'],
    )
    max_parts: int = Field(
        default=DEFAULT_MAX_PARTS,
        ge=1,
        le=MOST_PARTS,
        description="The most parts that a text may have; a longer one is not sent.",
        examples=[4],
    )


class WhatsAppFront(Wire):
    whatsapp_template: WhatsAppTemplate = Field(
        default_factory=str, description="The approved template that is sent.", examples=["visit_reminder"]
    )
    whatsapp_language: WhatsAppLanguage = Field(
        default_factory=str, description="The language that it is approved in.", examples=["en_US"]
    )
    whatsapp_parameters: list[Text] = Field(
        default_factory=list,
        description="The values of {{1}}, {{2}} … of the approved body, in order; templates.",
        examples=["['{{ profile.first_name }}']"],
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        given = self.model_fields_set
        if given and "whatsapp_template" not in given:
            raise wrong("this names no approved template", "Add `whatsapp_template: visit_reminder`.")
        if given and "whatsapp_language" not in given:
            raise wrong("an approved template has a language", "Add `whatsapp_language: en_US`.")
        return self


class NoFront(Wire):
    """The plain text of an e-mail is its text alone."""


MODELS: Models = {
    "entry:one": Entry,
    **{f"entry:{kind}": model for kind, model in ENTRIES.items()},
    "automate": Automate,
    "goal": Goal,
    "goal:value": GoalValue,
    "analysis": Analysis,
    "sender": Sender,
    "exit_on": Match,
    "refresh_on": Match,
    **{f"step:{kind}": model_of(kind) for kind in WRITTEN_KINDS},
    **{part: model for kind in WRITTEN_KINDS for part, model in model_of(kind).models.items()},
}
