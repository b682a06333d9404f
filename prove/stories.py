"""Runs a story under attacks.

One process lives through the story without faults. At the call where an attack begins it forks: the child goes on with
the attack and reports its verdict, the parent waits for it and goes on without. So the part before the fault is lived
through once for all attacks of a story, and a deployment is made once. That the parent ends as the reference did shows
at each run that a story is deterministic.
"""

import gc
import os
import random
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from traceback import format_exc
from typing import Any

from authoring.playbooks import Playbook, playbooks
from authoring.stories import Click, Scenario, load
from cairn.domain.shared.errors import CairnError
from infra.local.deployment import LocalDeployment
from infra.local.faults import Call, FaultPlan
from infra.local.faults.plan import Strike
from infra.local.runtime import Handler
from infra.local.scenario import Coming, deployed, run_scenario
from infra.local.signing import local_secrets
from prove.attacks import AT_ONCE, Attack
from prove.ending import Ending, ending_of
from prove.fork import Branch, fork
from prove.verdict import Expected, Outcome, Verdict, compare

STORIES = Path(__file__).parents[1] / "events" / "scenarios"

REPEATED_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 180, 360, 720, 720, 1440))
"""When senders repeat what was not accepted; more than two days in all."""

REST = timedelta(days=3, hours=6)
"""How long a story goes on after its end, without faults: longer than the last redelivery may be late."""

CPU_SECONDS = 90
"""After which a run is taken for one that never ends."""

HTTP = frozenset({"receive_webhook", "serve_preferences", "manage_api"})
"""While one of these is at work, what is to come next waits for its answer."""

Guard = Callable[[], Any]
"""A context manager's maker: what is different in a run, such as a mutation."""


@dataclass(slots=True, kw_only=True)
class Branching(FaultPlan):
    """Without a fault itself; gives each attack a process of its own when its call comes."""

    attacks: dict[int, list[Attack]] = field(default_factory=dict)
    """By the call at which they begin."""
    verdicts: list[tuple[Attack, Verdict]] = field(default_factory=list)
    attack: Attack | None = None
    """In a child: its own."""
    process: Branch | None = None
    """In a child: what it ends with."""
    forks: bool = True
    enough: Callable[[int], bool] = lambda _: False
    """Whether so many attacks are enough."""

    stops_at_failure: bool = False
    deliver_again: Callable[[], None] = lambda: None
    """Hands the records of the present invocation to another process."""

    def strike(self, call: Call, attempt: int, now: datetime) -> Strike | None:
        if self.attack is None and not attempt:
            for attack in self.attacks.pop(call.number, ()):
                if self.branch(attack):
                    attack.begin(self, now - self._began)
                    break
        if self.attack is not None and self.attack.fault == AT_ONCE and call.number == self.attack.at and not attempt:
            self.deliver_again()
        return FaultPlan.strike(self, call, attempt, now)

    def branch(self, attack: Attack) -> bool:
        """Whether this process is the one of the attack."""
        if not self.forks:
            self.attack = attack
            return True
        failed = self.stops_at_failure and any(not verdict.outcome.good for _, verdict in self.verdicts)
        if failed or self.enough(len(self.verdicts)):
            return False
        forked = fork()
        if isinstance(forked, Branch):
            self.attack, self.process = attack, forked
            signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
            gc.disable()  # it ends before it has much to collect
            return True
        self.verdicts.append((attack, forked.result or Verdict(Outcome.BROKEN, (_end(forked.status),))))
        return False

    def report(self, verdict: Verdict) -> None:
        """The end of a child."""
        assert self.process is not None  # noqa: S101  only a child reports
        self.process.end(verdict)


class OtherwiseError(CairnError):
    """A story does not end as it did before, though nothing was done to it."""


def _end(status: int) -> str:
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF:
        return f"went on for more than {CPU_SECONDS} seconds of computing"
    return f"the process ended with status {status}"


@dataclass(frozen=True, slots=True)
class Reference:
    """A story without faults."""

    path: Path
    scenario: Scenario
    expected: Expected
    calls: tuple[Call, ...]

    @property
    def ending(self) -> Ending:
        return self.expected.ending


def reference(path: Path, guard: Guard | None = None) -> Reference:
    scenario = load(path)
    ending, calls = _lived_through(path, scenario, guard)
    pressed_again, not_pressed = [], {}
    for number, click in enumerate(scenario.clicks):
        again = click.model_copy(update={"at": scenario.instant(click.at) + REPEATED_AFTER[0]})
        pressed_again.append(_lived_through(path, _with_clicks(scenario, [*scenario.clicks, again]), guard)[0])
        others = [*scenario.clicks[:number], *scenario.clicks[number + 1 :]]
        not_pressed[click.step] = _lived_through(path, _with_clicks(scenario, others), guard)[0]
    return Reference(path, scenario, Expected(ending, tuple(pressed_again), not_pressed), calls)


def _with_clicks(scenario: Scenario, clicks: Sequence[Click]) -> Scenario:
    return scenario.model_copy(update={"clicks": list(clicks)})


def _lived_through(path: Path, scenario: Scenario, guard: Guard | None) -> tuple[Ending, tuple[Call, ...]]:
    plan = FaultPlan.none()
    with _opened(path, scenario, plan, guard) as deployment:
        _live(path, scenario, deployment, plan)
        return ending_of(deployment), tuple(plan.calls)


