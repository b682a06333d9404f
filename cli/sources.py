"""`cairn sources`: the systems that may post webhooks."""

from pathlib import Path
from typing import Annotated

import typer

from cli.options import DEVELOPMENT, SOURCES, examples

TRACK = {
    "title": "Our own track API",
    "setup": "Post canonical events, one or a list, signed as Standard Webhooks has it (docs/sources.md).",
}

app = typer.Typer()


@app.callback(
    invoke_without_command=True,
    rich_help_panel=DEVELOPMENT,
    epilog=examples("cairn sources", "cairn sources --to https://hooks.example.com"),
)
def list_sources(
    context: typer.Context,
    configuration: Annotated[
        Path, typer.Option("--configuration", help="The deployment's sources.toml.", show_default="sources.toml")
    ] = SOURCES,
    to: Annotated[str, typer.Option("--to", help="The deployment's URL.")] = "https://<deployment>",
) -> None:
    """List every system that may post: its URL, signature header, secret's name, and how to set it up there."""
    if context.invoked_subcommand is not None:
        return
    from authoring.sources import problems  # noqa: PLC0415  slow to import
    from cairn.adapters.sources import sources as all_sources  # noqa: PLC0415
    from cairn.adapters.sources.mapped import MappedSource  # noqa: PLC0415
    from infra.local.signing import path_of  # noqa: PLC0415

    wrong = []
    for name, source in all_sources(configuration).items():
        mapping = getattr(source, "mapping", TRACK)
        if isinstance(source, MappedSource):
            wrong += [f"{name}: {problem}" for problem in problems(name, mapping)]
        secrets = [name, *([f"{name}-verify"] if source.handshake else [])]
        typer.echo(f"{name}: {mapping.get('title', name)}")
        typer.echo(f"  URL        {to.rstrip('/')}{path_of(name)}")
        typer.echo(f"  signature  {source.scheme.header}")
        typer.echo(f"  secret     {', '.join(secrets)}")
        typer.echo("".join(f"  {line}\n" for line in mapping.get("setup", "").strip().splitlines()))
    for problem in wrong:
        typer.echo(problem, err=True)
    if wrong:
        raise typer.Exit(1)
