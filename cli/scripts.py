"""`cairn script`: read a call script, and walk through it as a member would."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.padding import Padding

from cli.options import DEVELOPMENT, JOURNEYS, LAW, POLICY, JourneysOption, JsonOption, PolicyOption, examples
from cli.output import Terminal, echo, print_json

if TYPE_CHECKING:
    from cairn.adapters.templates.script_texts import ScriptTexts
    from cairn.domain.people.script import Given, Script, ScriptLine, Walked

app = typer.Typer(
    no_args_is_help=True,
    rich_help_panel=DEVELOPMENT,
    help="Read and try call scripts.",
    epilog=examples("cairn script list", "cairn script show trial-call", "cairn script walk trial-call"),
)

ScriptArgument = Annotated[str, typer.Argument(help="A script's name.", metavar="SCRIPT")]
SampleOption = Annotated[str, typer.Option("--customer", help="A customer of a file of samples: FILE#NAME.")]


@app.command("list", epilog=examples("cairn script list"))
def list_scripts(journeys: JourneysOption = JOURNEYS, as_json: JsonOption = False) -> None:  # noqa: FBT002
    """List the call scripts beside the journeys."""
    found = _scripts(journeys).values()
    if as_json:
        print_json([{"script": one.name, "kind": one.kind, "title": one.title} for one in found])
        return
    for one in found:
        echo(f"{one.name}  {one.kind}  {one.title}")
    if not found:
        echo(f"no scripts: write one in {journeys / '_scripts'} (docs/people.md)")


@app.command(epilog=examples("cairn script show trial-call"))
def show(
    name: ScriptArgument,
    customer: SampleOption = "",
    journeys: JourneysOption = JOURNEYS,
    policy: PolicyOption = POLICY,
) -> None:
    """Print a script with all its ways, filled in for a sample customer."""
    script = _script(name, journeys)
    texts, _ = _texts(script, customer, policy)
    terminal = Terminal(highlight=False)
    terminal.print(f"[bold]{script.title}[/]  ({script.kind})")
    for line in script.lines.values():
        _print(terminal, script, line, texts)
    for concern in script.concerns.values():
        terminal.print(f"\n[yellow]“{texts(concern.title)}”[/]")
        terminal.print(Padding(texts(concern.text), (0, 0, 0, 2)))


@app.command(epilog=examples("cairn script walk trial-call"))
def walk(
    name: ScriptArgument,
    customer: SampleOption = "",
    journeys: JourneysOption = JOURNEYS,
    policy: PolicyOption = POLICY,
) -> None:
    """Walk through a script: answer each question, and see where it leads. Nothing is stored."""
    from cairn.domain.people.script import walk as walked_through  # noqa: PLC0415  slow to import
    from cairn.domain.shared.errors import CairnError  # noqa: PLC0415

    script = _script(name, journeys)
    texts, evaluate = _texts(script, customer, policy)
    terminal = Terminal(highlight=False)
    given: list[Given] = []
    walked: Walked = walked_through(script, given, evaluate)
    while walked.open:
        line = walked.open[0]
        _print(terminal, script, line, texts)
        one = _ask(terminal, script, line, texts)
        try:
            walked = walked_through(script, [*given, one], evaluate)
            given.append(one)
        except CairnError as error:
            terminal.print(f"[red]{error}[/]")
    terminal.print(f"\n[bold]{walked.outcome}[/]")
    for answer, value in walked.answers.items():
        terminal.print(f"  {answer}: {value}")


def _ask(terminal: Terminal, script: "Script", line: "ScriptLine", texts: "ScriptTexts") -> "Given":
    from cairn.domain.people.script import Given  # noqa: PLC0415  slow to import

    wanted = "" if line.question is None else " or ".join(line.question.choices) or line.question.kind.value
    hint = f" (or: {', '.join(script.concerns)})" if script.concerns else ""
    said = typer.prompt(f"  {wanted or 'Enter: it was said'}{hint}", default="", show_default=False).strip()
    if said in script.concerns:
        terminal.print(f"  [yellow]{texts(script.concerns[said].text)}[/]")
        return Given(line.id, concern=said)
    return Given(line.id, said)


def _print(terminal: Terminal, script: "Script", line: "ScriptLine", texts: "ScriptTexts") -> None:
    read = "  [red]must be read[/]" if line.must_be_read else ""
    end = f"  [bold]ends: {line.end}[/]" if line.end else ""
    terminal.print(f"\n[dim]{line.id}[/]{read}{end}")
    terminal.print(Padding(texts(line.text), (0, 0, 0, 2)))
    if line.question is None:
        return
    question = line.question
    choices = question.choices or dict.fromkeys(("yes", "no") if question.kind.value == "yes_no" else ())
    for choice, text in choices.items():
        following = script.after(line, choice)
        terminal.print(f"  · {texts(text) if text else choice}" + (f"  [dim]→ {following}[/]" if following else ""))
    if not choices:
        terminal.print(f"  [dim]({question.kind.value})[/]")
    if question.otherwise:
        terminal.print(f"  · not verified  [dim]→ {question.otherwise}[/]")


def _scripts(journeys: Path) -> "dict[str, Script]":
    from authoring.scripts import compile_scripts  # noqa: PLC0415  slow to import
    from cairn.adapters.documents.scripts import script_from_document  # noqa: PLC0415

    return {one["name"]: script_from_document(one) for one in compile_scripts(journeys)}


def _script(name: str, journeys: Path) -> "Script":
    from authoring.problems import did_you_mean  # noqa: PLC0415  slow to import

    known = _scripts(journeys)
    if name not in known:
        fix = did_you_mean(name, known, f"There are: {', '.join(known) or 'none'}.")
        raise typer.BadParameter(f"there is no script {name}. {fix}")
    return known[name]


def _texts(script: "Script", customer: str, policy: Path) -> "tuple[ScriptTexts, Any]":
    """Fills in texts for a sample customer, and evaluates expressions about them."""
    from authoring.policy import compile_policy  # noqa: PLC0415  slow to import
    from authoring.preflight.samples import profile_of  # noqa: PLC0415
    from authoring.simulation.customers import customer as sample_named  # noqa: PLC0415
    from cairn.adapters.templates.script_texts import ScriptTexts  # noqa: PLC0415
    from cairn.domain.journey.conditions import Scope, evaluate  # noqa: PLC0415

    sample = sample_named(Path(), customer)
    scope = Scope(profile_of(sample), sample.at, {})
    brand = compile_policy(policy, LAW).get("brand", "")
    member = {"name": "Alex", "id": "alex"}
    return ScriptTexts(script, sample.profile, member=member, brand=brand, context={}), lambda one: evaluate(one, scope)
