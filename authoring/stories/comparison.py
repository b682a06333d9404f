"""Compares what happened in a story with what it expects."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff
from typing import Any

from authoring.stories.models import Expectation, Scenario
from cairn.domain.shared.instants import instant_to_wire

ALWAYS_COMPARED = ("message", "suppressed", "failed", "undecided", "task")
"""Kinds of which a story must expect every entry: messages and tasks, sent or not."""

SUMMARY_FIELDS = (
    "customer",
    "type",
    "journey",
    "step",
    "channel",
    "template",
    "subject",
    "reason",
    "until",
    "outcome",
    "queue",
    "status",
    "owner",
    "now_in",
    "field",
)

TimelineEntry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Each expectation, by instant, with the entry that meets it; each entry that nothing expects."""

    scenario: Scenario
    pairs: Sequence[tuple[Expectation, TimelineEntry | None]]
    happened: Sequence[TimelineEntry]
    """The entries of the compared kinds."""

    @property
    def unmet(self) -> list[Expectation]:
        return [expected for expected, entry in self.pairs if entry is None]

    @property
    def unexpected(self) -> list[TimelineEntry]:
        met = {id(entry) for _, entry in self.pairs}
        return [entry for entry in self.happened if id(entry) not in met]

    @property
    def line(self) -> int:
        """The line of the file that is wrong: of the first expectation that is not met, or of all of them."""
        return min((expected.line for expected in self.unmet), default=self.scenario.line)

    @property
    def difference(self) -> str:
        """A unified diff from the expected to the actual timeline; empty where they agree."""
        if not self.unmet and not self.unexpected:
            return ""
        named = {kind: _named(self.unmet, kind) for kind in {one["kind"] for one in self.happened}}
        wanted = [
            summary(entry, named[entry["kind"]]) if entry else _wanted(one, self.scenario) for one, entry in self.pairs
        ]
        got = [summary(entry, named[entry["kind"]]) for entry in self.happened]
        return "\n".join(unified_diff(wanted, got, "expected", "happened", lineterm="", n=1))


def compare(scenario: Scenario, entries: Iterable[TimelineEntry]) -> Comparison:
    """Find for each expectation the entry that meets it, each entry once; within one instant the order is free."""
    compared = {*ALWAYS_COMPARED, *(one.kind for one in scenario.expect)}
    happened = [entry for entry in entries if entry["kind"] in compared]
    left = list(happened)
    pairs = []
    for expected in sorted(scenario.expect, key=lambda one: scenario.instant(one.at)):
        match = next((entry for entry in left if is_met(expected, entry, scenario)), None)
        if match is not None:
            left = [entry for entry in left if entry is not match]
        pairs.append((expected, match))
    return Comparison(scenario, pairs, happened)


def is_met(expected: Expectation, entry: TimelineEntry, scenario: Scenario) -> bool:
    text = f"{entry.get('subject', '')}\n{entry.get('body', '')}"
    return (
        datetime.fromisoformat(entry["at"]).replace(microsecond=0) == scenario.instant(expected.at)
        and all(str(entry.get(name)) == value for name, value in expected.fields.items())
        and all(part in text for part in expected.texts)
    )


def _named(unmet: Iterable[Expectation], kind: str) -> tuple[str, ...]:
    """The fields that expectations of a kind name and that nothing meets: the difference may be in one of them."""
    return tuple(dict.fromkeys(name for one in unmet if one.kind == kind for name in one.fields if name != "kind"))


def summary(entry: TimelineEntry, named: Iterable[str] = ()) -> str:
    """An entry in a line; with the fields that are `named` beside the usual ones."""
    fields = {name: entry[name] for name in SUMMARY_FIELDS if entry.get(name)}
    fields |= {name: entry.get(name) for name in named if name not in fields}
    return f"{entry['at']} {entry['kind']} " + " ".join(f"{name}={value}" for name, value in fields.items())


def _wanted(expected: Expectation, scenario: Scenario) -> str:
    named = [f"{name}={value}" for name, value in expected.fields.items() if name != "kind"]
    named += [f"contains={part!r}" for part in expected.texts]
    return f"{instant_to_wire(scenario.instant(expected.at))} {expected.kind} {' '.join(named)}  (line {expected.line})"
