"""`cairn migrate`: move the customers under way in a journey to another version of it."""

import time
from collections import Counter
from typing import Annotated, Any

import typer

from cli.manage_client import Manage
from cli.options import LOCAL_URL, OPERATION, JsonOption, OptionalWhyOption, ToOption, examples
from cli.output import echo, fail, print_json

PER_SECOND = 50
"""Customers: 3,000 a minute, about 300 write units of DynamoDB a second."""

INTERRUPTED = 130

TIMERS = {
    "unchanged": "",
    "set_anew": ", with the wait counted anew",
    "due_at_once": ", due at once",
    "ended": "",
}
BECAUSE = {
    "held_out": "the holdout gets nothing",
    "other_key": "the entry has another key",
    "other_goal": "the goal has changed, and the journey has a holdout",
    "other_beginning": "they wait to begin, and the entry is another one",
    "removed_arm": "their arm of a split is gone",
    "other_arm": "the step is in an arm of a split that they did not draw",
    "several_ways": "the step is gone, and several ways led on from it",
    "done_before": "a step that they have passed would come again",
    "heard_in_vain": "an event that has happened is not waited for any more",
    "lost_version": "their version is lost: deploy it once more",
    "unreadable": "items that cannot be read: see the log of sweep",
    "not_deployed": "the journey is not deployed any more",
}
"""What the API's words mean."""

app = typer.Typer()


@app.command(
    rich_help_panel=OPERATION,
    epilog=examples("cairn migrate welcome --dry-run", 'cairn migrate welcome --why "a shorter wait"'),
)
def migrate(  # noqa: PLR0913, PLR0917  its options
    journey: Annotated[str, typer.Argument(help="The journey's name.", metavar="JOURNEY")],
    from_version: Annotated[
        str, typer.Option("--from-version", help="Only those of this version.", metavar="VERSION", show_default="all")
    ] = "",
    to_version: Annotated[
        str,
        typer.Option(
            "--to-version", help="The version to move to.", metavar="VERSION", show_default="the deployed one"
        ),
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count who would move where.")] = False,  # noqa: FBT002
    why: OptionalWhyOption = "",
    per_second: Annotated[
        int, typer.Option("--per-second", min=1, help="Customers to move in a second, at most.")
    ] = PER_SECOND,
    to: ToOption = LOCAL_URL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Move the customers under way in a journey to another version; it may be interrupted and repeated."""
    if not dry_run and not why:
        fail("give the reason, --why; or --dry-run, to see first who would move where")
    fields = {"journey": journey, "from": from_version, "to": to_version, "why": why}
    found = Found()
    try:
        _all_pages(Manage(to), found, per_second, do="report" if dry_run else "migrate", **fields)
    except KeyboardInterrupt:
        echo(f"{found.moving} were moved. Interrupted: run it again, and it moves the others.")
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        print_json(found.document())
    else:
        _show(journey, found, dry_run=dry_run)


class Found:
    """The counts of all pages so far."""

    def __init__(self) -> None:
        self.to: str | None = None
        self.moves: Counter[tuple[str, str, str | None, str]] = Counter()
        self.stays: Counter[tuple[str, str, str]] = Counter()

    def add(self, page: dict[str, Any]) -> None:
        self.to = page["to"]
        for one in page["moves"]:
            self.moves[one["version"], one["step"], one["to_step"], one["timer"]] += one["count"]
        for one in page["stays"]:
            self.stays[one["version"], one["step"], one["because"]] += one["count"]

    @property
    def moving(self) -> int:
        return self.moves.total()

    def document(self) -> dict[str, Any]:
        moves = (("version", "step", "to_step", "timer", "count"), self.moves)
        stays = (("version", "step", "because", "count"), self.stays)
        listed = [
            [dict(zip(names, (*line, count), strict=True)) for line, count in _in_order(counts)]
            for names, counts in (moves, stays)
        ]
        return {"to": self.to, "moves": listed[0], "stays": listed[1]}


def _all_pages(manage: Manage, found: Found, per_second: int, **fields: str) -> None:
    page = manage.post("migrations", **fields)
    found.add(page)
    while page["after"] is not None:
        if fields["do"] == "migrate":
            time.sleep(sum(one["count"] for one in page["moves"]) / per_second)
        page = manage.post("migrations", after=page["after"], **fields)
        found.add(page)


def _show(journey: str, found: Found, *, dry_run: bool) -> None:
    for version in sorted({*(one[0] for one in found.moves), *(one[0] for one in found.stays)}):
        echo(f"{journey} {version or '(of whatever journey)'} → {found.to or 'not deployed'}")
        for (at, step, to_step, timer), count in _in_order(found.moves):
            if at == version:
                where = f"{step}: wait on" if to_step == step else f"{step}: go to {to_step or 'the end'}"
                echo(f"{count:>8}  {where}{TIMERS[timer]}")
        for (at, step, because), count in _in_order(found.stays):
            if at == version:
                echo(f"{count:>8}  {step or '?'}: stay, {BECAUSE[because]}")
    moved = f"{found.moving} {'would move' if dry_run else 'are moved'}"
    echo(f"{moved}, {found.stays.total()} stay and finish on their version.")
    if found.moving and not dry_run:
        echo("Customers who went from step to step meanwhile are found when you run it again.")


def _in_order(counts: Counter[tuple[Any, ...]]) -> list[tuple[tuple[Any, ...], int]]:
    return sorted(counts.items(), key=lambda one: (one[0][0], one[0][1], -one[1], str(one[0])))
