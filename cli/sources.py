"""`cairn sources`: the systems that may post webhooks, and a folder for a new one."""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from authoring.defaults import is_ours
from cli.manage_client import Manage
from cli.options import (
    DEVELOPMENT,
    LOCAL_URL,
    NEW_SOURCES,
    ROOT,
    SOURCES,
    ConfigurationOption,
    JsonOption,
    ToOption,
    examples,
)
from cli.output import echo, print_json

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
    configuration: ConfigurationOption = SOURCES,
    to: Annotated[str, typer.Option("--to", help="The deployment's URL.")] = "https://<deployment>",
) -> None:
    """List every system that may post: its URL, signature header, secret's name, whose accounts, and its setup."""
    if context.invoked_subcommand is not None:
        return
    from authoring.sources.check import all_problems  # noqa: PLC0415  slow to import
    from authoring.sources.samples import path_of  # noqa: PLC0415
    from cairn.adapters.sources import sources as all_sources  # noqa: PLC0415
    from cairn.adapters.sources.tokens import QueryToken  # noqa: PLC0415
    from infra.local.signing import secret_problems  # noqa: PLC0415

    wrong = all_problems(configuration)
    for problem in wrong:
        echo(problem, err=True)
    if wrong:
        raise typer.Exit(1)
    known = all_sources(configuration)
    tokens = known.token_names()
    for name, source in known.items():
        mapping = getattr(source, "mapping", TRACK)
        optional = [f"{one} (if it is to fetch)" for one in tokens if one == f"{name}-token"]
        secrets = [*known.secrets_of(name), *optional]
        echo(f"{name}: {mapping.get('title', name)}")
        token = f"?{source.scheme.parameter}=<the secret>" if isinstance(source.scheme, QueryToken) else ""
        echo(f"  URL        {to.rstrip('/')}{path_of(name)}{token}")
        echo(f"  signature  {source.scheme.header}")
        echo(f"  secret     {', '.join(secrets) or 'none'}")
        echo(f"  vouches    {_vouched(mapping)}")
        if "only" in mapping or "account" in mapping:
            echo(f"  only       {mapping.get('only', ANY_ACCOUNT)}")
        echo("".join(f"  {line}\n" for line in mapping.get("setup", "").strip().splitlines()))
    refused = secret_problems(os.environ, known)
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
    configuration: ConfigurationOption = NEW_SOURCES,
) -> None:
    """Make a vendor's folder beside sources.toml: a mapping, a sample, the events that it becomes, and a page."""
    from authoring.sources.new import new_vendor  # noqa: PLC0415  slow to import
    from cairn.adapters.sources import OWN  # noqa: PLC0415

    for path in new_vendor(name, scheme, configuration.parent / OWN):
        echo(_short(path))
    echo(f"Change them to what the vendor sends. `cairn sources try {name}/order_paid` shows what becomes of a sample,")
    echo("`cairn sources accept` takes over the events of all samples, `cairn check` lists what is missing or wrong.")


@app.command(
    "try", epilog=examples("cairn sources try stripe/invoice_paid", "cairn sources try b.json --source stripe")
)
def try_(
    sample: Annotated[Path, typer.Argument(help="A body as JSON, or the name of a vendor's sample.")],
    source: Annotated[str, typer.Option(help="The source that posts it.", show_default="the sample's vendor")] = "",
    header: Annotated[list[str] | None, typer.Option(help="A header that the vendor sends: 'Name: value'.")] = None,
    configuration: ConfigurationOption = SOURCES,
) -> None:
    """Show the value of each expression of a mapping in a sample, and its events. It needs no signature or server."""
    from authoring.sources.samples import fetched_beside, request_of, sample_headers, sample_named  # noqa: PLC0415
    from authoring.sources.trial import try_sample  # noqa: PLC0415
    from cairn.adapters.sources import OWN  # noqa: PLC0415
    from cairn.adapters.sources import sources as all_sources  # noqa: PLC0415

    known = all_sources(configuration)
    name = source or (str(sample).partition("/")[0] if not sample.exists() else sample.resolve().parents[1].name)
    if name not in known:
        raise typer.BadParameter(f"no source is called {name!r}: name it with --source; known are {', '.join(known)}")
    path = sample if sample.exists() else sample_named(str(sample), configuration.parent / OWN)
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{sample} cannot be read as JSON: {error}") from error
    given = {one.partition(":")[0]: one.partition(":")[2].strip() for one in header or ()}
    request = request_of(name, document, {**sample_headers(path), **given}, known)
    trial = try_sample(known, name, request, datetime.now(UTC), fetched_beside(path))
    for line in trial.lines:
        echo(line)
    echo("")
    for event in trial.events:
        echo(json.dumps(event, indent=2, ensure_ascii=False))
    for problem in trial.problems:
        echo(problem, err=True)
    if trial.problems:
        raise typer.Exit(1)


