"""What customers and vendors wrote cannot steer the terminal of the one who reads it."""

import ast
import io
import json
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from cli import output
from cli.output import Terminal, echo, json_text
from cli.timeline import show

CLI = Path(__file__).parents[3] / "cli"

ODD = st.text(st.characters(codec="utf-8") | st.sampled_from("\x1b[]31m\x07\x08\r\x9b\u202e\u2066\u200b\u2028"))
ATTACK = "Mia\x1b[2J\x1b]0;owned\x07\r\x9b31m\u202e\u200b"


def steers(text: str) -> set[str]:
    """Characters on which a terminal acts, besides line breaks and tabs."""
    return {one for one in text if unicodedata.category(one) in {"Cc", "Cf"} and one not in "\n\t\u200d"}


def printed_by(print_: Any, *, terminal: bool = False) -> str:
    out = io.StringIO()
    print_(Terminal(file=out, force_terminal=terminal, color_system=None, width=100))
    return out.getvalue()


@given(ODD)
def test_a_line_has_nothing_that_steers(typed: str) -> None:
    printed = printed_by(lambda console: console.print(Text(f"who: {typed}")))

    assert steers(printed) == set()


def test_an_echoed_line_keeps_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    echo(f"{ATTACK} Zoë 👩\u200d🚀\n\tnext")

    assert capsys.readouterr().out == "Mia[2J]0;owned\n31m Zoë 👩\u200d🚀\n\tnext\n"


def test_a_table_and_a_timeline_have_nothing_that_steers() -> None:
    table = Table("name")
    table.add_row(Text(ATTACK))
    line = {
        "at": "2026-03-02T15:00:00Z",
        "kind": "message",
        "customer": ATTACK,
        "journey": ATTACK,
        "step": ATTACK,
        "channel": "sms",
        "status": "sent",
        "body": f"[red]{ATTACK}[/red] [link=https://evil.example]here[/link]",
    }

    def print_both(console: Terminal) -> None:
        console.print(table)
        show([line], console, start=datetime(2026, 3, 2, tzinfo=UTC), zone=ZoneInfo("UTC"))

    printed = printed_by(print_both)
    assert steers(printed) == set()
    assert "[red]Mia" in printed  # shown, and not taken for rich's markup
    assert "[link=https://evil.example]" in printed.replace("\n", "").replace(" ", "")


def test_the_consoles_own_colours_stay() -> None:
    out = io.StringIO()
    Terminal(file=out, force_terminal=True, color_system="standard").print(Text("ok\x1b[31m", "green"))

    assert out.getvalue() == "\x1b[32mok[31m\x1b[0m\n"


@given(st.dictionaries(ODD, ODD | st.lists(ODD)))
def test_json_says_the_same_and_steers_nothing(document: dict[str, Any]) -> None:
    for indent in (None, 2):
        text = json_text(document, indent=indent)

        assert json.loads(text) == document
        assert steers(text) == set()
    assert json_text({"name": "Zoë 👩\u200d🚀"}) == '{"name": "Zoë 👩\\u200d🚀"}'


@pytest.mark.parametrize("file", sorted(CLI.glob("*.py")), ids=lambda file: file.name)
def test_no_other_module_prints(file: Path) -> None:
    if file.name == "output.py":
        return
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in {"print", "typer.echo", "typer.secho", "click.echo", "Console", "rich.print"}, (
                node.lineno
            )
            assert not called.startswith(("sys.stdout", "sys.stderr.write")) or called.endswith(("isatty", "flush")), (
                node.lineno
            )


@pytest.mark.parametrize(("terminal", "shown"), [("1", True), ("0", False)])
def test_progress_is_shown_by_days_and_in_a_terminal_only(
    *, terminal: str, shown: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", terminal)
    starts = datetime(2026, 3, 2, tzinfo=UTC)

    with output.progress("Sixty days", starts, starts + timedelta(days=60)) as moved:
        moved(starts + timedelta(days=12, hours=3))

    said = capsys.readouterr()
    assert said.out == ""
    assert ("day 12 of 60" in said.err) is shown


@pytest.mark.parametrize(
    ("invite", "said"),
    [
        ({"method": "request", "starts": "2026-03-07T18:30:00Z"}, "Your visit  with an invite for Sat 07 Mar 18:30"),
        ({"method": "cancel"}, "Your visit  cancels the invite"),
    ],
)
def test_an_e_mail_says_what_it_does_to_the_calendar(invite: dict[str, str], said: str) -> None:
    line = {"at": "2026-03-02T15:00:00Z", "kind": "message", "customer": "Mia", "journey": "visit", "step": "ticket"}
    line |= {"channel": "email", "status": "sent", "subject": "Your visit", "invite": invite}  # type: ignore[dict-item]

    printed = printed_by(
        lambda console: show([line], console, start=datetime(2026, 3, 2, tzinfo=UTC), zone=ZoneInfo("UTC"))
    )

    assert said in printed


def test_the_picture_says_who_has_a_task_what_it_went_through_and_what_was_dropped() -> None:
    task = {
        "at": "2026-03-02T15:00:00Z",
        "kind": "task",
        "customer": "mia",
        "title": "Call the lead",
        "queue": "sales",
        "now_in": "managers",
        "due_at": "2026-03-02T17:00:00Z",
        "owner": "maria",
        "status": "open",
        "history": [{"what": one} for one in ("opened", "reassigned", "reassigned", "escalated")],
    }
    dropped = {
        "at": "2026-03-02T15:00:00Z",
        "kind": "dropped",
        "customer": "mia",
        "field": "phone",
        "reason": "invalid",
    }

    printed = printed_by(
        lambda console: show(
            [task, task | {"status": "withdrawn"}, task | {"status": "done", "outcome": "booked"}, dropped],
            console,
            start=datetime(2026, 3, 2, tzinfo=UTC),
            zone=ZoneInfo("UTC"),
        )
    )

    text = " ".join(printed.split())
    assert "Call the lead for managers, due Mon 17:00 of maria reassigned 2 times escalated" in text
    assert "escalated withdrawn" in text
    assert "escalated booked" in text
    assert "phone · invalid" in text
