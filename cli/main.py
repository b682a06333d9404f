"""The command line: replay, serve, send, sources, dlq, check, demo; and what operators ask (manage_commands)."""

import json
import logging
import os
import shlex
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from cairn.domain.identity.trust import PREFERENCES_SOURCE
from cairn.domain.shared.errors import CairnError
from cairn.domain.shared.instants import instant_to_wire
from cli import dead_letters, manage
from cli.preflight import command as preflight
from infra.local.signing import just_now, local_secrets, path_of, posting, sample_headers, secret_for, signed_headers

ROOT = Path(__file__).parents[1]
JOURNEYS = ROOT / "layers" / "journeys"
SCENARIOS = ROOT / "events" / "scenarios"
DEMO = ("fitness-trial-to-paid", "family-entertainment-booking", "payment-failure-rescue")
SOURCES = ROOT / "sources.toml"
POLICY = ROOT / "policy.toml"
LAW = ROOT / "law.toml"
SAMPLE = ROOT / "events" / "track" / "trial_signup.json"
TRACK = {
    "title": "Our own track API",
    "setup": "Post canonical events, one or a list, signed as Standard Webhooks has it (docs/sources.md).",
}
DEFAULT_PORT = 8787
PLAIN_WIDTH = 100
"""Columns of a picture that goes into a file."""

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Cairn on a laptop.", pretty_exceptions_enable=False)

app.add_typer(dead_letters.app, name="dlq")
app.command("preflight")(preflight)
app.add_typer(manage.app)

JourneysOption = Annotated[Path, typer.Option("--journeys", help="The folder of journeys.")]
SubscriberOption = Annotated[
    list[str] | None,
    typer.Option("--subscriber", help="NAME=URL on loopback of who is told of changes of consent.", metavar="NAME=URL"),
]
PolicyOption = Annotated[Path, typer.Option("--policy", help="The deployment's policy.toml.")]


@app.command()
def replay(
    scenarios: Annotated[list[Path], typer.Argument(help="Scenario files.", metavar="SCENARIO.yaml")],
    journeys: JourneysOption = JOURNEYS,
    policy: PolicyOption = POLICY,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,  # noqa: FBT002
    zone: Annotated[str, typer.Option(help="The time zone of the picture.")] = "America/New_York",
) -> None:
    """Run stories through the real handlers in virtual time. Exit 1 where an expectation does not hold."""
    _quiet()
    held = [_replay(path, journeys, policy, as_json=as_json, zone=ZoneInfo(zone)) for path in scenarios]
    if not all(held):
        raise typer.Exit(1)


@app.command()
def demo() -> None:
    """Three stories from the field, weeks of virtual time."""
    replay([SCENARIOS / f"{name}.yaml" for name in DEMO])
    console = Console()
    console.print("\nThat was the real thing: the handlers that Lambda runs, on moto and a virtual clock. Next:")
    console.print("  [bold]make serve[/]  the same stack behind HTTP        [bold]layers/journeys/[/]   the journeys")
    console.print("  [bold]make test[/]   everything that can be proven     [bold]events/scenarios/[/]  the stories")


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = DEFAULT_PORT,
    journeys: JourneysOption = JOURNEYS,
    policy: PolicyOption = POLICY,
    subscriber: SubscriberOption = None,
) -> None:
    """The same stack behind HTTP on loopback; time runs, or is moved by POST /_clock."""
    _quiet()
    from infra.local.deployment import local_deployment  # noqa: PLC0415
    from infra.local.server import serve as run  # noqa: PLC0415  slow to import, as everything with moto in it
    from infra.local.throttle import stage_limiter  # noqa: PLC0415

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    secrets = local_secrets(os.environ)
    with (
        _clear_errors(),
        local_deployment(
            journeys,
            start=datetime.now(UTC),
            secrets=secrets,
            policy=policy,
            ticking=True,
            public_url=f"http://127.0.0.1:{port}",
            subscribers=_subscribers(subscriber or ()),
        ) as made,
    ):
        try:
            run(
                made,
                port,
                lambda url: _greet(url, secrets["track"]),
                limiter=stage_limiter([*made.sources, PREFERENCES_SOURCE]),
                secrets=secrets,
            )
        except KeyboardInterrupt:
            pass
        except OSError as error:
            raise typer.BadParameter(f"port {port}: {error.strerror}; name another with --port") from error


