"""`cairn send`: post a sample to a deployment."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import typer

from cairn.domain.shared.instants import instant_from_wire
from cli.options import DEVELOPMENT, LOCAL_URL, SOURCES, ConfigurationOption, examples
from cli.output import echo, fail

LOOPBACK = ("127.0.0.1", "localhost", "::1")

app = typer.Typer()


@app.command(
    rich_help_panel=DEVELOPMENT,
    epilog=examples(
        "cairn send events/track/trial_signup.json",
        "cairn send stripe/invoice_paid --source stripe",
    ),
)
def send(
    event: Annotated[Path, typer.Argument(help="A JSON file, or the name of a vendor's sample.", metavar="EVENT.json")],
    to: Annotated[str, typer.Option("--to", help="The deployment's URL.")] = LOCAL_URL,
    source: Annotated[str, typer.Option(help="The source that signs it.")] = "track",
    configuration: ConfigurationOption = SOURCES,
) -> None:
    """Sign a sample as its vendor would and post it to any deployment; the secret is CAIRN_SECRET_<SOURCE>.

    It happens now; to `cairn serve`, whose clock may have been moved, now by that clock.
    """
    from authoring.sources.samples import just_now, path_of, posting, sample_headers, sample_named  # noqa: PLC0415
    from authoring.stories.bodies import fill_instants  # noqa: PLC0415
    from cairn.adapters.sources import OWN  # noqa: PLC0415  slow to import
    from cairn.adapters.sources import sources as all_sources  # noqa: PLC0415
    from infra.local.signing import secret_for  # noqa: PLC0415

    signed_at = datetime.now(UTC)
    event = event if event.exists() or event.suffix else sample_named(str(event), configuration.parent / OWN)
    url = to.rstrip("/").removesuffix(path_of(source))
    if not url.startswith(("http://", "https://")):
        raise typer.BadParameter("--to is a URL that begins with http:// or https://")
    known = all_sources(configuration)
    now = _clock_of(url) or signed_at
    try:
        document = just_now(source, fill_instants(json.loads(event.read_bytes()), now), now, known)
        headers = sample_headers(event)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{event} cannot be read as JSON: {error}") from error
    secret = secret_for(source, os.environ)
    post = posting(source, document, secret, signed_at, origin=url, headers=headers, known=known)
    try:
        request = Request(post.url, post.body, dict(post.headers), method="POST")  # noqa: S310  checked above
        with urlopen(request, timeout=30) as answer:  # noqa: S310  checked above
            echo(f"{answer.status} {answer.read().decode()}")
    except HTTPError as error:
        fail(f"{error.code} {error.read().decode()}")
    except URLError as error:
        fail(f"{url} cannot be reached: {error.reason}. Is `make serve` running?")


def _clock_of(url: str) -> datetime | None:
    """What time it is for `cairn serve`, whose clock may have been moved; None for any other deployment."""
    if urlsplit(url).hostname not in LOOPBACK:
        return None
    try:
        with urlopen(f"{url}/_clock", timeout=30) as answer:  # noqa: S310  loopback
            return instant_from_wire(json.loads(answer.read())["now"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
