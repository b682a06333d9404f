"""Explore all laws with other examples than `make test`, round after round, each under a seed of its own.

    python -m tests.prove_laws [--minutes 60] [--seed 7] [TEST ...]

A law that fails is not tried again; the line that plays it once more is printed. Its counterexample belongs on the law
as an `@example`, beside what mends its cause.
"""

import argparse
import random
import secrets
import shlex
import sys
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import pytest
from hypothesis.statistics import collector

from tests import laws

RERUN = f".venv/bin/python -m pytest -vvv --hypothesis-profile={laws.PROVE}"
"""With -vvv, pytest shows the whole counterexample."""

VALID = frozenset({"valid", "interesting"})
"""Of an example's statuses those that the law was really tried on."""


@dataclass(eq=False)  # pytest keeps its plugins in sets
class Exploration:
    """A plugin of pytest: what all rounds together found."""

    until: float
    seed: int = 0
    examples: int = 0
    laws: set[str] = field(default_factory=set)
    tried: set[str] = field(default_factory=set)
    broken: dict[str, str] = field(default_factory=dict)
    """The laws that failed, each with the command that shows it."""

    def round(self, tests: Sequence[str], seed: int) -> None:
        self.seed = seed
        options = ["-q", "-m", "hypothesis", "--no-header", "--no-summary", "-p", "no:cacheprovider", "-p", "no:xdist"]
        options += ["-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning"]
        hypothesis = [f"--hypothesis-profile={laws.PROVE}", f"--hypothesis-seed={seed}"]
        ended = pytest.main([*options, *hypothesis, *tests], plugins=[self])
        if ended not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED}:
            sys.exit(f"pytest ended with {ended!r}")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """In another order each round, so that a short exploration does not always try the same laws."""
        self.laws |= {item.nodeid for item in items}
        items[:] = [item for item in items if item.nodeid not in self.broken]
        random.Random(self.seed).shuffle(items)  # noqa: S311  an order, no secret

    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        if monotonic() > self.until:
            item.session.shouldstop = "the time is up"

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        self.tried.add(item.nodeid)
        outer = collector.value

        def count(statistics: dict[str, Any]) -> None:
            phases = (one for name, one in statistics.items() if name.endswith("-phase"))
            self.examples += sum(one["status"] in VALID for phase in phases for one in phase["test-cases"])
            if outer is not None:
                outer(statistics)

        with collector.with_value(count):
            return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            line = f"{RERUN} --hypothesis-seed={self.seed} {shlex.quote(report.nodeid)}"
            self.broken[report.nodeid] = line
            sys.stdout.write(f"\n{report.longreprtext}\n\n{line}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.prove_laws", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60, help="how long to explore")
    parser.add_argument("--seed", type=int, help="one round under this seed only")
    parser.add_argument("tests", nargs="*", default=["tests"], help="files or folders; all by default")
    asked = parser.parse_args(arguments)
    began = monotonic()
    found = Exploration(began + 60 * asked.minutes)
    rounds = 0
    while monotonic() < found.until and not (rounds and asked.seed is not None):
        found.round(asked.tests, secrets.randbelow(2**32) if asked.seed is None else asked.seed)
        rounds += 1
    minutes = (monotonic() - began) / 60
    sys.stdout.write(
        f"\n{len(found.tried)} of {len(found.laws)} laws, {found.examples:,} examples in {minutes:.1f} minutes "
        f"({found.examples / minutes * 60:,.0f} an hour), rounds: {rounds}, broken: {len(found.broken)}\n"
    )
    for line in found.broken.values():
        sys.stdout.write(f"{line}\n")
    return 1 if found.broken or not found.examples else 0


if __name__ == "__main__":
    sys.exit(main())
