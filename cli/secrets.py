"""`cairn secrets`: joins the secrets of a deployment of version 0.2."""

from typing import Annotated

import typer

from cli.options import YesOption, examples
from cli.output import echo, fail

app = typer.Typer(
    no_args_is_help=True,
    help="The stage's secret: join what version 0.2 had in three.",
    epilog=examples("cairn secrets join --stack Cairn-dev"),
)


@app.callback()
def secrets() -> None:
    """Keeps `join` a command of its own: typer would take the only one for the whole group."""


@app.command(epilog=examples("cairn secrets join --stack Cairn-dev"))
def join(
    stack: Annotated[str, typer.Option("--stack", help="The deployment's stack, such as Cairn-dev.")],
    yes: YesOption = False,  # noqa: FBT002
) -> None:
    """Copy the secrets of links and webhook endpoints into the stage's secret. Prints none, and may be repeated."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  slow to import

    from cli.secrets_client import SecretsOfBefore  # noqa: PLC0415

    try:
        before = SecretsOfBefore.of_stack(stack)
        unjoined = before.unjoined()
        if not unjoined:
            echo(f"{stack} has nothing to join.")
            return
        if not yes:
            typer.confirm(f"Copy {' and '.join(unjoined)} into the secret of {stack}?", abort=True)
        for part, content in unjoined.items():
            before.copy(part, content)
            echo(f"{part}: copied")
    except (BotoCoreError, ClientError) as error:
        fail(str(error))
    echo(f"Now deploy {stack} (docs/operations.md, Upgrading from 0.2).")
