"""`cairn simulate`: walk one made-up customer through one journey."""

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.rule import Rule
from rich.text import Text

from authoring.defaults import projects_policy
from cli.options import (
    DEVELOPMENT,
    JOURNEYS,
    LAW,
    POLICY,
    JourneyArgument,
    JourneysOption,
    JsonOption,
    PolicyOption,
    examples,
    journey_folder,
    of_project,
)
from cli.output import Terminal, echo, print_json
from cli.timeline import show

if TYPE_CHECKING:
    from authoring.simulation.messages import Messages
    from authoring.simulation.paths import Paths
    from authoring.simulation.planned import Planned
    from authoring.simulation.run import Simulation, Trial

FILE_WIDTH = 100
"""Columns of a timeline that is written to a file or a pipe."""

app = typer.Typer()


@app.command(
    rich_help_panel=DEVELOPMENT,
    epilog=examples(
        "cairn simulate fitness-trial-to-paid",
        "cairn simulate fitness-trial-to-paid --customer 'an address alone' --event visit.attended@4d",
        "cairn simulate payment-failure-rescue --event 'payment.failed@10m:{\"attempt_count\": 2}'",
        "cairn simulate fitness-trial-to-paid --all-paths",
    ),
)
def simulate(  # noqa: PLR0913, PLR0917  one argument for each option
    journey: JourneyArgument,
    customer: Annotated[
        str,
        typer.Option(help="A customer of the journey's samples.yaml, or FILE#NAME.", show_default="the first"),
    ] = "",
    at: Annotated[str, typer.Option(help="When the customer enters (ISO 8601).", show_default="the sample's at")] = "",
    event: Annotated[
        list[str] | None,
        typer.Option(
            help="What happens, repeatable: TYPE, TYPE@OFFSET from the start, TYPE@OFFSET:{JSON properties}.",
        ),
    ] = None,
    all_paths: Annotated[bool, typer.Option("--all-paths", help="Print every path.")] = False,  # noqa: FBT002
    most: Annotated[int, typer.Option(min=1, help="With --all-paths: print so many.")] = 20,
    journeys: JourneysOption = JOURNEYS,
    policy: PolicyOption = POLICY,
    as_json: JsonOption = False,  # noqa: FBT002
) -> None:
    """Walk a sample customer through a journey with the engine alone, and print each step, message, task and wait.

    On a terminal it asks at each wait what happens; with --event, or elsewhere, all else times out.
    With --all-paths every way of waits, branches and splits is tried; with --customer, branches decide by the data.
    """
    from authoring.simulation.paths import all_paths as paths_of  # noqa: PLC0415  slow to import
    from authoring.simulation.planned import Planned, to_the_end, unnamed  # noqa: PLC0415
    from authoring.simulation.report import report, report_of_paths  # noqa: PLC0415

    start = start_of(journey_folder(journey, journeys), policy, customer, at)
    trial, messages, began = start.trial, start.messages, start.at
    planned = [Planned.read(one) for one in event or ()]
    if all_paths:
        if planned:
            raise typer.BadParameter("--all-paths tries what may happen by itself: leave --event out")
        paths = paths_of(trial, began, most=most, by_data=bool(customer))
        if as_json:
            print_json(report_of_paths(paths, messages))
        else:
            _Printer(trial, messages, began).paths(paths)
        return
    printer = _Printer(trial, messages, began)
    asks = is_terminal() and not planned and not as_json
    walked = to_the_end(trial.begin(began), planned, printer.ask if asks else lambda _: None)
    if as_json:
        print_json(report(walked.simulation, messages))
    else:
        printer.rest(walked.simulation)
    for type_, fix in unnamed(planned, start.document):
        echo(f"{trial.journey.name} names no event {type_}. {fix}", err=True)
    for one in walked.unheard:
        echo(f"{one.type} did not happen: no wait of this way hears it; say when, as {one.type}@2d", err=True)
    if asks and walked.planned:
        flags = " ".join(f"--event {shlex.quote(one.written())}" for one in walked.planned)
        echo(f"The same again: cairn simulate {shlex.quote(journey)} {flags}")


@dataclass(frozen=True)
class Start:
    """A sample customer at the beginning of a journey."""

    trial: "Trial"
    messages: "Messages"
    at: datetime
    document: Mapping[str, Any]
    """The journey, compiled."""