@app.command(epilog=examples("cairn sources events"))
def events(configuration: ConfigurationOption = SOURCES) -> None:
    """Declare the events of the vendors beside sources.toml, from mappings and samples, for events.yaml."""
    from authoring.events.shipped import declared, yaml_of  # noqa: PLC0415  slow to import
    from cairn.adapters.sources import OWN  # noqa: PLC0415

    found = declared(configuration.parent / OWN)
    if not found:
        raise typer.BadParameter(f"{configuration.parent / OWN} has no vendor: `cairn sources new acme` makes one")
    echo(yaml_of(found).rstrip())


@app.command(epilog=examples("cairn sources accept acme"))
def accept(
    name: Annotated[str, typer.Argument(help="A vendor with a folder.")],
    configuration: ConfigurationOption = SOURCES,
) -> None:
    """Write expected.json and the page's table anew from the samples and the mapping; read the difference after."""
    from authoring.sources.check import accept_samples, vendor_problems  # noqa: PLC0415  slow to import

    folder = _folder_of(name, configuration)
    for path in accept_samples(name, folder):
        echo(_short(path))
    wrong = vendor_problems(name, folder)
    for problem in wrong:
        echo(problem, err=True)
    if wrong:
        raise typer.Exit(1)


@app.command(epilog=examples("cairn sources page", "cairn sources page stripe"))
def page(
    name: Annotated[str, typer.Argument(help="A vendor with a folder; without one, all.")] = "",
    configuration: ConfigurationOption = SOURCES,
) -> None:
    """Write the table of events on each vendor's page anew."""
    from authoring.sources.check import vendors, write_table  # noqa: PLC0415  slow to import
    from cairn.adapters.sources import OWN, VENDORS  # noqa: PLC0415

    folders = [VENDORS, configuration.parent / OWN] if is_ours(Path()) else [configuration.parent / OWN]
    pairs = [(name, _folder_of(name, configuration))] if name else [(one, at) for at in folders for one in vendors(at)]
    for vendor, folder in pairs:
        if write_table(vendor, folder):
            echo(vendor)


@app.command(epilog=examples("cairn sources seen", "cairn sources seen stripe", "cairn sources seen --json"))
def seen(
    source: Annotated[str, typer.Argument(help="With the fields and a first rule, of this source.")] = "",
    configuration: ConfigurationOption = SOURCES,
    to: ToOption = LOCAL_URL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """List what sources have sent that reached nobody or has no rule: its type, how often, and its fields."""
    from authoring.sources.suggestion import suggestion  # noqa: PLC0415  slow to import
    from cairn.adapters.sources import sources as all_sources  # noqa: PLC0415

    known = all_sources(configuration)
    found = [
        one | {"suggestion": suggestion(one, getattr(known.get(one["source"]), "mapping", {}))}
        for one in Manage(to).every("seen", "types", source=source)
    ]
    if as_json:
        print_json({"types": found})
        return
    for one in found:
        counts = ", ".join(f"{count} {because.replace('_', ' ')}" for because, count in one["counts"].items())
        echo(f"{one['source']}  {one['type'] or '(no type)'}  {counts}  {one['first_at']} to {one['last_at']}")
        if source:
            echo(json.dumps(one["shape"], indent=2))
            echo(one["suggestion"])
    if not found:
        echo("nothing: all that was sent has a rule and reached a customer")
    elif not source:
        echo("their fields, and a first rule for each: cairn sources seen SOURCE")


def _folder_of(name: str, configuration: Path) -> Path:
    """The folder with the vendor's folder."""
    from cairn.adapters.sources import OWN, VENDORS  # noqa: PLC0415

    for folder in (configuration.parent / OWN, VENDORS):
        if (folder / name).is_dir():
            _must_be_writable(folder)
            return folder
    raise typer.BadParameter(f"{name} has no folder; `cairn sources new {name}` makes one")


def _must_be_writable(folder: Path) -> None:
    """Cairn's own files are changed in its own checkout alone."""
    if is_ours(folder) and not is_ours(Path()):
        raise typer.BadParameter(f"{folder} is Cairn's own: work in that checkout to change it")


def _short(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
