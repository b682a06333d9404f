"""The server of `cairn mcp`: its tools, pages and prompts, over stdio, or over HTTP on loopback."""

import secrets
import socket
from collections.abc import Callable
from importlib.metadata import version

import anyio
import uvicorn
from mcp.server import MCPServer
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver.resources import TextResource
from mcp_types import ToolAnnotations
from pydantic import AnyHttpUrl

from authoring.journeys.schema import schema_text
from cli.mcp import drafts, guide
from cli.mcp.personal import NOTE
from cli.mcp.tools import AuthorTools, OperatorTools, answering

HOST = "127.0.0.1"

MARKDOWN, SCHEMA, TEXT = "text/markdown", "application/schema+json", "text/plain"

READS = {"readOnlyHint": True, "openWorldHint": False}
WRITES = {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": True, "openWorldHint": False}
"""What a program that asks may show a person, or ask them, before it calls a tool."""

INSTRUCTIONS = f"""\
Cairn keeps one profile per customer and walks customers through journeys of messages. These tools read a deployment as
the operator who started you, and the files of journeys on this machine. No tool changes a deployment.

- Why did a customer not get a message? `explain_customer`; then `explain_message` or `timeline` for more.
- What is a journey worth? `measure`. Who waits for a person? `list_tasks`.
- To write a journey: `read_guide`, `example_journey`, then `check` with your files until it accepts them, `simulate`.

{NOTE} Personal data is masked as ••• unless a person has started you with --reveal. All that you ask a deployment is
in the audit, with your operator's name: read no more than the question needs.
"""


class OneToken:
    """A program with the token asks as the operator who started the server. Implements the SDK's TokenVerifier."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def verify_token(self, token: str) -> AccessToken | None:
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            return None
        return AccessToken(token="", client_id="operator", scopes=[])


def server(operator: OperatorTools, author: AuthorTools, *, token: str = "") -> MCPServer:
    """The server without a transport. Over HTTP, a request needs the token."""
    made = MCPServer(
        "cairn",
        title="Cairn",
        instructions=INSTRUCTIONS,
        version=version("cairn"),
        log_level="WARNING",
        auth=AuthSettings(issuer_url=AnyHttpUrl(f"http://{HOST}"), resource_server_url=None) if token else None,
        token_verifier=OneToken(token) if token else None,
    )
    for tool in (*operator.all(), *author.all()):
        hints = WRITES if tool == author.write_draft else READS
        made.add_tool(answering(tool), annotations=ToolAnnotations.model_validate(hints))
    _add_pages(made)
    _add_prompts(made)
    return made


def _add_pages(made: MCPServer) -> None:
    pages = {
        **{f"guide/{name}": (f"Guide: {about}", MARKDOWN, guide.page(name)) for name, about in guide.PAGES.items()},
        "journey.schema.json": ("The JSON Schema of journey.yaml", SCHEMA, schema_text()),
        **{
            f"example/{name}": (f"A small journey: {name}", TEXT, text)
            for name, text in drafts.example("welcome").items()
        },
    }
    for name, (title, mime_type, text) in pages.items():
        uri = f"cairn://{name}"
        made.add_resource(TextResource(uri=uri, name=name, title=title, mime_type=mime_type, text=text))


def _add_prompts(made: MCPServer) -> None:
    @made.prompt(title="Why did a customer not get a message?")
    def why_not(customer: str, message: str) -> str:
        """Find the reason why a customer did not get a message."""
        return (
            f"Why did the customer {customer!r} not get this message: {message!r}? Ask `explain_customer`, and look "
            "for it in `decisions` and `waiting`. If it is not there, ask `timeline` whether the customer entered the "
            "journey that sends it. Answer in two sentences: the reason, and since when or until when it applies. Name "
            "the audit id."
        )

    @made.prompt(title="Draft a journey from words")
    def draft_journey(words: str) -> str:
        """Write the files of a journey that the check accepts."""
        return (
            f"Write a journey of Cairn that does this: {words!r}. Read the sections of `read_guide` that it needs, "
            "begin with `example_journey`, and give your files to `check` until it accepts them. Then `simulate` them "
            "with all_paths, and show each message as the customer gets it. Ask a person whether this is what they "
            "mean, before you write anything."
        )


def serve_http(made: MCPServer, port: int, started: Callable[[str], None]) -> None:
    """Serve on loopback until interrupted; `started` gets the address. Raises OSError where the port is taken.

    The SDK refuses a request without the token, which other users of this machine do not have, and one of a page in a
    browser, which has another Origin or Host.
    """
    app = made.streamable_http_app(json_response=True, stateless_http=True, host=HOST)
    running = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    with socket.create_server((HOST, port)) as listening:
        started(f"http://{HOST}:{listening.getsockname()[1]}/mcp")
        anyio.run(running.serve, [listening])
