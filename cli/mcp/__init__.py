"""`cairn mcp`: what an assistant may ask of a deployment, and of the files of journeys (Model Context Protocol)."""

import os
from importlib.util import find_spec
from secrets import token_urlsafe
from typing import Annotated

import typer

from cli.manage_client import Manage
from cli.options import (
    JOURNEYS,
    LOCAL_URL,
    OPERATION,
    POLICY,
    JourneysOption,
    PolicyOption,
    ToOption,
    examples,
)
from cli.output import echo, fail, silence_logs

TOKEN = "CAIRN_MCP_TOKEN"  # noqa: S105  the variable's name
"""The environment variable with the token of --http; else a new one is made at each start."""

LEAST_TOKEN = 20
"""Characters. A token that is made has 43."""

app = typer.Typer()


@app.command(
    rich_help_panel=OPERATION,
    epilog=examples(
        "cairn mcp",
        "cairn mcp --journeys journeys --write",
        "cairn mcp --to https://abc123.execute-api.eu-central-1.amazonaws.com",
        "cairn mcp --http 8790",
    ),
)
def mcp(  # noqa: PLR0913, PLR0917  one argument for each option
    to: ToOption = LOCAL_URL,
    journeys: JourneysOption = JOURNEYS,
    policy: PolicyOption = POLICY,
    write: Annotated[  # noqa: FBT002
        bool, typer.Option("--write", help="Let it write drafts of journeys below the folder of journeys.")
    ] = False,
    reveal: Annotated[  # noqa: FBT002
        bool, typer.Option("--reveal", help="Show it personal data, as far as your role may see it; else it is masked.")
    ] = False,
    roles: Annotated[
        str,
        typer.Option(help="Ask with these of your roles only, such as viewer,agent.", metavar="ROLE,ROLE"),
    ] = "",
    http: Annotated[
        int | None,
        typer.Option("--http", min=0, max=65535, help="Serve HTTP on this port of loopback, 0 for a free one."),
    ] = None,
) -> None:
    """Serve tools for an assistant by the Model Context Protocol: over stdio, or over HTTP.

    It asks a deployment as you, and changes nothing there; all that it asks is in the audit.
    """
    if find_spec("mcp") is None:
        fail("cairn mcp needs the SDK of the Model Context Protocol: pip install 'mcp>=2.3'")
    silence_logs()
    from cli.mcp.personal import Presented  # noqa: PLC0415  slow to import
    from cli.mcp.server import serve_http, server  # noqa: PLC0415
    from cli.mcp.tools import AuthorTools, OperatorTools, project_at  # noqa: PLC0415

    operator = OperatorTools(manage_for(to, roles), Presented(reveal))
    author = AuthorTools(project_at(journeys, policy), write)
    if http is None:
        server(operator, author).run("stdio")
        return
    token = _token()
    try:
        serve_http(server(operator, author, token=token), http, lambda url: _greet(url, token))
    except OSError as error:
        raise typer.BadParameter(f"port {http}: {error.strerror}; name another with --http") from error


def manage_for(to: str, roles: str) -> Manage:
    """The client of a deployment, which says that an assistant asks, and with which of the operator's roles."""
    return Manage(to, {"x-cairn-client": "mcp"} | ({"x-cairn-roles": roles} if roles else {}))


def _token() -> str:
    token = os.environ.get(TOKEN) or token_urlsafe(32)
    if len(token) < LEAST_TOKEN:
        fail(f"{TOKEN} is too short: give it {LEAST_TOKEN} characters or more, or leave it out")
    return token


def _greet(url: str, token: str) -> None:
    echo(f"Cairn's tools at {url}. Stop it with Ctrl-C.", err=True)
    if not os.environ.get(TOKEN):
        echo(f"Each request needs the header  Authorization: Bearer {token}", err=True)
