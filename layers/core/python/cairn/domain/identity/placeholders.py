"""Texts that stand where a name is missing. They name nobody: taken for a name, one would make one customer of all.

The words are those that senders really write: JavaScript's, Python's, Java's and SQL's empty values, and the lists of
ids that Segment (Unify, "Default blocked values") and PostHog ("Blocked distinct ids") refuse.
"""

import re
import unicodedata
from collections.abc import Collection

from cairn.domain.identity.characters import MAX_LENGTH, trimmed

WORDS = frozenset({
     "undefined", "null", "nil", "none", "nan", "inf", "infinity", "empty", "missing", "unset", "false", "true",
     "n/a", "n.a.", "n.a", "na", "n-a", "n\\a", "#n/a", "unknown", "unspecified", "anonymous", "guest",
     "not_authenticated", "notset", "not-set", "not_set", "default", "tbd", "no-email", "noemail", "nomail",
     "no_email", "noreply", "no-phone", "nophone", "xxx", "xxxx", "distinct_id", "distinctid", "user_id", "userid",
     "customer_id", "customerid", "email", "phone", "id", "-1", "ffffffff-ffff-ffff-ffff-ffffffffffff",
     "object object", "not available", "not applicable", "not set", "no email", "no phone", "not provided",
     "no name",
})  # fmt: skip
"""In lower case, and without the brackets and quotes around them."""

EMPTY_BOXES = frozenset({
     "test", "testing", "none", "null", "undefined", "nan", "na", "no", "noemail",
     "no-email", "nomail", "unknown", "anonymous", "asdf", "xxx", "fake",
})  # fmt: skip
"""Local parts that name nobody where the domain's first label is such a word too: test@test, none@none.com."""

AROUND = "\"'`<>()[]{}"
UNFILLED = re.compile(r"\{\{.*\}\}|\$\{.*\}|<%.*%>|\{%.*%\}|%%.*%%|\*\|.*\|\*|\[\[.*\]\]|\{\w*\}|<\w+>", re.DOTALL)
"""A variable of a template that nobody filled in."""

BETWEEN_DIGITS = re.compile(r"[\s().,+/-]")
ONE_DIGIT = re.compile(r"0+|(\d)\1{4,}")
"""Zero, or one digit five times or more: four are still a likely number of a customer."""


def is_placeholder(text: str, further: Collection[str] = ()) -> bool:
    """Whether a text names nobody; `further` are the words that the policy adds, as `word_of` writes them."""
    if len(text) > MAX_LENGTH:
        return False
    word = word_of(text)
    if not word or word in WORDS or word in further or UNFILLED.fullmatch(trimmed(text)):
        return True
    if not any(char.isalnum() for char in word) or ONE_DIGIT.fullmatch(BETWEEN_DIGITS.sub("", word)):
        return True
    local, at, domain = word.partition("@")
    return bool(at) and (local == "undefined" or (local in EMPTY_BOXES and domain.partition(".")[0] in EMPTY_BOXES))


def word_of(text: str) -> str:
    """The text as the tables of placeholders write it: in lower case, without brackets, quotes and double blanks."""
    word = unicodedata.normalize("NFKC", trimmed(text)).casefold()
    return " ".join(word.strip(AROUND).split())
