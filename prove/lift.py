"""Prove the intervals and verdicts of docs/measuring.md on simulated journeys, and write their tables there.

python -m prove.lift [--journeys 2000] [--seed 7] [--page]
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from multiprocessing import Pool
from pathlib import Path

from prove.seasons import (
    ALPHA,
    Found,
    Season,
    guardrail_alarms,
    rates_cover,
    sessions_cover,
    values_cover,
    verdicts,
)

PAGE = Path(__file__).parents[1] / "docs" / "measuring.md"
BEGIN, END = "<!-- simulated -->\n", "<!-- /simulated -->\n"
JOURNEYS, SEED = 2000, 7
HOLDOUTS = (0.05, 0.1, 0.2, 0.5)

RATES = [
    *(Season(rate, holdout, lift) for rate in (0.01, 0.05, 0.2, 0.5) for holdout in HOLDOUTS for lift in (1, 1.3)),
    *(Season(0.001, holdout, lift, per_day=2000) for holdout in HOLDOUTS for lift in (1, 1.3)),
    *(Season(0.01, holdout, 0.5, per_day=2000) for holdout in HOLDOUTS),
    *(Season(0.05, 0.1, lift, per_day=30) for lift in (1, 1.3)),
]
VALUES = [
    *(Season(rate, holdout, lift, spread=1) for rate in (0.05, 0.3) for holdout in HOLDOUTS for lift in (1, 1.3, 0.5)),
    *(Season(0.01, holdout, lift, per_day=2000, spread=1) for holdout in HOLDOUTS for lift in (1, 1.3)),
    *(Season(0.3, holdout, spread=1.5) for holdout in HOLDOUTS),
]
SESSIONS = [Season(rate, holdout, lift) for rate in (0.05, 0.2) for holdout in HOLDOUTS for lift in (1, 1.3)]
DECIDED = [
    (Season(0.05, 0.1), ""),
    (Season(0.2, 0.5), ""),
    (Season(0.01, 0.05, per_day=2000), ""),
    (Season(0.2, 0.2, 1.2), "works"),
    (Season(0.05, 0.1, 1.3, per_day=1000), "works"),
    (Season(0.01, 0.5, 1.5, per_day=700), "works"),
    (Season(0.2, 0.2, 0.8), "harms"),
    (Season(0.05, 0.12, 1.3, written=0.1), "assignment_broken"),
    (Season(0.05, 0.45, 1.3, written=0.5), "assignment_broken"),
]
"""Seasons, and the verdict that must come out."""

COMPLAINTS = [
    ((0.001, 0.0), 0.001, ""),
    ((0.003, 0.001), 0.002, ""),
    ((0.002, 0.002), 0.002, ""),
    ((0.03, 0.02), 0.01, ""),
    ((0.008, 0.001), 0.002, "broken"),
]
"""Rates of treated customers and of the holdout, the margin of the plan, and whether it is broken."""

ENOUGH = 0.8
"""Of journeys that must end as expected within 60 days: the power for which the seasons are long enough."""


@dataclass(frozen=True)
class Case:
    cells: Sequence[str]
    simulate: Callable[[int, int], Found]
    expected: str = ""

    def passes(self, found: Found) -> bool:
        """The bound, and not the share alone: a lucky draw must not pass."""
        enough = not self.expected or found.outcomes[self.expected] >= ENOUGH * found.journeys
        return found.bound <= ALPHA and enough


@dataclass(frozen=True)
class Table:
    title: str
    columns: Sequence[str]
    cases: Sequence[Case]
    outcomes: Sequence[str] = ()
    """Shown as further columns."""

    def text(self, found: Sequence[Found]) -> str:
        rows = [self.columns, ["---"] * len(self.columns)]
        for case, one in zip(self.cases, found, strict=True):
            shares = [one.outcomes[outcome] / one.journeys for outcome in self.outcomes]
            rows.append([*case.cells, *(f"{100 * share:.1f} %" for share in (one.share, one.bound, *shares))])
        return f"### {self.title}\n\n" + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def tables() -> list[Table]:
    head = ["holdout's rate → treated", "holdout", "customers a day"]
    missed = ["missed at any look", "at most"]
    decided = ["assignment_broken", "works", "harms"]
    return [
        Table("Rates", [*head, *missed], [Case(_cells(one), partial(rates_cover, one)) for one in RATES]),
        Table(
            "Value per customer",
            [*head, "spread of a goal's value", *missed],
            [Case([*_cells(one), f"{one.spread:g}"], partial(values_cover, one)) for one in VALUES],
        ),
        Table(
            "Goals per enrollment",
            [*head, *missed],
            [Case(_cells(one), partial(sessions_cover, one)) for one in SESSIONS],
        ),
        Table(
            "Verdicts",
            [*head, "wrong at any look", "at most", "assignment is broken", "works", "harms"],
            [Case(_cells(one), partial(verdicts, one), expected) for one, expected in DECIDED],
            decided,
        ),
        Table(
            "Guardrails",
            ["holdout's rate → treated", "margin", "false alarm at any look", "at most", "broken"],
            [
                Case(
                    [f"{100 * rates[1]:g} % → {100 * rates[0]:g} %", f"{100 * margin:g} points"],
                    partial(guardrail_alarms, rates, margin),
                    expected,
                )
                for rates, margin, expected in COMPLAINTS
            ],
            ["broken"],
        ),
    ]


def _cells(season: Season) -> list[str]:
    written = "" if season.written is None else f", written {100 * season.written:g} %"
    return [
        f"{100 * season.rate:g} % → {100 * season.rate * season.lift:.3g} %",
        f"{100 * season.holdout:g} %{written}",
        str(season.per_day),
    ]


def simulate(case: Case, *, journeys: int, seed: int) -> Found:
    return case.simulate(journeys, seed)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--journeys", type=int, default=JOURNEYS, help="of each row")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--page", action="store_true", help="write the tables into docs/measuring.md")
    wanted = parser.parse_args()
    all_tables, text, failed = tables(), [], []
    with Pool() as pool:
        run = partial(simulate, journeys=wanted.journeys, seed=wanted.seed)
        results = pool.imap(run, chain.from_iterable(table.cases for table in all_tables))
        for table in all_tables:
            found = [next(results) for _ in table.cases]
            text.append(table.text(found))
            print(text[-1], flush=True)
            failed += [
                f"{table.title}: {', '.join(case.cells)}"
                for case, one in zip(table.cases, found, strict=True)
                if not case.passes(one)
            ]
    if wanted.page:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text("".join((before, BEGIN, "\n", "\n".join(text), "\n", END, after)), encoding="utf-8")
    print("\n".join(f"not as promised: {one}" for one in failed) or "all as promised")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
