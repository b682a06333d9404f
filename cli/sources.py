"""`cairn sources`: the systems that may post webhooks, and a folder for a new one."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.options import DEVELOPMENT, ROOT, SOURCES, examples
from cli.output import echo

TRACK = {
    "title": "Our own track API",
    "setup": "Post canonical events, one or a list, signed as Standard Webhooks has it (docs/sources.md).",
}

ANY_ACCOUNT = (
    "every account that uses this app at the vendor, none believed about addresses; name yours (docs/sources.md)"
)


app = typer.Typer()


@app.callback(
    invoke_without_command=True,
    rich_help_panel=DEVELOPMENT,
    epilog=examples("cairn sources", "cairn sources --to https://hooks.example.com", "cairn sources new acme"),
)
def list_sources(
    context: typer.Context,
    configuration: Annotated[
        Path, typer.Option("--configuration", help="The deployment's sources.toml.", show_default="sources.toml")
    ] = SOURCES,
    to: Annotated[str, typer.Option("--to", help="The deployment's URL.")] = "https://<deployment>",
) -> None:
    """List every system that may post: its URL, signature header, secret's name, whose accounts, and its setup."""
    if context.invoked_subcommand is not None:
        return
    from authoring.sources.check import configuration_problems, folder_problems  # noqa: PLC0415  slow to import
    from authoring.sources.samples import path_of  # noqa: PLC0415
    from cairn.adapters.sources import sources as all_sources  # noqa: PLC0415
    from cairn.adapters.sources.tokens import QueryToken  # noqa: PLC0415
    from infra.local.signing import secret_problems  # noqa: PLC0415

    wrong = folder_problems() or configuration_problems(configuration)
    for problem in wrong:
        echo(problem, err=True)
    if wrong:
        raise typer.Exit(1)
    for name, source in all_sources(configuration).items():
        mapping = getattr(source, "mapping", TRACK)
        secrets = [name, *([f"{name}-verify"] if source.handshake else [])]
        echo(f"{name}: {mapping.get('title', name)}")
        token = f"?{source.scheme.parameter}=<the secret>" if isinstance(source.scheme, QueryToken) else ""
        echo(f"  URL        {to.rstrip('/')}{path_of(name)}{token}")
        echo(f"  signature  {source.scheme.header}")
        echo(f"  secret     {', '.join(secrets)}")
        echo(f"  vouches    {_vouched(mapping)}")
        if "only" in mapping or "account" in mapping:
            echo(f"  only       {mapping.get('only', ANY_ACCOUNT)}")
        echo("".join(f"  {line}\n" for line in mapping.get("setup", "").strip().splitlines()))
    refused = secret_problems(os.environ, all_sources(configuration))
    for problem in refused:
        echo(problem, err=True)
    if refused:
        raise typer.Exit(1)


def _vouched(mapping: Mapping[str, Any]) -> str:
    """The fields that a source answers for, as its mapping and sources.toml say."""
    if mapping is TRACK:
        return "all of an event: it is our own"
    tables = [mapping.get("vouched", {}), *(rule.get("vouched", {}) for rule in mapping.get("events", ()))]
    always = {name for table in tables[:1] for name, value in table.items() if value is True}
    at_times = {name for table in tables for name, value in table.items() if value} - always
    shown = [*sorted(always), *(f"{name} (at times)" for name in sorted(at_times))]
    return ", ".join(shown) or "nothing: a visitor types all of it"


@app.command(epilog=examples("cairn sources new acme", "cairn sources new acme --scheme timestamped-hmac"))
def new(
    name: Annotated[str, typer.Argument(help="The source's name: acme posts to /webhooks/acme.")],
    scheme: Annotated[str, typer.Option(help="How the vendor signs (docs/sources.md).")] = "body-hmac",
) -> None:
    """Make a vendor's folder: a mapping, a sample, the events that it becomes, and a page."""
    from authoring.sources.new import new_vendor  # noqa: PLC0415  slow to import

    for path in new_vendor(name, scheme):
        echo(path.relative_to(ROOT))
    echo("Change them to what the vendor sends; `cairn sources` lists what is missing or wrong.")
