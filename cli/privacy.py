"""`cairn privacy`: requests about personal data that a person answers."""

from pathlib import Path
from typing import Annotated, Any

import typer

from cli.manage_client import Manage
from cli.options import LOCAL_URL, OPERATION, JsonOption, ToOption, WhyOption, examples
from cli.output import echo, json_text, print_json

app = typer.Typer(
    no_args_is_help=True,
    rich_help_panel=OPERATION,
    help="Answer requests to erase or to export what is stored about a customer.",
    epilog=examples("cairn privacy list", 'cairn privacy choose TASK --do part --why "ticket 4711"'),
)


@app.command("list", epilog=examples("cairn privacy list --limit 10"))
def list_requests(
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many.")] = 50,
    to: ToOption = LOCAL_URL,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """List requests that wait for an answer, with both sides. The first that is due comes first."""
    found = Manage(to).get("privacy", limit=limit)["tasks"]
    if as_json:
        print_json(found)
        return
    for one in found:
        echo(f"{one['task']}  customer {one['customer']}, due {one['due_at']}")
        echo("".join(f"  {line}\n" for line in _lines(one)), nl=False)
    if not found:
        echo("no request waits for an answer")


@app.command(epilog=examples('cairn privacy choose TASK --do part --why "ticket 4711"'))
def choose(  # noqa: PLR0913, PLR0917  one argument for each option
    task: Annotated[str, typer.Argument(metavar="TASK")],
    do: Annotated[
        str, typer.Option("--do", help="part, all, refuse, done, stop or continue: one of the task's choices.")
    ],
    why: WhyOption,
    customer: Annotated[str, typer.Option("--customer", help="The task's customer.")] = "",
    out: Annotated[Path | None, typer.Option("--out", help="The file for an export; else it is printed.")] = None,
    to: ToOption = LOCAL_URL,
) -> None:
    """Erase or export the record's part or all of a customer, or refuse; or say whether a reply means STOP.

    An erasure cannot be undone.
    """
    done = Manage(to).post("privacy", task=task, do=do, why=why, customer=customer)
    if "document" in done:
        text = json_text(done["document"], indent=2)
        if out is None:
            echo(text)
            return
        out.write_text(text + "\n", encoding="utf-8")
        echo(f"written to {out}")
        return
    receipt = f"; `cairn audit` tells when it is done. Receipt: {done['receipt']}" if "receipt" in done else ""
    echo(f"{done['task']} is closed: {done['choice']}{receipt}")


def _lines(task: dict[str, Any]) -> list[str]:
    context = task["context"]
    record, rest = context.get("record", {}), context.get("rest", {})
    sides = {
        "because": context.get("because"),
        "the reply": context.get("text"),
        "record": ", ".join([*record.get("ids", ()), *record.get("addresses", ())]),
        "reported since": record.get("since"),
        "other names": ", ".join(rest.get("names", ())),
        "other sources": ", ".join(rest.get("sources", ())),
        "consents": rest.get("consents"),
        "not read": ", ".join(context.get("unread", ())),
        "choices": ", ".join(context.get("choices", ())),
    }
    return [task["title"], *(f"{name}: {value}" for name, value in sides.items() if value)]
