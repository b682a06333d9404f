"""`cairn message resend`: a message that failed or was not sent, once more."""

from typing import Annotated

import typer

from cli.manage_client import Manage
from cli.options import LOCAL_URL, OPERATION, CustomerOption, ToOption, WhyOption, examples
from cli.output import echo

app = typer.Typer(
    no_args_is_help=True,
    rich_help_panel=OPERATION,
    help="Send a message of a journey once more.",
    epilog=examples('cairn message resend MESSAGE --why "ticket 4711"'),
)


@app.callback()
def message() -> None:
    """Messages of journeys."""


@app.command(epilog=examples('cairn message resend MESSAGE --why "the number was mended, ticket 4711"'))
def resend(
    message: Annotated[str, typer.Argument(help="The id of a message, as `cairn explain` shows it.")],
    why: WhyOption,
    customer: CustomerOption = "",
    to: ToOption = LOCAL_URL,
) -> None:
    """Send a message that failed or was not sent once more. The gate decides on it as on any other."""
    done = Manage(to).post("messages", do="resend", message=message, customer=customer, why=why)
    echo(
        f"{done['message']} goes to the gate, once event {done['event']} is processed; cairn explain shows its decision"
    )