def attacked(
    base: Reference,
    attacks: Iterable[Attack],
    *,
    guard: Guard | None = None,
    enough: Callable[[int], bool] = lambda _: False,
    stops_at_failure: bool = False,
) -> Iterator[tuple[Attack, Verdict]]:
    """The verdict of each attack on a story, until there are enough."""
    several = list(attacks)
    by_call: dict[int, list[Attack]] = {}
    for attack in several:
        if not attack.seeded:
            by_call.setdefault(attack.at, []).append(attack)
    plan = Branching(attacks=by_call, enough=enough, stops_at_failure=stops_at_failure)
    seeded = [one for one in several if one.seeded]
    with _opened(base.path, base.scenario, plan, guard) as deployment:
        gc.collect()
        gc.freeze()
        for attack in seeded:
            if plan.branch(attack):
                plan.report(_seeded(base, attack, deployment))
        if by_call:
            _run(base, plan, deployment)
    yield from plan.verdicts


def once(base: Reference, attack: Attack, guard: Guard | None = None) -> tuple[Verdict, FaultPlan]:
    """One attack in this process, to look at it closely."""
    if attack.seeded:
        plan = FaultPlan.random(attack.seed, attack.intensity)
        with _opened(base.path, base.scenario, plan, guard) as deployment:
            return _lived(base, attack, deployment, plan), plan
    branching = Branching(attacks={attack.at: [attack]}, forks=False)
    with _opened(base.path, base.scenario, branching, guard) as deployment:
        return _lived(base, attack, deployment, branching), branching


def _run(base: Reference, plan: Branching, deployment: LocalDeployment) -> None:
    try:
        _live(base.path, base.scenario, deployment, plan)
        ending = ending_of(deployment)
        if plan.attack is not None:
            plan.report(compare(plan.attack, base.expected, ending, base.calls, plan.calls, plan.struck))
    except Exception:
        if plan.attack is None:
            raise
        plan.report(Verdict(Outcome.BROKEN, tuple(format_exc().splitlines()[-3:]), len(plan.calls)))
    if (ending.sent, ending.lines, ending.state) != (base.ending.sent, base.ending.lines, base.ending.state):
        raise OtherwiseError(f"{name_of(base.path)} ends otherwise when it is run again without a fault")


def _seeded(base: Reference, attack: Attack, deployment: LocalDeployment) -> Verdict:
    plan = FaultPlan.random(attack.seed, attack.intensity)
    deployment.faults = plan
    return _lived(base, attack, deployment, plan)


def _lived(base: Reference, attack: Attack, deployment: LocalDeployment, plan: FaultPlan) -> Verdict:
    try:
        slow = bool(plan.weather.takes)
        _live(base.path, base.scenario, deployment, plan)
        return compare(attack, base.expected, ending_of(deployment), base.calls, plan.calls, plan.struck, slow=slow)
    except Exception:  # noqa: BLE001  whatever ends a story is a finding
        return Verdict(Outcome.BROKEN, tuple(format_exc().splitlines()[-3:]), len(plan.calls))


def _live(path: Path, scenario: Scenario, deployment: LocalDeployment, plan: FaultPlan) -> None:
    def watch(coming: Coming) -> None:
        deployment.runtime.interloper = partial(_interfere, deployment, coming)

    run_scenario(path, scenario, deployment, local_secrets({}), repeated_after=REPEATED_AFTER, watched=watch)
    plan.calm()
    deployment.advance_to(datetime.now(UTC) + REST)


@contextmanager
def _opened(path: Path, scenario: Scenario, plan: FaultPlan, guard: Guard | None) -> Iterator[LocalDeployment]:
    random.seed(0)
    with ExitStack() as stack:
        deployment = stack.enter_context(deployed(path, scenario, local_secrets({}), faults=plan, **business_of(path)))
        if guard is not None:
            stack.enter_context(guard())
        if isinstance(plan, Branching):
            _remember_events(deployment, plan)
        yield deployment


def _interfere(deployment: LocalDeployment, coming: Coming) -> bool:
    """Run all that is due beside an invocation, also by the same function: Lambda runs several of it at once."""
    at_work = deployment.runtime.running
    deployment.runtime.running = []  # the polling is not the function's
    try:
        moved = at_work[-1].function not in HTTP and coming.happen(deployment.now())
        for function in deployment._running():  # noqa: SLF001
            for queue in function.queues:
                moved |= deployment._poll(function, queue)  # noqa: SLF001
        relaying = any(one.function == "relay_effects" for one in at_work)
        return moved or (not relaying and deployment._follow_stream())  # noqa: SLF001
    finally:
        deployment.runtime.running = at_work


def _remember_events(deployment: LocalDeployment, plan: Branching) -> None:
    """For the delivery of the same records to two processes at once."""
    present: list[tuple[str, Any]] = []

    def remembering(name: str, handler: Handler) -> Handler:
        def run(event: Any, context: Any) -> Any:
            present.append((name, event))
            try:
                return handler(event, context)
            finally:
                present.pop()

        return run

    def deliver_again() -> None:
        if present:
            deployment._invoke(*present[-1])  # noqa: SLF001

    deployment.handlers = {name: remembering(name, handler) for name, handler in deployment.handlers.items()}
    plan.deliver_again = deliver_again


def all_stories() -> Sequence[Path]:
    return sorted(STORIES.glob("*.yaml"))


@cache
def main_stories() -> Mapping[Path, Playbook]:
    """Of each playbook its main story."""
    return {one.stories[0]: one for one in playbooks()}


def name_of(story: Path) -> str:
    """Its file's name; of a playbook's story, the playbook's."""
    playbook = main_stories().get(story)
    return playbook.name if playbook else story.name


def story_named(name: str) -> Path:
    return next((story for story, playbook in main_stories().items() if playbook.name == name), STORIES / name)


def business_of(story: Path) -> dict[str, Path]:
    """Its journeys and policy; those of a scenario are the shipped ones, or named by it."""
    playbook = main_stories().get(story)
    return {"journeys": playbook.journeys, "policy": playbook.policy} if playbook else {}
