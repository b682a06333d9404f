"""Recognises a refusal in a customer's own words: "pls stop", "take me off your list", "lose my number".

47 CFR 64.1200(a)(10): consent is revoked by any reasonable means that clearly expresses it. So a text gets points for
what it says. CLEAR_AT points are a STOP. From POSSIBLE_AT on, a person decides.

The phrases are patterns of words. `a|b` is one of these words, a name in capitals one of a set, `?` makes a word
optional, `*` allows up to MAX_REPEATS of them. Nothing here is a regular expression: no text takes long to read.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from itertools import pairwise

from cairn.domain.consent import refusal_phrases as phrases
from cairn.domain.consent.plain_words import MAX_TEXT, clauses, plain_text

CLEAR_AT = 10
POSSIBLE_AT = 5

CLEAR, NEARLY, HINT, TRACE = 10, 6, 6, 4
"""Points: of a phrase that says it; of one that may mean less; of a complaint; of a keyword at the end."""

LONG_TEXT = 300
"""Characters. In a longer text, a phrase counts as clear only where its clause says little else."""
FEW_WORDS = 3
"""Words after a phrase that add little to it: "take me off", "take me off your text list"."""

MAX_REPEATS = 6
MAX_JOINED = 16
"""Words of a text that is also read as if it had no punctuation: "stop. texting. me."""

FEW_TYPOS = 9
"""Characters: so long a word may have two typos."""

_SENDING = frozenset(phrases.SETS["TEXT"].split()) | {"send"}

NEGATED_WITHIN = 3
"""Words before a phrase among which a negation turns it around: "please don't stop"."""


class Refusal(StrEnum):
    CLEAR = "clear"
    POSSIBLE = "possible"


def refusal_in(text: str, keywords: Iterable[str] = ()) -> Refusal | None:
    """Whether a text refuses further messages, in any of the languages of the phrases.

    `keywords` mean STOP as a whole text, also beside a please or thanks.
    """
    points = score(text, keywords)
    if points >= CLEAR_AT:
        return Refusal.CLEAR
    return Refusal.POSSIBLE if points >= POSSIBLE_AT else None


def score(text: str, keywords: Iterable[str] = ()) -> int:
    """The points of a text: of its clauses together, or of the whole text if it is short and says nothing else."""
    spelt = _own_clauses(text[:MAX_TEXT])
    found = _without_spelling_out([words for clause in spelt if (words := _usual_words(clause))])
    found = [words for words in found if not all(word in phrases.GREETINGS for word in words)]
    if not found:
        return 0
    joined = [word for words in found for word in words]
    limited = _wants_another_way(joined)
    if _says_a_keyword(joined, frozenset(keywords)):
        return CLEAR
    long = sum(len(word) + 1 for clause in spelt for word in clause) > LONG_TEXT
    points: dict[str, int] = {}
    for position, words in enumerate(found):
        for kind, value in _points(words, alone=len(found) == 1, first=position == 0, long=long):
            points[kind] = max(value, points.get(kind, 0))
    if limited:
        points = {kind: min(value, NEARLY) for kind, value in points.items()}
    if len(found) > 1 and len(joined) <= MAX_JOINED and _says_nothing_else(joined):
        return CLEAR
    total = sum(points.values())
    return min(total, CLEAR_AT - 1) if limited else total


def _own_clauses(text: str) -> list[list[str]]:
    """The clauses of a text without what a mail program adds: the message that is answered, and its advertisement."""
    lines: list[str] = []
    for line in text.splitlines():
        plain = plain_text(line)
        if line.lstrip().startswith(">") or plain.startswith(phrases.QUOTED) or plain.endswith(phrases.QUOTES):
            break
        if not plain.startswith(phrases.ADDED):
            lines.append(line)
    return clauses("\n".join(lines))


def _usual_words(words: Sequence[str]) -> list[str]:
    """Words in their usual spelling, without those of courtesy and anger."""
    usual = [_usual_word(word) for word in words]
    usual = _together(usual)
    polite = [word for word in usual if word not in phrases.COURTESY]
    return [word for position, word in enumerate(polite) if position == 0 or word != polite[position - 1]]


def _together(words: list[str]) -> list[str]:
    """Two or three words that mean one: `do not` is `dont`, `thank you` is `thanks`."""
    found: list[str] = []
    position = 0
    while position < len(words):
        for length in (3, 2, 1):
            one = " ".join(words[position : position + length])
            if length == 1 or one in phrases.TOGETHER:
                found += phrases.TOGETHER.get(one, one).split()
                position += length
                break
    return found


@cache
def _spelling() -> Mapping[str, str]:
    return {word: usual for usual, words in phrases.MISSPELT.items() for word in words.split()}


