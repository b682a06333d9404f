"""`cairn audience`: who is in an audience, how many, and who is in two of them."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.manage_client import Manage
from cli.options import (
    LOCAL_URL,
    OPERATION,
    POLICY,
    ForceOption,
    JsonOption,
    OptionalWhyOption,
    OutOption,
    PolicyOption,
    ToOption,
    examples,
)
from cli.output import check_free, echo, fail, json_text, print_json, write_private

app = typer.Typer(
    no_args_is_help=True,
    rich_help_panel=OPERATION,
    help="Ask who is in an audience, and fill a new one.",
    epilog=examples("cairn audience list", "cairn audience count investors --partition 75011 --value 1200000"),
)

NameArgument = Annotated[str, typer.Argument(help="The audience's name in audiences.toml.", metavar="AUDIENCE")]
PartitionOption = Annotated[str, typer.Option("--partition", help="Of one partition only.")]
FromOption = Annotated[str, typer.Option("--from", help="With this sort value at least.")]
UpToOption = Annotated[str, typer.Option("--up-to", help="With this sort value at most.")]
ValueOption = Annotated[str, typer.Option("--value", help="Whose range, from `sort` to `until`, contains this value.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=1_000, help="So many members.")]


UNITS_PER_SECOND = 100
"""A tenth of what one partition takes (DynamoDB quota)."""

INTERRUPTED = 130


class Format(StrEnum):
    CSV = "csv"
    JSON_LINES = "jsonl"


COLUMNS = ("customer", "partition", "sort", "until")


@app.command("list", epilog=examples("cairn audience list", "cairn audience list --json"))
def list_audiences(to: ToOption = LOCAL_URL, as_json: JsonOption = False) -> None:  # noqa: FBT002
    """List the audiences, with what decides who is a member, and when each was filled."""
    found = Manage(to).get("audiences")
    if as_json:
        print_json(found)
        return
    for one in found["audiences"]:
        filled = one["filled"]
        state = (
            f"filled {filled['at']} with {filled['members']:,}" if filled else "not filled: see `cairn audience fill`"
        )
        echo(f"{one['audience']}: {one['when']}")
        about = {"partition": one["partition"], "sort": one["sort"], "until": one["until"]}
        for name, expression in about.items():
            if expression:
                echo(f"  {name} {expression}{' as ' + one['sorted_as'] if name == 'sort' else ''}")
        echo(f"  {state}")
    if not found["audiences"]:
        echo("there is no audience: write audiences.toml beside policy.toml")


@app.command(epilog=examples("cairn audience count investors", "cairn audience count investors --partition 75011"))
def count(  # noqa: PLR0913, PLR0917  one argument for each option
    audience: NameArgument,
    partition: PartitionOption = "",
    low: FromOption = "",
    high: UpToOption = "",
    value: ValueOption = "",
    to: ToOption = LOCAL_URL,
) -> None:
    """Count the members, each one: of a million it takes a few seconds."""
    asked = {"partition": partition, "from": low, "to": high, "value": value}
    echo(sum(page["count"] for page in _pages(to, "count", audience, asked)))


@app.command(epilog=examples("cairn audience members investors --limit 20"))
def members(  # noqa: PLR0913, PLR0917  one argument for each option
    audience: NameArgument,
    partition: PartitionOption = "",
    low: FromOption = "",
    high: UpToOption = "",
    value: ValueOption = "",
    limit: LimitOption = 50,
    why: OptionalWhyOption = "",
    to: ToOption = LOCAL_URL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """List members in their order."""
    asked = {"partition": partition, "from": low, "to": high, "value": value, "why": why, "limit": limit}
    found: list[dict[str, Any]] = []
    for page in _pages(to, "members", audience, asked):
        found += page["members"]
        if len(found) >= limit:
            break
    _show(found[:limit], as_json=as_json)


@app.command(epilog=examples("cairn audience sample investors --limit 5"))
def sample(  # noqa: PLR0913, PLR0917  one argument for each option
    audience: NameArgument,
    partition: PartitionOption = "",
    low: FromOption = "",
    high: UpToOption = "",
    value: ValueOption = "",
    limit: LimitOption = 10,
    why: OptionalWhyOption = "",
    to: ToOption = LOCAL_URL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Draw some members at random."""
    asked: dict[str, Any] = {"partition": partition, "from": low, "to": high, "value": value}
    asked |= {"why": why, "limit": limit}
    found = Manage(to).post("audiences", do="sample", audience=audience, **asked)
    _show(found["members"], as_json=as_json)
    among = f"of {found['among']:,} members" if found["whole"] else f"of the first {found['among']:,} members"
    echo(among, err=True)


@app.command(epilog=examples("cairn audience overlap investors owners"))
def overlap(
    audience: NameArgument,
    other: Annotated[str, typer.Argument(help="The audience to compare it with.", metavar="OTHER")],
    to: ToOption = LOCAL_URL,
) -> None:
    """Count how many members of an audience are members of another one too."""
    all_members = both = 0
    for page in _pages(to, "overlap", audience, {"with": other}):
        all_members, both = all_members + page["members"], both + page["both"]
    share = f" ({both / all_members:.1%})" if all_members else ""
    echo(f"{both:,} of {all_members:,} members of {audience} are in {other}{share}")


