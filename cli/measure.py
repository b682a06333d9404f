"""`cairn measure`: what a journey is worth, counted from the log of facts; and `cairn report`."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.table import Table

from cairn.domain.shared.currencies import decimals_of
from cairn.domain.shared.instants import duration_text
from cli.manage_client import Manage
from cli.options import LOCAL_URL, OPERATION, JsonOption, ToOption, examples
from cli.output import Terminal, print_json

Json = dict[str, Any]

UNKNOWN = "not yet"
IN_MS, PERCENT = "_ms", "_percent"
"""How the names of columns end that are lengths, in milliseconds, and shares."""
MOST_OTHERS = 5

app = typer.Typer()

JourneyArgument = Annotated[
    str, typer.Argument(help="The journey's name; none means all together.", metavar="[JOURNEY]")
]

MARKS = {
    "works": "[bold green]✓[/]",
    "harms": "[bold red]✗[/]",
    "no_effect": "[bold]·[/]",
    "too_early": "[bold yellow]…[/]",
    "assignment_broken": "[bold red]✗[/]",
    "guardrail_broken": "[bold red]✗[/]",
}

SAFETY = {"safe": "[green]safe[/]", "broken": "[bold red]broken[/]", "unknown": "not known yet"}


@app.command(
    rich_help_panel=OPERATION,
    epilog=examples("cairn measure payment-failure-rescue", "cairn measure", "cairn measure --json"),
)
def measure(journey: JourneyArgument = "", to: ToOption = LOCAL_URL, as_json: JsonOption = False) -> None:  # noqa: FBT002
    """Say what a journey is worth, or all of them together: its customers against its holdout.

    The interval stays right however often you look. docs/measuring.md says what each figure means.
    """
    found = Manage(to).get("measures", journey=journey)
    if as_json:
        print_json(found)
        return
    show(f" {MARKS[found['verdict']['outcome']]} [bold]{journey or 'all journeys'}[/]  {found['verdict']['sentence']}")
    for change in found["plan_changes"]:
        show(f" [yellow]! the plan has changed: {change}; counted are customers since[/]")
    show(_arms(found))
    show(_figures(found))
    for line in _beside(found):
        show(f" {line}")


def show(what: str | Table) -> None:
    Terminal(highlight=False).print(what)


def _arms(found: Json) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 1))
    for name, right in (("", False), ("entered", True), ("counted", True), ("goal", True), ("rate", True)):
        table.add_column(name, justify="right" if right else "left")
    for arm in ("treated", "holdout"):
        table.add_row(arm, *_counts(found[arm]))
    for one in found["split_arms"]:
        table.add_row(f"{one['step']}: {one['arm']}", *_counts(one))
    return table


def _counts(arm: Json) -> tuple[str, ...]:
    rate = "" if arm["rate"] is None else f"{arm['rate']:.1%}"
    return f"{arm['entered']:,}", f"{arm['customers']:,}", f"{arm['converted']:,}", rate


def _figures(found: Json) -> Table:
    rate, value = found["rate"], found["value"]
    table = Table(box=None, padding=(0, 2, 0, 1))
    level = f"{100 * (1 - found['plan']['alpha']):g} %"
    for name in ("difference", "", f"{level} at each look", f"{level} at one look alone"):
        table.add_column(name, justify="right" if table.columns else "left")
    table.add_column("")
    table.add_row("rate", *(_points(rate[name]) for name in ("estimate", "at_each_look", "at_one_look")), "points")
    if found["sessions"] is not None:
        each = (found["sessions"][name] for name in ("estimate", "at_each_look", "at_one_look"))
        table.add_row("goals an enrollment", *map(_points, each), "points")
    if value is not None and (found["treated"]["value"] or found["holdout"]["value"]):
        money = Money(found["plan"]["currency"])
        amounts = (money(value[name]) for name in ("estimate", "at_each_look", "at_one_look"))
        table.add_row("value a customer", *amounts, found["plan"]["currency"])
    for one in found["guardrails"]:
        if one["difference"] is not None:
            bounds = _points([one["at_least"], one["at_most"]])
            allowed = f"{_points(one['margin'])} allowed: {SAFETY[one['safety']]}"
            table.add_row(one["name"], _points(one["difference"]), bounds, "", allowed)
    return table


def _beside(found: Json) -> list[str]:
    power, cost, assignment = found["power"], found["cost"], found["assignment"]
    lines = []
    if assignment["suspicious"]:
        lines.append(f"[yellow]! the arms are not as large as written (p {assignment['p']:.2g}): look for a cause[/]")
    if power["smallest_effect"] is not None and found["plan"]["metric"] == "rate":
        lines.append(f"what could be found today: {_points(power['smallest_effect'])} points or more")
    if power["days_left"] and found["verdict"]["outcome"] == "too_early":
        lines.append(
            f"{power['needed']:,} customers needed for {_points(found['plan']['minimum_effect'])} points: "
            f"in about {power['days_left']:,.0f} days at the present rate"
        )
    if cost and cost["for_each"] is not None:
        bounds = "" if cost["at_most"] is None else f", {_usd(cost['at_least'])} to {_usd(cost['at_most'])}"
        lines.append(f"one more goal costs {_usd(cost['for_each'])}{bounds}")
    if found["days_to_goal"]:
        days = ", ".join(f"{arm} {days:g}" for arm, days in found["days_to_goal"].items())
        lines.append(f"days to the goal, median: {days}")
    others = (
        f"[dim]{row['journey']} wrote to {row['customers']:,} of the {row['arm']} meanwhile[/]"
        for row in found["other_journeys"][:MOST_OTHERS]
    )
    return [*lines, *others]


def _points(value: float | list[float] | None) -> str:
    if value is None:
        return UNKNOWN
    if isinstance(value, list):
        return f"{_points(value[0])} to {_points(value[1])}"
    return f"{100 * value:+.2f}"


def _usd(cents: float | None) -> str:
    return UNKNOWN if cents is None else f"{cents / 100:,.2f} USD"


class Money:
    """Amounts of one currency, from minor units."""

    def __init__(self, currency: str) -> None:
        self._decimals = decimals_of(currency)

    def __call__(self, value: float | list[float] | None) -> str:
        if value is None:
            return UNKNOWN
        if isinstance(value, list):
            return f"{self(value[0])} to {self(value[1])}"
        return f"{value / 10**self._decimals:+,.{self._decimals}f}"


class Report(StrEnum):
    KPIS = "kpis"
    FUNNEL = "funnel"
    DELIVERIES = "deliveries"
    LATENCIES = "latencies"
    CONSENTS = "consents"
    MATCHING = "matching"
    TASKS = "tasks"
    STAGES = "stages"
    KINDS = "kinds"
    LOSSES = "losses"


ABOUT = {
    Report.KPIS: "customers at each stage of the business, how many go on, and the goals of all journeys",
    Report.FUNNEL: "how many enrollments of a journey come to each step, and after how long",
    Report.DELIVERIES: "what became of messages by channel, provider, country and journey; why some did not go out",
    Report.LATENCIES: "from an event to its commit, from a decision to its message, from an event to its message",
    Report.CONSENTS: "how long statements of consent took to count, and what was sent meanwhile",
    Report.MATCHING: "of each source, how much reached a customer",
    Report.TASKS: "tasks by queue: how soon they are answered and done, and how many in time",
    Report.STAGES: "leads by pipeline and stage; customers by RFM class, and those who fell silent",
    Report.KINDS: "how many facts there are of each kind",
    Report.LOSSES: "what each journey lost: who did not enter, and messages that did not go out, with reasons",
}

UNNAMED = "name your stages in policy.toml: [[kpis]], with stage and events (docs/policy.md)"


@app.command(
    rich_help_panel=OPERATION,
    epilog=examples("cairn report funnel --journey trial-welcome", "cairn report deliveries --days 7"),
)
def report(
    name: Annotated[Report | None, typer.Argument(help="Which report; none lists them.", metavar="[REPORT]")] = None,
    journey: Annotated[str, typer.Option(help="Of a funnel: the journey.")] = "",
    days: Annotated[int, typer.Option(help="How many days are counted.", min=1, max=800)] = 30,
    to: ToOption = LOCAL_URL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Count from the log: stages of the business, funnels, deliveries, latencies, consents, matching, tasks, leads."""
    if name is None:
        show(_list())
        return
    found = Manage(to).get("reports", report=name.value, journey=journey, days=days)
    if as_json:
        print_json(found)
        return
    for query, rows in found.items():
        if isinstance(rows, list):
            nothing = UNNAMED if query == Report.KPIS else f"nothing in the last {days} days"
            show(_rows(query, rows) if rows else f" {query}: {nothing}")


def _list() -> Table:
    table = Table(box=None, padding=(0, 2, 0, 1), show_header=False)
    for report_, about in ABOUT.items():
        table.add_row(f"[bold]{report_}[/]", about)
    return table


def _rows(title: str, rows: list[Json]) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 1))
    for name in rows[0]:
        title_of = name.removesuffix(IN_MS).removesuffix(PERCENT).replace("_", " ")
        is_text = any(isinstance(row[name], str) for row in rows)
        table.add_column(title_of + (" %" if name.endswith(PERCENT) else ""), justify="left" if is_text else "right")
    for row in rows:
        table.add_row(*(_cell(name, value) for name, value in row.items()))
    return table


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name.endswith(IN_MS):
        length = timedelta(milliseconds=value)
        return f"{value:,} ms" if length < timedelta(seconds=10) else duration_text(length)
    return str(value) if isinstance(value, str) else f"{value:,}"
