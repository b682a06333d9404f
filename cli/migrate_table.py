"""`cairn migrate-table`: customers who are stored as an older version did, stored as this one does."""

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import OPERATION, examples
from cli.output import echo
from cli.stack import StackOption

if TYPE_CHECKING:
    from cli.migrate_table_client import Migration, UnitRate

UNITS_PER_SECOND = 100
"""Read and write units: a tenth of what one partition takes of writes (DynamoDB quota)."""

INTERRUPTED = 130

app = typer.Typer()


@app.command(
    "migrate-table",
    rich_help_panel=OPERATION,
    epilog=examples(
        "cairn migrate-table --stack Cairn-dev", "cairn migrate-table --stack Cairn-prod --units-per-second 500"
    ),
)
def migrate_table(
    stack: StackOption,
    units_per_second: Annotated[
        int, typer.Option("--units-per-second", min=1, help="Read and write units of DynamoDB, at most.")
    ] = UNITS_PER_SECOND,
) -> None:
    """Store customers of an older version as this one does; it may be interrupted. Exit 1 where any is left."""
    from cli.migrate_table_client import Migration, UnitRate  # noqa: PLC0415  slow to import

    rate = UnitRate(units_per_second)
    with Migration.of_stack(stack, rate) as migration:
        try:
            for _ in migration.pages():
                echo(_so_far(migration, rate), err=True)
        except KeyboardInterrupt:
            echo(f"{_so_far(migration, rate)}. Interrupted: run it again, and it does the rest.")
            raise typer.Exit(INTERRUPTED) from None
    echo(f"{_so_far(migration, rate)}.")
    if not migration.is_deployed:
        echo(f"{stack} runs an earlier release. Deploy this one and run it again: until then, a delivery is an event.")
    if migration.changed:
        echo("Those who changed meanwhile are done by their next event, or run it again.")
    for customer, why in migration.failed.items():
        echo(f"{customer} cannot be read or written: {why}. Look at its item open#state, and report it.", err=True)
    if migration.failed or migration.changed:
        raise typer.Exit(1)


def _so_far(migration: "Migration", rate: "UnitRate") -> str:
    done = f"{migration.looked_at} items looked at, {migration.rewritten} customers rewritten"
    return f"{done}, {migration.changed} changed meanwhile, {len(migration.failed)} failed; {rate.units:.0f} units"
