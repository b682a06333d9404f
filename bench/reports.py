"""How long the questions to the log take in DuckDB: `python -m bench.reports`, over ten million facts made by SQL.

A tenth of the customers are in the holdout. The others get three messages each; one in five of all reaches the goal.
"""

import argparse
import time
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table

from cairn.adapters.athena.queries import TABLE, names
from cairn.domain.measurement.facts import COLUMNS
from infra.local.facts_in_duckdb import DuckFacts

FACTS = 10_000_000
MAX_SECONDS = 5.0
FACTS_OF_A_CUSTOMER = 10.4
WINDOW_MS = 7 * 24 * 60 * 60 * 1000
JOURNEY = "come-back"
OF_A_JOURNEY = {"arms", "costs", "funnel", "guardrails", "others", "sessions", "split_arms", "times_to_goal", "work"}
WITH_WINDOW = {"arms", "guardrails", "others", "sessions", "split_arms"}

PEOPLE = (
    "CREATE TABLE people AS SELECT n, n * 2000 AS began, CAST(n AS VARCHAR) AS c FROM range(?) AS r(n)",
    "CREATE TABLE treated AS SELECT * FROM people WHERE n % 10 > 0",
)
MESSAGES = """\
SELECT kind || c || '-' || step, began + step * 86400000, kind, 'step' || step, 'm' || step || c
FROM treated CROSS JOIN range(3) AS steps(step) CROSS JOIN (VALUES ('sent'), ('delivered')) AS kinds(kind)
"""
KINDS = (
    "SELECT 'e' || c, began, CASE WHEN n % 10 = 0 THEN 'held_out' ELSE 'entered' END, '', '' FROM people",
    "SELECT 'v' || c || '-' || day, began + day * 86400000, 'event', '', '' FROM people CROSS JOIN range(2) AS r(day)",
    MESSAGES,
    "SELECT 'w' || c, began, 'waiting', 'wait', '' FROM treated",
    "SELECT 'g' || c, began + 3 * 86400000, 'goal_reached', '', '' FROM people WHERE n % 5 = 0",
    "SELECT 'x' || c, began + 4 * 86400000, 'ended', '', '' FROM treated",
)
"""Of each kind: its id, instant, kind, step and message."""

LINE = f"""\
INSERT INTO {TABLE} (id, at_ms, kind, step, message, customer, journey, version, enrollment, channel, country, event,
                     source, value, currency, parts, purpose)
SELECT one.*, 'c_' || regexp_extract(one.id, '[0-9]+'), '{JOURNEY}', 'v1', 'en' || regexp_extract(one.id, '[0-9]+'),
       'sms', 'US', 'order.paid', 'track', 1250, 'USD', 1, 'transactional'
FROM ({{rows}}) AS one(id, at_ms, kind, step, message)
"""  # noqa: S608  nothing from outside


def filled(facts: int) -> DuckFacts:
    log = DuckFacts()
    for sql, parameters in zip(PEOPLE, ([round(facts / FACTS_OF_A_CUSTOMER)], []), strict=True):
        log.run(sql, parameters)
    for rows in KINDS:
        log.run(LINE.format(rows=rows), [])
    return log


def about(name: str, until: int) -> Sequence[str | int]:
    before = [JOURNEY] if name in OF_A_JOURNEY else [" order.paid ", " order.paid "] if name == "kpis" else []
    window: list[str | int] = [WINDOW_MS] if name in WITH_WINDOW else []
    return [*before, 0, until, *window, *([" v1 "] if name == "sessions" else [])]


def seconds(log: DuckFacts, until: int) -> Iterator[tuple[str, float, float]]:
    """Of each question: seconds of the clock, and of all cores together, which a busy machine changes less."""
    for name in names():
        started, cpu = time.perf_counter(), time.process_time()
        log.ask([(name, about(name, until))])
        yield name, time.perf_counter() - started, time.process_time() - cpu


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.reports", description=__doc__)
    parser.add_argument("--facts", type=int, default=FACTS)
    facts = parser.parse_args().facts
    log = filled(facts)
    [row] = log.run("SELECT COUNT(*) AS n, MAX(at_ms) AS until FROM facts", [])[1]
    table = Table(f"question, over {row['n']:,} facts of {len(COLUMNS)} columns", "seconds", "of cores", "")
    slow = 0
    for name, took, cpu in seconds(log, row["until"] + WINDOW_MS):
        slow += took > MAX_SECONDS
        table.add_row(name, f"{took:.2f}", f"{cpu:.2f}", "[green]✓[/]" if took <= MAX_SECONDS else "[red]✗[/]")
    Console().print(table)
    return slow


if __name__ == "__main__":
    raise SystemExit(main())
