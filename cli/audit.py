"""`cairn audit`: the audit of operators' actions."""

from typing import Annotated

import typer

from cli.manage_client import Manage
from cli.options import LOCAL_URL, OPERATION, JsonOption, ToOption, examples
from cli.output import echo, print_json

app = typer.Typer()


@app.command(rich_help_panel=OPERATION, epilog=examples("cairn audit --limit 50", "cairn audit --json"))
def audit(
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many.")] = 20,
    before: Annotated[str, typer.Option(help="Only entries before the one with this id.")] = "",
    to: ToOption = LOCAL_URL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """List what operators did, when and why. The latest comes first."""
    found = Manage(to).get("audit", limit=limit, before=before)
    if as_json:
        print_json(found)
        return
    for one in found["entries"]:
        who = one["who"] + (" by MCP" if one["identity"].get("client") == "mcp" else "")
        echo(f"{one['at']}  {who}  {one['what']} {one['target']}  {one['why']}".rstrip())
    if found["before"]:
        echo(f"older ones: --before '{found['before']}'")
