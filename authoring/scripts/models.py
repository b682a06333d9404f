"""What the file of a call script holds."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from authoring.journeys.steps.base import Wire
from authoring.journeys.values import AttributeName, Locale, ProfileExpression, Slug, Text
from authoring.shape import MessageAndFix, all_wrong, wrong
from cairn.domain.people.script import AnswerKind


def _one_or_many(one: Any, many: Any) -> Any:
    """A value or a mapping of values, as pydantic reads them without a complaint about each."""
    written = Discriminator(lambda value: "text:many" if isinstance(value, Mapping) else "text:one")
    return Annotated[Annotated[one, Tag("text:one")] | Annotated[many, Tag("text:many")], written]


MOST_ATTEMPTS = 5

VERBS = ("say", "ask", "verify")

if TYPE_CHECKING:
    Texts = str | dict[str, str]
    Go = str | dict[str, str]
else:
    Texts = _one_or_many(Text, dict[Locale, Text])
    Go = _one_or_many(Slug, dict[str, Slug])
"""One, or one for each language or answer."""


def _choices(written: dict[str, Any]) -> dict[str, Any]:
    if not written:
        raise wrong("there is nothing to choose", "Write each answer with its text: {yes: Yes, later: Later}.")
    return written


Typed = Literal["yes_no", "text", "number", "scale", "date"]
Choices = Annotated[dict[Slug, Texts], AfterValidator(_choices)]
if TYPE_CHECKING:
    Answer = str | dict[str, Texts]
else:
    Answer = _one_or_many(Typed, Choices)


class ScriptLine(Wire):
    """One line: what is said, asked or verified, and what comes next."""

    id: Slug = Field(description="Unique in the script.", examples=["greeting"])
    say: Texts | None = Field(default=None, description="What the member says.", examples=["Good morning!"])
    ask: Texts | None = Field(default=None, description="What the member asks.", examples=["Why do you call?"])
    verify: Texts | None = Field(
        default=None, description="What proves who the customer is.", examples=["Your date of birth, please?"]
    )
    must_be_read: bool = Field(
        default=False, description="The law or the business wants it said, in these words.", examples=["true"]
    )
    answer: Answer | None = Field(
        default=None,
        description="Of ask and verify: yes_no, text, number, scale (0 to 10), date, or the answers to choose from.",
        examples=["yes_no"],
    )
    set: AttributeName | None = Field(
        default=None, description="The attribute that the answer becomes.", examples=["training_goal"]
    )
    equals: ProfileExpression | None = Field(
        default=None, description="Of `verify`: JMESPath of what is right.", examples=["profile.birthday"]
    )
    attempts: Annotated[int, Field(ge=1, le=MOST_ATTEMPTS)] = Field(
        default=2, description="Of `verify`: how often it may be tried."
    )
    otherwise: Slug | None = Field(
        default=None, description="Of `verify`: the line after the last wrong attempt.", examples=["not-you"]
    )
    go: Go | None = Field(
        default=None,
        description="The next line, or one for each answer. Default: the line below.",
        examples=["{no: closing}"],
    )
    end: Slug | None = Field(default=None, description="The outcome with which the script ends.", examples=["reached"])

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        found = list(self._problems())
        if found:
            raise all_wrong(found)
        return self

    def _problems(self) -> Iterator[MessageAndFix]:
        verbs = [verb for verb in VERBS if getattr(self, verb) is not None]
        if len(verbs) != 1:
            said = f"this line has {' and '.join(verbs)}" if verbs else "this line says nothing"
            yield said, "Write one of say, ask and verify."
            return
        says, verifies = verbs == ["say"], verbs == ["verify"]
        if says and (self.answer is not None or self.set):
            yield "what is said has no answer", "Write `ask` instead of `say`, or remove the answer."
        if not says and self.answer is None:
            yield "nobody knows what may be answered", "Add `answer: yes_no`, or another kind."
        if verifies and (self.equals is None or self.otherwise is None):
            fix = "Add `equals: profile.birthday`, and the line after a wrong answer: `otherwise: not-you`."
            yield "a verification compares, and leads somewhere where it fails", fix
        if not verifies and (self.equals is not None or self.otherwise is not None):
            yield "only a verification compares", "Write `verify` instead, or remove equals and otherwise."
        if verifies and self.set is not None:
            yield "what verifies a customer changes none", "Remove `set`."
        if self.must_be_read and not says:
            yield "only what is said is read", "Put the question on a line of its own."
        if self.end is not None and (self.go is not None or verifies):
            yield "nothing follows an end", "Remove `go`, or end on a line of its own."

    @property
    def texts(self) -> Texts:
        """The text of its verb."""
        return next(text for text in (self.say, self.ask, self.verify) if text is not None)

    def compiled(self) -> dict[str, Any]:
        question = None
        if self.say is None:
            chosen = self.answer if isinstance(self.answer, Mapping) else None
            question = {
                "kind": AnswerKind.CHOICE.value if chosen else self.answer,
                "choices": {name: texts_of(text) for name, text in (chosen or {}).items()},
                "attribute": self.set,
                "equals": self.equals,
                "attempts": self.attempts if self.verify is not None else None,
                "otherwise": self.otherwise,
            }
            question = {name: value for name, value in question.items() if value}
        line = {
            "text": texts_of(self.texts),
            "must_be_read": self.must_be_read,
            "question": question,
            "go": {"": self.go} if isinstance(self.go, str) else self.go,
            "end": self.end,
        }
        return {name: value for name, value in line.items() if value}


class Concern(Wire):
    title: Texts = Field(description="What the customer says.", examples=["It is too expensive"])
    say: Texts = Field(description="What to reply.", examples=["I understand. …"])


Kind = Literal["standard", "flexible", "interactive", "sales", "troubleshooting", "compliance", "survey"]


class ScriptFile(Wire):
    script: Slug = Field(description="Its name: that of the file.", examples=["first-call"])
    title: Text = Field(description="What it is for, in a line.", examples=["First call to a new lead"])
    kind: Kind = Field(default="interactive", description="What it is for; the check asks of each what makes it one.")
    language: Locale = Field(default="en", description="The language of texts without one.")
    lines: Annotated[list[ScriptLine], Field(min_length=1)] = Field(description="In order.", examples=["[…]"])
    concerns: dict[Slug, Concern] = Field(
        default_factory=dict, description="What the customer may object, at any line.", examples=["{price: …}"]
    )

    def compiled(self) -> dict[str, Any]:
        return {
            "name": self.script,
            "title": self.title,
            "kind": self.kind,
            "language": self.language,
            "lines": {line.id: line.compiled() for line in self.lines},
            "concerns": {
                name: {"title": texts_of(one.title), "text": texts_of(one.say)} for name, one in self.concerns.items()
            },
        }


def texts_of(written: Texts) -> dict[str, str]:
    """By locale; a text without one under the empty name."""
    return {"": written} if isinstance(written, str) else dict(written)
