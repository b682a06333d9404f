"""The step `send`, as it is written."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from authoring.journeys.steps.base import AnyStep, Models, Wire
from authoring.journeys.values import Asks, Channels, Duration, Hour, Otherwise, Purpose, Slug, not_null
from authoring.shape import wrong
from cairn.domain.shared.instants import duration

ONE_DAY = timedelta(days=1)


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

    _not_null = field_validator("hour", "review", "asks", "follow_up", mode="before")(not_null)

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


class SendStep(AnyStep):
    send: Send = Field(description="Send a message.")

    models: ClassVar[Models] = {"send": Send, "review": Review, "follow_up": FollowUp}


def template_and_channels(written: Any) -> tuple[str, tuple[str, ...]] | None:
    """The template and the channels of a send, if they have the right shape."""
    if not isinstance(written, Mapping) or not isinstance(written.get("template"), str):
        return None
    channels = written.get("channel")
    named = channels if isinstance(channels, list) else [channels]
    return written["template"], tuple(one for one in named if isinstance(one, str))
