"""A deployment's stacks, found with the operator's own credentials."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from cli.output import fail

StackOption = Annotated[str, typer.Option("--stack", help="The deployment's stack, such as Cairn-dev.")]


def data_outputs(stack: str) -> dict[str, str]:
    """What the data stack of a deployment puts out."""
    return stack_outputs(f"{stack}-Data")


def stack_outputs(name: str) -> dict[str, str]:
    """What a stack puts out."""
    from cairn.adapters import aws  # noqa: PLC0415  slow to import

    (found,) = aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}


@contextmanager
def explained() -> Iterator[None]:
    """End the command with the message of AWS, or of the file system, and exit code 1."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  slow to import

    try:
        yield
    except (BotoCoreError, ClientError, OSError) as error:
        fail(str(error))
