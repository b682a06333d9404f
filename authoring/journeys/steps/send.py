"""The step `send`, as it is written."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from authoring.journeys.steps.base import AnyStep, Models, Wire
from authoring.journeys.values import (
    Asks,
    Channels,
    DateExpression,
    Duration,
    Hour,
    IfMissed,
    JourneyName,
    Otherwise,
    Priority,
    Purpose,
    Slug,
    not_null,
)
from authoring.problems import Loc
from authoring.shape import wrong
from cairn.domain.shared.instants import duration

ONE_DAY = timedelta(days=1)

EMAIL = "email"


class Review(Wire):
    queue: Slug = Field(description="Who reads it.", examples=["compliance"])
    within: Duration = Field(description="The time allowed for it.", examples=["24h"])
    otherwise: Otherwise = Field(
        default="drop", description="What happens if nobody decides in time.", examples=["drop"]
    )


class FollowUp(Wire):
    unless: Literal["delivered", "opened", "clicked", "replied"] = Field(
        description="What makes it needless.", examples=["opened"]
    )
    within: Duration = Field(description="How long the journey waits for that.", examples=["2d"])
    channel: Channels = Field(default="sms", description="Its channel; default: that of the message.", examples=["sms"])
    template: Slug = Field(default_factory=str, description="Default: that of the message.", examples=["offer-again"])


class Invite(Wire):
    starts: DateExpression = Field(
        default_factory=str, description="JMESPath to the date at which it starts.", examples=["data.visit_at"]
    )
    lasts: Duration = Field(default_factory=str, description="How long it lasts.", examples=["90m"])
    ends: DateExpression = Field(
        default_factory=str,
        description="Instead of `lasts`: JMESPath to the date at which it ends.",
        examples=["data.ends_at"],
    )
    cancel: bool = Field(
        default=False, description="Take the entry out of the calendar; its date may be left out.", examples=["true"]
    )
    of: JourneyName = Field(
        default_factory=str,
        description="The journey whose invite this moves or cancels, by the same key. Default: this one.",
        examples=["booking"],
    )
    if_past: IfMissed = Field(
        default="continue",
        description="If the date is past or not there: send without the invite, send nothing, or exit.",
        examples=["skip"],
    )
    if_unreadable: IfMissed = Field(
        default="exit",
        description="If there is a date that cannot be read: exit, send without the invite, or send nothing.",
        examples=["continue"],
    )

    @model_validator(mode="after")
    def _when(self) -> Self:
        if not self.cancel and not self.starts:
            raise wrong("this does not say when it starts", "Add `starts: data.visit_at`, or `cancel: true`.")
        if self.starts and bool(self.lasts) == bool(self.ends):
            raise wrong(
                "an invite says how long it lasts or when it ends", "Write one of `lasts: 1h` and `ends: data.ends_at`."
            )
        if not self.starts and (self.lasts or self.ends):
            raise wrong("there is an end and no start", "Add `starts: data.visit_at`, or leave both out.")
        if self.cancel and self.model_fields_set & {"if_past", "if_unreadable"}:
            raise wrong("a cancellation is sent whatever its date is", "Leave if_past and if_unreadable out.")
        return self


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
        description="A message that cannot go out within this time (quiet hours, caps, a pause) is dropped.",
        examples=["6h"],
    )
    hour: Hour | None = Field(
        default=None,
        description="Send at the customer's preferred time of day: profile.preferred_time.",
        examples=["preferred"],
    )
    review: Review | None = Field(
        default=None,
        description="A person approves the message, rendered, before it goes out.",
        examples=["{queue: compliance, within: 24h, otherwise: drop}"],
    )
    priority: Priority | None = Field(
        default=None,
        description="Of a customer's messages that a limit makes wait, those with the most come first. "
        "Default: that of the journey's entry.",
        examples=[10],
    )
    invite: Invite | None = Field(
        default=None,
        description="A calendar invite that goes along with the e-mail.",
        examples=["{starts: data.visit_at, lasts: 90m}"],
    )
    asks: Asks = Field(
        default=None,
        description="The question in it, so that a reply is read as its answer: yes_no, number, date, or a list of "
        "choices, each a name or a list of it and further words for it.",
        examples=["yes_no"],
    )
    follow_up: FollowUp | None = Field(
        default=None,
        description="One more message where this one failed, or was not opened in time.",
        examples=["{unless: opened, within: 2d, channel: sms}"],
    )

    _not_null = field_validator("hour", "review", "priority", "invite", "asks", "follow_up", mode="before")(not_null)

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

    @model_validator(mode="after")
    def _by_email(self) -> Self:
        if self.invite and EMAIL not in self.channel:
            raise wrong(
                "only an e-mail can bring a calendar invite", "Add email to the channels, or leave the invite out."
            )
        return self


class SendStep(AnyStep):
    send: Send = Field(description="Send a message.")

    models: ClassVar[Models] = {"send": Send, "review": Review, "invite": Invite, "follow_up": FollowUp}

    @staticmethod
    def expressions(written: Any) -> Iterator[tuple[Loc, Any]]:
        invite = written.get("invite") if isinstance(written, Mapping) else None
        if isinstance(invite, Mapping):
            yield from ((("invite", key), invite[key]) for key in ("starts", "ends") if key in invite)


def template_and_channels(written: Any) -> tuple[str, tuple[str, ...]] | None:
    """The template and the channels of a send, if they have the right shape."""
    if not isinstance(written, Mapping) or not isinstance(written.get("template"), str):
        return None
    channels = written.get("channel")
    named = channels if isinstance(channels, list) else [channels]
    return written["template"], tuple(one for one in named if isinstance(one, str))
