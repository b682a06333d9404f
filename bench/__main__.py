"""Prints each budget beside this run's measurement. Numbers that are equal on every machine are also tests."""

import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO

from rich.console import Console
from rich.table import Table

with redirect_stdout(StringIO()):  # logging costs its usual time, but stays out of the table
    import cairn.telemetry  # noqa: F401

from bench.cpu import cpu_per_event
from bench.imports import imports
from bench.paths import JOURNEYS, ROOT, paths_taken
from infra.local.deployment import local_deployment
from infra.local.scenario import load, run_scenario
from infra.local.signing import local_secrets

MAX_CPU = 1.5
MAX_IMPORT = 1.15
MAX_REPLAY_SECONDS = 2.0
SIXTY_DAYS = ROOT / "events" / "scenarios" / "fitness-trial-to-paid.yaml"

Row = tuple[str, str, str, bool]
"""Name, measurement, budget, within budget."""


def rows() -> Iterator[Row]:
    for path in paths_taken():
        yield (
            f"{path.name}: AWS calls",
            f"{len(path.calls)} ({path.operations})",
            str(path.budget.calls),
            (len(path.calls) <= path.budget.calls),
        )
        if path.units:
            most = path.budget.units
            yield f"{path.name}: write units", str(path.units), str(most or "none"), most is None or path.units <= most
    ours, floor = cpu_per_event()
    yield (
        "CPU of an event / of its bare AWS calls",
        f"{ours / floor:.2f} ({ours:.2f} / {floor:.2f} ms)",
        f"{MAX_CPU}",
        ours / floor <= MAX_CPU,
    )
    seconds = replay_seconds()
    yield "60 days of replay, after start", f"{seconds:.2f} s", f"{MAX_REPLAY_SECONDS} s", seconds < MAX_REPLAY_SECONDS
    for name, ours, floor in imports():
        yield (
            f"import of {name} / of what it needs",
            f"{ours / floor:.2f} ({ours:.0f} / {floor:.0f} ms)",
            f"{MAX_IMPORT}",
            ours / floor <= MAX_IMPORT,
        )


def replay_seconds() -> float:
    scenario = load(SIXTY_DAYS)
    with local_deployment(JOURNEYS, start=scenario.starts, secrets=local_secrets({})) as made:
        started = time.perf_counter()
        run_scenario(SIXTY_DAYS, scenario, made, local_secrets({}))
        return time.perf_counter() - started


def main() -> None:
    table = Table("what", "measured", "budget", "")
    for what, measured, budget, within_budget in rows():
        table.add_row(what, measured, budget, "[green]✓[/]" if within_budget else "[red]✗[/]")
    Console(width=None if sys.stdout.isatty() else 150).print(table)


if __name__ == "__main__":
    main()
