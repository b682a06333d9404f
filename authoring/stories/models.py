"""What a story file holds."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, create_model

from authoring.problems import Loc, did_you_mean
from authoring.shape import wrong
from cairn.domain.effects import FactKind
from cairn.domain.shared.instants import duration, instant_from_wire

KINDS = ("event", "consent", "message", "deferred", "suppressed", "failed", "undecided", "task", *get_args(FactKind))
"""The kinds of timeline entries, as `replay --json` prints them."""

FIELDS = (
    *("customer", "journey", "step", "channel", "template", "subject", "body", "reason", "until", "outcome"),
    *("queue", "status", "purpose", "type", "source", "because", "arm", "left", "attributes", "tags", "values"),
    *("owner", "task_kind", "priority", "claimed_at", "tries", "reassigned", "escalated", "history", "notes"),
    *("enrollments", "task", "now_in"),
    *("title", "due_at", "done_at", "done_by", "script", "context", "absorbed", "lag", "address", "cause", "evidence"),
    *("field", "target", "resumed", "effect", "named", "properties", "consent", "received_at", "delivered_at"),
    *("answers", "channels", "told_by", "error", "why", "id", "version", "enrollment", "customer_id"),
    *("message_id", "audit_id", "provider_id", "event", "endpoint", "invite", "pipeline", "stage", "before"),
    *("written_by", "via"),
)
"""What an expectation may name of a timeline entry, beside `at`, `kind` and its text."""

FIX_AT = "Write an offset from `starts` such as 0s, 20m or 3d9h, or an instant such as 2026-03-02T14:00:00Z."
FIX_INSTANT = "Write an instant such as 2026-03-02T14:00:00Z."
FIX_CONDITION = "Write JMESPath on the post, such as data.customer == 'mia' or type == 'coupon.requested'."
FIX_LENGTH = "Write a number and a unit (s, m, h, d, w), such as 30m or 60d."


def _instant(value: Any) -> datetime:
    try:
        return instant_from_wire(str(value))
    except ValueError:
        raise wrong(f'"{value}" is no instant', FIX_INSTANT) from None


def _instant_or_offset(value: Any) -> datetime | timedelta:
    try:
        return duration(str(value))
    except ValueError:
        pass
    try:
        return instant_from_wire(str(value))
    except ValueError:
        raise wrong(f'"{value}" is neither an offset nor an instant', FIX_AT) from None


def _length(value: Any) -> timedelta:
    try:
        found = duration(str(value))
    except ValueError:
        raise wrong(f'"{value}" is no length of time', FIX_LENGTH) from None
    if found < timedelta():
        raise wrong(f'"{value}" is below zero', FIX_LENGTH)
    return found


def _condition(value: Any) -> str:
    try:
        jmespath.compile(str(value))
    except JMESPathError:
        raise wrong(f'"{value}" is no condition', FIX_CONDITION) from None
    return str(value)


def _known_kind(kind: str) -> str:
    if kind not in KINDS:
        fix = did_you_mean(kind, KINDS, f"Write one of {', '.join(KINDS)}.")
        raise wrong(f'there is no kind "{kind}"', fix)
    return kind


Instant = Annotated[datetime, BeforeValidator(_instant, json_schema_input_type=str)]
When = Annotated[datetime | timedelta, BeforeValidator(_instant_or_offset, json_schema_input_type=str)]
Length = Annotated[timedelta, BeforeValidator(_length, json_schema_input_type=str)]
Where = Annotated[str, BeforeValidator(_condition, json_schema_input_type=str)]
Kind = Annotated[str, AfterValidator(_known_kind), Field(json_schema_extra={"enum": list(KINDS)})]

AT = "An offset from `starts`, or an instant."
OF_STEP = "The step that sent the message; `offer#2` is the second one that it sent to a customer."


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    _loc: Loc = PrivateAttr(default=())
    _line: int = PrivateAttr(default=1)

    @property
    def loc(self) -> Loc:
        """Its path in the file."""
        return self._loc

    @property
    def line(self) -> int:
        """The line of the file at which it begins."""
        return self._line

    def found_at(self, loc: Loc, line: int) -> None:
        self._loc, self._line = loc, line


class Post(_Part):
    at: When = Field(description=AT, examples=["5d"])
    source: str = Field(default="track", description="Who signs it.", examples=["stripe"])
    event: Any = Field(default=None, description="The body.", examples=["{id: one, type: visit.attended, …}"])
    file: Path | None = Field(
        default=None, description="The body, by a path from the story's folder.", examples=["signup.json"]
    )
    sample: str = Field(
        default="", description="The body: a sample of the source, by its name.", examples=["invoice_payment_failed"]
    )
    set: dict[str, Any] = Field(
        default_factory=dict, description="Changes to the body, by dotted path.", examples=["{attributes.club: North}"]
    )
    headers: dict[str, str] = Field(
        default_factory=dict,
        description="The vendor's headers, beside those of a sample.",
        examples=["{x-topic: paid}"],
    )
    customer: str = Field(
        default="", description="Of a provider's report: the customer whom it is about.", examples=["member-1"]
    )
    times: int = Field(default=1, ge=1, description="Delivered so often.", examples=["2"])
    status: int | None = Field(default=None, description="What the receiver answers; else any 2xx.", examples=["422"])


WITH_TASKS: Mapping[str, tuple[str, ...]] = {
    "claim": (),
    "assign": ("to", "why"),
    "note": ("note",),
    "done": ("outcome",),
    "withdraw": ("why",),
}
"""What members do with tasks, and the fields that /manage needs for it."""


class Order(_Part):
    """What an operator or a member does: `do`, and the other fields as /manage takes them."""

    model_config = ConfigDict(extra="allow", frozen=True)

    at: When = Field(description=AT, examples=["1d"])
    do: Literal[
        "pause",
        "resume",
        "stop",
        "start",
        "approve",
        "reject",
        "answer",
        "choose",
        "reopen",
        "consent",
        "detach",
        "export",
        "erase",
        "claim",
        "assign",
        "note",
        "done",
        "withdraw",
    ] = Field(examples=["pause"])
    step: str = Field(
        default="",
        description="Of a review: the step whose message waits. Of a split: the split. Of a task: the step that asked.",
        examples=["estimate"],
    )
    reason: str = Field(
        default="", description="Of a task that no step asked for: its reason.", examples=["cairn.conversation"]
    )
    call_at: str = Field(
        default="",
        description="Of a callback: when the customer wishes to be called, on the customer's clock.",
        examples=["2026-03-02T16:30"],
    )


class Click(_Part):
    """The customer opens a link in the e-mail of a step and presses the button on its page."""

    at: When = Field(description=AT, examples=["2h"])
    link: Literal["unsubscribe", "confirm"] = Field(examples=["unsubscribe"])
    step: str = Field(description=OF_STEP, examples=["onboarding"])
    customer: str = Field(default="", description="Whose e-mail it is, where several have one.", examples=["member-1"])


class Answer(_Part):
    """What an endpoint answers to the posts of a `webhook` step.

    The tries of one post get the answers of its endpoint one after the other; the last one stays.
    """

    endpoint: str = Field(description="A subscriber of the policy.", examples=["shop"])
    where: Where = Field(
        default="",
        description="Only to posts of which this is true: JMESPath on `type`, `timestamp` and `data`.",
        examples=["data.customer == 'mia'"],
    )
    status: int = Field(default=200, ge=200, le=599, description="The HTTP status.", examples=["503"])
    body: Any = Field(default=None, description="The JSON.", examples=["{code: SPRING}"])
    fails: bool = Field(default=False, description="The connection breaks, and there is no answer.", examples=["true"])
    times: int = Field(default=1, ge=1, description="To so many tries of one post, then the next.", examples=["2"])

    def fits(self, endpoint: str, document: Any) -> bool:
        """Whether this is an answer to such a post."""
        return self.endpoint == endpoint and (not self.where or jmespath.search(self.where, document) is True)


class _Expected(_Part):
    at: When = Field(description=AT, examples=["20m"])
    kind: Kind = Field(examples=["message"])
    contains: Any = Field(
        default_factory=list, description="A text of the subject or body, or several.", examples=["Welcome"]
    )

    @property
    def texts(self) -> list[str]:
        """What the message must contain."""
        return list(map(str, self.contains if isinstance(self.contains, list) else [self.contains]))

    @property
    def fields(self) -> dict[str, str]:
        """The fields that it names, and their values."""
        named = self.model_dump(include=self.model_fields_set & {"kind", *FIELDS})
        return {name: str(value) for name, value in named.items()}


if TYPE_CHECKING:
    Expectation = _Expected
else:
    Expectation = create_model(
        "Expectation",
        __base__=_Expected,
        __doc__="A timeline entry that must come out, by the fields that it names.",
        **dict.fromkeys(FIELDS, (Any, None)),
    )


class Scenario(_Part):
    """`starts` is the first instant of virtual time, `for` the length."""

    scenario: str = Field(description="A sentence: what this story shows.", examples=["A trial member converts"])
    about: str = Field(default="", description="What happens, and why.", examples=["She joins on day five."])
    starts: Instant = Field(description="When virtual time begins.", examples=["2026-03-02T14:00:00Z"])
    length: Length = Field(alias="for", description="How long the story runs.", examples=["60d"])
    journeys: Path | None = Field(
        default=None, description="A folder of journeys, from the story's folder.", examples=["../journeys"]
    )
    policy: Path | None = Field(
        default=None, description="A policy file, from the story's folder.", examples=["../policy.toml"]
    )
    posts: list[Post] = Field(description="What arrives.", examples=["[]"])
    orders: list[Order] = Field(default_factory=list, description="What operators do.", examples=["[]"])
    clicks: list[Click] = Field(default_factory=list, description="What customers click.", examples=["[]"])
    answers: list[Answer] = Field(
        default_factory=list, description="What the endpoints of `webhook` steps answer.", examples=["[]"]
    )
    expect: list[Expectation] = Field(default_factory=list, description="What must come out.", examples=["[]"])

    @property
    def ends(self) -> datetime:
        return self.starts + self.length

    def instant(self, when: datetime | timedelta) -> datetime:
        return (self.starts + when if isinstance(when, timedelta) else when).astimezone(UTC)
