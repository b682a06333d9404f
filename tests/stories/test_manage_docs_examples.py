"""The commands of docs/manage.md run here, in their order, in one story.

`UPDATE_DOCS=1 make test` updates the output in the page.
"""

import json
import os
import re
import shlex
from datetime import timedelta
from pathlib import Path

import pytest

from tests.stories.shop import NEW_YORK_MORNING, REVIEWED, Opens, Shop

DOCUMENT = Path(__file__).parents[2] / "docs" / "manage.md"
BLOCKS = re.compile(r"^```sh\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PRINTED = re.compile(r"(<!-- printed by: cairn (?P<command>[^>]+) -->\n```\n)(?P<output>.*?)(```\n)", re.DOTALL)


@pytest.fixture
def shop(opens: Opens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.chdir(tmp_path)
    shop = opens({**REVIEWED, "purpose": "marketing"}, at=NEW_YORK_MORNING + timedelta(hours=10))
    shop.happens("note.wanted")
    return shop


def words_of(command: str, message: str) -> list[str]:
    return shlex.split(command.replace("$MESSAGE", message))


def test_the_page_shows_what_the_command_prints(shop: Shop) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    shown = PRINTED.search(text)
    assert shown is not None
    message = shop.deferred_id
    shop.passes("2h")
    shop.asks("POST", "reviews", message=message, do="approve", why="fine")
    shop.passes("12h")

    output = shop.tries(*words_of(shown["command"], message)).stdout

    if os.environ.get("UPDATE_DOCS"):
        before, after = text[: shown.start("output")], text[shown.end("output") :]
        DOCUMENT.write_text(before + output + after, encoding="utf-8")
    else:
        assert shown["output"] == output


def test_the_commands_of_the_page_run_in_their_order(shop: Shop) -> None:
    message = shop.deferred_id
    for block in BLOCKS.findall(DOCUMENT.read_text(encoding="utf-8")):
        for line in block.splitlines():
            words = words_of(line, message)
            if words[0] == "cairn":
                shop.cairn(*words[1:])
                shop.passes("1m")
            else:
                asked(shop, words)

    assert json.loads(Path("mia.json").read_text())["customer"]["attributes"]["first_name"]["value"] == "Mia"


def asked(shop: Shop, words: list[str]) -> None:
    """Send a curl command. The customer is erased by then: a request about it gets 404."""
    _, header, name, url, *data = words
    assert (header, name) == ("-H", "X-Cairn-Actor: ada")
    path = url.partition("/manage/")[2]
    method, fields = ("POST", json.loads(data[1])) if data else ("GET", {})

    answer = shop.asks(method, path, **fields)

    assert answer["status_code"] == (404 if "customer" in fields else 200)
