"""`cairn studio`: the console over a local deployment, with a clock to move and samples to post."""

import logging
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from authoring.defaults import USUAL, own_or_default, project_of, settings_of
from cli.options import DEFAULT_PORT, DEVELOPMENT, ROOT, examples, say_whose
from cli.output import Terminal, echo, silence_logs

REPLAY = "import sys; from cli.main import app; sys.argv[0] = 'cairn'; app()"
"""`cairn replay` in a process of its own, whose clock and whose AWS are its own."""

REPLAY_SECONDS = 300

app = typer.Typer()


@app.command(
    rich_help_panel=DEVELOPMENT,
    epilog=examples("cairn studio", "cairn studio my-club --state ~/.cairn-studio", "cairn studio --port 0"),
)
def studio(
    folder: Annotated[
        Path | None,
        typer.Argument(
            help="A folder of journeys, or one that has it; it may be empty.",
            metavar="[FOLDER]",
            show_default="the working folder",
        ),
    ] = None,
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = DEFAULT_PORT,
    state: Annotated[
        Path | None, typer.Option(help="A folder that keeps what came in, and when: the next start repeats it.")
    ] = None,
) -> None:
    """Open the console on your laptop, with a clock to move, samples to post, and stories to replay and to save."""
    silence_logs()
    from infra.local.server import real_now  # noqa: PLC0415  moto is slow to import
    from infra.local.signing import local_secrets  # noqa: PLC0415
    from infra.local.studio.acts import State  # noqa: PLC0415
    from infra.local.studio.server import free_port, serve  # noqa: PLC0415
    from infra.local.studio.studio import Project  # noqa: PLC0415
    from infra.local.studio.studio import studio as begun  # noqa: PLC0415

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    stored = State.of(state.absolute() if state else None)
    project = Project(*_enter(folder))
    secrets = local_secrets(os.environ, project.sources())
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    with begun(project, secrets=secrets, state=stored, public_url=url, real_now=real_now) as made:
        try:
            serve(
                made, port, _greet, replay=partial(_replay, project.root), schema=ROOT / "docs" / "journey.schema.json"
            )
        except KeyboardInterrupt:
            pass
        except OSError as error:
            raise typer.BadParameter(f"port {port}: {error.strerror}; name another with --port") from error


def _enter(folder: Path | None) -> tuple[Path, Path, Path, Path]:
    """Go to the project; its root, journeys, policy and sources.toml. Ends the command where there is no such folder.

    In the project's folder, its own people, leads and audiences are read, and not those of the folder before.
    """
    if folder is not None and not folder.is_dir():
        raise typer.BadParameter(f"there is no folder {folder}: make it, it may be empty")
    named = folder.resolve() if folder is not None and any(folder.glob("*/journey.yaml")) else None
    if folder is not None:
        os.chdir(project_of(named) if named else folder)
    settings = settings_of(Path())
    journeys, policy, configuration = (own_or_default(one, Path(), settings.get(one, "")) for one in USUAL)
    say_whose(policy)
    return Path.cwd(), named or journeys, policy, configuration


def _replay(root: Path, story: Path) -> str:
    """Why `cairn replay` does not pass a story; empty where it does."""
    command = [sys.executable, "-c", REPLAY, "replay", str(story.resolve())]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=REPLAY_SECONDS, check=False)  # noqa: S603
    return (done.stderr or done.stdout).strip() if done.returncode else ""


def _greet(url: str) -> None:
    Terminal(highlight=False, soft_wrap=True).print(f"[bold]Cairn's studio[/] at {url}/ Stop it with Ctrl-C.")
    echo("Whatever you save in the folder is checked and deployed at once.")
    sys.stdout.flush()
