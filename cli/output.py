"""All that the commands print. What customers and vendors wrote cannot steer the terminal.

No other module of `cli` prints: an escape sequence in a name would clear the screen, change a title or forge a line.
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, NoReturn

import typer
from rich.console import Console, ConsoleOptions, RenderableType
from rich.progress import BarColumn, Progress, TextColumn
from rich.segment import Segment
from typer.core import TyperGroup

from cairn.domain.shared.errors import CairnError
from cairn.domain.shared.text import without_controls

EXISTS = "{} exists: name another file, or add --force to replace it"

UNUSUAL = re.compile(r"[^\n -~]")


class Terminal(Console):
    """Rich's console, which prints no control, format or invisible character but its own."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(without_controls(segment.text), segment.style)


class Commands(TyperGroup):
    """Our own errors end a command with their message and exit code 1: the message says what to do."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CairnError as error:
            fail(str(error))


def fail(problem: str) -> NoReturn:
    """End the command with this message and exit code 1."""
    echo(problem, err=True)
    raise typer.Exit(1) from None


def echo(text: object = "", *, err: bool = False, nl: bool = True) -> None:
    """Print a text without control, format and invisible characters; line breaks and tabs stay."""
    typer.echo(without_controls(str(text)), err=err, nl=nl)


def json_text(document: Any, *, indent: int | None = None) -> str:
    """JSON in which letters stand as they are, and all that a terminal might act on is escaped, as JSON does it."""
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    return UNUSUAL.sub(lambda found: found[0] if without_controls(found[0]) else json.dumps(found[0])[1:-1], text)


def print_json(document: Any) -> None:
    typer.echo(json_text(document, indent=2))


def write_private(path: Path, text: str, *, replace: bool = False) -> None:
    """Write a file with personal data, which its owner alone may read.

    Ends the command where something has that name already, a dangling link too, unless it is to be replaced. A link
    is replaced and never followed: what it leads to stays as it is.
    """
    try:
        if replace:
            _replace(path, text)
        else:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                file.write(text)
    except FileExistsError:
        fail(EXISTS.format(path))
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror}")


def _replace(path: Path, text: str) -> None:
    """The new file, whole, takes the place of the old one; its owner alone may read it, as all files of tempfile."""
    with NamedTemporaryFile("w", dir=path.parent, prefix=".cairn-", encoding="utf-8", delete=False) as file:
        file.write(text)
    try:
        Path(file.name).replace(path)
    except OSError:
        Path(file.name).unlink()
        raise


def check_free(path: Path, *, replace: bool) -> None:
    """End the command before it asks for personal data that it could not write."""
    if not replace and os.path.lexists(path):
        fail(EXISTS.format(path))
    if not path.parent.is_dir():
        fail(f"{path} cannot be written: there is no folder {path.parent}")


@contextmanager
def progress(what: str, starts: datetime, ends: datetime) -> Iterator[Callable[[datetime], None]]:
    """Show in a terminal how far virtual time has come; the block gets what to call with each instant.

    Nothing refreshes by itself: the clock stands still.
    """
    console = Terminal(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("day {task.completed} of {task.total}"))
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as bar:
        task = bar.add_task(without_controls(what), total=(ends - starts).days)

        def moved(now: datetime) -> None:
            day = (now - starts).days
            if day != bar.tasks[task].completed:
                bar.update(task, completed=day, refresh=True)

        yield moved


def silence_logs() -> None:
    """Silence the logs of the handlers that a command runs; CAIRN_LOG_LEVEL=INFO brings them back."""
    os.environ["POWERTOOLS_LOG_LEVEL"] = os.environ.get("CAIRN_LOG_LEVEL", "CRITICAL")
