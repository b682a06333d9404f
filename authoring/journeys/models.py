"""The language of journey files: what may stand where. Its JSON Schema is docs/journey.schema.json.

The models only check: what goes on is the document as written, so a default lives in `journey_document`,
beside the code that reads it. Each union says which of its members was meant, so that an error is about that one.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    JsonValue,
    Tag,
    field_validator,
    model_validator,
)

from authoring.journeys.values import (
    LONGEST,
    Again,
    AttributeName,
    Channels,
    DltTemplate,
    Duration,
    EntryExpression,
    EntryKey,
    EventType,
    Holdout,
    Hour,
    IfPast,
    JourneyName,
    MatchExpression,
    MatchKey,
    Offset,
    Otherwise,
    PersonText,
    Purpose,
    Slug,
    StepExpression,
    StepId,
    Text,
    TimeOfDay,
    TimeZone,
    WhatsAppLanguage,
    WhatsAppTemplate,
)
from authoring.shape import OURS, wrong
from cairn.domain.journey.steps import STEP_KINDS
from cairn.domain.shared.instants import duration


class Wire(BaseModel):
    """What is written, and nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _given(value: Any) -> Any:
    if value is None:
        raise wrong("it has no value", "Give it one, or leave the key out.")
    return value


WHERE = "A condition in JMESPath. Without one, every event of this type counts."
KEY = "JMESPath on the event; must equal what the entry's key gave. The entry's key where left out; `any` turns it off."


class Match(Wire):
    event: EventType = Field(description="The event's type.", examples=["invoice.paid"])
    where: MatchExpression = Field(default_factory=str, description=WHERE, examples=["event.properties.total > `50`"])
    key: MatchKey = Field(default_factory=str, description=KEY, examples=["event.properties.order_id"])


class Entry(Wire):
    event: EventType = Field(description="The type of the event that starts the journey.", examples=["trial.signup"])
    where: EntryExpression = Field(default_factory=str, description=WHERE)
    key: EntryKey = Field(
        default_factory=str,
        description="JMESPath on the event: what two passages of one customer differ in, such as a booking's id.",
        examples=["event.properties.booking_id"],
    )
    again: Again = Field(
        default="never",
        description="Whether a customer may enter once more with the same key: never, when-ended, "
        "or when ended and so long after the last entry.",
        examples=["when-ended", "30d"],
    )


class Goal(Match):
    within: Duration = Field(default="30d", description="How long after the start it counts.", examples=["14d"])


class UntilMoment(Wire):
    until: StepExpression = Field(
        description="JMESPath to an instant or a date: ISO 8601, or seconds since 1970.", examples=["data.visit_at"]
    )
    offset: Offset = Field(default="0s", description="Moves the date: -48h is 48 hours before.", examples=["-48h"])


class ClockMoment(Wire):
    at: TimeOfDay = Field(description="The customer's wall clock: the next such time.", examples=["18:30"])
    at_from: StepExpression = Field(
        default_factory=str,
        description="JMESPath to a time of day; `at` where it gives none.",
        examples=["profile.best_hour"],
    )
    day: int = Field(
        default_factory=int,
        ge=0,
        le=LONGEST.days,
        description="On this day after entry, the day of entry being 0.",
        examples=[3],
    )


IF_PAST = "When that has gone by, or is not known: go on, skip the next step too, or exit."


class WaitUntil(UntilMoment):
    if_past: IfPast = Field(default="continue", description=IF_PAST, examples=["skip"])


class WaitClock(ClockMoment):
    if_past: IfPast = Field(default="continue", description=IF_PAST, examples=["skip"])


def _moment(kind: str) -> Discriminator:
    def meant(value: Any) -> str | None:
        if not isinstance(value, Mapping):
            return f"{kind}:duration"
        if "until" in value:
            return f"{kind}:until"
        return f"{kind}:at" if "at" in value or "at_from" in value else None

    return Discriminator(
        meant,
        custom_error_type=OURS,
        custom_error_message=OURS,
        custom_error_context={
            "message": "this says no moment",
            "fix": "Write a duration (30m), {until: data.visit_at, offset: -48h}, or {at: '18:30', day: 3}.",
        },
    )


WaitMoment = Annotated[
    Annotated[Duration, Tag("wait:duration")]
    | Annotated[WaitUntil, Tag("wait:until")]
    | Annotated[WaitClock, Tag("wait:at")],
    _moment("wait"),
]
Timeout = Annotated[
    Annotated[Duration, Tag("timeout:duration")]
    | Annotated[UntilMoment, Tag("timeout:until")]
    | Annotated[ClockMoment, Tag("timeout:at")],
    _moment("timeout"),
]


ONE_DAY = timedelta(days=1)


class Review(Wire):
    queue: Slug = Field(description="Who reads it.", examples=["compliance"])
    within: Duration = Field(description="How long there is for that.", examples=["24h"])
    otherwise: Otherwise = Field(
        default="drop", description="What happens where nobody did in time.", examples=["drop"]
    )


