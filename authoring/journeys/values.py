"""The values of journey files; each reports what is wrong with it and how to write it."""

import math
import re
from collections.abc import Callable
from datetime import UTC, date, timedelta
from difflib import get_close_matches
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Discriminator, Field, PlainValidator, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from authoring.problems import did_you_mean
from authoring.shape import all_wrong, wrong
from cairn.adapters.documents.shares import share
from cairn.domain.consent.keywords import WORDS, intent_of, may_mean_stop
from cairn.domain.consent.plain_words import plain_text
from cairn.domain.event import EVENT_TYPE_SHAPE
from cairn.domain.journey import expressions
from cairn.domain.journey.conditions import ABOUT_EVENTS, compiled
from cairn.domain.journey.definition import ANY_KEY
from cairn.domain.journey.expressions import NamesInScope
from cairn.domain.message.links import HOST_SHAPE
from cairn.domain.replies.question import Asked
from cairn.domain.shared import channels
from cairn.domain.shared.instants import duration, to_instant

LONGEST = timedelta(days=3660)
"""Ten years: longer than any campaign, and short enough that no date leaves the calendar."""

RESERVED_ATTRIBUTES = {
    "tags": "Change tags under update.tags",
    "id": "Choose another name: profile.id is the customer's id",
    "user_id": "Choose another name: only an event's customer.user_id says who a customer is",
    "external_ids": "Choose another name: only an event's customer.external_ids says who a customer is",
}

UNNOTICED = frozenset({"id", "user_id", "external_ids"})
"""Parts of the profile that are no attributes."""

