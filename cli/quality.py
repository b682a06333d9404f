"""`cairn quality`: how complete and right the data of customers is, and who is probably one person twice."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from cli.manage_client import Manage
from cli.measure import show
from cli.options import (
    JOURNEYS,
    LOCAL_URL,
    OPERATION,
    POLICY,
    CustomerArgument,
    JourneysOption,
    JsonOption,
    OptionalWhyOption,
    PolicyOption,
    ToOption,
    WhyOption,
    examples,
    of_project,
)
from cli.output import Terminal, echo, print_json

if TYPE_CHECKING:
    from cli.table_copy import Progress

Json = dict[str, Any]

INTERRUPTED = 130

MOST_ROWS = 12
"""Rows of a table that are shown; `--json` has all."""

STATES = ("usable", "stale", "bounced", "invalid", "not_its_own", "none")

WIDEST = 60
"""Characters of a value in a comparison."""

app = typer.Typer(
    no_args_is_help=False,
    invoke_without_command=True,
    rich_help_panel=OPERATION,
    help="Say how complete and right the data of customers is, and offer those who may be one person twice.",
    epilog=examples(
        'cairn quality run --why "ticket 12"', "cairn quality", 'cairn quality merge ONE OTHER --why "asked her"'
    ),
)

OtherArgument = Annotated[str, typer.Argument(help="The other customer, named likewise.", metavar="OTHER")]


@app.callback()
def quality(ctx: typer.Context, to: ToOption = LOCAL_URL, as_json: JsonOption = False) -> None:  # noqa: FBT002
    """Show the report of the last run."""
    if ctx.invoked_subcommand is not None:
        return
    manage = Manage(to)
    report = manage.get("quality")
    sections = {
        name: list(_rows(manage, name)) if name in report["parts"] else []
        for name in ("completeness", "disagreements", "losses")
    }
    if as_json:
        print_json({**report, **sections})
        return
    show(f" [bold]{report['customers']:,} customers[/] as of {report['at']}")
    for part in _report(report, sections):
        show("")
        show(part)


@app.command(
    epilog=examples(
        'cairn quality run --why "ticket 12"',
        'cairn quality run --stack Cairn-dev --to https://abc123.example.com --why "ticket 12"',
    )
)
def run(  # noqa: PLR0913, PLR0917  one argument for each option
    why: WhyOption,
    stack: Annotated[str, typer.Option("--stack", help="The deployment's stack; without it, `cairn serve`.")] = "",
    to: ToOption = LOCAL_URL,
    journeys: JourneysOption = JOURNEYS,
    policy: PolicyOption = POLICY,
    work: Annotated[Path, typer.Option("--work", help="The file that says how far it is; deleted at the end.")] = Path(
        "quality.sqlite"
    ),
) -> None:
    """Count from an export of the table; it may be interrupted, and goes on.

    The export takes no read units. Run it where the deployed journeys are: they say which attributes are needed.
    """
    from cli.quality_client import Run  # noqa: PLC0415  slow to import

    policy, _ = of_project(journeys, policy)
    try:
        with Run.at(work, to, stack, (journeys, policy), why) as this:
            _show_progress(this.steps(why))
    except KeyboardInterrupt:
        echo(f"interrupted: run it again, and it goes on from {work}")
        raise typer.Exit(INTERRUPTED) from None
    found = Manage(to).get("quality")
    echo(f"customers: {found['customers']:,}; pairs to look at: {found['offered']:,}. `cairn quality` shows the report")


@app.command(epilog=examples("cairn quality pairs", "cairn quality pairs --limit 50"))
def pairs(
    limit: Annotated[int, typer.Option("--limit", min=1, help="So many.")] = 20,
    to: ToOption = LOCAL_URL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """List customers who are probably one person twice, the most alike first. Nobody has decided about them yet."""
    found = [one for _, one in zip(range(limit), _rows(Manage(to), "pairs"), strict=False)]
    if as_json:
        print_json({"pairs": found})
        return
    table = _table("points", "customer", "other", "because")
    for one in found:
        apart = f"  [yellow]each has a {', '.join(map(_code, one['accounts']))}[/]" if one.get("accounts") else ""
        table.add_row(str(one["points"]), one["a"], one["b"], ", ".join(map(_code, one["because"])) + apart)
    show(table if found else " nobody is offered")


@app.command(epilog=examples("cairn quality compare mia@example.com c_k3v9q2m7x1c8b4n6z5w0abcdef"))
def compare(
    customer: CustomerArgument,
    other: OtherArgument,
    why: OptionalWhyOption = "",
    to: ToOption = LOCAL_URL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Show two customers side by side."""
    both = Manage(to).post("quality", do="compare", customer=customer, other=other, why=why)["customers"]
    if as_json:
        print_json({"customers": both})
        return
    table = _table("", both[0]["customer"], both[1]["customer"])
    left, right = map(_fields, both)
    for name in [*left, *(one for one in right if one not in left)]:
        values = left.get(name, ""), right.get(name, "")
        same = "green" if values[0] == values[1] else "yellow" if all(values) else ""
        table.add_row(name, *(f"[{same}]{_escaped(one)}[/]" if same else _escaped(one) for one in values))
    show(table)


