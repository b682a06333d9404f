"""Paths, arguments, options and examples that several commands share."""

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from authoring.defaults import (
    BESIDE,
    USUAL,
    default_file,
    is_our_checkout,
    is_ours,
    own_or_default,
    own_or_new,
    project_of,
    settings_of,
)
from cli.output import echo

ROOT = Path(__file__).parents[1]
SETTINGS = settings_of(Path())
JOURNEYS, POLICY, SOURCES = (own_or_default(one, Path(), SETTINGS.get(one, "")) for one in USUAL)
"""Those of the working folder, as pytest takes them there; else as we ship them."""
LAW = default_file("law.toml")
NEW_SOURCES = own_or_new("cairn_sources", Path(), SETTINGS.get("cairn_sources", ""))
"""Where a command writes: in the working folder, and in Cairn's own files only there."""

DEFAULT_PORT = 8787
LOCAL_URL = f"http://127.0.0.1:{DEFAULT_PORT}"
"""Where `cairn serve` listens."""

DEVELOPMENT = "Develop and try"
OPERATION = "Operate a deployment"
"""The panels of `cairn --help`."""

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
JourneysOption = Annotated[
    Path, typer.Option("--journeys", help="The folder of journeys.", show_default="layers/journeys, or journeys")
]
JourneyArgument = Annotated[
    str, typer.Argument(help="A journey's name in layers/journeys, or its folder.", metavar="JOURNEY")
]
ConfigurationOption = Annotated[
    Path,
    typer.Option(
        "--configuration",
        help="The deployment's sources.toml; vendors of its own lie in sources/ beside it.",
        show_default="sources.toml",
    ),
]
PolicyOption = Annotated[
    Path, typer.Option("--policy", help="The deployment's policy.toml.", show_default="policy.toml")
]
ToOption = Annotated[
    str,
    typer.Option("--to", help="The deployment's URL (ApiUrl), asked with your AWS credentials; else `cairn serve`."),
]
WhyOption = Annotated[
    str, typer.Option("--why", help="The reason, for the audit. Name no customers: the audit is never deleted.")
]
OptionalWhyOption = Annotated[str, typer.Option("--why", help="The reason, for the audit.")]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="The file to write, for its owner alone; else it is printed.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Replace the file, if it exists.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")]
CustomerArgument = Annotated[
    str,
    typer.Argument(help="Id, user id, e-mail address, phone number or SYSTEM:ID.", metavar="CUSTOMER"),
]
CustomerOption = Annotated[
    str, typer.Option("--customer", help="The message's customer, where the message's id does not say it.")
]


def of_project(journeys: Path, policy: Path, configuration: Path = SOURCES, *, says: bool = True) -> tuple[Path, Path]:
    """The policy and the sources.toml of the project whose journeys are named, as far as they are not named too.

    Ends the command where the folder of journeys is missing. `says` so where the policy is Cairn's own.
    """
    if not journeys.is_dir():
        raise typer.BadParameter(no_journeys(journeys))
    if journeys != JOURNEYS:
        policy = _theirs(journeys, "cairn_policy") if policy == POLICY else policy
        configuration = _theirs(journeys, "cairn_sources") if configuration == SOURCES else configuration
    if says:
        say_whose(policy)
    return policy, configuration


def _theirs(journeys: Path, setting: str) -> Path:
    """The file beside a folder of journeys, else that of the working folder."""
    theirs, here = own_or_default(setting, project_of(journeys)), POLICY if setting == "cairn_policy" else SOURCES
    return here if is_ours(theirs) else theirs


def all_journeys(journeys: Path) -> list[str]:
    """The names of a folder's journeys. Ends the command where there is none."""
    found = sorted(one.parent.name for one in journeys.glob("*/journey.yaml"))
    if not found:
        raise typer.BadParameter(f"there are no journeys in {journeys}: `cairn new NAME` begins one")
    return found


def no_journeys(journeys: Path) -> str:
    return (
        f"there is no folder {journeys}: `cairn new NAME` begins a journey there, and --journeys names another folder"
    )


def has_project(folder: Path = Path()) -> bool:
    """Whether a folder has a file of a project of Cairn, be it without journeys."""
    return any((folder / one).exists() for names in (*USUAL.values(), *BESIDE.values()) for one in names)


def say_whose(policy: Path) -> None:
    """Say that a policy is Cairn's own, where the project has none: messages then have the name of our example."""
    if is_ours(policy) and not is_our_checkout(Path()):
        echo("This folder has no policy.toml: that of Cairn's example is used (docs/policy.md).", err=True)


def examples(*lines: str) -> str:
    """The epilog of a command's help."""
    return "\n".join(("Examples:" if len(lines) > 1 else "Example:", *(f"  {line}" for line in lines)))


def journey_folder(named: str, journeys: Path) -> Path:
    """The folder of a journey that is named, or whose path is given. Ends the command where there is none."""
    folder = next((one for one in (journeys / named, Path(named)) if (one / "journey.yaml").is_file()), None)
    if folder is not None:
        return folder
    if not journeys.is_dir():
        raise typer.BadParameter(no_journeys(journeys))
    known = sorted(one.parent.name for one in journeys.glob("*/journey.yaml"))
    near = get_close_matches(named, known, n=1)
    fix = f"did you mean {near[0]}?" if near else f"{journeys} has {', '.join(known) or 'no journeys'}"
    raise typer.BadParameter(f"there is no journey {named}: {fix}")
