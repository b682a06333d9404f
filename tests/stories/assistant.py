"""An assistant for stories: the client of the official SDK, which knows of Cairn what the server says of itself."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent

from cli.mcp import manage_for
from cli.mcp.personal import Presented
from cli.mcp.server import server
from cli.mcp.tools import AuthorTools, OperatorTools, project_at
from cli.options import JOURNEYS, POLICY

Json = dict[str, Any]
T = TypeVar("T")

COMMAND = (sys.executable, "-c", "from cli.main import app; app()", "mcp")
TOKEN = "a-token-that-only-this-test-has"
SECONDS = 60


@dataclass
class Assistant:
    """Each question is a conversation of its own."""

    connect: Callable[[], Any]
    """Makes what a client connects to."""

    def call(self, tool: str, **arguments: Any) -> Json:
        """The answer of a tool that succeeds."""
        done = self.tries(tool, **arguments)
        assert not done.is_error, text_of(done)
        assert done.structured_content is not None
        return done.structured_content

    def refused(self, tool: str, **arguments: Any) -> str:
        """What the assistant reads where a tool fails."""
        done = self.tries(tool, **arguments)
        assert done.is_error
        return text_of(done)

    def tries(self, tool: str, **arguments: Any) -> CallToolResult:
        return self.asks(lambda client: client.call_tool(tool, arguments))

    def asks(self, what: Callable[[Client], Awaitable[T]]) -> T:
        async def asked() -> T:
            async with Client(self.connect()) as client, asyncio.timeout(SECONDS):
                return await what(client)

        return asyncio.run(asked())


def text_of(done: CallToolResult) -> str:
    return "\n".join(one.text for one in done.content if isinstance(one, TextContent))


def here(*, to: str = "", roles: str = "", journeys: Path | None = None, writes: bool = False) -> Assistant:
    """The tools without a process between: as the command makes them, and quicker."""
    project = project_at(journeys or JOURNEYS, POLICY)
    made = server(OperatorTools(manage_for(to, roles), Presented(reveal=False)), AuthorTools(project, writes))
    return Assistant(lambda: made)


def over_stdio(*options: str) -> Assistant:
    command, *arguments = (*COMMAND, *options)
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "LOGNAME": "ada"}
    return Assistant(lambda: StdioServerParameters(command=command, args=arguments, env=environment))


@contextmanager
def over_http(*options: str) -> Iterator[Assistant]:
    """The server runs as long as the block; the assistant sends the token."""
    with serving(*options) as url:

        @asynccontextmanager
        async def connected() -> AsyncIterator[Any]:
            headers = {"Authorization": f"Bearer {TOKEN}"}
            async with (
                httpx2.AsyncClient(headers=headers, timeout=SECONDS) as sends,
                streamable_http_client(url, http_client=sends) as streams,
            ):
                yield streams

        yield Assistant(connected)


@contextmanager
def serving(*options: str) -> Iterator[str]:
    """`cairn mcp --http` with the token, as long as the block; gives its address."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "LOGNAME": "ada", "CAIRN_MCP_TOKEN": TOKEN}
    command = [*COMMAND, "--http", "0", *options]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as running:  # noqa: S603
        try:
            assert running.stderr is not None
            yield running.stderr.readline().split()[3].removesuffix(".")
        finally:
            running.terminate()
