"""`cairn serve`: the local deployment behind HTTP."""

import json
import logging
import os
import shlex
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

import typer

from cairn.domain.identity.trust import PREFERENCES_SOURCE
from cairn.domain.shared.instants import instant_to_wire
from cli.options import (
    DEFAULT_PORT,
    DEVELOPMENT,
    JOURNEYS,
    POLICY,
    ROOT,
    SOURCES,
    ConfigurationOption,
    JourneysOption,
    PolicyOption,
    examples,
    of_project,
)
from cli.output import Terminal, echo, silence_logs

SAMPLE = ROOT / "events" / "track" / "trial_signup.json"

app = typer.Typer()


@app.command(
    rich_help_panel=DEVELOPMENT,
    epilog=examples("cairn serve", "cairn serve --port 0 --subscriber crm=http://127.0.0.1:9000/hook"),
)
def serve(
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = DEFAULT_PORT,
    journeys: JourneysOption = JOURNEYS,
    policy: PolicyOption = POLICY,
    configuration: ConfigurationOption = SOURCES,
    endpoints: Annotated[
        list[str] | None,
        typer.Option(
            "--subscriber",
            help="A webhook endpoint on loopback that gets each change of consent. Can be given more than once.",
            metavar="NAME=URL",
        ),
    ] = None,
) -> None:
    """Run the whole stack behind HTTP on loopback. Time runs; POST /_clock moves it."""
    silence_logs()
    from cairn.adapters.sources import sources as all_sources  # noqa: PLC0415  slow to import
    from infra.local.deployment import local_deployment  # noqa: PLC0415  moto is slow to import
    from infra.local.server import serve as run  # noqa: PLC0415
    from infra.local.signing import local_secrets, secret_problems  # noqa: PLC0415
    from infra.local.throttle import stage_limiter  # noqa: PLC0415

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    policy, configuration = of_project(journeys, policy, configuration)
    known = all_sources(configuration)
    secrets = local_secrets(os.environ, known)
    for problem in secret_problems(os.environ, known):
        echo(f"{problem}: it verifies nothing", err=True)
    with local_deployment(
        journeys,
        start=datetime.now(UTC),
        secrets=secrets,
        policy=policy,
        configuration=configuration,
        ticking=True,
        public_url=f"http://127.0.0.1:{port}",
        webhook_endpoints=_endpoints(endpoints or ()),
    ) as deployment:
        try:
            run(
                deployment,
                port,
                lambda url: _greet(url, secrets["track"]),
                limiter=stage_limiter([*deployment.sources, PREFERENCES_SOURCE]),
                secrets=secrets,
            )
        except KeyboardInterrupt:
            pass
        except OSError as error:
            raise typer.BadParameter(f"port {port}: {error.strerror}; name another with --port") from error


def _endpoints(given: Iterable[str]) -> dict[str, str]:
    """The URL of each webhook endpoint, by its name."""
    pairs = [one.partition("=") for one in given]
    if any(not name or not url.startswith(("http://", "https://")) for name, _, url in pairs):
        raise typer.BadParameter("--subscriber is NAME=URL, such as crm=http://127.0.0.1:9000/hook")
    return {name: url for name, _, url in pairs}


def _greet(url: str, secret: str) -> None:
    from authoring.sources.samples import signed_headers  # noqa: PLC0415
    from authoring.stories.bodies import fill_instants  # noqa: PLC0415

    now = datetime.now(UTC)
    console = Terminal(highlight=False, soft_wrap=True)
    console.print(f"[bold]Cairn[/] at {url}, {instant_to_wire(now)}. Stop it with Ctrl-C.\n")
    body = json.dumps(fill_instants(json.loads(SAMPLE.read_bytes()), now))
    headers = signed_headers("track", body.encode(), secret, now)
    flags = " ".join(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items())
    console.print("Sign somebody up (the signature holds for five minutes; `cairn send` makes a new one):\n")
    echo(f"curl {url}/events {flags} -d {shlex.quote(body)}\n")
    console.print("Let three days pass, then see what happened:\n")
    echo(f'curl {url}/_clock -d \'{{"advance": "3d"}}\'')
    echo(f"curl {url}/_timeline\n")
    sys.stdout.flush()