class Send(Wire):
    channel: Channels = Field(
        description="One channel, or several in order of preference: the first on which the customer may be reached.",
        examples=["sms"],
    )
    template: Slug = Field(description="templates/<template>.<channel>.txt, or .html for e-mail.", examples=["confirm"])
    purpose: Purpose = Field(
        description="transactional: what the customer asked for. marketing: everything else.",
        examples=["transactional"],
    )
    useful_for: Duration = Field(
        default_factory=str,
        description="What cannot go out within this time of the step (quiet hours, caps, a pause) is dropped.",
        examples=["6h"],
    )
    hour: Hour | None = Field(
        default=None,
        description="Wait for the time of day that the customer prefers: profile.preferred_time.",
        examples=["preferred"],
    )
    review: Review | None = Field(
        default=None,
        description="A person approves the message, rendered, before it goes out.",
        examples=["{queue: compliance, within: 24h, otherwise: drop}"],
    )

    @field_validator("hour", "review", mode="before")
    @classmethod
    def _given(cls, value: Any) -> Any:
        return _given(value)

    @model_validator(mode="after")
    def _in_time(self) -> Self:
        useful_for = duration(self.useful_for) if self.useful_for else None
        if useful_for and self.review and duration(self.review.within) >= useful_for:
            raise wrong(
                f"a person has {self.review.within} to read what is useful for {self.useful_for} only",
                "Give review.within less time than useful_for.",
            )
        if useful_for and self.hour and useful_for < ONE_DAY:
            raise wrong(
                f"the preferred hour may be a day away, and this is useful for {self.useful_for} only",
                "Give useful_for 24h or more, or leave hour out.",
            )
        return self


class WaitFor(Match):
    timeout: Timeout = Field(description="When to stop waiting.", examples=["3d"])
    then: "list[Step]" = Field(default_factory=list, description="What follows the event.")
    else_: "list[Step]" = Field(alias="else", default_factory=list, description="What follows the timeout.")


class Arm(Wire):
    if_: StepExpression = Field(alias="if", description="A condition in JMESPath.", examples=["data.amount > `100`"])
    then: "list[Step]" = Field(description="What follows where it holds.", examples=["[]"])


class ElseArm(Wire):
    else_: "list[Step]" = Field(alias="else", description="What follows where no condition held.")


def _arm(value: Any) -> str | None:
    if isinstance(value, Mapping) and ("if" in value) != ("else" in value):
        return "arm:if" if "if" in value else "arm:else"
    return None


AnyArm = Annotated[
    Annotated[Arm, Tag("arm:if")] | Annotated[ElseArm, Tag("arm:else")],
    Discriminator(
        _arm,
        custom_error_type=OURS,
        custom_error_message=OURS,
        custom_error_context={
            "message": "an arm of a branch has an `if` and a `then`, or just an `else`",
            "fix": "Write `- if:` with a condition, and under it `then:` with its steps.",
        },
    ),
]


def _arms(arms: "list[Arm | ElseArm]") -> "list[Arm | ElseArm]":
    last = [index for index, arm in enumerate(arms) if isinstance(arm, ElseArm)]
    if not arms or len(last) == len(arms):
        raise wrong("a branch decides something", "Give it an arm with `if` and `then`.")
    if len(last) > 1:
        raise wrong(f"{len(last)} else arms", "Keep one, at the end.")
    if last and last[0] != len(arms) - 1:
        raise wrong("no arm behind the else arm is ever looked at", "Move the else arm to the end.")
    return arms


class Task(Wire):
    queue: Slug = Field(description="Whose work it is.", examples=["sales"])
    title: PersonText = Field(description="What is to be done, in a line.", examples=["Call the customer"])
    due: Duration = Field(default="24h", description="How long there is for it.", examples=["4h"])
    context: dict[str, StepExpression] = Field(
        default_factory=dict,
        description="What the person should know: a name and JMESPath for each.",
        examples=["{phone: profile.phone}"],
    )
    script: PersonText = Field(default_factory=str, description="What to say.")


class Tags(Wire):
    add: list[Text] = Field(default_factory=list, examples=["[vip]"])
    remove: list[Text] = Field(default_factory=list, examples=["[prospect]"])

    @model_validator(mode="after")
    def _either_way(self) -> Self:
        both = sorted(set(self.add) & set(self.remove))
        if both:
            raise wrong(f"{', '.join(both)} is added and removed", "Keep one of the two.")
        return self


class Update(Wire):
    set: dict[AttributeName, JsonValue] = Field(
        default_factory=dict, description="Attributes of the profile; null removes one.", examples=["{stage: trial}"]
    )
    set_from: dict[AttributeName, StepExpression] = Field(
        default_factory=dict, description="Attributes from JMESPath.", examples=["{plan: data.plan}"]
    )
    tags: Tags = Field(default_factory=Tags, description="Tags to add and to remove.")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.set or self.set_from or self.tags.add or self.tags.remove):
            raise wrong("this update changes nothing", "Give it set, set_from or tags, or leave the step out.")
        both = sorted(self.set.keys() & self.set_from.keys())
        if both:
            raise wrong(f"{', '.join(both)} is in set and in set_from", "Keep one of the two.")
        return self


