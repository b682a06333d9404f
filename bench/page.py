"""docs/performance.md, its charts, and the table of costs in the README: all from one run."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from textwrap import fill

from authoring import prices
from bench import bill, growth
from bench.charts import Bar, Panel, bars, lines
from bench.paths import ROOT
from bench.rate import Rate
from bench.template import Stack

PAGE = ROOT / "docs" / "performance.md"
GROWTH_CHART = "performance-growth.svg"
BILL_CHART = "performance-bill.svg"
OTHERS_CHART = "performance-others.svg"
README = ROOT / "README.md"
COLUMNS = 120
BEGIN, END = "<!-- costs: python -m bench --page -->", "<!-- end of costs -->"
BLOCK = re.compile(f"{re.escape(BEGIN)}\n.*?{re.escape(END)}", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    budgets: Sequence[tuple[str, str, str, bool]]
    points: Sequence[growth.Point]
    measured: bill.Measured
    stack: Stack
    rate: Rate | None
    """None without DynamoDB Local."""


def write(results: Results, root: Path = ROOT) -> None:
    """Write the page, its charts, and the README's table."""
    docs = root / "docs"
    (docs / PAGE.name).write_text(page(results), encoding="utf-8")
    (docs / GROWTH_CHART).write_text(_growth_chart(results.points), encoding="utf-8")
    (docs / BILL_CHART).write_text(_bill_chart(results), encoding="utf-8")
    (docs / OTHERS_CHART).write_text(_others_chart(results), encoding="utf-8")
    readme = root / README.name
    text = readme.read_text(encoding="utf-8")
    readme.write_text(BLOCK.sub(lambda _: costs(results), text), encoding="utf-8")


def costs_in(text: str) -> str:
    """The table of costs of a page, as the README has it too."""
    found = BLOCK.search(text)
    if found is None:
        raise ValueError(f"the page has no table between {BEGIN} and {END}")
    return found[0]


def costs(results: Results) -> str:
    work = bill.total(bill.month(results.stack, results.measured))
    idle = bill.total(bill.idle(results.stack, results.measured))
    sent = bill.sending(results.measured)
    rows = [f"| **Cairn** | {work + idle:,.0f}, of which {idle:,.1f} while nothing happens | {sent:,.0f} (SES) |"]
    rows += [f"| {one.name} | {one.usd:,.0f}{_doubt(one)} | {sent:,.0f} |" for one in bill.others()]
    return "\n".join([BEGIN, "", "| | engine, USD | sending, USD |", "|---|---|---|", *rows, "", END])


def _doubt(one: bill.Other) -> str:
    return "" if one.confirmed else " (prices unconfirmed)"


def page(results: Results) -> str:
    return "\n".join(
        _wrapped(line)
        for line in [
            "# Performance and cost",
            "",
            (
                f"Made by `python -m bench --page` on {datetime.now(UTC):%d %B %Y}, of version "
                f"{version('cairn')}. Change nothing here by hand. Units, calls and bytes are equal on every machine. "
                "Milliseconds are those of one machine: trust their ratios."
            ),
            "",
            "## What a month costs",
            "",
            (
                f"{bill.CUSTOMERS:,} customers with {bill.ATTRIBUTES} attributes and {bill.ENROLLMENTS} open "
                f"enrollments of a kilobyte each; {bill.WEBHOOKS:,} webhooks, each of which starts an enrollment of "
                f"{bill.STEPS_OF_A_WEBHOOK} steps: a wait of an hour, an e-mail, a wait of a day. List prices of "
                f"us-east-1, {prices.DATED}, free tiers ignored."
            ),
            "",
            *costs(results).splitlines(),
            "",
            f"![What a month costs, by part]({BILL_CHART})",
            "",
            *_lines("The work of the month", bill.month(results.stack, results.measured)),
            *_lines("A stage while nothing happens", bill.idle(results.stack, results.measured)),
            (
                "Assumptions: nothing is batched, so that each message of a queue is an invocation of its own. A "
                f"millisecond of CPU lasts {prices.CPU_TO_DURATION} in a function of 512 MB, and each call of AWS "
                f"takes {prices.CALL_MS:.0f} ms. The load is even, which is the most for tracing, and messages come to "
                "their queues at random: a long poll that one ends early replaces a part of one that finds nothing."
            ),
            "",
            "### The same steps elsewhere",
            "",
            f"![The same steps elsewhere]({OTHERS_CHART})",
            "",
            "| | USD | assumes, for each enrollment |",
            "|---|---|---|",
            *(f"| {one.name} | {one.usd:,.0f} | {one.assumes} |" for one in bill.others()),
            "",
            "None of them has profiles, consent, caps, legal hours, or the reason of each message.",
            "",
            *_growth(results.points),
            *_rate(results.rate),
            "## Budgets",
            "",
            "| what | measured | budget | |",
            "|---|---|---|---|",
            *(f"| {what} | {found} | {budget} | {'✓' if ok else '✗'} |" for what, found, budget, ok in results.budgets),
            "",
            "## Prices",
            "",
            "| | USD | for | source |",
            "|---|---|---|---|",
            *(_price(one) for one in prices.PRICES),
            "",
        ]
    )


