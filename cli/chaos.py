"""`cairn chaos`: play a fault of AWS against `cairn serve`, to practise for the day it happens."""

import json
from datetime import timedelta
from typing import Annotated, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import typer

from cairn.domain.shared.instants import duration
from cli.manage_client import actor_header
from cli.options import DEVELOPMENT, LOCAL_URL, JsonOption, examples
from cli.output import echo, fail, print_json

app = typer.Typer()

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@app.command(
    rich_help_panel=DEVELOPMENT,
    epilog=examples("cairn chaos --list", "cairn chaos table-down --for 20m", "cairn chaos --end"),
)
def chaos(  # noqa: PLR0913, PLR0917  one argument for each option
    fault: Annotated[str, typer.Argument(help="The name of a fault: `cairn chaos --list`.", metavar="FAULT")] = "",
    length: Annotated[str, typer.Option("--for", help="How long, such as 20m or 1h.")] = "20m",
    to: Annotated[str, typer.Option("--to", help="The URL of `cairn serve`.")] = LOCAL_URL,
    show_list: Annotated[bool, typer.Option("--list", help="List the faults.")] = False,  # noqa: FBT002
    end: Annotated[bool, typer.Option("--end", help="End the present fault.")] = False,  # noqa: FBT002
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Play a fault of AWS against `cairn serve`. docs/faults.md says what each does, docs/runbook.md what to do."""
    _check(to)
    if show_list:
        found = _ask(to, None)
        if as_json:
            print_json(found["faults"])
            return
        for name, about in found["faults"].items():
            echo(f"{name:22}{about}")
        return
    if not fault and not end:
        raise typer.BadParameter("name a FAULT (`cairn chaos --list` has them), or --end")
    if not end and _length(length) <= timedelta():
        raise typer.BadParameter("--for is a positive duration, such as 20m")
    found = _ask(to, {"end": True} if end else {"fault": fault, "for": length})
    if as_json:
        print_json(found)
    elif found["fault"]:
        echo(f"{found['fault']} until {found['until']}: {found['about']}")
    else:
        echo("nothing goes wrong any more")


def _check(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or parts.hostname not in LOOPBACK:
        raise typer.BadParameter("--to is the URL of `cairn serve` on this machine: no deployment has faults to order")


def _length(text: str) -> timedelta:
    try:
        return duration(text)
    except ValueError as error:
        raise typer.BadParameter(f"--for: {error}") from None


def _ask(url: str, document: dict[str, Any] | None) -> dict[str, Any]:
    body = None if document is None else json.dumps(document).encode()
    try:
        with urlopen(Request(url.rstrip("/") + "/_faults", body, actor_header()), timeout=60) as answer:  # noqa: S310  checked above
            found: dict[str, Any] = json.load(answer)
            return found
    except HTTPError as error:
        fail(_detail(error))
    except URLError as error:
        fail(f"{url} cannot be reached: {error.reason}. Is `make serve` running?")


def _detail(error: HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{error.url} answered {error.code}: only `cairn serve` has this route"
