"""`cairn secrets`: writes the secrets of a stage, and joins those of version 0.2."""

import sys
from collections.abc import Collection
from enum import StrEnum
from typing import Annotated

import typer

from cli.options import JOURNEYS, LAW, POLICY, SOURCES, YesOption, examples
from cli.output import echo, fail
from cli.stack import StackOption, explained

app = typer.Typer(
    no_args_is_help=True,
    help="The stage's secret: write a source's, or join what version 0.2 had in three.",
    epilog=examples("cairn secrets write stripe --stage dev", "cairn secrets join --stack Cairn-dev"),
)


class PartName(StrEnum):
    """The parts of the stage's secret, as docs/operations.md has them; the names of Part."""

    SOURCES = "sources"
    WEBHOOK_ENDPOINTS = "webhook-endpoints"
    LINKS = "links"


@app.command(
    epilog=examples(
        "cairn secrets write stripe --stage dev",
        "cairn secrets write crm --stage dev --part webhook-endpoints",
    )
)
def write(
    name: Annotated[str, typer.Argument(help="The source, such as stripe; or the name in another part.")],
    stage: Annotated[str, typer.Option("--stage", help="The stage of cdk.json.")],
    part: Annotated[PartName, typer.Option("--part", help="The part of the stage's secret.")] = PartName.SOURCES,
    alone: Annotated[  # noqa: FBT002
        bool, typer.Option("--alone", help="No secret of before is valid any more: after a rotation, or a leak.")
    ] = False,
) -> None:
    """Store a secret, asked for without showing it, or read from the input. Those of before stay valid."""
    from cairn.adapters.secrets_manager import Part  # noqa: PLC0415  slow to import
    from cli.secrets_client import StageSecret, problem_of  # noqa: PLC0415

    known = _names(part)
    if name not in known:
        fail(f"no secret of {part} is called {name}. Known: {', '.join(known) or 'none'}")
    value = _value(name)
    its_part = Part[part.name]
    if problem := problem_of(its_part, name, value):
        fail(f"{name}: the secret {problem}. Nothing is stored")
    with explained():
        secret = StageSecret.of_stack(f"Cairn-{stage}")
        was_changed = secret.write(its_part, name, value, alone=alone)
        valid = secret.valid(its_part, name)
    echo(f"{name}: {'stored' if was_changed else 'stands there already'}; secrets that are valid: {valid}")
    if was_changed:
        echo("Functions read it within five minutes.")


@app.command(epilog=examples("cairn secrets join --stack Cairn-dev"))
def join(
    stack: StackOption,
    yes: YesOption = False,  # noqa: FBT002
) -> None:
    """Copy the secrets of links and webhook endpoints into the stage's secret. Prints none, and may be repeated."""
    from cli.secrets_client import SecretsOfBefore  # noqa: PLC0415  slow to import

    with explained():
        before = SecretsOfBefore.of_stack(stack)
        unjoined = before.unjoined()
        if not unjoined:
            echo(f"{stack} has nothing to join.")
            return
        if not yes:
            typer.confirm(f"Copy {' and '.join(unjoined)} into the secret of {stack}?", abort=True)
        for part, content in unjoined.items():
            before.copy(part, content)
            echo(f"{part}: copied")
    echo(f"Now deploy {stack} (docs/operations.md, Upgrading from 0.2).")


def _value(name: str) -> str:
    """The secret, never as an argument: those stand in the shell's history, and in the list of processes."""
    if sys.stdin.isatty():
        return str(typer.prompt(f"The secret of {name}", hide_input=True)).strip()
    return sys.stdin.read().strip()


def _names(part: PartName) -> Collection[str]:
    """The names that have a secret in a part, by the files of this repository."""
    if part is PartName.LINKS:
        from cairn.adapters.pages.links import SECRET  # noqa: PLC0415  slow to import

        return (SECRET,)
    if part is PartName.SOURCES:
        from cairn.adapters.sources import sources  # noqa: PLC0415  slow to import

        known = sources(SOURCES)
        return (*known.secret_names(), *known.token_names())
    from authoring.journeys import compile_catalogue  # noqa: PLC0415  slow to import
    from authoring.policy import compile_policy  # noqa: PLC0415
    from cairn.adapters.documents.policy import policy_from_document  # noqa: PLC0415

    policy = policy_from_document(compile_policy(POLICY, LAW, compile_catalogue(JOURNEYS)))
    return tuple(dict.fromkeys(one.secret for one in policy.webhook_endpoints))
