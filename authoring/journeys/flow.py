"""What only the whole journey shows: names, ways through the steps, and what is in scope on each way.

Goes through the document as far as it has the right shape, so that one mistake does not hide another.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from authoring.journeys.expressions import looks_at
from authoring.journeys.models import verbs_of
from authoring.problems import Loc
from cairn.adapters.documents.journey import journey_from_document
from cairn.domain.journey.steps.send import Send

Finding = tuple[Loc, str, str]
"""A place, a message and a fix."""

State = frozenset[bool]
"""Whether `event` is in scope, on each way that leads to a step. Empty: no way does."""

NOWHERE: State = frozenset()


def worst_case_messages(document: Mapping[str, Any]) -> int:
    """The most messages that one passage through a checked journey can send: the longest way, counted in sends."""
    journey = journey_from_document(document, "")
    worst: dict[str | None, int] = {None: 0}
    for step in journey.steps.values():  # each one comes after those that it leads to
        worst[step.id] = isinstance(step, Send) + max(worst[target] for target in step.successors)
    return worst[journey.start]


def flow_findings(document: Any) -> list[Finding]:
    """Step ids that are there twice, steps that nothing leads to, and uses of `event` where there is none."""
    if not isinstance(document, Mapping):
        return []
    walk = _Walk(refreshed=bool(document.get("refresh_on")))
    walk.through(document.get("steps"), ("steps",), frozenset({False}))
    return walk.findings


def sends_of(document: Any) -> Iterator[tuple[Loc, str, tuple[str, ...]]]:
    """Every send that says so much: where, which template, on which channels."""
    steps = document.get("steps") if isinstance(document, Mapping) else None
    for loc, step in _steps(steps, ("steps",)):
        send = step.get("send")
        if not isinstance(send, Mapping) or not isinstance(send.get("template"), str):
            continue
        channels = send.get("channel")
        named = channels if isinstance(channels, list) else [channels]
        yield (*loc, "send", "template"), send["template"], tuple(one for one in named if isinstance(one, str))


@dataclass
class _Walk:
    refreshed: bool
    findings: list[Finding] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)

    def through(self, steps: Any, loc: Loc, state: State) -> State:
        """The state behind the last of the steps."""
        for here, step in _own_steps(steps, loc):
            if not state:
                fix = "Remove it, or the exit before it."
                self.findings.append((here, "no way leads here: every one before it exits", fix))
                state = frozenset({True, False})  # said once
            self.name(step, here)
            for rest, expression in _expressions(step):
                self.look(expression, (*here, *rest), state)
            state = self.behind(step, here, state)
        return state

    def behind(self, step: Mapping[str, Any], loc: Loc, state: State) -> State:
        verbs = verbs_of(step)
        match verbs[0] if len(verbs) == 1 else "":
            case "exit":
                return NOWHERE
            case "wait":
                return frozenset({False})
            case "wait_for" | "branch":
                ways = NOWHERE
                for rest, steps, entered in _arms(step, state):
                    ways |= self.through(steps, (*loc, *rest), entered)
                return ways
        return state

    def name(self, step: Mapping[str, Any], loc: Loc) -> None:
        this = step.get("id")
        if isinstance(this, str) and this in self.ids:
            self.findings.append(((*loc, "id"), f'"{this}" is the id of an earlier step', "Give each step its own."))
        elif isinstance(this, str):
            self.ids.add(this)

    def look(self, expression: Any, loc: Loc, state: State) -> None:
        if not looks_at(expression, "event", with_alternative=True not in state):
            return
        if state != frozenset({True}):
            instead = expression.replace("event.properties.", "data.")
            also = f" (or both: {expression} || {instead})" if True in state and "||" not in expression else ""
            example = f": {instead}{also}" if instead != expression else ""
            fix = f"Use `data`, the properties of the event that started the journey{example}."
            message = "`event` is in scope only where a wait_for was won by one, and until the next wait"
            self.findings.append((loc, message, fix))
        elif self.refreshed and loc[-1] == "until":
            message = "a refresh_on event has this date computed anew, and then `event` is gone"
            self.findings.append((loc, message, "Keep the date in the profile first, with update.set_from."))


def _own_steps(steps: Any, loc: Loc) -> Iterator[tuple[Loc, Mapping[str, Any]]]:
    for index, step in enumerate(steps if isinstance(steps, list) else ()):
        if isinstance(step, Mapping):
            yield (*loc, index), step


def _steps(steps: Any, loc: Loc) -> Iterator[tuple[Loc, Mapping[str, Any]]]:
    for here, step in _own_steps(steps, loc):
        yield here, step
        for rest, nested, _ in _arms(step, NOWHERE):
            yield from _steps(nested, (*here, *rest))


def _arms(step: Mapping[str, Any], state: State) -> Iterator[tuple[Loc, Any, State]]:
    """The ways out of a step: the steps on each, and the state that it is entered in."""
    waiting = step.get("wait_for")
    if isinstance(waiting, Mapping):
        yield ("wait_for", "then"), waiting.get("then"), frozenset({True})
        yield ("wait_for", "else"), waiting.get("else"), frozenset({False})
    arms = step.get("branch")
    if isinstance(arms, list):
        decided = False
        for index, arm in enumerate(arms):
            if isinstance(arm, Mapping):
                name = "else" if "else" in arm else "then"
                decided = decided or name == "else"
                yield ("branch", index, name), arm.get(name), state
        if not decided:
            yield ("branch",), None, state


def _expressions(step: Mapping[str, Any]) -> Iterator[tuple[Loc, Any]]:
    """The expressions of a step that are evaluated when it is reached."""
    for verb, key in (("wait", None), ("wait_for", "timeout")):
        moment = step.get(verb)
        loc: Loc = (verb,)
        if key is not None:
            moment = moment.get(key) if isinstance(moment, Mapping) else None
            loc = (verb, key)
        if isinstance(moment, Mapping):
            yield from (((*loc, name), moment[name]) for name in ("until", "at_from") if name in moment)
    for index, arm in enumerate(step["branch"] if isinstance(step.get("branch"), list) else ()):
        if isinstance(arm, Mapping) and "if" in arm:
            yield ("branch", index, "if"), arm["if"]
    for verb, key in (("task", "context"), ("update", "set_from")):
        named = step[verb].get(key) if isinstance(step.get(verb), Mapping) else None
        for name, expression in (named if isinstance(named, Mapping) else {}).items():
            yield (verb, key, name), expression