JOURNEY_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")
STEP_ID = re.compile(r"[a-z][a-z0-9-]{0,31}")
"""Short enough for the name of a schedule: enrollment, step and attempt in 64 characters."""
SLUG = re.compile(r"[a-z][a-z0-9_-]{0,63}")
LOCALE = re.compile(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?")
"""BCP 47: `es`, `es-MX`, `zh-Hant`, `zh-Hant-TW`."""
LINK_HOST = re.compile(rf"(?:\*\.)?{HOST_SHAPE}")
TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def not_null(value: Any) -> Any:
    """Refuses null for a key that may be left out."""
    if value is None:
        raise wrong("it has no value", "Give it one, or leave the key out.")
    return value


def _shaped(shape: re.Pattern[str], fix: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not shape.fullmatch(text):
            raise wrong(f'"{text}" cannot be used here', fix)
        return text

    return check


def _pattern(pattern: str) -> WithJsonSchema:
    """For the JSON Schema."""
    return WithJsonSchema({"type": "string", "pattern": f"^{pattern}$"})


def _event_type(text: str) -> str:
    if not EVENT_TYPE_SHAPE.fullmatch(text):
        raise wrong(f'"{text}" is not an event type', "Write object.action in lower case, such as trial.signup.")
    return text


def _positive_duration(text: str) -> str:
    if not timedelta() < _length(text) <= LONGEST:
        raise wrong(
            f'"{text}" is not a length of time to wait', "Write one above zero and up to ten years, such as 30m or 2d."
        )
    return text


def _offset(text: str) -> str:
    if abs(_length(text)) > LONGEST:
        raise wrong(f'"{text}" is further than ten years', "Write a shorter one, such as -48h.")
    return text


def _length(text: str) -> timedelta:
    try:
        return duration(text)
    except (ValueError, OverflowError):
        raise wrong(
            f'"{text}" is not a duration', "Write a number and a unit (s, m, h, d, w), such as 30m, 2d or 1h30m."
        ) from None


VALUE_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
"""As templates and expressions can write it."""


def _time_of_day(text: str) -> str:
    if not TIME_OF_DAY.fullmatch(text):
        raise wrong(f'"{text}" is not a time of day', "Write it as HH:MM, such as 18:30.")
    return text


def _value_name(text: str) -> str:
    if not VALUE_NAME.fullmatch(text):
        raise wrong(f'"{text}" is no name of a value', "Write lower-case letters, digits and _, a letter first.")
    return text


def _weekdays(days: list[str]) -> list[str]:
    twice = sorted({day for day in days if days.count(day) > 1})
    if twice or not days:
        raise wrong(
            f"{', '.join(twice)} stands here twice" if twice else "no weekday", "Name each day once: [mon, tue]."
        )
    return days


def _time_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        close = get_close_matches(text, sorted(available_timezones()), n=1, cutoff=0.5)
        example = close[0] if close else "Europe/Madrid"
        raise wrong(f'"{text}" is not a time zone', f"Write a name of the IANA database, such as {example}.") from None
    return text


def _again(text: str) -> str:
    try:
        return text if text in {"never", "when-ended"} else _positive_duration(text)
    except PydanticCustomError:
        raise wrong(f'"{text}" is no rule to enter again', "Write never, when-ended, or a time such as 30d.") from None


ANYTIME = "anytime"
"""The decision may fall at any look."""


def _decide(value: Any) -> Any:
    """Anytime, once after so many customers, or once on a day."""
    if value == ANYTIME or (isinstance(value, int) and not isinstance(value, bool) and value > 0):
        return value
    if isinstance(value, str):
        return _day(value)
    raise wrong("this says no time to decide", f"Write {ANYTIME}, a number of customers such as 4000, or 2027-03-01.")


def _effect(value: Any) -> Any:
    if isinstance(value, str):
        return _holdout(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise wrong("this says no difference", "Write a share such as 2%, or of value cents such as 150.")
    return value


def _holdout(value: Any) -> Any:
    fix = "Write a share from 0 up to, but not, 1: 0.1 or 10%."
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise wrong("this is not a share of customers", fix)
    try:
        fraction = share(value)
    except ValueError:
        raise wrong(f"{value} is not a share of customers", fix) from None
    if not 0 <= fraction < 1:
        raise wrong(f"{value} is not a share of customers", fix)
    return value


def _filled(text: str) -> str:
    if not text.strip():
        raise wrong("this text is empty", "Write something, or leave the key out.")
    return text


def _literally(text: str) -> str:
    if "{{" in text or "{%" in text:
        raise wrong("this text is shown as it is: nothing fills in {{ … }} here", "Give what differs in task.context.")
    return text


def _attribute(name: str) -> str:
    if name in RESERVED_ATTRIBUTES or name.startswith("tags."):
        raise wrong(
            f'"{name}" is not an attribute to set', f"{RESERVED_ATTRIBUTES.get(name, RESERVED_ATTRIBUTES['tags'])}."
        )
    return name


def _expression(scope: NamesInScope) -> Callable[[str], str]:
    def check(text: str) -> str:
        found = expressions.problems_of(text, scope)
        if found:
            raise all_wrong(found)
        return text

    return check


def _without_functions_of_ours(text: str) -> str:
    """Their value changes without the profile: by events, and with time."""
    found = [name for name in ABOUT_EVENTS if f"{name}(" in text]
    if found:
        raise wrong(
            f"{found[0]} cannot be asked here: there is nothing of the customer's events", "Ask it in a branch."
        )
    return text


def _of_attributes(text: str) -> str:
    """Only a change of an attribute or a tag is noticed."""
    if not expressions.attributes_of(text) - UNNOTICED:
        raise wrong("this reads no attribute, so nothing would begin by it", "Name one, such as profile.stage.")
    return text


def _cap(text: str) -> str:
    if not CAP.fullmatch(text):
        raise wrong(f'"{text}" is no limit for all customers', "Write a number and its time: 500 per day, 40 per hour.")
    return text


def _customer_cap(text: str) -> str:
    fix = "Write how often in what time: 3 in 90d. At most 20, in at most 365d."
    match = CUSTOMER_CAP.fullmatch(text)
    if match is None or int(match["limit"]) > MOST_PER_CUSTOMER or not timedelta() < _length(match["within"]) <= A_YEAR:
        raise wrong(f'"{text}" is no limit for one customer', fix)
    return text


def _day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise wrong(f'"{text}" is no date', "Write it as 2026-12-24.") from None
    return text


def _no_date(text: str) -> str:
    """Refuses a date that is written out and that nobody can read."""
    tree = compiled(text).parsed
    if tree["type"] == "literal" and to_instant(tree["value"], UTC) is None:
        raise wrong(
            f"{tree['value']!r} is no date", "Write '2026-03-06T18:30' in single quotes, or where it is: data.visit_at."
        )
    return text


def _match_key(text: str) -> str:
    if text == ANY_KEY:
        return text
    found = expressions.problems_of(text, expressions.KEY)
    if found:
        raise all_wrong([(message, f"{fix} `any` turns the key off.") for message, fix in found])
    return text


FEWEST_CHOICES, MOST_CHOICES = 2, 9
"""A customer answers with one digit."""

KINDS_OF_QUESTIONS = tuple(one.value for one in Asked if one is not Asked.CHOICE)


@cache
def reply_words(text: str) -> str:
    """Refuses words that no reply is read by: none at all, and those that may mean STOP, HELP or START."""
    if not plain_text(text):
        raise wrong(f'"{text}" has no word in it', "Write a word, or a few.")
    if intent_of(text, WORDS) is not None or may_mean_stop(text, WORDS):
        fix = "Choose other words: STOP, HELP and START come first, in every language."
        raise wrong(f'"{text}" means STOP, HELP or START, or may mean it, and is never read as anything else', fix)
    return text


def _asks(value: Any) -> Any:
    if isinstance(value, str) and value in KINDS_OF_QUESTIONS:
        return value
    lists = [one if isinstance(one, list) else [one] for one in value] if isinstance(value, list) else []
    texts = [text for one in lists for text in one]
    if not lists or not all(lists) or not all(isinstance(text, str) for text in texts):
        near = did_you_mean(value, KINDS_OF_QUESTIONS, "") if isinstance(value, str) else ""
        fix = f"Write {', '.join(KINDS_OF_QUESTIONS)}, or the choices in their order: [morning, evening]."
        raise wrong(f"{value} is no question", f"{near} {fix}".strip())
    if not FEWEST_CHOICES <= len(lists) <= MOST_CHOICES:
        fix = f"Give {FEWEST_CHOICES} to {MOST_CHOICES}: a customer answers with one digit."
        raise wrong(f"{len(lists)} are not so many choices", fix)
    plain = [plain_text(reply_words(text)) for text in texts]
    twice = sorted({text for text in plain if plain.count(text) > 1})
    if twice or any(text.isdigit() for text in plain):
        fix = "Give each choice words of its own, and no number: the first one is 1."
        raise wrong(f"{twice[0] if twice else 'a number'} names more than one choice", fix)
    return value


def _distinct(channels: list[str]) -> list[str]:
    if not channels or len(set(channels)) < len(channels):
        raise wrong("a list of channels names each one once", "Write them in order of preference: [whatsapp, sms].")
    return channels


DURATION = "([0-9]+[smhdw])+"

CAP = re.compile(r"[1-9][0-9]{0,6} per (hour|day)")
CUSTOMER_CAP = re.compile(rf"(?P<limit>[1-9][0-9]?) in (?P<within>{DURATION})")
MOST_PER_CUSTOMER, A_YEAR = 20, timedelta(days=365)
"""Each entry within the time is stored with the customer."""

Cap = Annotated[str, AfterValidator(_cap), _pattern(CAP.pattern)]
CustomerCap = Annotated[str, AfterValidator(_customer_cap), _pattern(rf"[1-9][0-9]? in {DURATION}")]
EventType = Annotated[str, AfterValidator(_event_type), _pattern(EVENT_TYPE_SHAPE.pattern)]
Duration = Annotated[str, AfterValidator(_positive_duration), _pattern(DURATION)]
Offset = Annotated[str, AfterValidator(_offset), _pattern(f"-?{DURATION}")]
Again = Annotated[str, AfterValidator(_again), _pattern(f"(never|when-ended|{DURATION})")]
PropertyName = Annotated[str, AfterValidator(_value_name), _pattern(VALUE_NAME.pattern)]
ValueName = Annotated[str, AfterValidator(_value_name), _pattern(VALUE_NAME.pattern)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Weekdays = Annotated[list[Weekday], AfterValidator(_weekdays)]
TimeOfDay = Annotated[str, AfterValidator(_time_of_day), _pattern(TIME_OF_DAY.pattern)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Holdout = Annotated[
    Any,
    PlainValidator(_holdout),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
                {"type": "string", "pattern": "^[0-9]{1,2}(\\.[0-9]+)?%$"},
            ],
        },
    ),
]
Effect = Annotated[
    Any,
    PlainValidator(_effect),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0},
                {"type": "string", "pattern": "^[0-9]{1,2}(\\.[0-9]+)?%$"},
            ],
        },
    ),
]
Decide = Annotated[
    Any,
    PlainValidator(_decide),
    WithJsonSchema(
        {"anyOf": [{"const": ANYTIME}, {"type": "integer", "minimum": 1}, {"type": "string", "format": "date"}]},
    ),
]
Text = Annotated[str, AfterValidator(_filled)]
Asks = Annotated[
    Any,
    PlainValidator(_asks),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(KINDS_OF_QUESTIONS)},
                {
                    "type": "array",
                    "minItems": FEWEST_CHOICES,
                    "maxItems": MOST_CHOICES,
                    "items": {
                        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]
                    },
                },
            ],
        },
    ),
]
PersonText = Annotated[str, AfterValidator(_filled), AfterValidator(_literally)]
AttributeName = Annotated[str, AfterValidator(_attribute)]
Day = Annotated[str, AfterValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
ProfileExpression = Annotated[
    str, AfterValidator(_expression(expressions.PROFILE)), AfterValidator(_without_functions_of_ours)
]
AnswerExpression = Annotated[
    str, AfterValidator(_expression(expressions.ANSWER)), AfterValidator(_without_functions_of_ours)
]
WatchedExpression = Annotated[ProfileExpression, AfterValidator(_of_attributes)]
EntryExpression = Annotated[str, AfterValidator(_expression(expressions.ENTRY))]
EntryKey = Annotated[str, AfterValidator(_expression(expressions.KEY))]
MatchExpression = Annotated[str, AfterValidator(_expression(expressions.MATCH))]
MatchKey = Annotated[str, AfterValidator(_match_key)]
StepExpression = Annotated[str, AfterValidator(_expression(expressions.STEP))]
DateExpression = Annotated[StepExpression, AfterValidator(_no_date)]
JourneyName = Annotated[
    str,
    AfterValidator(_shaped(JOURNEY_NAME, "Write lower-case letters, digits and hyphens, a letter first, at most 63.")),
    _pattern(JOURNEY_NAME.pattern),
]
StepId = Annotated[
    str,
    AfterValidator(_shaped(STEP_ID, "Write lower-case letters, digits and hyphens, a letter first, at most 32.")),
    _pattern(STEP_ID.pattern),
]
Slug = Annotated[
    str,
    AfterValidator(_shaped(SLUG, "Write lower-case letters, digits, _ and -, a letter first, at most 64.")),
    _pattern(SLUG.pattern),
]

if TYPE_CHECKING:
    Channel = str
else:  # follows the table of channels
    Channel = Literal[tuple(channel.value for channel in channels.Channel)]
Channels = Annotated[
    Annotated[Channel, Tag("channel:one")] | Annotated[list[Channel], AfterValidator(_distinct), Tag("channel:list")],
    Discriminator(lambda value: "channel:list" if isinstance(value, list) else "channel:one"),
]
Purpose = Literal["transactional", "marketing"]
Priority = Annotated[int, Field(ge=-1_000, le=1_000)]
IfMissed = Literal["continue", "skip", "exit"]
Hour = Literal["preferred"]
Otherwise = Literal["drop", "send"]

WHATSAPP_TEMPLATE = re.compile(r"[a-z0-9_]{1,512}")
"""A template's name at Meta."""
WHATSAPP_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2,3})?")
"""A language at Meta: `en`, `en_US`, `pt_BR`."""
DLT_ID = re.compile(r"[0-9]{4,64}")
"""An id of India's DLT: usually 19 digits; AWS accepts up to 64 characters."""

WhatsAppTemplate = Annotated[
    str,
    AfterValidator(_shaped(WHATSAPP_TEMPLATE, "Write the name that Meta approved: lower-case letters, digits and _.")),
    _pattern(WHATSAPP_TEMPLATE.pattern),
]
WhatsAppLanguage = Annotated[
    str,
    AfterValidator(_shaped(WHATSAPP_LANGUAGE, "Write the language as Meta has it, such as en_US or es.")),
    _pattern(WHATSAPP_LANGUAGE.pattern),
]
Locale = Annotated[
    str,
    AfterValidator(_shaped(LOCALE, "Write the language as BCP 47 has it, such as en, pt-BR or zh-Hant.")),
    _pattern(LOCALE.pattern),
]
LinkHost = Annotated[
    str,
    AfterValidator(
        _shaped(
            LINK_HOST, "Write a host in lower case without https://: pay.example.com, or *.example.com for all below."
        )
    ),
    _pattern(LINK_HOST.pattern),
]
DltTemplate = Annotated[
    str,
    AfterValidator(_shaped(DLT_ID, "Write the template id that the DLT platform gave, digits in quotes.")),
    _pattern(DLT_ID.pattern),
]
