"""Every run of a small journey, by the real engine: all that the customer's data, events and luck can bring about.

A run is driven by a script of choices: at each question (which arm, which date, which event, when) it takes the next
one, and the scripts of all runs are tried one after another. Only journeys of `steerable` ask such questions.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from hypothesis import strategies as st

from cairn.adapters.documents.journey import journey_from_document
from cairn.domain.effects import SendMessage
from cairn.domain.event import Event
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.engine import Decision, Entered, Happened, TimerFired, Trigger, advance, new_enrollment
from cairn.domain.journey.steps.send import Send
from cairn.domain.journey.steps.split import Split
from cairn.domain.journey.steps.wait_for import WaitFor
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.instants import instant_to_wire

START = datetime(2026, 6, 1, tzinfo=UTC)
MOMENT = timedelta(seconds=1)
"""As good as nothing: all lengths of the journeys are half hours or more."""


@dataclass
class Script:
    """The choices of a run; the first of the possible ones where it says nothing yet."""

    chosen: list[int] = field(default_factory=list)
    possible: list[int] = field(default_factory=list)

    def choose(self, number: int) -> int:
        at = len(self.possible)
        self.possible.append(number)
        if at == len(self.chosen):
            self.chosen.append(0)
        return self.chosen[at]

    def next(self) -> "Script | None":
        while self.chosen:
            last, number = self.chosen.pop(), self.possible.pop()
            if last + 1 < number:
                return Script([*self.chosen, last + 1])
        return None


@dataclass
class Run:
    sent: list[tuple[float, Send]] = field(default_factory=list)
    seconds: float = 0.0
    outcome: str = ""


class Data(dict[str, Any]):
    """The enrollment's data, chosen when the engine looks at it: the number of an arm, or a date."""

    def __init__(self, run: "_Engine") -> None:
        super().__init__()
        self.run = run

    def get(self, name: str, _default: Any = None) -> Any:
        if name not in self:
            if name.endswith("_at"):
                soon = instant_to_wire(self.run.now + MOMENT)
                self[name] = (None, soon)[self.run.script.choose(2)]
            else:
                self[name] = self.run.script.choose(3)
        return self[name]


class _Engine:
    def __init__(self, journey: Journey, customer: str, script: Script) -> None:
        self.journey, self.script, self.now = journey, script, START
        self.profile = Profile(customer, START)
        self.events = count()
        entry = self.event("trial.signup")
        self.enrollment = new_enrollment(journey, self.profile, entry, "", self.now)
        object.__setattr__(self.enrollment, "data", Data(self))
        self.run = Run()

    def event(self, event_type: str) -> Event:
        return Event(id=f"e{next(self.events)}", source="track", type=event_type, occurred_at=self.now)

    def take(self, trigger: Trigger) -> Decision:
        decision = advance(self.journey, self.enrollment, self.profile, trigger, self.now)
        self.enrollment, self.profile = decision.enrollment, decision.profile
        for effect in decision.effects:
            if isinstance(effect, SendMessage):
                send = self.journey.steps[effect.step]
                assert isinstance(send, Send)
                self.run.sent.append(((self.now - START).total_seconds(), send))
        return decision

    def go(self) -> Run:
        self.take(Entered())
        while self.enrollment.open:
            step, due = self.journey.steps[self.enrollment.step or ""], self.enrollment.due_at
            assert due is not None
            won = self.script.choose(1 + 2 * len(step.targets)) if isinstance(step, WaitFor) else 0
            if isinstance(step, WaitFor) and won:
                number, late = divmod(won - 1, 2)
                self.now = max(self.now, due - MOMENT) if late else self.now
                for match in step.matches if step.needs_all else (step.matches[number],):
                    self.take(Happened(self.event(match.event)))
            else:
                self.now = due
                self.take(TimerFired(self.enrollment.sequence))
        self.run.seconds, self.run.outcome = (self.now - START).total_seconds(), self.enrollment.outcome
        return self.run


def every_run(journey: Journey) -> Iterator[Run]:
    for customer in _customers(journey):
        script: Script | None = Script()
        while script is not None:
            yield _Engine(journey, customer, script).go()
            script = script.next()


def _customers(journey: Journey) -> list[str]:
    """A customer for each combination of the arms of all splits."""
    splits = [step for step in journey.steps.values() if isinstance(step, Split)]
    found: dict[tuple[str, ...], str] = {}
    for number in range(40 * 3 ** len(splits)):
        customer = f"c{number}"
        found.setdefault(tuple(one.arm_of(customer, journey.name).name for one in splits), customer)
    return list(found.values())


def most_within(run: Run, window: float, counted: Any) -> int:
    """The most messages of a run in any window that begins with one."""
    at = [seconds for seconds, send in run.sent if counted(send)]
    return max((sum(first <= other < first + window for other in at) for first in at), default=0)


lengths = st.sampled_from(["30m", "90m", "6h", "12h", "1d", "36h", "3d", "8d"])


@st.composite
def steerable(draw: st.DrawFn) -> Journey:
    """A journey whose every way out can be brought about; its waits are durations, events and dates."""
    ids = count()

    def chain(least: int, most: int, depth: int) -> list[dict[str, Any]]:
        kinds = ["send", "send", "wait", "until", "exit"]
        kinds = [*kinds[:-1], "wait_for", "branch", "split"] if depth else kinds
        steps = [step(draw(st.sampled_from(kinds)), depth) for _ in range(draw(st.integers(least, most)))]
        ends = [number for number, one in enumerate(steps) if "exit" in one]
        return steps[: ends[0] + 1] if ends else steps

    def inside(depth: int) -> list[dict[str, Any]]:
        return chain(0, 2, depth - 1)

    def step(kind: str, depth: int) -> dict[str, Any]:
        id_ = f"s{next(ids)}"
        match kind:
            case "send":
                channels = draw(st.sampled_from([["sms"], ["email"], ["whatsapp", "sms"]]))
                purpose = draw(st.sampled_from(["marketing", "marketing", "transactional"]))
                value: Any = {"channel": channels, "template": "hello", "purpose": purpose}
            case "wait":
                value = draw(lengths)
            case "until":
                if_past = draw(st.sampled_from(["continue", "skip", "exit"]))
                return {"id": id_, "wait": {"until": f"data.{id_}_at", "if_past": if_past}}
            case "wait_for":
                form = draw(st.sampled_from(["one", "any", "all"]))
                one, other = {"event": f"{id_}.a"}, {"event": f"{id_}.b"}
                then = {"then": inside(depth)}
                forms = {
                    "one": one | then,
                    "any": {"any": [one | then, other | {"then": inside(depth)}]},
                    "all": {"all": [one, other]} | then,
                }
                value = forms[form] | {"timeout": draw(lengths), "else": inside(depth)}
            case "branch":
                arms = [{"if": f"data.{id_} == `{arm}`", "then": inside(depth)} for arm in (1, 2)]
                value = [*arms, {"else": inside(depth)}]
            case "split":
                weights = draw(st.sampled_from([(1, 1), (0, 1), (1, 2)]))
                arms = [{"arm": f"a{n}", "weight": one, "then": inside(depth)} for n, one in enumerate(weights)]
                value = {"arms": arms}
            case _:
                value = "done"
        return {"id": id_, kind: value}

    document = {"journey": "made", "entry": {"event": "trial.signup"}, "steps": chain(3, 6, draw(st.integers(1, 2)))}
    return journey_from_document(document, "v1")
