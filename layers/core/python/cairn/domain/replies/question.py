"""What a message asks, as its step says (`asks`), so that a reply to it is read as the answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Asked(StrEnum):
    YES_NO = "yes_no"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several answers. The customer says its name, its number or one of its words."""

    name: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    kind: Asked
    choices: tuple[Choice, ...] = ()
    """In their order: the first one is number 1."""


def question_from_document(asks: Any) -> Question | None:
    """From `asks`, which has been checked: a kind, or a list of choices, each a name or a list of it and its words."""
    if isinstance(asks, str) and asks:
        return Question(Asked(asks))
    if isinstance(asks, Sequence) and asks:
        lists = ([one] if isinstance(one, str) else one for one in asks)
        return Question(Asked.CHOICE, tuple(Choice(name, tuple(words)) for name, *words in lists))
    return None
