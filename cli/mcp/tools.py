"""The tools that `cairn mcp` gives an assistant. Each docstring is what the assistant reads.

No tool changes a deployment: an assistant reads what strangers wrote, and could be led by it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal

import click
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from cairn.domain.shared.errors import CairnError
from cli.check import checked
from cli.manage_client import Manage
from cli.mcp import drafts, guide
from cli.mcp.personal import Presented
from cli.options import SOURCES, of_project
from cli.simulate import start_of

Json = dict[str, Any]
Tool = Callable[..., Any]

MOST_TASKS = 50
MOST_PATHS = 50

CustomerName = Annotated[
    str, Field(description="E-mail address, phone number, user id, SYSTEM:ID of another system, or canonical id.")
]
Why = Annotated[
    str, Field(description="Why you ask, for the audit, such as the number of a ticket. Name no customer in it.")
]
Cursor = Annotated[str, Field(description="The `after` of the page before, for the next page.")]
DeployedName = Annotated[str, Field(description="The journey's name, as `list_journeys` lists it.")]
FolderName = Annotated[str, Field(description="The journey's name: lower-case letters, digits and -.")]
Draft = Annotated[
    dict[str, str] | None,
    Field(
        description="Files of the journey, by path in its folder: journey.yaml, templates/welcome.email.html, "
        "samples.yaml. They lie over those that it has."
    ),
]


def answering(tool: Tool) -> Tool:
    """Our own errors, and those of a command's options, are what the assistant reads; all others are a crash."""

    @wraps(tool)
    def answer(*arguments: Any, **named: Any) -> Any:
        try:
            return tool(*arguments, **named)
        except CairnError as error:
            raise ToolError(str(error)) from error
        except click.ClickException as error:
            raise ToolError(error.message) from error

    return answer


@dataclass(frozen=True, slots=True)
class OperatorTools:
    """They read a deployment through /manage, as the operator who started them."""

    manage: Manage
    present: Presented

    def all(self) -> list[Tool]:
        return [
            self.find_customer,
            self.explain_customer,
            self.explain_message,
            self.timeline,
            self.upcoming,
            self.list_tasks,
            self.list_journeys,
            self.measure,
            self.report,
        ]

    def find_customer(self, name: CustomerName, why: Why = "") -> Json:
        """Find a customer by any name. Gives the canonical id, which the other tools take as well."""
        return self.present(self.manage.post("customers", do="find", customer=name, why=why))

    def explain_customer(self, customer: CustomerName, why: Why = "") -> Json:
        """Say what may be sent to a customer, what waits, and the latest decisions on messages, each with its reason.

        Begin here when a customer did not get a message, or got one too many.
        """
        return self.present(self.manage.post("explain", customer=customer, why=why))

    def explain_message(
        self,
        message: Annotated[str, Field(description="A message's id, or the audit id of a decision on it.")],
        customer: Annotated[str, Field(description="The customer, where the id alone is not enough.")] = "",
        why: Why = "",
    ) -> Json:
        """Say why one message went out, waits or was dropped: every decision on it, and every report since."""
        return self.present(self.manage.post("explain", message=message, customer=customer, why=why))

    def timeline(self, customer: CustomerName, after: Cursor = "", why: Why = "") -> Json:
        """List what happened to a customer, the latest first: events, journeys entered or not, messages, tasks."""
        return self.present(self.manage.post("customers", do="timeline", customer=customer, after=after, why=why))

    def upcoming(self, customer: CustomerName, why: Why = "") -> Json:
        """Say where a customer stands in journeys, since when, and what comes next if nothing happens."""
        return self.present(self.manage.post("customers", do="enrollments", customer=customer, why=why))

    def list_tasks(
        self,
        queue: Annotated[str, Field(description="Of this queue; else of all.")] = "",
        owner: Annotated[str, Field(description="Of this member of the team.")] = "",
        after: Cursor = "",
    ) -> Json:
        """List what people have to do. In each queue urgent tasks come first, then those that are due first."""
        return self.present(self.manage.get("tasks", queue=queue, owner=owner, limit=MOST_TASKS, after=after))

    def list_journeys(self, journey: DeployedName = "") -> Json:
        """List the deployed journeys: what starts each, its goal, its channels, and whether it is paused.

        With a name, it is that one alone, with its steps.
        """
        found = self.manage.get("journeys", journey=journey)
        return {name: value for name, value in found.items() if name != "svg"}

    def measure(self, journey: DeployedName) -> Json:
        """Say what a journey is worth: its customers against its holdout, with the verdict in a sentence."""
        return self.manage.get("measures", journey=journey)

    def report(
        self,
        name: Literal["funnel", "deliveries", "latencies", "matching", "tasks", "stages", "kinds"],
        journey: Annotated[str, Field(description="Of a funnel: the journey.")] = "",
        days: Annotated[int, Field(description="How many days are counted.", ge=1, le=800)] = 30,
    ) -> Json:
        """Count: a journey's funnel, deliveries, latencies, events matched to customers, tasks, stages of leads."""
        return self.manage.get("reports", report=name, journey=journey, days=days)


