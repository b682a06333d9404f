"""What our own people ask of a deployment: switches, explanations, consent, reviews, privacy, the audit."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.manage_client import LOCAL, Manage

app = typer.Typer()
switch = typer.Typer(no_args_is_help=True, help="Stop and pause what goes out: a channel, a journey, all of it.")
review = typer.Typer(no_args_is_help=True, help="Messages that wait for somebody's approval.")
app.add_typer(switch, name="switch")
app.add_typer(review, name="review")

ToOption = Annotated[
    str,
    typer.Option("--to", help="The deployment's URL (ApiUrl), asked with your AWS credentials; else `cairn serve`."),
]
WhyOption = Annotated[str, typer.Option("--why", help="For the audit. Name no customers here: it is kept for good.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]
TargetArgument = Annotated[
    str,
    typer.Argument(help="all, channel:sms, journey:NAME, template:JOURNEY/TEMPLATE or country:US.", metavar="TARGET"),
]
CustomerArgument = Annotated[
    str,
    typer.Argument(help="Id, user id, e-mail address, phone number or SYSTEM:ID.", metavar="CUSTOMER"),
]
CustomerOption = Annotated[
    str, typer.Option("--customer", help="Whose message it is, where that cannot be told from the message.")
]
PolicyOption = Annotated[
    str,
    typer.Option("--policy", help="For those who waited: keep, active_time, restart, skip_if_late or spread."),
]
WindowOption = Annotated[str, typer.Option("--window", help="Over which `spread` spreads, such as 2h.")]


@switch.command("list")
def list_switches(to: ToOption = LOCAL, as_json: JsonOption = False) -> None:  # noqa: FBT002
    """What is stopped and paused, by whom and why."""
    _show_board(Manage(to).get("switches"), as_json=as_json)


@switch.command()
def stop(target: TargetArgument, why: WhyOption, to: ToOption = LOCAL) -> None:
    """Nothing of it goes out any more, within a minute, what is queued included. It is dropped."""
    _turn("stop", target, why, to)


@switch.command()
def start(target: TargetArgument, why: WhyOption, to: ToOption = LOCAL) -> None:
    """Undo a stop. What was dropped stays dropped."""
    _turn("start", target, why, to)


@switch.command()
def pause(
    target: TargetArgument, why: WhyOption, policy: PolicyOption = "", window: WindowOption = "", to: ToOption = LOCAL
) -> None:
    """Everything of it waits until it is resumed; nobody is lost."""
    _turn("pause", target, why, to, policy=policy, window=window)


@switch.command()
def resume(
    target: TargetArgument, why: WhyOption, policy: PolicyOption = "", window: WindowOption = "", to: ToOption = LOCAL
) -> None:
    """Those who waited go on, as the policy says: this one, else the one of the pause."""
    _turn("resume", target, why, to, policy=policy, window=window)


@app.command()
def explain(
    what: Annotated[str, typer.Argument(help="A message's id or audit id, or a customer.", metavar="MESSAGE|CUSTOMER")],
    customer: CustomerOption = "",
    to: ToOption = LOCAL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Why a message went out, waits or was dropped; or where a customer stands. In plain sentences."""
    told = Manage(to).explain(what, customer)
    if as_json:
        _print_json(told)
    elif "history" in told:
        _show_message(told)
    else:
        _show_customer(told)


@app.command()
def export(
    customer: CustomerArgument,
    out: Annotated[Path | None, typer.Option("--out", help="The file to write; else it is printed.")] = None,
    why: Annotated[str, typer.Option("--why", help="For the audit.")] = "",
    to: ToOption = LOCAL,
) -> None:
    """Everything that is kept about a customer, as JSON."""
    text = json.dumps(Manage(to).post("export", customer=customer, why=why), ensure_ascii=False, indent=2)
    if out is None:
        typer.echo(text)
        return
    out.write_text(text + "\n", encoding="utf-8")
    typer.echo(f"written to {out}")


@app.command()
def erase(
    customer: CustomerArgument,
    why: WhyOption,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,  # noqa: FBT002
    to: ToOption = LOCAL,
) -> None:
    """Forget a customer for good. What is left is a receipt, and a hash that keeps the address from being mailed."""
    if not yes:
        typer.confirm(f"Erase {customer} at {to}? There is no way back.", abort=True)
    done = Manage(to).post("erase", customer=customer, why=why)
    typer.echo(f"{done['customer']} is being erased; `cairn audit` tells when that is done. Receipt: {done['receipt']}")


@app.command()
def consent(  # noqa: PLR0913, PLR0917  one argument for each option
    customer: CustomerArgument,
    channel: Annotated[str, typer.Argument(help="sms, email, whatsapp or push.")],
    purpose: Annotated[str, typer.Argument(help="marketing or transactional.")],
    status: Annotated[str, typer.Argument(help="granted or denied.")],
    why: WhyOption,
    wording: Annotated[str, typer.Option(help="What the customer was read or shown.")] = "",
    wording_version: Annotated[str, typer.Option(help="Which version of it.")] = "",
    locale: Annotated[str, typer.Option(help="In which language, such as de.")] = "",
    url: Annotated[str, typer.Option(help="Where it stands.")] = "",
    to: ToOption = LOCAL,
) -> None:
    """Record what a customer said to one of us about being written to."""
    said = {"channel": channel, "purpose": purpose, "status": status, "why": why}
    proof = {"wording": wording, "wording_version": wording_version, "locale": locale, "url": url}
    done = Manage(to).post("consent", customer=customer, **said, **proof)
    typer.echo(f"{done['customer']}: {purpose} by {channel} is {status}, once event {done['event']} is processed")