@app.command()
def send(
    event: Annotated[Path, typer.Argument(help="A JSON file, such as one of events/.", metavar="EVENT.json")],
    to: Annotated[str, typer.Option("--to", help="The deployment's URL.")] = f"http://127.0.0.1:{DEFAULT_PORT}",
    source: Annotated[str, typer.Option(help="Who signs it.")] = "track",
) -> None:
    """Sign a sample as its vendor would and post it to any deployment; the secret is CAIRN_SECRET_<SOURCE>."""
    from cairn.adapters.sources import sources as all_sources  # noqa: PLC0415

    now = datetime.now(UTC)
    url = to.rstrip("/").removesuffix(path_of(source))
    if not url.startswith(("http://", "https://")):
        raise typer.BadParameter("--to is a URL that begins with http:// or https://")
    with _clear_errors():
        known = all_sources(SOURCES)
        try:
            document = just_now(source, _at(json.loads(event.read_bytes()), now), now, known)
            headers = sample_headers(event)
        except (OSError, ValueError) as error:
            raise typer.BadParameter(f"{event} cannot be read as JSON: {error}") from error
        secret = secret_for(source, os.environ)
        post = posting(source, document, secret, now, origin=url, headers=headers, known=known)
    try:
        request = Request(post.url, post.body, dict(post.headers), method="POST")  # noqa: S310  checked above
        with urlopen(request, timeout=30) as answer:  # noqa: S310  checked above
            typer.echo(f"{answer.status} {answer.read().decode()}")
    except HTTPError as error:
        typer.echo(f"{error.code} {error.read().decode()}", err=True)
        raise typer.Exit(1) from None
    except URLError as error:
        typer.echo(f"{url} cannot be reached: {error.reason}. Is `make serve` running?", err=True)
        raise typer.Exit(1) from None


@app.command("sources")
def list_sources(
    configuration: Annotated[Path, typer.Option("--configuration", help="The deployment's sources.toml.")] = SOURCES,
    to: Annotated[str, typer.Option("--to", help="The deployment's URL.")] = "https://<deployment>",
) -> None:
    """Every system that may post: its URL, signature header, secret's name, and what to click there."""
    from authoring.sources import problems  # noqa: PLC0415
    from cairn.adapters.sources import sources as all_sources  # noqa: PLC0415
    from cairn.adapters.sources.mapped import MappedSource  # noqa: PLC0415

    with _clear_errors():
        wrong = []
        for name, source in all_sources(configuration).items():
            mapping = getattr(source, "mapping", TRACK)
            if isinstance(source, MappedSource):
                wrong += [f"{name}: {problem}" for problem in problems(name, mapping)]
            secrets = [name, *([f"{name}-verify"] if source.handshake else [])]
            typer.echo(f"{name}: {mapping.get('title', name)}")
            typer.echo(f"  URL        {to.rstrip('/')}{path_of(name)}")
            typer.echo(f"  signature  {source.scheme.header}")
            typer.echo(f"  secret     {', '.join(secrets)}")
            typer.echo("".join(f"  {line}\n" for line in mapping.get("setup", "").strip().splitlines()))
    for problem in wrong:
        typer.echo(problem, err=True)
    if wrong:
        raise typer.Exit(1)


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="The folder of journeys.")] = JOURNEYS,
    policy: PolicyOption = POLICY,
) -> None:
    """Every problem of every journey and of the policy at once: file, line, step, field, and the way to mend it."""
    from authoring.journeys import check as problems_of  # noqa: PLC0415
    from authoring.journeys import compile_catalogue  # noqa: PLC0415
    from authoring.policy import check_policy  # noqa: PLC0415

    if not folder.is_dir():
        raise typer.BadParameter(f"{folder} is no folder")
    found = problems_of(folder)
    compiled = None if found else compile_catalogue(folder)
    problems = [*map(str, found), *map(str, check_policy(policy, LAW, compiled))]
    for problem in problems:
        typer.echo(problem)
    if problems:
        typer.echo(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}", err=True)
        raise typer.Exit(1)
    count = len(list(folder.glob("*/journey.yaml")))
    typer.echo(f"{count} journey{'s' if count != 1 else ''} and the policy, no problems")