def start_of(folder: Path, policy: Path, customer: str, at: str, *, says: bool = True) -> Start:
    """Compile a journey's folder with the files of its project, and take one of its samples.

    Raises InvalidJourneysError, UnknownSampleError, typer.BadParameter for an `at` that is no instant.
    """
    from authoring.journeys import compile_catalogue  # noqa: PLC0415  slow to import
    from authoring.leads import compile_leads, leads_of  # noqa: PLC0415
    from authoring.people import compile_people, people_beside  # noqa: PLC0415
    from authoring.policy import compile_policy  # noqa: PLC0415
    from authoring.simulation.customers import customer as customer_named  # noqa: PLC0415
    from authoring.simulation.customers import trial_of  # noqa: PLC0415
    from authoring.simulation.messages import Messages  # noqa: PLC0415
    from cairn.adapters.documents.leads import leads_from_document  # noqa: PLC0415
    from cairn.adapters.documents.people import people_from_document  # noqa: PLC0415
    from cairn.adapters.documents.policy import policy_from_document  # noqa: PLC0415

    policy, _ = of_project(folder.resolve().parent, policy, says=says)
    (compiled,) = compile_catalogue(folder)
    sample = customer_named(folder, customer)
    own = projects_policy(policy)
    leads = compile_leads(leads_of(own))
    people = compile_people(people_beside(own), folder.resolve().parent)
    trial = trial_of(
        compiled,
        sample,
        leads=leads_from_document(leads) if leads is not None else None,
        people=people_from_document(people),
    )
    rules = policy_from_document(compile_policy(policy, LAW))
    messages = Messages(trial.journey, compiled["templates"], sample, rules)
    return Start(trial, messages, _instant(at) if at else sample.at, compiled["document"])


def is_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise typer.BadParameter(f"--at {text} is no instant: write it with its offset, as 2026-03-03T18:00:00+01:00")
    return found


def _local(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%a %d %b %H:%M}"


class _Printer:
    """Prints ways through a journey; asks, where it is to, at each wait, after what has happened so far."""

    def __init__(self, trial: "Trial", messages: "Messages", began: datetime) -> None:
        self._zone = trial.zone
        self._messages = messages
        self._began = began
        self._printed = 0
        self._console = Terminal(highlight=False, width=None if sys.stdout.isatty() else FILE_WIDTH)
        if not trial.enters(began):
            fix = "a condition or the key of its entry is not met"
            self._console.print(f"[yellow]![/] No such customer enters {trial.journey.name}: {fix}.")

    def paths(self, found: "Paths") -> None:
        """Each path under a heading of its own."""
        for number, one in enumerate(found.shown, start=1):
            self._printed = 0
            self.rest(one, f"path {number}: " if len(found.shown) > 1 else "")
        if found.left_out or not found.all_counted:
            least = "" if found.all_counted else "at least "
            more = f"{least}{found.left_out:,} more paths are left out"
            self._console.print(f"\n{more}; --most {2 * len(found.shown)} prints more of them")

    def rest(self, simulation: "Simulation", heading: str = "") -> None:
        """Print the rest of a way, and how it ended."""
        self._lines(simulation, heading)
        enrollment = simulation.enrollment
        ended_at = (enrollment.ended_at or simulation.now).astimezone(self._zone)
        sent = sum(line["kind"] == "message" and line["status"] != "not sent" for line in self._all(simulation))
        parts = [
            f"{enrollment.outcome or f'still waits at {enrollment.step}'}, on {ended_at:%a %d %b %Y %H:%M}",
            f"{sent} message{'s' * (sent != 1)}",
            *(["goal reached"] if enrollment.goal_at else []),
            self._zone.key,
        ]
        self._console.print(Text(f"\n {' · '.join(parts)}", "dim"))

    def ask(self, simulation: "Simulation") -> "Planned | None":
        """What happens at this wait."""
        from authoring.simulation.outcomes import InvalidEventError  # noqa: PLC0415
        from authoring.simulation.planned import planned_answer, ways_on  # noqa: PLC0415

        self._lines(simulation)
        ways = ways_on(simulation)
        echo(f"\nWhat happens at {simulation.enrollment.step}?")
        echo(f"  0  nothing until {_local(simulation.due or simulation.now, self._zone)}")
        for number, (type_, what) in enumerate(ways, start=1):
            echo(f"  {number}  {type_}  ({what})")
        while True:
            answer = typer.prompt("A number or a type; @OFFSET from the start and {JSON} may follow", default="0")
            try:
                return planned_answer(answer, ways, simulation, self._began)
            except InvalidEventError as error:
                echo(str(error))

    def _lines(self, simulation: "Simulation", heading: str = "") -> None:
        if not self._printed:
            name = f"{heading}{simulation.journey.name}, {self._messages.sample.name}"
            self._console.print()
            self._console.print(Rule(Text(name, "bold"), align="left"))
        lines = self._all(simulation)
        show(lines[self._printed :], self._console, start=self._began, zone=self._zone)
        self._printed = len(lines)

    def _all(self, simulation: "Simulation") -> list[dict[str, Any]]:
        from authoring.simulation.report import lines_of  # noqa: PLC0415  slow to import

        return lines_of(simulation, self._messages)
