"""From the document of leads.toml (docs/people.md, already checked) to the rules of leads.

Standard library only: this runs in the functions. `authoring.leads` reads and checks the file that people write.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cairn.domain.lead.leads import Leads
from cairn.domain.lead.pipelines import Pipeline, Stage
from cairn.domain.lead.rules import (
    OWN_EVENTS,
    Capture,
    Category,
    Grades,
    Group,
    Money,
    RfmClass,
    Rules,
    ScoreRule,
    Scoring,
    Slowing,
    TagRule,
)
from cairn.domain.profile.lead import DAY
from cairn.domain.shared.instants import duration

Document = Mapping[str, Any]

TOUCH = ("source", "campaign", "medium")


def leads_at(path: Path) -> Leads:
    """The rules that the build wrote after `cairn check`."""
    return leads_from_document(json.loads(path.read_bytes()))


def leads_from_document(document: Document) -> Leads:
    return Leads(rules_from_document(document))


def rules_from_document(document: Document) -> Rules:
    """The rules of a checked document. Raises KeyError or ValueError on an unchecked one."""
    return Rules(
        captures=tuple(
            Capture(_events(row), {name: row[name] for name in TOUCH if name in row}, row.get("when"))
            for row in document.get("capture", ())
        ),
        scoring=_scoring(document),
        money=tuple(
            Money(
                _events(row),
                row["amount"],
                row["currency"],
                refund=row.get("kind") == "refund",
                major=row.get("unit") == "major",
                when=row.get("when"),
            )
            for row in document.get("value", ())
        ),
        grades=_grades(document["rfm"]) if "rfm" in document else None,
        slowing=_slowing(document["slowing"]) if "slowing" in document else None,
        says=frozenset(document["says"]) if "says" in document else OWN_EVENTS,
        tags=tuple(TagRule(row["tag"], **_asked(row)) for row in document.get("tags", ())),
        categories=tuple(Category(row["category"], row.get("when")) for row in document.get("categories", ())),
        pipelines=tuple(map(_pipeline, document.get("pipelines", ()))),
    )


def _scoring(document: Document) -> Scoring:
    score = document.get("score", {})
    rules = [
        ScoreRule(row["rule"], row["group"], row["points"], most=row.get("most"), **_asked(row))
        for row in document.get("points", ())
    ]
    groups = [
        Group(row["group"], duration(row["half_life"]) / DAY if "half_life" in row else 0, row.get("cap"))
        for row in document.get("groups", ())
    ]
    return Scoring(
        tuple(rules),
        {group.name: group for group in groups},
        score.get("cap", 100),
        score.get("hot"),
        score.get("cool", score.get("hot", 0)),
    )


def _grades(table: Document) -> Grades:
    return Grades(
        tuple(map(duration, table["recency"])),
        tuple(table["frequency"]),
        tuple(table["monetary"]),
        table["currency"],
        tuple(
            RfmClass(row["class"], *(row.get(kind, 1) for kind in ("recency", "frequency", "monetary")))
            for row in table.get("classes", ())
        ),
    )


def _slowing(table: Document) -> Slowing:
    given = {name: table[name] for name in ("times", "least") if name in table}
    return Slowing(_events(table), **given)


def _pipeline(row: Document) -> Pipeline:
    return Pipeline(
        row["pipeline"],
        tuple(
            Stage(stage["stage"], queue=stage.get("queue", ""), goal=stage.get("goal", ""), **_asked(stage))
            for stage in row["stages"]
        ),
        frozenset((move["from"], move["to"]) for move in row.get("moves", ())),
        row.get("for"),
    )


def _asked(row: Document) -> dict[str, Any]:
    """By what a rule is asked: events, a condition, and what the condition reads."""
    watches = {"watches": frozenset(row["watches"])} if "watches" in row else {}
    return {"events": _events(row), "when": row.get("when"), **watches}


def _events(row: Document) -> tuple[str, ...]:
    """One type of event, or several."""
    event = row.get("event", ())
    return (event,) if isinstance(event, str) else tuple(event)