@app.command()
def suppress(  # noqa: PLR0913, PLR0917
    address: Annotated[str, typer.Argument(help="An e-mail address, phone number or push endpoint.")],
    why: Annotated[str, typer.Option("--why", help="For the audit.")] = "",
    channel: Annotated[str, typer.Option(help="sms, email, whatsapp or push; else as the address looks.")] = "",
    release: Annotated[bool, typer.Option("--release", help="Forgive it whatever it is suppressed for.")] = False,  # noqa: FBT002
    show: Annotated[bool, typer.Option("--show", help="Only tell what is known against it.")] = False,  # noqa: FBT002
    to: ToOption = LOCAL,
) -> None:
    """Let nothing go to an address any more, whoever's it is, or nobody's."""
    if release and show:
        raise typer.BadParameter("--release or --show, not both")
    do = "show" if show else "release" if release else "suppress"
    channel = channel or _looks_like(address)
    done = Manage(to).post("suppressions", do=do, address=address, channel=channel, why=why)
    if not show:
        typer.echo(f"{'released' if release else 'suppressed'} on {channel}, once event {done['event']} is processed")
        return
    for one in done["standing"]:
        typer.echo(f"suppressed for {one['purpose']} purposes since {one['since']}: {one['cause'].replace('_', ' ')}")
    if not done["standing"]:
        typer.echo(f"nothing is known against it on {channel}")


@review.command("list")
def list_reviews(
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many.")] = 50,
    to: ToOption = LOCAL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Messages that wait for a decision, as they would go out; those whose time is up first."""
    found = Manage(to).get("reviews", limit=limit)["reviews"]
    if as_json:
        _print_json(found)
        return
    for one in found:
        about = " ".join(str(one.get(name, "")) for name in ("purpose", "journey", "step"))
        typer.echo(f"{one['message']}  customer {one['customer']}")
        typer.echo(f"  {one['context'].get('channel', '')} {about}")
        typer.echo(f"  for {one['queue']}, until {one['deadline']}")
        typer.echo("".join(f"  | {line}\n" for line in _shown(one["context"]).splitlines()))
    if not found:
        typer.echo("no message waits for a decision")


@review.command()
def approve(
    message: Annotated[str, typer.Argument(metavar="MESSAGE")],
    why: WhyOption,
    customer: CustomerOption = "",
    to: ToOption = LOCAL,
) -> None:
    """Let a message go out; consent, hours and caps still hold."""
    _decide("approve", message, customer, why, to)


@review.command()
def reject(
    message: Annotated[str, typer.Argument(metavar="MESSAGE")],
    why: WhyOption,
    customer: CustomerOption = "",
    to: ToOption = LOCAL,
) -> None:
    """Have a message dropped."""
    _decide("reject", message, customer, why, to)


@app.command()
def audit(
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many.")] = 20,
    before: Annotated[str, typer.Option(help="Only what came before the entry of this id.")] = "",
    to: ToOption = LOCAL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Who turned what, when and why: the latest first."""
    found = Manage(to).get("audit", limit=limit, before=before)
    if as_json:
        _print_json(found)
        return
    for one in found["entries"]:
        typer.echo(f"{one['at']}  {one['who']}  {one['what']} {one['target']}  {one['why']}".rstrip())
    if found["before"]:
        typer.echo(f"older ones: --before '{found['before']}'")


def _turn(do: str, target: str, why: str, to: str, **chosen: str) -> None:
    _show_board(Manage(to).post("switches", do=do, target=target, why=why, **chosen), as_json=False)


def _decide(do: str, message: str, customer: str, why: str, to: str) -> None:
    done = Manage(to).post("reviews", do=do, message=message, customer=customer, why=why)
    typer.echo(f"{done['message']} is {done['decision']}")


def _show_board(board: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        _print_json(board)
        return
    for one in board["stopped"]:
        typer.echo(f"stopped  {one['target']}  since {one['at']} by {one['by']}: {one['why']}")
    for one in board["paused"]:
        typer.echo(f"paused   {one['target']}  since {one['at']} by {one['by']} ({one['policy']}): {one['why']}")
    if not board["stopped"] and not board["paused"]:
        typer.echo("nothing is stopped or paused")


def _show_message(told: dict[str, Any]) -> None:
    typer.echo(f"{told['message']}: {told['about']}, customer {told['customer']}")
    for one in told["history"]:
        typer.echo(f"  {one['local']}  {one['says']}{_audit_id(one)}")
    typer.echo(f"Times are those of {told['zone']}.")


def _show_customer(told: dict[str, Any]) -> None:
    typer.echo(f"{told['customer']}")
    sections = {"consents": "Consent", "suppressions": "Suppressed", "waiting": "Waiting"}
    for line in told["profile"]:
        typer.echo(f"  {line}")
    for name, title in sections.items():
        if told[name]:
            typer.echo("".join([f"{title}\n", *(f"  {line}\n" for line in told[name])]), nl=False)
    typer.echo("Decisions, the latest first" if told["decisions"] else "Nothing was decided on any message yet.")
    for one in told["decisions"]:
        typer.echo(f"  {one['local']}  {one['about']}: {one['says']}{_audit_id(one)}")
    typer.echo(f"Times are those of {told['zone']}.")


def _audit_id(one: dict[str, Any]) -> str:
    return f"  [{one['audit_id']}]" if one.get("audit_id") else ""


def _shown(context: dict[str, Any]) -> str:
    return "\n\n".join(context[name] for name in ("subject", "text") if context.get(name))


def _looks_like(address: str) -> str:
    if address.startswith("arn:"):
        return "push"
    return "email" if "@" in address else "sms"


def _print_json(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
