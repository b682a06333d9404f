"""The keys and values of replies.toml. The models only check, like those of policy.toml."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from authoring.journeys.values import VALUE_NAME, Duration, Slug, Text, reply_words
from authoring.policy.models import Table
from authoring.policy.shape import EXPECTED, shown
from authoring.problems import Loc, did_you_mean
from authoring.shape import NO_EXAMPLE, Notation, wrong
from cairn.domain.replies.rules import OWN_INTENTS, Handling
from cairn.domain.replies.words import LANGUAGES

MAX_INTENTS = 50
MAX_WORDS = 100
"""Of an intent in one language."""
MAX_CALLS = 100_000


def _name(name: str) -> str:
    if not VALUE_NAME.fullmatch(name):
        raise wrong(f'"{name}" is no name of an intent', "Write lower-case letters, digits and _, a letter first.")
    if name in OWN_INTENTS:
        raise wrong(f'"{name}" has a meaning of its own', "Choose another name.")
    return name


def _language(language: str) -> str:
    if language not in LANGUAGES:
        fix = did_you_mean(language, LANGUAGES, f"Known are {', '.join(LANGUAGES)}.")
        raise wrong(f'replies are not read in "{language}"', fix)
    return language


def _few(most: int) -> AfterValidator:
    def check(values: Any) -> Any:
        if not 0 < len(values) <= most:
            raise wrong(f"{len(values)} are not so many", f"Give one at least, and {most} at most.")
        return values

    return AfterValidator(check)


Phrases = Annotated[list[Annotated[str, AfterValidator(reply_words)]], _few(MAX_WORDS)]


class Intent(Table):
    about: Text = Field(examples=['"Wants to come at another time."'])
    handled_by: Literal[tuple(one.value for one in Handling)] = Field(  # type: ignore[valid-type]  # follows the domain
        default=Handling.JOURNEY.value, examples=['"person"']
    )
    words: dict[Annotated[str, AfterValidator(_language)], Phrases] = Field(default_factory=dict)


class Model(Table):
    calls_per_day: int = Field(default=500, ge=0, le=MAX_CALLS, examples=["500"])
    drafts: bool = Field(default=False, examples=["true"])


class Replies(Table):
    queue: Slug = Field(examples=['"inbox"'])
    due: Duration = Field(default="4h", examples=['"4h"'])
    threshold: Annotated[float, Field(gt=0, le=1)] = Field(default=0.7, examples=["0.7"])
    intents: Annotated[dict[Annotated[str, AfterValidator(_name)], Intent], _few(MAX_INTENTS)] = Field(
        default_factory=dict
    )
    model: Model = Field(default_factory=Model)


TABLES: Mapping[str, type[Table]] = {"intents": Intent, "model": Model}


def _written(name: str, example: str, loc: Loc) -> str:
    if example == NO_EXAMPLE or loc[-1] != name:
        return f"[{'.'.join(map(str, loc))}]"
    return f"{name} = {example}"


def _model_at(loc: Loc, outermost: type[BaseModel]) -> type[BaseModel]:
    return next((TABLES[str(part)] for part in loc[:-1] if part in TABLES), outermost)


NOTATION = Notation("docs/people.md", EXPECTED, shown, _written, _model_at)