@cache
def _vocabulary() -> frozenset[str]:
    named = (word for words in phrases.SETS.values() for word in words.split())
    literal = (word for pattern in _patterns() for slot, _ in pattern.slots for word in slot)
    others = (
        *_spelling(),
        *phrases.COURTESY,
        *phrases.LEAD,
        *phrases.NEGATIONS,
        *phrases.LIMITS,
        *phrases.KEYWORDS,
    )
    return frozenset((*named, *literal, *others))


def _usual_word(word: str) -> str:
    known = _vocabulary()
    if word in known:
        return _spelling().get(word, word)
    for repeated in (1, 2):
        shorter = _squeezed(word, repeated)
        if shorter != word and shorter in known:
            return _spelling().get(shorter, shorter)
    for target in phrases.OFTEN_MISSPELT:
        most = 2 if len(target) > FEW_TYPOS else 1
        if word[0] == target[0] and abs(len(word) - len(target)) <= most and _typos(word, target) <= most:
            return target
    return word


def _squeezed(word: str, repeated: int) -> str:
    """Characters that are repeated three times or more, this often: `stoooop` is `stop`."""
    runs: list[str] = []
    for character in word:
        if runs and runs[-1][0] == character:
            runs[-1] += character
        else:
            runs.append(character)
    return "".join(run if len(run) < 3 else run[:repeated] for run in runs)  # noqa: PLR2004  what the docstring says


def _typos(word: str, target: str) -> int:
    """Characters that are wrong, missing, too many, or swapped with the next one."""
    rows = [list(range(len(target) + 1))]
    for i, character in enumerate(word, 1):
        row = [i]
        for j, wanted in enumerate(target, 1):
            cost = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (character != wanted))
            if i > 1 and j > 1 and character == target[j - 2] and word[i - 2] == wanted:
                cost = min(cost, rows[-2][j - 2] + 1)
            row.append(cost)
        rows.append(row)
    return rows[-1][-1]


def _without_spelling_out(found: list[list[str]]) -> list[list[str]]:
    """`S T O P` and `s.t.o.p` are one word; other single pieces stay as they are."""
    pieces = [word for words in found for word in words]
    joined = "".join(pieces)
    spelt_out = len(pieces) > 2 and all(len(character) == 1 for character in pieces)  # noqa: PLR2004  more than initials
    if (spelt_out or len(pieces) <= 3) and joined in phrases.SPELT_OUT:  # noqa: PLR2004  "st op", "un sub scribe"
        return [[joined]]
    return found


def _says_a_keyword(words: Sequence[str], keywords: frozenset[str]) -> bool:
    """Whether the words are one keyword, said once or again and again."""
    return bool(words) and (" ".join(words) in keywords or (len(set(words)) == 1 and words[0] in keywords))


class Pattern:
    """A phrase that is looked for. `kind` is the name of its group, `value` its points."""

    __slots__ = ("kind", "negations", "slots", "value", "whole")

    def __init__(self, text: str, kind: str, value: int, negations: frozenset[str], *, whole: bool) -> None:
        self.kind, self.value, self.whole, self.negations = kind, value, whole, negations
        self.slots = tuple(_slot(part) for part in text.split())

    def end(self, words: Sequence[str], start: int, slot: int = 0, repeats: int = 0) -> int:
        """Where the phrase ends that begins at `start`; -1 where it does not begin there."""
        if slot == len(self.slots):
            return start
        accepted, often = self.slots[slot]
        if start < len(words) and words[start] in accepted:
            if often == "*" and repeats < MAX_REPEATS:
                end = self.end(words, start + 1, slot, repeats + 1)
                if end >= 0:
                    return end
            end = self.end(words, start + 1, slot + 1)
            if end >= 0:
                return end
        return -1 if often == "1" else self.end(words, start, slot + 1)


def _slot(part: str) -> tuple[frozenset[str], str]:
    often = part[-1] if part[-1] in "?*" else "1"
    accepted: set[str] = set()
    for one in part.rstrip("?*").split("|"):
        accepted |= set(phrases.SETS[one].split()) if one in phrases.SETS else {one}
    return frozenset(word if word.isascii() else plain_text(word) for word in accepted), often


@cache
def _patterns() -> tuple[Pattern, ...]:
    groups = (
        ("clear", CLEAR, phrases.CLEAR, False),
        ("clear", CLEAR, phrases.CLEAR_ALONE, True),
        ("nearly", NEARLY, phrases.NEARLY, False),
        ("hint", HINT, phrases.HINTS, False),
        ("hint", HINT, phrases.HINTS_ALONE, True),
    )
    return tuple(
        Pattern(text, kind, value, phrases.NEGATIONS | phrases.NEGATIONS_OF.get(language, frozenset()), whole=whole)
        for kind, value, by_language, whole in groups
        for language, lines in by_language.items()
        for line in lines.splitlines()
        if (text := line.strip())
    )