def _subscribers(told: Iterable[str]) -> dict[str, str]:
    """By name, who is told of changes of consent."""
    pairs = [one.partition("=") for one in told]
    if any(not name or not url.startswith(("http://", "https://")) for name, _, url in pairs):
        raise typer.BadParameter("--subscriber is NAME=URL, such as crm=http://127.0.0.1:9000/hook")
    return {name: url for name, _, url in pairs}


def _replay(path: Path, journeys: Path, policy: Path, *, as_json: bool, zone: ZoneInfo) -> bool:
    from cli.timeline import show  # noqa: PLC0415  slow to import, as everything with moto in it
    from infra.local.deployment import local_deployment  # noqa: PLC0415
    from infra.local.scenario import load, tell  # noqa: PLC0415

    console = Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    secrets = local_secrets(os.environ)
    with _clear_errors():
        scenario = load(path)
        with local_deployment(journeys, start=scenario.starts, secrets=secrets, policy=policy) as made:
            told = tell(path, scenario, made, secrets)
    if as_json:
        for line in told.lines:
            typer.echo(json.dumps(line, ensure_ascii=False))
    else:
        console.print()
        console.print(Rule(Text(scenario.scenario, "bold"), align="left"))
        if scenario.about:
            console.print(Text(scenario.about.strip(), "italic dim"))
        show(told.lines, console, start=scenario.starts, zone=zone)
        if not told.difference:
            count = len(scenario.expect)
            console.print(f"\n [green]✓[/] {count} expectations hold over {scenario.length.days} days")
    if told.difference:
        typer.echo(f"{path}: what was expected did not happen\n{told.difference}", err=True)
    return not told.difference


def _greet(url: str, secret: str) -> None:
    now = datetime.now(UTC)
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"[bold]Cairn[/] at {url}, {instant_to_wire(now)}. Stop it with Ctrl-C.\n")
    body = json.dumps(_at(json.loads(SAMPLE.read_bytes()), now))
    headers = signed_headers("track", body.encode(), secret, now)
    flags = " ".join(f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items())
    console.print("Sign somebody up (the signature holds for five minutes; `cairn send` makes a new one):\n")
    print(f"curl {url}/events {flags} -d {shlex.quote(body)}\n")
    console.print("Let three days pass, then see what happened:\n")
    print(f'curl {url}/_clock -d \'{{"advance": "3d"}}\'')
    print(f"curl {url}/_timeline\n")
    sys.stdout.flush()


def _at(document: object, now: datetime) -> object:
    from infra.local.scenario import filled  # noqa: PLC0415

    return filled(document, now)


class _clear_errors:  # noqa: N801  read as a phrase: with _clear_errors()
    """Our own errors end a command with their message; they say what to do, and a traceback would hide it."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, CairnError):
            typer.echo(str(error), err=True)
            raise typer.Exit(1) from None


def _quiet() -> None:
    """A story's own picture is the output; logs come with CAIRN_LOG_LEVEL=INFO."""
    os.environ["POWERTOOLS_LOG_LEVEL"] = os.environ.get("CAIRN_LOG_LEVEL", "CRITICAL")
