"""Automate or not: how far a journey may run without a person, by its own words (docs/people.md)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from authoring.journeys.source import read_yaml
from authoring.problems import Loc

LEAST, MOST = 1, 5
"""The grades of an axis."""

WEIGHTS = {
    "impact": 25,
    "volume": 20,
    "trigger_reliability": 20,
    "data_readiness": 15,
    "experience_risk": 10,
    "compliance_sensitivity": 10,
}
"""The points of each axis at its best grade, 100 in all."""

RISKS = frozenset({"experience_risk", "compliance_sensitivity"})
"""Of these the lowest grade is the best one."""

AUTOMATIC_FROM, HYBRID_FROM = 75, 50


class Mode(StrEnum):
    AUTOMATIC = "automatic"
    HYBRID = "hybrid"
    """A person takes part: a task, or a message that is read before it goes out."""
    MANUAL = "manual"
    """Nothing is sent."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A journey in the table. Without a block `automate` there are no grades and no score."""

    journey: str
    grades: Mapping[str, int]
    score: int | None
    mode: Mode | None
    has_person: bool
    sends: bool


def score_of(grades: Mapping[str, int]) -> int:
    """From 0 to 100: each axis by its share of the way from the worst to the best grade."""
    shares = {
        name: ((MOST - grades[name]) if name in RISKS else (grades[name] - LEAST)) / (MOST - LEAST) for name in WEIGHTS
    }
    return round(sum(weight * shares[name] for name, weight in WEIGHTS.items()))


def mode_of(score: int) -> Mode:
    if score >= AUTOMATIC_FROM:
        return Mode.AUTOMATIC
    return Mode.HYBRID if score >= HYBRID_FROM else Mode.MANUAL


def automation_findings(written: Any, document: Any) -> Iterator[tuple[Loc, str, str]]:
    """Where a journey does more by itself than its score allows. `document` has its steps written out."""
    grades = _grades(written)
    if grades is None:
        return
    score = score_of(grades)
    mode = mode_of(score)
    if mode is Mode.HYBRID and not _has_person(document):
        fix = f"Add a task, or `review` to a message; from {AUTOMATIC_FROM} on it may run by itself."
        yield ("automate",), f"a score of {score} makes it hybrid, and no person takes part", fix
    if mode is Mode.MANUAL and any(_steps(document, "send")):
        fix = f"Leave the writing to a person, by a task; from {HYBRID_FROM} on it may send with a person's help."
        yield ("automate",), f"a score of {score} leaves it to people, and it sends messages", fix


def scored(file: Path) -> Scored:
    """A checked journey's row of the table."""
    document = read_yaml(file.read_text(encoding="utf-8"), file).data
    grades = _grades(document)
    score = None if grades is None else score_of(grades)
    mode = None if score is None else mode_of(score)
    sends = any(_steps(document, "send"))
    return Scored(file.parent.name, grades or {}, score, mode, _has_person(document), sends)


def _grades(document: Any) -> Mapping[str, int] | None:
    """The grades of a journey that has all of them; what is wrong with others is said by the model."""
    block = document.get("automate") if isinstance(document, Mapping) else None
    if not isinstance(block, Mapping) or block.keys() != WEIGHTS.keys():
        return None
    whole = all(type(grade) is int and LEAST <= grade <= MOST for grade in block.values())
    return block if whole else None


def _has_person(document: Any) -> bool:
    return any(_steps(document, "task")) or any("review" in send for send in _steps(document, "send"))


def _steps(value: Any, kind: str) -> Iterator[Mapping[str, Any]]:
    """What every step of a kind says, at any depth."""
    if isinstance(value, Mapping):
        if "id" in value and isinstance(value.get(kind), Mapping):
            yield value[kind]
        for inner in value.values():
            yield from _steps(inner, kind)
    elif isinstance(value, list):
        for inner in value:
            yield from _steps(inner, kind)
