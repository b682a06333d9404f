"""The `cairn` command: `--help` lists what it can do, `cli/<group>.py` does it."""

from typing import Annotated

import typer

from cli import (
    audiences,
    audit,
    broadcasts,
    chaos,
    check,
    customer,
    customers,
    dead_letters,
    doctor,
    graph,
    identity_key,
    imports,
    inbox,
    leads,
    mcp,
    measure,
    members,
    messages,
    migrate,
    migrate_table,
    new,
    preflight,
    preview,
    privacy,
    quality,
    replay,
    reviews,
    score,
    scripts,
    secrets,
    send,
    serve,
    simulate,
    sources,
    splits,
    studio,
    switches,
    tasks,
)
from cli.options import OPERATION, examples
from cli.output import Commands, echo

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    epilog=examples("cairn demo", "cairn replay -h", "cairn --install-completion"),
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001  typer calls it so
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415  slow to import

        echo(f"cairn {version('cairn')}")
        raise typer.Exit


@app.callback()
def cairn(
    _version: Annotated[  # noqa: FBT002
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Cairn: try journeys on a laptop, and operate a deployment."""


DEVELOPMENT = (replay, serve, studio, chaos, send, new, check, simulate, score, graph, preview, preflight)

for group in (*DEVELOPMENT, measure, mcp, doctor, migrate, migrate_table, customers, audit):
    app.add_typer(group.app)
app.add_typer(sources.app, name="sources")
app.add_typer(imports.app, name="import")
app.add_typer(scripts.app, name="script")
app.add_typer(switches.app, name="switch", rich_help_panel=OPERATION)
app.add_typer(tasks.app, name="task", rich_help_panel=OPERATION)
app.add_typer(customer.app, name="customer", rich_help_panel=OPERATION)
app.add_typer(leads.lead, name="lead", rich_help_panel=OPERATION)
app.add_typer(leads.stage, name="stage", rich_help_panel=OPERATION)
app.add_typer(reviews.app, name="review", rich_help_panel=OPERATION)
app.add_typer(splits.app, name="split", rich_help_panel=OPERATION)
app.add_typer(audiences.app, name="audience", rich_help_panel=OPERATION)
app.add_typer(broadcasts.app, name="broadcast", rich_help_panel=OPERATION)
app.add_typer(messages.app, name="message", rich_help_panel=OPERATION)
app.add_typer(quality.app, name="quality", rich_help_panel=OPERATION)
app.add_typer(members.app, name="member", rich_help_panel=OPERATION)
app.add_typer(members.deals, name="deal", rich_help_panel=OPERATION)
app.add_typer(identity_key.app, name="identity-key", rich_help_panel=OPERATION)
app.add_typer(secrets.app, name="secrets", rich_help_panel=OPERATION)
app.add_typer(privacy.app, name="privacy", rich_help_panel=OPERATION)
app.add_typer(inbox.app, name="inbox", rich_help_panel=OPERATION)
app.add_typer(dead_letters.app, name="dlq", rich_help_panel=OPERATION)
