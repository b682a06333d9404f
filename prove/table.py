"""Counts what was run and what came of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from prove.mutations import Caught
from prove.plan import Explored
from prove.verdict import Outcome

KINDS = ("faults", "outages", "seeds")


@dataclass(slots=True)
class Row:
    """Of one story."""

    calls: int = 0
    possible: int = 0
    runs: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[Outcome] = field(default_factory=Counter)


@dataclass(slots=True)
class Table:
    stories: dict[str, Row] = field(default_factory=dict)
    faults: dict[str, Counter[Outcome]] = field(default_factory=dict)
    """What came of each fault, outage and seed."""
    problems: list[str] = field(default_factory=list)
    calls: int = 0
    """Of all runs together."""
    seconds: float = 0.0

    def add(self, found: Explored) -> None:
        row = self.stories.setdefault(found.story, Row())
        row.calls, row.possible = len(found.calls), found.possible
        self.seconds += found.seconds
        if found.problem:
            self.problems.append(f"{found.story}: {found.problem}")
        for attack, verdict in found.results:
            row.runs[attack.kind] += 1
            row.outcomes[verdict.outcome] += 1
            self.calls += verdict.calls
            name = attack.fault or attack.kind
            self.faults.setdefault(name, Counter())[verdict.outcome] += 1

    @property
    def outcomes(self) -> Counter[Outcome]:
        return sum((row.outcomes for row in self.stories.values()), Counter())

    @property
    def runs(self) -> Counter[str]:
        return sum((row.runs for row in self.stories.values()), Counter())

    @property
    def good(self) -> bool:
        return not self.problems and all(outcome.good for outcome in self.outcomes)

    def rows(self, caught: Sequence[Caught]) -> list[tuple[str, str]]:
        """The table that the README shows."""
        runs, outcomes = self.runs, self.outcomes
        possible = sum(row.possible for row in self.stories.values())
        doubled = f"{outcomes[Outcome.DOUBLED]} outside the declared window"
        return [
            ("stories", str(len(self.stories))),
            ("calls to AWS in them", str(sum(row.calls for row in self.stories.values()))),
            ("one fault at one call", f"{runs['faults']:,} runs"),
            ("a service out of order, 30 seconds to a day", f"{runs['outages']:,} runs"),
            ("many faults at once, by seed", f"{runs['seeds']:,} runs"),
            ("share of all single faults and outages", f"{_share(runs['faults'] + runs['outages'], possible)}"),
            ("lost", str(outcomes[Outcome.LOST])),
            ("sent twice", doubled),
            ("stuck, or never ended", str(outcomes[Outcome.STUCK] + outcomes[Outcome.BROKEN])),
            ("in a dead-letter queue after a passing fault", str(outcomes[Outcome.DEAD_LETTERED])),
            ("sent without consent or in quiet hours", str(outcomes[Outcome.WRONG])),
            ("another end than without the fault", str(outcomes[Outcome.DIFFERS])),
            ("in the declared window around a provider", str(outcomes[Outcome.WINDOW])),
            ("guards removed, and caught", f"{sum(one.caught for one in caught)} of {len(caught)}"),
            ("minutes of one processor, without the guards removed", f"{self.seconds / 60:.0f}"),
        ]

    def summary(self, caught: Sequence[Caught]) -> str:
        rows = self.rows(caught)
        width = max(len(name) for name, _ in rows)
        return "\n".join(["", *(f"  {name:<{width}}  {value}" for name, value in rows)])


def _share(run: int, possible: int) -> str:
    return f"{run / possible:.0%}" if possible else "none"
