"""The step `wait_for`, as it is written."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Protocol, TypeVar

from pydantic import AfterValidator, Discriminator, Field, Tag

from authoring.journeys.steps.base import (
    FEWEST,
    UNREACHABLE,
    WITH_EVENT,
    WITHOUT_EVENT,
    AnyStep,
    EventScope,
    Match,
    Models,
    Wire,
)
from authoring.journeys.steps.moments import (
    ClockMoment,
    DelayMoment,
    OpenMoment,
    UntilMoment,
    moment_expressions,
    moment_of,
)
from authoring.journeys.values import Duration
from authoring.problems import Loc
from authoring.shape import wrong
from cairn.domain.journey.definition import ANY_KEY

if TYPE_CHECKING:
    from authoring.journeys.steps import Step


class TimeoutUntil(UntilMoment):
    if_unreadable: Literal["exit", "continue"] = Field(
        default="exit",
        description="If there is a date that cannot be read: exit, or go on as after the timeout.",
        examples=["continue"],
    )


Timeout = Annotated[
    Annotated[Duration, Tag("timeout:duration")]
    | Annotated[DelayMoment, Tag("timeout:for")]
    | Annotated[TimeoutUntil, Tag("timeout:until")]
    | Annotated[ClockMoment, Tag("timeout:at")]
    | Annotated[OpenMoment, Tag("timeout:open")],
    moment_of("timeout"),
]


TIMEOUT = Field(description="When to stop waiting.", examples=["3d"])
THEN = "What follows the event."
ELSE = "What follows the timeout."


class WaitFor(Match):
    timeout: Timeout = TIMEOUT
    then: "list[Step]" = Field(default_factory=list, description=THEN)
    else_: "list[Step]" = Field(alias="else", default_factory=list, description=ELSE)


class Matching(Protocol):
    """What a match of any kind says of its events."""

    @property
    def event(self) -> str: ...

    @property
    def where(self) -> str: ...

    @property
    def key(self) -> str: ...


class AnyMatch(Match):
    then: "list[Step]" = Field(default_factory=list, description=THEN)


M = TypeVar("M", bound=Matching)


def several(matches: list[M]) -> list[M]:
    """Two matches or more, of which none is in the shadow of an earlier one."""
    later = in_the_shadow(_two_or_more(matches), lambda earlier, later: earlier.key in {later.key, ANY_KEY})
    if later is not None:
        raise wrong(
            f"an earlier match takes every {later.event} that this one would",
            "Write the match with the narrower `where` first, or remove one of them.",
        )
    return matches


def in_the_shadow(matches: list[M], takes_its_key: Callable[[M, M], bool]) -> M | None:
    """The first match of which an earlier one takes every event; None where each has some of its own."""
    return next(
        (
            later
            for index, later in enumerate(matches)
            for earlier in matches[:index]
            if earlier.event == later.event
            and _words(earlier.where) in {"", _words(later.where)}
            and takes_its_key(earlier, later)
        ),
        None,
    )


def _each_once(matches: list[M]) -> list[M]:
    seen = [(one.event, _words(one.where), one.key) for one in _two_or_more(matches)]
    twice = next((event for number, (event, *rest) in enumerate(seen) if (event, *rest) in seen[:number]), None)
    if twice:
        raise wrong(f"{twice} is here twice, and one event would be both", "Remove one of them.")
    return matches


def _two_or_more(matches: list[M]) -> list[M]:
    if len(matches) < FEWEST:
        raise wrong("this is one event", "Write its `event` without any or all.")
    return matches


def _words(expression: str) -> str:
    return " ".join(expression.split())


class WaitForAny(Wire):
    any_: Annotated[list[AnyMatch], AfterValidator(several)] = Field(
        alias="any",
        json_schema_extra={"minItems": FEWEST},
        description="The first of these that happens, each with what follows it.",
    )
    timeout: Timeout = TIMEOUT
    else_: "list[Step]" = Field(alias="else", default_factory=list, description=ELSE)


class WaitForAll(Wire):
    all_: Annotated[list[Match], AfterValidator(_each_once)] = Field(
        alias="all", json_schema_extra={"minItems": FEWEST}, description="All of these, in whatever order."
    )
    timeout: Timeout = TIMEOUT
    then: "list[Step]" = Field(default_factory=list, description="What follows the last of the events.")
    else_: "list[Step]" = Field(alias="else", default_factory=list, description=ELSE)


def _form(written: Any) -> str:
    keys = written.keys() if isinstance(written, Mapping) else ()
    return next((f"wait_for:{key}" for key in ("any", "all") if key in keys), "wait_for:one")


AnyWaitFor = Annotated[
    Annotated[WaitFor, Tag("wait_for:one")]
    | Annotated[WaitForAny, Tag("wait_for:any")]
    | Annotated[WaitForAll, Tag("wait_for:all")],
    Discriminator(_form),
]


class WaitForStep(AnyStep):
    wait_for: AnyWaitFor = Field(description="Wait for an event, any of several or all of them; or until the timeout.")

    models: ClassVar[Models] = {
        "wait_for:one": WaitFor,
        "wait_for:any": WaitForAny,
        "wait_for:all": WaitForAll,
        "any": AnyMatch,
        "all": Match,
        "timeout:for": DelayMoment,
        "timeout:until": TimeoutUntil,
        "timeout:at": ClockMoment,
        "timeout:open": OpenMoment,
    }

    @staticmethod
    def expressions(written: Any) -> Iterator[tuple[Loc, Any]]:
        if isinstance(written, Mapping):
            yield from ((("timeout", *loc), one) for loc, one in moment_expressions(written.get("timeout")))

    @staticmethod
    def paths(written: Any, _scope: EventScope) -> Iterator[tuple[Loc, Any, EventScope]]:
        if not isinstance(written, Mapping):
            return
        several = written.get("any")
        for index, one in enumerate(several if isinstance(several, list) else ()):
            if isinstance(one, Mapping):
                yield ("any", index, "then"), one.get("then"), WITH_EVENT
        if "any" not in written:
            yield ("then",), written.get("then"), WITH_EVENT
        yield ("else",), written.get("else"), WITHOUT_EVENT

    @staticmethod
    def scope_behind(_scope: EventScope) -> EventScope:
        return UNREACHABLE