def _wrapped(line: str) -> str:
    """Prose, as wide as a page of the repository is; a table's row stays one line."""
    return line if line.startswith(("|", "!", "<", "#")) else fill(line, COLUMNS, break_on_hyphens=False)


def _price(one: prices.Price) -> str:
    number = f"{one.per:,}" if one.per > 1 else "one"
    doubt = "" if one.confirmed else ", unconfirmed"
    return f"| {one.what} | {one.usd:,.2f} | {number} | [{one.source.split('/')[2]}]({one.source}){doubt} |"


def _lines(title: str, counted: list[bill.Charge]) -> list[str]:
    rows = [f"| {one.what} | {one.counted} | {one.usd:,.2f} |" for one in counted]
    together = f"| **together** | | **{bill.total(counted):,.2f}** |"
    return [f"### {title}", "", "| | counted | USD |", "|---|---|---|", *rows, together, ""]


def _growth(points: Sequence[growth.Point]) -> list[str]:
    has_cpu = any(point.cost.reported_writes for point in points)
    text = [
        "## What grows, and what does not",
        "",
        "Write units of one event or wake-up in `process_event`, by the rules that AWS documents; the chart shows them "
        "as ratios to the smallest size. Each open enrollment has a kilobyte of data."
        + (
            " The table is in DynamoDB Local. What it reports itself stands beside: for a transaction, it reports up "
            "to twice of what AWS documents."
            if has_cpu
            else ""
        ),
        "",
        f"![Write units as ratios to the smallest size]({GROWTH_CHART})",
        "",
    ]
    for path in growth.PATHS:
        text += [f"### For {path}", "", f"| | {' | '.join(growth.HEADINGS)} |", "|---|---|---|---|---|---|---|---|"]
        text += [f"| {' | '.join(row)} |" for row in growth.rows(points, path)]
        text.append("")
    return text


def _rate(found: Rate | None) -> list[str]:
    if found is None:
        return []
    return [
        "## Events per second",
        "",
        (
            f"One process on one core handles {found.per_cpu_second:,.0f} events a second of its CPU, of customers "
            f"with 20 attributes and one open enrollment; {found.per_second:,.0f} a second of the clock, while "
            "DynamoDB Local answers on the same machine. A stage runs as many processes as its `event_concurrency` "
            "allows."
        ),
        "",
    ]


def _growth_chart(points: Sequence[growth.Point]) -> str:
    panels = []
    for of in dict.fromkeys(point.of for point in points):
        sizes = sorted({point.size for point in points if point.of == of})
        found = {
            path: [point.cost.write_units for point in points if (point.of, point.path) == (of, path)]
            for path in growth.PATHS
        }
        panels.append(Panel(of, sizes, {path: [one / values[0] for one in values] for path, values in found.items()}))
    return lines(panels, unit="Write units, as ratios to the smallest size", label="Growth of write units")


def _bill_chart(results: Results) -> str:
    idle = bill.idle(results.stack, results.measured)
    rows = [Bar(line.what, line.usd) for line in bill.month(results.stack, results.measured)]
    rows += [Bar("while nothing happens", bill.total(idle))]
    rows.sort(key=lambda bar: -bar.usd)
    return bars(rows, title="A month beside the sending, USD", label="What a month costs, by part")


def _others_chart(results: Results) -> str:
    own = bill.total(bill.month(results.stack, results.measured)) + bill.total(
        bill.idle(results.stack, results.measured)
    )
    rows = [Bar("Cairn, all of it", own), *(Bar(one.name, one.usd, "steps only") for one in bill.others())]
    return bars(rows, title="A month beside the sending, USD", label="The same steps elsewhere")
