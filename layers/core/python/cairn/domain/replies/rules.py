"""The rules by which replies are read: replies.toml, compiled (docs/people.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

ANSWER = "answer"
"""The intent of a reply that answers the question which was asked."""

UNKNOWN = "unknown"
"""The intent of a reply that no rule reads with enough confidence."""

OWN_INTENTS = (ANSWER, UNKNOWN)
"""Intents that no file may name anew."""

THRESHOLD = 0.7
"""The least confidence with which a reply is acted on, where replies.toml says no other."""

MODEL_CALLS_PER_DAY = 500


class Handling(StrEnum):
    """By whom a reply is seen to, of an intent that was read with enough confidence."""

    JOURNEY = "journey"
    """A journey that waits for it; a person where none does."""
    PERSON = "person"
    """Always a person, beside any journey."""
    NOBODY = "nobody"
    """It needs no answer: thanks."""


@dataclass(frozen=True, slots=True)
class IntentRule:
    """An intent, and the words by which it is recognised."""

    name: str
    about: str
    """What a customer wants who says this, in a sentence. It is all that a model learns of the intent."""
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Words and phrases by ISO 639-1 language, as `plain_text` writes them."""
    handling: Handling = Handling.JOURNEY


@dataclass(frozen=True, slots=True)
class Replies:
    """All that replies.toml says."""

    queue: str
    """The queue of the people who read what nobody's rule reads."""
    due: timedelta = timedelta(hours=4)
    threshold: float = THRESHOLD
    intents: Mapping[str, IntentRule] = field(default_factory=dict)
    model_calls_per_day: int = MODEL_CALLS_PER_DAY
    """Where a model is asked at all (Settings.bedrock_model): so often a day, in UTC, and never more."""
    drafts: bool = False
    """Whether the model also writes a draft of an answer, for the person who reads the reply."""
