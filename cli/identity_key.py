"""`cairn identity-key`: moves a deployment of before the identity key."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.options import YesOption, examples
from cli.output import echo
from cli.stack import StackOption, explained

app = typer.Typer(
    no_args_is_help=True,
    help="The identity key: move a deployment whose salt stood in cdk.json.",
    epilog=examples("cairn identity-key move --stack Cairn-dev"),
)


@app.callback()
def identity_key() -> None:
    """Keeps `move` a command of its own: typer would take the only one for the whole group."""


@app.command(epilog=examples("cairn identity-key move --stack Cairn-dev"))
def move(
    stack: StackOption,
    salt_file: Annotated[
        Path | None,
        typer.Option("--salt-file", help="A file with the salt, or - for the input; else the functions that run know."),
    ] = None,
    yes: YesOption = False,  # noqa: FBT002
) -> None:
    """Take the salt of before into the identity secret, so that every customer keeps their id."""
    from cli.identity_key_client import IdentitySecret, salt_of_stack, weakness  # noqa: PLC0415  slow to import

    with explained():
        secret = IdentitySecret.of_stack(stack)
        salt = _salt_in(salt_file) if salt_file else salt_of_stack(stack)
        if warning := weakness(salt):
            echo(warning, err=True)
        if not yes:
            typer.confirm(f"Store the salt of {stack} beside its identity key?", abort=True)
        stored = secret.take(salt)
    echo("The salt stands beside the identity key." if stored else "The salt stood there already.")
    echo(f"Back the secret up now (docs/operations.md, The identity key), then deploy {stack}.")


def _salt_in(file: Path) -> str:
    """The first line; `openssl rand -hex 16 > file` ends it."""
    text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    return text.removesuffix("\n").removesuffix("\r")
