"""One run on a laptop: a deployment, a clock that goes both ways, and all that came in, in order.

The clock stands still between two moves, so what came in can be repeated to the second: at the same instants, in the
same order, on the same files, it ends in the same state. Going back is going there again from the start.
"""

import json
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import RLock
from typing import Any
from unittest.mock import patch

from authoring.defaults import default_file
from authoring.problems import InvalidFilesError, Problem
from authoring.project import Checked, check_project, read_journeys, watched_files
from authoring.stories import Scenario, check_endpoints, load
from authoring.stories.comparison import Comparison, compare
from cairn.adapters.http.manage.router import Answer, ManageRouter, OperatorRequest
from cairn.adapters.sources import Sources, sources
from cairn.domain.shared.errors import CairnError
from cairn.domain.shared.instants import instant_to_wire
from infra.local.answers import answering
from infra.local.deployment import LocalDeployment, local_deployment
from infra.local.scenario import Coming, happenings
from infra.local.studio.acts import Act, Base, State, in_order

LEAST_SPAN = timedelta(days=7)
"""What the slider shows of a run that is no story."""

Json = dict[str, Any]


class StudioError(CairnError):
    """The studio cannot do this now; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Project:
    """The files that a studio works on."""

    root: Path
    """The folder of stories and events."""
    journeys: Path
    policy: Path
    configuration: Path

    def check(self) -> Checked:
        return check_project(self.journeys, self.policy, self.configuration, shipped=False)

    def watched(self) -> tuple[Path, ...]:
        return watched_files(self.journeys, self.policy, self.configuration)

    def sources(self) -> Sources:
        return sources(self.configuration)


@dataclass(frozen=True, slots=True)
class Ordered:
    """What an operator did, by the console or by /manage."""

    at: datetime
    route: str
    document: Mapping[str, Any]


@dataclass(slots=True)
class Studio:
    """Made by `studio()`. One thread at a time may enter: take the lock around more than one call."""

    project: Project
    secrets: Mapping[str, str]
    state: State
    public_url: str
    real_now: Callable[[], datetime]
    lock: RLock = field(default_factory=RLock)
    running: bool = False
    user: str = "ada"
    """The user who is signed in to the console."""
    checked: Checked | None = None
    done: list[Act] = field(default_factory=list)
    """All that came in so far, of the story too, in order."""
    statuses: dict[int, int] = field(default_factory=dict)
    """The HTTP status of the answer, by the position in `done`."""
    orders: list[Ordered] = field(default_factory=list)
    """What operators did so far."""
    refused: list[str] = field(default_factory=list)
    """What the story or the state could not let happen."""
    scenario: Scenario | None = None
    _deployment: LocalDeployment | None = None
    _coming: Coming = field(default_factory=lambda: Coming((), ()))
    _is_repeating: bool = False
    _asks: int | None = None
    """The position in `done` of what is being done."""
    _runs_files: bool = False
    """Whether the deployment runs the project's files; it runs none before they are without problems."""
    _generation: int = 0
    _lines: tuple[tuple[int, str], list[Json]] = ((-1, ""), [])
    _stack: ExitStack = field(default_factory=ExitStack)

    @property
    def deployment(self) -> LocalDeployment:
        """Raises StudioError between two runs."""
        if self._deployment is None:
            raise StudioError("nothing runs at the moment; begin anew")
        return self._deployment

    @property
    def problems(self) -> Sequence[Problem | str]:
        return self.checked.problems if self.checked else ()

    @property
    def is_empty(self) -> bool:
        """Whether the project has no journey yet."""
        return self.checked is not None and not self.checked.catalogue.folders

    @property
    def version(self) -> tuple[int, str]:
        """Another one after each change that a page may show."""
        return self._generation, self._deployment.position if self._deployment else ""

    def now(self) -> datetime:
        return self.deployment.now()

    @property
    def starts(self) -> datetime:
        return self.state.base.starts if self.state.base else self.now()

    @property
    def ends(self) -> datetime:
        """The end of the slider: of the story, or of what there is to see."""
        acts = [one.at for one in self.state.acts]
        own = self.scenario.ends if self.scenario else self.starts + LEAST_SPAN
        return max([own, self.now(), *acts])

    def lines(self) -> list[Json]:
        """The timeline of all customers, read again only after a change."""
        if self._lines[0] != self.version:
            self._lines = self.version, self.deployment.timeline()
        return self._lines[1]

    def verdict(self) -> Comparison | None:
        """What happened in the story, compared with what it expects; None before its end, and where it is none."""
        story = self.scenario
        return compare(story, self.lines()) if story and self.now() >= story.ends and not self.state.acts else None

    def customers(self) -> list[str]:
        """The canonical ids of the customers who have a timeline."""
        return list(dict.fromkeys(one["customer_id"] for one in self.lines()))

    def compiled(self) -> list[Json]:
        """The journeys that run, as they were deployed."""
        found: list[Json] = json.loads(self.deployment.catalogue.read_bytes())
        return found

    def open(self) -> None:
        """Begin where the state is, or now."""
        self.checked = self.project.check()
        base = self.state.base or Base(self.real_now().replace(microsecond=0))
        acts, now = self.state.acts, self.state.now
        self._begin(base, acts, now or base.starts)

    def close(self) -> None:
        self._deployment = None
        self._stack.close()

    def fresh(self, story: Path | None = None) -> None:
        """A run from the start: of a story, or of nothing, now. Raises StudioError, InvalidFilesError."""
        starts = load(story, self.project.sources()).starts if story else self.real_now().replace(microsecond=0)
        self._begin_anew(Base(starts, story), (), starts)

    def again(self) -> None:
        """All that came in, once more, on the files as they are now. Raises StudioError."""
        self._go_back(self.now())

    def move_to(self, instant: datetime) -> None:
        """Let time pass; or go back, which is again from the start. Raises StudioError."""
        if instant < self.starts:
            raise StudioError(f"this run begins at {instant_to_wire(self.starts)}: there is nothing before that")
        if instant < self.now():
            self._go_back(instant)
        else:
            self._forward(instant)

    def next_at(self) -> datetime | None:
        """When something happens next: a timer, a retry, or what the story has to come."""
        found = [one for one in (self.next_timer_at(), self._coming.next_at if self._coming else None) if one]
        return min(found, default=None)

    def next_timer_at(self) -> datetime | None:
        """The same without what comes from outside."""
        due = self.deployment.next_due()
        return max(due, self.now()) if due else None

    def settle(self) -> None:
        """Do what is due now; after each act, so that a repetition does it in the same order."""
        self.deployment.catch_up()

    def reload(self) -> None:
        """Check the files again, and deploy them if they have no problem; else what runs goes on."""
        self._generation += 1
        self.checked = self.project.check()
        if self.problems:
            return
        if not self._runs_files and self.state.base is not None:
            self._begin(self.state.base, self.state.acts, self.state.now or self.state.base.starts)
        elif self.scenario is None or self.scenario.journeys is None:
            self.deployment.deploy(self.project.journeys)
            self.settle()

    def _go_back(self, instant: datetime) -> None:
        if self.state.base is None:
            raise StudioError("nothing has begun yet")
        self._begin_anew(self.state.base, self.state.acts, instant)

    def _begin_anew(self, base: Base, acts: Sequence[Act], until: datetime) -> None:
        project = self._project(base, self._story(base))
        if project == self.project:
            self.checked = self.project.check()
        problems = self.problems if project == self.project else read_journeys(project.journeys).problems
        if problems:
            raise StudioError(f"a new beginning runs the files of now: mend them first. {problems[0]}")
        self._begin(base, acts, until)

    def _begin(self, base: Base, acts: Sequence[Act], until: datetime) -> None:
        """Another deployment, with what came in up to this instant; the rest is still to come."""
        acts = in_order(acts)
        story = self._story(base)
        self.close()
        self._generation += 1
        self.running, self.scenario = False, story
        self.done, self.statuses, self.orders, self.refused = [], {}, [], []
        self.state.begin(base, acts)
        deployment = self._deployment = self._stack.enter_context(self._deployed(base, story))
        deployment.heard, deployment.answered = self._hear, self._note_status
        posts = happenings(base.story, story, deployment, self.secrets) if base.story and story else ()
        own = ((one.at, partial(one.do, deployment)) for one in acts)
        self._coming = Coming([*posts, *(own if self._runs_files else ())], ())
        try:
            self._forward(until)
        except Exception as error:  # noqa: BLE001  what is there can be looked at, and another run begun
            self.refused.append(said(error))

    def _story(self, base: Base) -> Scenario | None:
        if base.story is None:
            return None
        story = load(base.story, self.project.sources())
        check_endpoints(base.story, story, self._project(base, story).policy)
        return story

    def _project(self, base: Base, story: Scenario | None) -> Project:
        """The story's own journeys and policy, as far as it names them; else the project's."""
        if base.story is None or story is None:
            return self.project
        beside = base.story.parent
        return replace(
            self.project,
            journeys=beside / story.journeys if story.journeys else self.project.journeys,
            policy=beside / story.policy if story.policy else self.project.policy,
        )

    @contextmanager
    def _deployed(self, base: Base, story: Scenario | None) -> Iterator[LocalDeployment]:
        """Of its files; of none where the project's have problems."""
        project = self._project(base, story)
        self._runs_files = project != self.project or not self.problems
        with TemporaryDirectory(prefix="cairn-studio-") as nothing, answering(story.answers if story else ()) as urls:
            empty = Path(nothing)
            has_files = self._runs_files and project.journeys.is_dir()
            with (
                patch.object(ManageRouter, "__call__", self._heard_order(ManageRouter.__call__)),
                local_deployment(
                    project.journeys if has_files else empty,
                    start=base.starts,
                    secrets=self.secrets,
                    policy=project.policy if self._runs_files else default_file("policy.toml"),
                    configuration=project.configuration if self._runs_files else default_file("sources.toml"),
                    public_url=self.public_url,
                    webhook_endpoints=urls,
                    same_ids=True,
                ) as deployment,
            ):
                yield deployment

    def _forward(self, instant: datetime) -> None:
        while self._coming and self._coming.next_at <= instant:
            self.deployment.advance_to(self._coming.next_at)
            self._happen()
            self.deployment.settle()
        self.deployment.advance_to(instant)
        self.state.moved(instant)

    def _happen(self) -> None:
        """Let the next thing of the story or of the state happen; what is refused is said, and the rest goes on."""
        self._is_repeating = True
        try:
            self._coming.happen(self.now())
        except Exception as error:  # noqa: BLE001  said in the studio
            self.refused.append(said(error))
        finally:
            self._is_repeating = False

    def _hear(self, call: str, given: Mapping[str, Any]) -> None:
        act = Act(self.now(), call, given)
        self._asks = len(self.done)
        self.done.append(act)
        if not self._is_repeating:
            self.state.add(act)

    def _note_status(self, status: int) -> None:
        if self._asks is not None:
            self.statuses[self._asks] = status
        self._asks = None

    def _heard_order(self, ask: Callable[..., Answer]) -> Callable[..., Answer]:
        """What an operator asks for, noted where it was done."""

        def asked(router: ManageRouter, call: OperatorRequest, now: datetime) -> Answer:
            answer = ask(router, call, now)
            if call.route.startswith("POST "):
                self.orders.append(Ordered(now, call.route, json.loads(call.body or b"{}")))
            return answer

        return asked


@contextmanager
def studio(
    project: Project,
    *,
    secrets: Mapping[str, str],
    state: State,
    public_url: str,
    real_now: Callable[[], datetime],
) -> Iterator[Studio]:
    """A studio for as long as the block lasts.

    Raises InvalidFilesError where the story of a kept state cannot be read any more.
    """
    made = Studio(project, secrets, state, public_url, real_now)
    made.open()
    try:
        yield made
    finally:
        made.close()


def said(error: Exception) -> str:
    """What went wrong, in words. An error of ours says it itself; any other is printed with its traceback."""
    if isinstance(error, InvalidFilesError):
        return " ".join(str(one) for one in error.problems[:3])
    if isinstance(error, CairnError):
        return str(error)
    traceback.print_exception(error)
    return f"this failed ({type(error).__name__}); the output of `cairn studio` says where"
