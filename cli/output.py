"""Printing that several commands share."""

import json
import os
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from cairn.domain.shared.errors import CairnError


class Commands(TyperGroup):
    """Our own errors end a command with their message and exit code 1: the message says what to do."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CairnError as error:
            fail(str(error))


def fail(problem: str) -> NoReturn:
    """End the command with this message and exit code 1."""
    typer.echo(problem, err=True)
    raise typer.Exit(1) from None


def print_json(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))


def silence_logs() -> None:
    """Silence the logs of the handlers that a command runs; CAIRN_LOG_LEVEL=INFO brings them back."""
    os.environ["POWERTOOLS_LOG_LEVEL"] = os.environ.get("CAIRN_LOG_LEVEL", "CRITICAL")
