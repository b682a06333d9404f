"""`cairn explain`, `export`, `erase`, `consent`, `suppress`: one customer, one message or one address."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cairn.domain.imports.rows import Kind
from cli.manage_client import Manage
from cli.options import (
    LOCAL_URL,
    OPERATION,
    CustomerArgument,
    CustomerOption,
    ForceOption,
    JsonOption,
    OptionalWhyOption,
    OutOption,
    ToOption,
    WhyOption,
    YesOption,
    examples,
)
from cli.output import check_free, echo, fail, json_text, print_json, write_private

app = typer.Typer()


@app.command(
    rich_help_panel=OPERATION,
    epilog=examples("cairn explain mia@example.com", "cairn explain MESSAGE --customer mia@example.com --json"),
)
def explain(
    what: Annotated[str, typer.Argument(help="A message's id or audit id, or a customer.", metavar="MESSAGE|CUSTOMER")],
    customer: CustomerOption = "",
    why: OptionalWhyOption = "",
    to: ToOption = LOCAL_URL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Explain why a message went out, waits or was dropped, or describe a customer's state."""
    explanation = Manage(to).explain(what, customer, why)
    if as_json:
        print_json(explanation)
    elif "history" in explanation:
        _show_message(explanation)
    else:
        _show_customer(explanation)


@app.command(
    rich_help_panel=OPERATION,
    epilog=examples(
        "cairn export mia@example.com --out mia.json",
        'cairn export customers --out customers.parquet --why "the yearly copy"',
    ),
)
def export(  # noqa: PLR0913, PLR0917  one argument for each option
    customer: Annotated[
        str,
        typer.Argument(help="A customer; or all: customers, consents, events, suppressions.", metavar="CUSTOMER|KIND"),
    ],
    out: OutOption = None,
    force: ForceOption = False,  # noqa: FBT002
    why: OptionalWhyOption = "",
    to: ToOption = LOCAL_URL,
    stack: Annotated[
        str, typer.Option("--stack", help="Of all: a deployment's stack, such as Cairn-dev, instead of --to.")
    ] = "",
) -> None:
    """Export everything that is stored about a customer, as JSON; or all customers, in the columns of `cairn import`.

    A file of all is JSON lines, CSV or Parquet, by its name.
    """
    if out is not None:
        check_free(out, replace=force)
    if customer in set(Kind):
        _export_all(Kind(customer), out, why, to, stack)
        return
    text = json_text(Manage(to).post("export", customer=customer, why=why), indent=2)
    if out is None:
        echo(text)
        return
    write_private(out, text + "\n", replace=force)
    echo(f"written to {out}")


def _export_all(kind: Kind, out: Path | None, why: str, to: str, stack: str) -> None:
    if out is None:
        fail(f"name the file: --out {kind.value}.csv, .jsonl or .parquet")
    if not why.strip():
        fail('say why, for the audit: --why "the yearly copy"')
    from authoring.exports import Spool, rows_of, write_rows  # noqa: PLC0415  slow to import
    from authoring.exports.files import format_of  # noqa: PLC0415
    from cli.exports_client import LocalTable, of_stack  # noqa: PLC0415
    from cli.stack import explained  # noqa: PLC0415

    format_of(out)
    with explained(), Spool.made() as spool:
        reader = of_stack(stack) if stack else LocalTable(to)
        spool.add(reader.items(kind, why))
        number = write_rows(out, lambda: rows_of(kind, spool))
    echo(f"{number} {kind.value} written to {out}")


@app.command(rich_help_panel=OPERATION, epilog=examples('cairn erase mia@example.com --why "her request of 2 March"'))
def erase(
    customer: CustomerArgument,
    why: WhyOption,
    yes: YesOption = False,  # noqa: FBT002
    to: ToOption = LOCAL_URL,
) -> None:
    """Erase a customer for good. A receipt stays, and a hash that keeps the address suppressed."""
    if not yes:
        typer.confirm(f"Erase {customer} at {to}? There is no way back.", abort=True)
    done = Manage(to).post("erase", customer=customer, why=why)
    echo(f"{done['customer']} is being erased; `cairn audit` tells when that is done. Receipt: {done['receipt']}")


@app.command(
    rich_help_panel=OPERATION,
    epilog=examples(
        'cairn detach mia@example.com +12125550001 --why "ticket 4711: the number is her sister\'s"',
        'cairn detach mia@example.com stripe:cus_9 --why "ticket 4712"',
    ),
)
def detach(
    customer: CustomerArgument,
    identifier: Annotated[
        str, typer.Argument(help="One of the customer's identifiers; another system's as SYSTEM:ID.")
    ],
    why: WhyOption,
    to: ToOption = LOCAL_URL,
) -> None:
    """Take an identifier away from a customer. It then leads to nobody, until an event names it again."""
    done = Manage(to).post("detach", customer=customer, identifier=identifier, why=why)
    echo(f"{done['customer']} loses this identifier, once event {done['event']} is processed.")
    echo(
        "This cannot be undone, and it undoes nothing: messages that were sent, consent that was given, and attributes"
    )
    echo("and history that came with the identifier stay. docs/trust.md says how to tell two people apart afterwards.")