@app.command(epilog=examples("cairn audience export investors --out investors.csv --why 'ticket 4711'"))
def export(  # noqa: PLR0913, PLR0917  one argument for each option
    audience: NameArgument,
    partition: PartitionOption = "",
    low: FromOption = "",
    high: UpToOption = "",
    value: ValueOption = "",
    form: Annotated[Format, typer.Option("--format", help="csv, or jsonl for a JSON object a line.")] = Format.CSV,
    out: OutOption = None,
    force: ForceOption = False,  # noqa: FBT002
    why: OptionalWhyOption = "",
    to: ToOption = LOCAL_URL,
) -> None:
    """Write all members with their positions, as CSV or JSON lines."""
    if out is not None:
        check_free(out, replace=force)
    asked = {"partition": partition, "from": low, "to": high, "value": value, "why": why, "limit": 1_000}
    rows = (one for page in _pages(to, "members", audience, asked) for one in page["members"])
    _write(_lines(rows, form), out, replace=force)


@app.command(
    epilog=examples("cairn audience fill", "cairn audience fill --stack Cairn-dev --to https://abc123.example.com")
)
def fill(  # noqa: PLR0913, PLR0917  one argument for each option
    stack: Annotated[str, typer.Option("--stack", help="The deployment's stack; without it, `cairn serve`.")] = "",
    policy: PolicyOption = POLICY,
    work: Annotated[Path, typer.Option("--work", help="The file that says how far it is; deleted at the end.")] = Path(
        "audience-fill.sqlite"
    ),
    units_per_second: Annotated[
        int, typer.Option("--units-per-second", min=1, help="Write units of DynamoDB, at most.")
    ] = UNITS_PER_SECOND,
    again: Annotated[bool, typer.Option("--again", help="Fill also audiences that are filled.")] = False,  # noqa: FBT002
    to: ToOption = LOCAL_URL,
) -> None:
    """Fill new and changed audiences from an export of the table; it may be interrupted, and goes on.

    Name the deployment's URL too, with --to: the audiences here must be the deployed ones.
    """
    if not stack:
        found = Manage(to).local("_fill")
        for one in found["audiences"]:
            echo(f"{one['audience']}: {one['members']:,} members")
        if not found["audiences"]:
            echo("all audiences are filled")
        return
    from cli.audience_fill_client import Filling  # noqa: PLC0415  slow to import
    from cli.migrate_table_client import UnitRate  # noqa: PLC0415

    deployed = {one["audience"]: one["version"] for one in Manage(to).get("audiences")["audiences"]}
    rate = UnitRate(units_per_second)
    with Filling.of_stack(stack, policy, work, rate, again=again) as filling:
        here = {one.name: one.version for one in filling.fill.audiences.all}
        if here != deployed:
            others = sorted(name for name in here.keys() | deployed.keys() if here.get(name) != deployed.get(name))
            fail(f"{', '.join(others)} here is not what {to} has: deploy first, or check out what is deployed")
        if not filling.fill.filling:
            echo("all audiences are filled")
            return
        try:
            for step in filling.steps(datetime.now(UTC)):
                echo(f"{step.what}: {step.done:,} of {step.total:,}; {rate.units:,.0f} units", err=True)
        except KeyboardInterrupt:
            echo(f"interrupted: run it again, and it goes on from {work}")
            raise typer.Exit(INTERRUPTED) from None
        for one in filling.fill.filling:
            echo(f"{one.name}: {filling.fill.found[one.name]:,} members")


def _pages(to: str, do: str, audience: str, asked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The answers to a question, one after the other."""
    after: str | None = ""
    while after is not None:
        page = Manage(to).post("audiences", do=do, audience=audience, after=after, **asked)
        yield page
        after = page["after"]


def _show(found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json({"members": found})
        return
    for one in found:
        echo("  ".join(str(one[name]) for name in COLUMNS if one.get(name) is not None))
    if not found:
        echo("no members", err=True)


def _lines(rows: Iterator[dict[str, Any]], form: Format) -> Iterator[str]:
    if form is Format.JSON_LINES:
        yield from (json_text(row) + "\n" for row in rows)
        return
    yield ",".join(COLUMNS) + "\r\n"
    for row in rows:
        line = io.StringIO()
        csv.writer(line).writerow([_cell(row.get(name)) for name in COLUMNS])
        yield line.getvalue()


def _cell(value: Any) -> Any:
    """A text that a spreadsheet would run as a formula begins with a quote."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _write(lines: Iterator[str], out: Path | None, *, replace: bool) -> None:
    text = "".join(lines)
    if out is None:
        echo(text, nl=False)
    else:
        write_private(out, text, replace=replace)
        echo(f"{out} written", err=True)