@dataclass(frozen=True, slots=True)
class AuthorTools:
    """They read, check and try the files of journeys on this machine; a deployment is not asked."""

    project: drafts.Project
    writes: bool

    def all(self) -> list[Tool]:
        return [
            self.read_guide,
            self.example_journey,
            self.read_journey,
            self.check,
            self.simulate,
            *([self.write_draft] if self.writes else []),
        ]

    def read_guide(
        self,
        page: Annotated[str, Field(description="journeys, testing-journeys, policy or glossary.")] = "journeys",
        section: Annotated[str, Field(description="One of the page's sections; without it, their list.")] = "",
    ) -> Json:
        """Read how journeys are written: the sections of a page, or the text of one section."""
        if section:
            return {"page": page, "section": section, "text": guide.section(page, section)}
        return {"page": page, "about": guide.PAGES.get(page, ""), "sections": list(guide.sections(guide.page(page)))}

    def example_journey(self, name: FolderName) -> Json:
        """Give the files of a small journey that the check accepts, to begin a draft from. Nothing is written."""
        return {"journey": name, "files": drafts.example(name)}

    def read_journey(self, journey: FolderName = "") -> Json:
        """Read the files of a journey of this folder; without a name, list the journeys that it has."""
        if not journey:
            return {"journeys": self.project.names()}
        return {"journey": journey, "files": self.project.files(journey)}

    def check(self, journey: FolderName = "", files: Draft = None) -> Json:
        """Check a draft with the files of its journey, one journey, or without a name all journeys and their policy.

        Lists every problem with its file, line and mend. A draft is tried in a copy: nothing is written.
        """
        with self.project.with_draft(journey, files or {}) as folder:
            root = folder.parent if journey else folder
            found = checked(folder, self.project.policy, self.project.configuration)
            proof = found.proof
            return {
                "accepted": not found.problems,
                "problems": [drafts.without_root(one, root) for one in found.problems],
                "warnings": [drafts.without_root(str(one), root) for one in proof.warnings] if proof else [],
                "proof": [one.to_json() for one in proof.reports] if proof else [],
                "events_declared_nowhere": list(found.undeclared),
            }

    def simulate(  # noqa: PLR0913, PLR0917  one argument for each option of the command
        self,
        journey: FolderName,
        customer: Annotated[str, Field(description="A customer of samples.yaml, by name; else the first.")] = "",
        events: Annotated[
            list[str] | None,
            Field(description='What happens: TYPE, TYPE@OFFSET from the start, TYPE@OFFSET:{"property": 1}.'),
        ] = None,
        all_paths: Annotated[bool, Field(description="Try every way through the journey.")] = False,  # noqa: FBT002
        most: Annotated[int, Field(description="With all_paths: at most so many.", ge=1, le=MOST_PATHS)] = 5,
        files: Draft = None,
    ) -> Json:
        """Walk a made-up customer through a journey or a draft: each step, message with its text, task and wait.

        At a wait nothing happens but the events that you name. Nothing is sent, and nothing is written.
        """
        from authoring.simulation.paths import all_paths as paths_of  # noqa: PLC0415  slow to import
        from authoring.simulation.planned import Planned, to_the_end, unnamed  # noqa: PLC0415
        from authoring.simulation.report import report, report_of_paths  # noqa: PLC0415

        if "#" in customer:
            raise drafts.InvalidDraftError("name a customer of the journey's own samples.yaml, without a file")
        planned = [Planned.read(one) for one in events or ()]
        if all_paths and planned:
            raise drafts.InvalidDraftError("all_paths tries what may happen by itself: leave events out")
        if not journey:
            raise drafts.InvalidDraftError("name a journey")
        with self.project.with_draft(journey, files or {}) as folder:
            start = start_of(folder, self.project.policy, customer, "", says=False)
            if all_paths:
                found = paths_of(start.trial, start.at, most=most, by_data=bool(customer))
                return report_of_paths(found, start.messages)
            walked = to_the_end(start.trial.begin(start.at), planned, lambda _: None)
            unknown = [f"the journey names no event {one}. {fix}" for one, fix in unnamed(planned, start.document)]
            unheard = [f"{one.type} did not happen: no wait of this way hears it" for one in walked.unheard]
            return {**report(walked.simulation, start.messages), "hints": [*unknown, *unheard]}

    def write_draft(
        self,
        journey: FolderName,
        files: Annotated[dict[str, str], Field(description="The files, by path in the journey's folder.")],
    ) -> Json:
        """Write the files of a draft into the folder of journeys. A draft that the check refuses is not written.

        Show a person what you wrote: they run the preflight and deploy it, you cannot.
        """
        found = self.check(journey, files)
        return {"written": self.project.write(journey, files) if found["accepted"] else [], **found}


def project_at(journeys: Path, policy: Path) -> drafts.Project:
    """The project whose journeys these are; a folder of journeys that is not there yet is begun by the first draft."""
    if journeys.is_dir():
        return drafts.Project(journeys, *of_project(journeys, policy, says=False))
    return drafts.Project(journeys, policy, SOURCES)