@cache
def _by_first_word() -> Mapping[str, tuple[Pattern, ...]]:
    index: dict[str, list[Pattern]] = {}
    for pattern in _patterns():
        for accepted, often in pattern.slots:
            for word in accepted:
                if pattern not in index.setdefault(word, []):
                    index[word].append(pattern)
            if often == "1":
                break
    return {word: tuple(patterns) for word, patterns in index.items()}


def _points(words: Sequence[str], *, alone: bool, first: bool, long: bool) -> Iterator[tuple[str, int]]:
    """The points of a clause, each with its kind. `alone`: there is no other clause; `first`: none before it."""
    yield from _keyword_points(words, alone=alone, first=first)
    for start, word in enumerate(words):
        for pattern in _by_first_word().get(word, ()):
            end = pattern.end(words, start)
            if end > start:
                value = _in_context(pattern, words[:start], words[end:], alone=alone, long=long)
                if _reports_a_silence(words, start):
                    continue
                kind = pattern.kind if value >= pattern.value else "nearly"
                if value:
                    yield kind, value


def _reports_a_silence(words: Sequence[str], start: int) -> bool:
    """Whether "never text me" is no request: "you never text me back"."""
    does = start + 1 < len(words) and words[start + 1] in _SENDING
    return does and words[start] in {"dont", "never"} and start > 0 and words[start - 1] in phrases.SUBJECTS


def _in_context(pattern: Pattern, before: Sequence[str], after: Sequence[str], *, alone: bool, long: bool) -> int:
    """The points of a phrase between other words."""
    if negated_by := _negation(before, pattern.negations):
        return NEARLY if pattern.value >= CLEAR and negated_by == "you" else 0
    if (after and after[0] in phrases.THINGS) or (pattern.whole and (after or not _is_lead(before))):
        return 0
    doubted = any(word in phrases.DOUBTS_BEFORE for word in before)
    if pattern.value < CLEAR:
        return 0 if doubted and pattern.kind == "hint" else pattern.value
    if doubted or _limits(after) or (pattern.whole and not alone) or (after and after[0] in phrases.OTHERS):
        return NEARLY
    return NEARLY if long and (len(after) > FEW_WORDS or not _is_lead(before)) else CLEAR


def _wants_another_way(words: Sequence[str]) -> bool:
    """Whether less than everything is refused: "text me instead", "text is fine"."""
    fine = (word in phrases.WAYS and after in phrases.FINE for word, after in pairwise(words))
    return "instead" in words or any(fine)


def _limits(after: Sequence[str]) -> bool:
    """Whether words after a phrase limit it to a time or a thing, or ask for another way: "don't call, text me"."""
    pairs = pairwise(after)
    return any(word in phrases.LIMITS for word in after) or any(
        word in phrases.WAYS and next_word in {"me", "us", "my"} for word, next_word in pairs
    )


def _negation(before: Sequence[str], negations: frozenset[str] = phrases.NEGATIONS) -> str:
    """The word before a negation that denies a phrase ("I can't stop"), the negation itself where it is the first word.

    Empty where nothing is denied. A question is no denial: "can't you stop", "why don't you stop".
    """
    first = max(0, len(before) - NEGATED_WITHIN)
    for position in range(first, len(before)):
        if before[position] in negations and "you" not in before[position + 1 : position + 2]:
            return before[position - 1] if position else before[position]
    return ""


def _is_lead(before: Sequence[str]) -> bool:
    """Whether words only lead to what is asked: "hi, I would like you to …"."""
    return all(word in phrases.LEAD for word in before)


def _keyword_points(words: Sequence[str], *, alone: bool, first: bool) -> Iterator[tuple[str, int]]:
    """The points of a keyword that a clause consists of, begins with or ends with."""
    word = words[-1]
    before = words[:-1]
    if word in phrases.KEYWORDS and not _negation(before):
        plain = word in phrases.STOP_WORDS
        if _is_lead(before) and (plain or not before):
            yield "nearly", CLEAR if alone else NEARLY
        elif plain and not any(one in phrases.STOPS_THAT_ARE_THINGS for one in before[-2:]):
            yield "nearly", TRACE
    if first and len(words) > 1 and words[0] in phrases.STOP_WORDS and words[1] not in phrases.AFTER_STOP:
        unlike = words[1].endswith("ing")
        if words[0] != "stop" or not unlike:
            yield "nearly", NEARLY if words[0] == "stop" or words[1] in phrases.THINGS else CLEAR


def _says_nothing_else(words: Sequence[str]) -> bool:
    """Whether a text is one clear phrase, whatever its punctuation: "stop. texting. me."""
    for start, word in enumerate(words):
        if not _is_lead(words[:start]):
            return False
        for pattern in _by_first_word().get(word, ()):
            if pattern.value >= CLEAR and pattern.end(words, start) == len(words):
                return True
    return False