class AnyStep(Wire):
    id: StepId = Field(description="Unique in the journey; part of the ids of what it sends.", examples=["confirm"])


class SendStep(AnyStep):
    send: Send = Field(description="Send a message.")


class WaitStep(AnyStep):
    wait: WaitMoment = Field(description="Wait: 30m, a date, or a time of day.", examples=["30m"])


class WaitForStep(AnyStep):
    wait_for: WaitFor = Field(description="Wait for an event, or until the timeout.")


class BranchStep(AnyStep):
    branch: Annotated[list[AnyArm], AfterValidator(_arms)] = Field(description="The first arm whose condition holds.")


class TaskStep(AnyStep):
    task: Task = Field(description="Open a task for a person.")


class UpdateStep(AnyStep):
    update: Update = Field(description="Change the profile.")


class ExitStep(AnyStep):
    exit: Slug = Field(description="End here; the outcome is counted by name.", examples=["declined"])


def _verb(value: Any) -> str | None:
    found = verbs_of(value)
    return f"step:{found[0]}" if len(found) == 1 else None


def verbs_of(step: Any) -> list[str]:
    return [verb for verb in STEP_KINDS if verb in step] if isinstance(step, Mapping) else []


NO_VERB = "no one verb"
Step = Annotated[
    Annotated[SendStep, Tag("step:send")]
    | Annotated[WaitStep, Tag("step:wait")]
    | Annotated[WaitForStep, Tag("step:wait_for")]
    | Annotated[BranchStep, Tag("step:branch")]
    | Annotated[TaskStep, Tag("step:task")]
    | Annotated[UpdateStep, Tag("step:update")]
    | Annotated[ExitStep, Tag("step:exit")],
    Discriminator(_verb, custom_error_type=NO_VERB, custom_error_message=NO_VERB),
]


class Sender(Wire):
    brand: Text = Field(
        default_factory=str, description="The name that its messages carry.", examples=["Northside Fitness"]
    )
    postal_address: Text = Field(
        default_factory=str,
        description="Where the business can be written to; stands in its e-mails.",
        examples=["12 Example Street, Springfield, NY 10000"],
    )


class Journey(Wire):
    """A Cairn journey; docs/journeys.md describes the language."""

    journey: JourneyName = Field(description="The name, which is the folder's too.")
    description: Text = Field(default_factory=str, description="What it is for.")
    time_zone: TimeZone = Field(
        default="UTC",
        description="Where local times are for a customer whose own zone is not known.",
        examples=["Europe/Madrid"],
    )
    sender: Sender = Field(
        default_factory=Sender,
        description="Who writes, where that is not the business that the policy names; preflight looks for it.",
        examples=["{brand: Northside Fitness}"],
    )
    entry: Entry = Field(description="What starts the journey.", examples=["{event: trial.signup}"])
    goal: Goal | None = Field(default=None, description="The conversion, by which the journey is measured.")
    holdout: Holdout = Field(default=0, description="The share of customers who get nothing.", examples=[0.1])
    exit_on: list[Match] = Field(default_factory=list, description="Events that end the journey wherever it stands.")
    refresh_on: list[Match] = Field(
        default_factory=list, description="Events whose properties replace `data`; a wait for a date moves along."
    )
    steps: list[Step] = Field(min_length=1, description="What happens, in order.")

    @field_validator("goal", mode="before")
    @classmethod
    def _given(cls, value: Any) -> Any:
        return _given(value)


class EmailFront(Wire):
    subject: Text = Field(
        description="The subject; a template.", examples=["Your visit on {{ data.visit_at | local('%A') }}"]
    )
    preview: Text = Field(default_factory=str, description="The line that inboxes show beside the subject; a template.")


class PushFront(Wire):
    title: Text = Field(description="The title; a template.", examples=["Your visit"])


class SmsFront(Wire):
    dlt_template: DltTemplate = Field(
        default_factory=str,
        description="India: the id under which this very text is registered.",
        examples=['"1107160000000012345"'],
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
        description="What stands for {{1}}, {{2}} … of the approved body, in their order; templates.",
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


BY_PLACE: Mapping[str, type[Wire]] = {
    "entry": Entry,
    "goal": Goal,
    "sender": Sender,
    "exit_on": Match,
    "refresh_on": Match,
    "send": Send,
    "review": Review,
    "wait_for": WaitFor,
    "task": Task,
    "update": Update,
    "tags": Tags,
    "wait:until": WaitUntil,
    "wait:at": WaitClock,
    "timeout:until": UntilMoment,
    "timeout:at": ClockMoment,
    "arm:if": Arm,
    "arm:else": ElseArm,
    "step:send": SendStep,
    "step:wait": WaitStep,
    "step:wait_for": WaitForStep,
    "step:branch": BranchStep,
    "step:task": TaskStep,
    "step:update": UpdateStep,
    "step:exit": ExitStep,
}
"""Which model reads what is found behind a part of an error's place."""