@app.command(
    rich_help_panel=OPERATION,
    epilog=examples('cairn consent mia@example.com sms marketing denied --why "said so by phone"'),
)
def consent(  # noqa: PLR0913, PLR0917  one argument for each option
    customer: CustomerArgument,
    channel: Annotated[str, typer.Argument(help="sms, email, whatsapp, push or in_app.")],
    purpose: Annotated[str, typer.Argument(help="marketing or transactional.")],
    status: Annotated[str, typer.Argument(help="granted or denied.")],
    why: WhyOption,
    wording: Annotated[str, typer.Option(help="The words that the customer heard or saw.")] = "",
    wording_version: Annotated[str, typer.Option(help="The version of the wording.")] = "",
    locale: Annotated[str, typer.Option(help="The language of the wording, such as de.")] = "",
    url: Annotated[str, typer.Option(help="Where the wording is published.")] = "",
    to: ToOption = LOCAL_URL,
) -> None:
    """Record a consent that a customer gave or denied in person."""
    statement = {"channel": channel, "purpose": purpose, "status": status, "why": why}
    proof = {"wording": wording, "wording_version": wording_version, "locale": locale, "url": url}
    done = Manage(to).post("consent", customer=customer, **statement, **proof)
    echo(f"{done['customer']}: {purpose} by {channel} is {status}, once event {done['event']} is processed")
    if done.get("suppressed"):
        causes = ", ".join(sorted({one["cause"].replace("_", " ") for one in done["suppressed"]}))
        echo(f"But the address stays suppressed because of: {causes}. `cairn suppress ADDRESS --release` lifts it.")


@app.command(
    rich_help_panel=OPERATION,
    epilog=examples(
        'cairn suppress mia@example.com --why "asked by letter"',
        "cairn suppress +12125550001 --show",
        'cairn suppress mia@example.com --release --why "a mistake"',
    ),
)
def suppress(  # noqa: PLR0913, PLR0917  one argument for each option
    address: Annotated[str, typer.Argument(help="An e-mail address, phone number or push endpoint.")],
    why: OptionalWhyOption = "",
    channel: Annotated[
        str, typer.Option(help="sms, email, whatsapp, push or in_app; else guessed from the address.")
    ] = "",
    release: Annotated[bool, typer.Option("--release", help="Lift every suppression of the address.")] = False,  # noqa: FBT002
    show: Annotated[bool, typer.Option("--show", help="Only show its suppressions.")] = False,  # noqa: FBT002
    to: ToOption = LOCAL_URL,
) -> None:
    """Send nothing more to an address, whether a customer has it or not."""
    if release and show:
        raise typer.BadParameter("--release or --show, not both")
    do = "show" if show else "release" if release else "suppress"
    channel = channel or _guessed_channel(address)
    done = Manage(to).post("suppressions", do=do, address=address, channel=channel, why=why)
    if not show:
        echo(f"{'released' if release else 'suppressed'} on {channel}, once event {done['event']} is processed")
        return
    for one in done["standing"]:
        echo(f"suppressed for {one['purpose']} purposes since {one['since']}: {one['cause'].replace('_', ' ')}")
    if not done["standing"]:
        echo(f"nothing is known against it on {channel}")


def _show_message(explanation: dict[str, Any]) -> None:
    echo(f"{explanation['message']}: {explanation['about']}, customer {explanation['customer']}")
    for one in explanation["history"]:
        echo(f"  {one['local']}  {one['says']}{_audit_id(one)}")
    echo(f"Times are those of {explanation['zone']}.")


def _show_customer(explanation: dict[str, Any]) -> None:
    echo(f"{explanation['customer']}")
    sections = {"lead": "As a lead", "consents": "Consent", "suppressions": "Suppressed", "waiting": "Waiting"}
    for line in explanation["profile"]:
        echo(f"  {line}")
    for name, title in sections.items():
        if explanation.get(name):
            echo("".join([f"{title}\n", *(f"  {line}\n" for line in explanation[name])]), nl=False)
    echo("Decisions, the latest first" if explanation["decisions"] else "Nothing was decided on any message yet.")
    for one in explanation["decisions"]:
        echo(f"  {one['local']}  {one['about']}: {one['says']}{_audit_id(one)}")
    echo(f"Times are those of {explanation['zone']}.")


def _audit_id(one: dict[str, Any]) -> str:
    return f"  [{one['audit_id']}]" if one.get("audit_id") else ""


def _guessed_channel(address: str) -> str:
    if address.startswith("arn:"):
        return "push"
    return "email" if "@" in address else "sms"