@app.command(epilog=examples('cairn quality merge mia@example.com +12015550199 --why "she called, ticket 12"'))
def merge(customer: CustomerArgument, other: OtherArgument, why: WhyOption, to: ToOption = LOCAL_URL) -> None:
    """Make two customers one. It cannot be undone by a command (docs/trust.md)."""
    done = Manage(to).post("quality", do="merge", customer=customer, other=other, why=why)
    echo(f"the merge is ordered: event {done['event']}")


@app.command(epilog=examples('cairn quality different mia@example.com +12015550199 --why "mother and daughter"'))
def different(customer: CustomerArgument, other: OtherArgument, why: WhyOption, to: ToOption = LOCAL_URL) -> None:
    """Say that two customers are two people. They are not offered again."""
    done = Manage(to).post("quality", do="distinguish", customer=customer, other=other, why=why)
    echo(f"{' and '.join(done['customers'])} are two people")


@app.command(epilog=examples("cairn quality customers email_bounced", "cairn quality customers disagreement --json"))
def customers(
    finding: Annotated[str, typer.Argument(help="A fault to mend, as `cairn quality` names it.")],
    to: ToOption = LOCAL_URL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """List the customers of a finding, by their ids."""
    found = [one for one in _rows(Manage(to), "findings") if one["finding"] == finding]
    if as_json:
        print_json({"customers": found})
        return
    for one in found:
        echo("  ".join(filter(None, (one["customer"], one.get("attribute", "")))))
    if not found:
        echo("nobody", err=True)


def _rows(manage: Manage, section: str) -> Iterator[Json]:
    """All rows of a section, page after page as they are asked for."""
    after: str | None = ""
    while after is not None:
        page = manage.get("quality", section=section, after=after)
        yield from page[section]
        after = page["after"]


def _report(report: Json, sections: dict[str, list[Json]]) -> Iterator[Table | str]:
    if report["unreadable"]:
        yield f" [red]profiles that cannot be read: {report['unreadable']:,}[/]"
    yield from _completeness(report, sections["completeness"])
    yield _addresses(report)
    if sections["disagreements"]:
        yield _titled("sources disagree", ("attribute", "sources", "customers"), _disagreements(sections))
    if sections["losses"]:
        title = f"lost since {report['losses_since'][:10]}"
        columns = ("journey", "what", "why", "customers", "times")
        yield _titled(title, columns, _losses(sections["losses"]))
    for one in report["overdue"]:
        yield f" [red]items of {one['kind']} past their retention: {one['items']:,}, since {one['since'][:10]}[/]"
    if report["inactive"]:
        years = report["inactive_after_days"] // 365
        yield f" customers without a sign of life for {years} years: {report['inactive']:,}"
    if report["found"]:
        found = ", ".join(f"{name} {number:,}" for name, number in report["found"].items())
        yield f" to mend: {_escaped(found)} (see `cairn quality customers`)"
    yield f" pairs who are probably one person twice: {report['offered']:,} (see `cairn quality pairs`)"


def _completeness(report: Json, rows: list[Json]) -> Iterator[Table | str]:
    """How many have what journeys ask for: everybody, and by source, audience and stage."""
    if not report["asked"]:
        yield " no journey asks for an attribute"
        return
    everybody = next((row for row in rows if row["segment"] == "all"), None)
    if everybody is None:
        return
    least = sorted(report["asked"], key=lambda name: (_share(everybody, name), name))
    table = _table("attribute", "asked for by", "have it", title="what journeys ask for")
    for name in least[:MOST_ROWS]:
        asked = report["asked"][name]
        more = asked["journeys"] - len(asked["such_as"])
        by = ", ".join(asked["such_as"]) + (f" and {more} more" if more else "")
        table.add_row(name, by, f"{_share(everybody, name):.0%}")
    yield table
    columns = least[:5]
    by_segment = _table("segment", "", "customers", *columns, title="the same by source, audience and stage")
    for row in [one for one in rows if one["segment"] != "all"][:MOST_ROWS]:
        shares = (f"{_share(row, name):.0%}" for name in columns)
        by_segment.add_row(row["segment"], row["name"], f"{row['customers']:,}", *shares)
    if by_segment.row_count:
        yield by_segment


def _share(row: Json, name: str) -> float:
    return row["filled"].get(name, 0) / row["customers"] if row["customers"] else 0.0


def _addresses(report: Json) -> Table:
    table = _table("address", *map(_code, STATES), title="addresses")
    for kind, states in sorted(report["addresses"].items()):
        table.add_row(_code(kind), *(f"{states.get(one, 0):,}" for one in STATES))
    return table


def _disagreements(sections: dict[str, list[Json]]) -> Iterator[tuple[str, ...]]:
    for row in sections["disagreements"][:MOST_ROWS]:
        yield row["attribute"], " and ".join(row["sources"]), f"{row['customers']:,}"


def _losses(rows: list[Json]) -> Iterator[tuple[str, ...]]:
    for row in rows[:MOST_ROWS]:
        yield row["journey"], _code(row["kind"]), _code(row["reason"]), f"{row['customers']:,}", f"{row['times']:,}"


def _titled(title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Table:
    table = _table(*columns, title=title)
    for row in rows:
        table.add_row(*row)
    return table


def _table(*columns: str, title: str = "") -> Table:
    table = Table(title=title or None, title_justify="left", box=None, padding=(0, 2, 0, 1))
    for name in columns:
        table.add_column(name, justify="left" if name in LEFT or len(name) > WIDE else "right", overflow="fold")
    return table


LEFT = frozenset({"", "attribute", "asked for by", "segment", "address", "sources", "journey", "what", "why"}) | {
    "customer",
    "other",
    "because",
}
WIDE = 20
"""A longer title is a customer's id."""


def _fields(customer: Json) -> dict[str, str]:
    """The values to compare, by the name of their line."""
    names: dict[str, list[str]] = {}
    for one in customer["identifiers"]:
        names.setdefault(one["kind"], []).append(one["value"] + ("" if one["vouched"] else " (typed)"))
    attributes = {name: str(one["value"])[:WIDEST] for name, one in customer["attributes"].items() if name not in names}
    return {
        **{kind: ", ".join(values) for kind, values in names.items()},
        **attributes,
        "sources": ", ".join(customer["sources"]),
        "since": customer["created_at"][:10],
        "last activity": customer["last_activity"][:10],
        "journeys": ", ".join(customer["journeys"]),
    }


def _code(code: str) -> str:
    return code.replace("_", " ")


def _escaped(text: str) -> str:
    """What a customer wrote is no markup."""
    return text.replace("[", "\\[")


def _show_progress(steps: "Iterator[Progress]") -> None:
    """A bar in a terminal; elsewhere a line for each part of the work that is done."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    console = Terminal(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    last = None
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("")
        for step in steps:
            bar.update(task, description=step.what, completed=step.done, total=step.total or None)
            if last is not None and last.what != step.what:
                echo(f"{last.what}: {last.done:,}", err=True)
            last = step
    if last is not None:
        echo(f"{last.what}: {last.done:,}", err=True)
