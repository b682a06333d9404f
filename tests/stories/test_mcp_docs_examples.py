"""The examples of docs/mcp.md and AGENTS.md run here. `UPDATE_DOCS=1 make test` writes their output anew."""

import asyncio
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from mcp import Client, StdioServerParameters

from authoring.defaults import default_journeys
from cli.manage_client import Manage
from cli.mcp.drafts import Project
from cli.mcp.personal import Presented
from cli.mcp.server import server
from cli.mcp.tools import AuthorTools, OperatorTools
from tests.stories.assistant import COMMAND, over_stdio
from tests.stories.shop import SMS, Opens

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "mcp.md"
DENIED = [{"channel": "sms", "purpose": "marketing", "status": "denied", "source": "shop", "method": "api"}]


def block(after: str, text: str) -> re.Match[str]:
    found = re.search(after + r"(?P<block>.*?)(?=```\n|<!-- end)", text, re.DOTALL)
    assert found is not None
    return found


def shows(after: str, expected: str) -> None:
    """The page has this text there; with UPDATE_DOCS it gets it."""
    text = PAGE.read_text(encoding="utf-8")
    found = block(after, text)
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(text[: found.start("block")] + expected + text[found.end("block") :], encoding="utf-8")
    else:
        assert found["block"] == expected


def test_the_page_lists_every_tool_with_the_first_sentence_that_an_assistant_reads() -> None:
    project = Project(default_journeys(ROOT), ROOT / "policy.toml", ROOT / "sources.toml")
    made = server(OperatorTools(Manage(""), Presented(reveal=False)), AuthorTools(project, writes=True))
    tools = asyncio.run(made.list_tools())

    rows = [f"| `{one.name}` | {(one.description or '').splitlines()[0]} |\n" for one in tools]
    shows(r"<!-- tools -->\n\| tool \|.*?\n\|---\|---\|\n", "".join(rows))


def test_the_page_shows_what_an_assistant_is_answered(opens: Opens) -> None:
    shop = opens(SMS)
    shop.happens("note.wanted", consent=DENIED)
    asked = re.search(r"<!-- asked: (?P<tool>\w+) (?P<arguments>\{.*\}) -->", PAGE.read_text(encoding="utf-8"))
    assert asked is not None

    answer = over_stdio("--to", shop.url).call(asked["tool"], **json.loads(asked["arguments"]))

    shows(re.escape(asked[0]) + r"\n```json\n", json.dumps(answer, indent=2, ensure_ascii=False) + "\n")


def test_a_program_starts_the_command_as_the_page_says(opens: Opens) -> None:
    shop = opens(SMS)
    configured = json.loads(block(r"```json client\n", PAGE.read_text(encoding="utf-8"))["block"])
    (cairn,) = configured["mcpServers"].values()
    assert [cairn["command"], *cairn["args"]] == ["cairn", "mcp"]

    async def named() -> str:
        started = StdioServerParameters(
            command=COMMAND[0],
            args=[*COMMAND[1:-1], *cairn["args"], "--to", shop.url],
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        async with Client(started) as client:
            return client.server_info.name

    assert asyncio.run(named()) == "cairn"


def test_the_policy_allows_the_routes_that_the_tools_ask_for_and_no_other() -> None:
    policy = json.loads(block(r"```json policy\n", PAGE.read_text(encoding="utf-8"))["block"])
    (statement,) = policy["Statement"]
    asked: set[str] = set()

    class Recorded(Manage):
        def get(self, name: str, **_: object) -> dict[str, object]:
            asked.add(f"GET/manage/{name}")
            return {}

        def post(self, name: str, **_: object) -> dict[str, object]:
            asked.add(f"POST/manage/{name}")
            return {}

    tools = OperatorTools(Recorded(""), Presented(reveal=False))
    for tool in tools.all():
        tool("funnel" if tool == tools.report else "mia")

    assert {one.partition("$default/")[2] for one in statement["Resource"]} == asked


def test_the_commands_of_the_agents_page_run_in_their_order(tmp_path: Path) -> None:
    for name in ("layers/journeys", "events"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("policy.toml", "people.toml", "leads.toml", "replies.toml", "sources.toml"):
        shutil.copy(ROOT / name, tmp_path)
    lines = re.findall(r"^ +cairn (.+)$", (ROOT / "AGENTS.md").read_text(encoding="utf-8"), re.MULTILINE)
    commands = [shlex.split(line) for line in lines]

    assert [words[0] for words in commands] == ["new", "check", "check", "simulate", "graph", "replay", "preflight"]
    for words in commands:
        run = [*COMMAND[:-1], *words]
        path = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "core" / "python")])
        done = subprocess.run(  # noqa: S603  our own commands
            run, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
