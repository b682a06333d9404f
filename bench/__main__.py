"""Prints each budget beside this run's measurement, growth curves, and a month's bill.

`--quick` measures everything once and small, to see that it runs. `--page` also writes docs/performance.md, its charts
and the README's table of costs. Numbers that are equal on every machine are also tests.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import timedelta
from io import StringIO

from rich.console import Console
from rich.table import Table

with redirect_stdout(StringIO()):  # logging costs its usual time, but stays out of the table
    import cairn.telemetry  # noqa: F401

from authoring.stories import load
from bench import bill, growth, page
from bench.cpu import REPETITIONS, ROUNDS, cpu_per_event
from bench.dynamodb_local import VARIABLE, NotThereError, dynamodb_local
from bench.imports import RUNS, NotMeasuredError, imports
from bench.paths import JOURNEYS, ROOT, paths_taken
from bench.rate import rate
from bench.template import synthesized
from infra.local.deployment import local_deployment
from infra.local.scenario import run_scenario
from infra.local.servers import ServerDidNotStartError
from infra.local.signing import local_secrets

MAX_CPU = 1.5
MAX_IMPORT = 1.15
MAX_REPLAY_SECONDS = 2.0
MAX_CROWD = 1.2
CROWD = 60
"""Customers of one story."""
NOBODY_COMES = ROOT / "events" / "scenarios" / "fitness-never-visits.yaml"
SIXTY_DAYS = ROOT / "events" / "scenarios" / "fitness-trial-to-paid.yaml"

FEW = {"attributes": (1, 20), "open enrollments": (1, 5), "journeys": (3, 10), "customers": (10, 20)}
WITHOUT = (
    f"Without DynamoDB Local: no CPU of the curves, no events per second, and few customers. Set {VARIABLE} to the "
    "folder of its jars (bench/dynamodb_local.py says how to get it from Maven Central)."
)

Row = tuple[str, str, str, bool]
"""Name, measurement, budget, within budget."""


def rows(*, quick: bool = False) -> Iterator[Row]:
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
    ours, floor = cpu_per_event(1, 2) if quick else cpu_per_event(ROUNDS, REPETITIONS)
    yield (
        "CPU of an event / of its bare AWS calls",
        f"{ours / floor:.2f} ({ours:.2f} / {floor:.2f} ms)",
        f"{MAX_CPU}",
        ours / floor <= MAX_CPU,
    )
    seconds = replay_seconds()
    yield "60 days of replay, after start", f"{seconds:.2f} s", f"{MAX_REPLAY_SECONDS} s", seconds < MAX_REPLAY_SECONDS
    crowd, alone = crowd_cpu(CROWD), CROWD * min(crowd_cpu(1) for _ in range(1 if quick else 5))
    yield (
        f"60 days of {CROWD} customers / of one, {CROWD} times",
        f"{crowd / alone:.2f} ({crowd:.1f} / {alone:.1f} s)",
        f"{MAX_CROWD}",
        crowd / alone <= MAX_CROWD,
    )
    for name, ours, floor in imports(1 if quick else RUNS):
        yield (
            f"import of `{name}` / of what it needs",
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


def crowd_cpu(customers: int) -> float:
    """CPU seconds of a story in which so many sign up and never come, and nobody does the tasks about them."""
    scenario = load(NOBODY_COMES)
    (post,) = scenario.posts
    posts = [
        post.model_copy(
            update={
                "at": timedelta(minutes=number),
                "set": {
                    **post.set,
                    "id": f"signup-{number}",
                    "customer": {"user_id": f"member-{number}", "phone": f"+1201555{number:04}"},
                },
            }
        )
        for number in range(customers)
    ]
    crowd = scenario.model_copy(update={"posts": posts, "expect": []})
    with local_deployment(JOURNEYS, start=scenario.starts, secrets=local_secrets({})) as made:
        started = time.process_time()
        run_scenario(NOBODY_COMES, crowd, made, local_secrets({}))
        return time.process_time() - started


def measure(console: Console, *, quick: bool, most_customers: int) -> page.Results:
    table = Table("what", "measured", "budget", "")
    budgets = list(rows(quick=quick))
    for what, measured, budget, within_budget in budgets:
        table.add_row(what, measured, budget, "[green]✓[/]" if within_budget else "[red]✗[/]")
    console.print(table)

    with dynamodb_local() as endpoint:
        if endpoint is None:
            console.print(WITHOUT)
        sizes, repeated = (FEW, 1) if quick else (None, growth.REPEATED)
        points = list(growth.curves(endpoint, sizes, repeated, most_customers))
        console.print(_growth(points))
    with dynamodb_local() as endpoint:  # another one: a hundred thousand customers fill the memory of the first
        found = rate(endpoint) if endpoint else None
    if found is not None:
        console.print(f"{found.per_cpu_second:.0f} events a second and core, {found.per_second:.0f} of the clock")

    used, stack = bill.measured(1 if quick else 4), synthesized()
    work, idle = bill.month(stack, used), bill.idle(stack, used)
    for title, lines in (("a month's work, USD", work), ("a month in which nothing happens, USD", idle)):
        table = Table(title, "counted", "USD")
        for line in [*lines, bill.Charge("together", "", bill.total(lines))]:
            table.add_row(line.what, line.counted, f"{line.usd:.2f}")
        console.print(table)
    return page.Results(budgets=budgets, points=points, measured=used, stack=stack, rate=found)


def _growth(points: list[growth.Point]) -> Table:
    table = Table("what", "grows", *growth.HEADINGS)
    for path in growth.PATHS:
        for row in growth.rows(points, path):
            table.add_row(path, *row)
    return table


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--quick", action="store_true", help="measure everything once and small")
    kind.add_argument("--page", action="store_true", help="write docs/performance.md and the README's costs")
    most = growth.CUSTOMERS[-1]
    parser.add_argument("--customers", type=int, default=most, help=f"the most that are stored; {most:,} take an hour")
    asked = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 150)
    try:
        results = measure(console, quick=asked.quick, most_customers=asked.customers)
    except (NotThereError, NotMeasuredError, ServerDidNotStartError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if asked.page:
        page.write(results)
        console.print(f"written: {page.PAGE}, its charts, and the costs of {page.README}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
