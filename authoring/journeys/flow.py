"""Checks between the steps of a journey: ids, paths, and the scope of expressions on each path.

Follows the document as far as it has the right shape, so that one mistake does not hide another.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from authoring.journeys.steps import kinds_of, model_of
from authoring.journeys.steps.base import UNREACHABLE, WITH_EVENT, WITHOUT_EVENT, EventScope
from authoring.journeys.steps.send import template_and_channels
from authoring.problems import Loc
from authoring.proof.paths import crowded
from cairn.adapters.documents.journey import journey_from_document
from cairn.domain.event import MESSAGE_EVENTS
from cairn.domain.journey.definition import ENTRY
from cairn.domain.journey.expressions import uses_root

Finding = tuple[Loc, str, str]
"""A path in the document, a message and a fix."""


def worst_case_messages(document: Mapping[str, Any]) -> int:
    """The most messages that one enrollment in a checked journey can send: the longest path, counted in sends."""
    return crowded(journey_from_document(document, "")).most(lambda _: True)


def flow_findings(document: Any) -> list[Finding]:
    """Step ids that are used twice, steps that no path leads to, and uses of `event` where it is not in scope."""
    if not isinstance(document, Mapping):
        return []
    check = _FlowCheck(refreshed=bool(document.get("refresh_on")))
    check.chain(document.get("steps"), ("steps",), WITHOUT_EVENT)
    check.chain(document.get("finally"), ("finally",), WITHOUT_EVENT)
    entry = document.get("entry")
    if ENTRY in check.ids and isinstance(entry, Mapping) and entry.keys() & {"date", "none_of"}:
        message = f'"{ENTRY}" is the id of the wait for the beginning'
        check.findings.append((("entry",), message, "Give the step another id."))
    return [*check.findings, *_without_key(document), *_without_goal(document)]


def _without_key(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Matches that do not say by which of several keys of the entry they count.

    Events about a message belong to the enrollment that sent it, whatever its key is.
    """
    entry = document.get("entry")
    entries = entry.get("any") if isinstance(entry, Mapping) else None
    keys = {str(one.get("key")) for one in entries if isinstance(one, Mapping)} if isinstance(entries, list) else set()
    if len(keys) <= 1:
        return
    for loc, match in _matches(document):
        if "key" not in match and not str(match.get("event", "")).startswith(MESSAGE_EVENTS):
            message = "the entries have several keys, and this does not say by which one it counts"
            yield loc, message, "Add `key: event.properties.…`, or `key: any` for every enrollment of the customer."


def _without_goal(document: Mapping[str, Any]) -> Iterator[Finding]:
    """Splits whose arms are measured by a goal that there is not."""
    for loc, step in _all_steps(document.get("steps"), ("steps",)) if not document.get("goal") else ():
        split = step.get("split")
        if isinstance(split, Mapping) and "winner" in split:
            message = "its arms are measured by the journey's goal, and there is none"
            yield (*loc, "split", "winner"), message, "Add `goal: {event: …}`, or remove `winner`."


def _matches(document: Mapping[str, Any]) -> Iterator[tuple[Loc, Mapping[str, Any]]]:
    """Every match but the entry's, with its path."""
    found: list[tuple[Loc, Any]] = [(("goal",), document.get("goal"))]
    for name in ("exit_on", "refresh_on"):
        found += [((name, index), one) for index, one in enumerate(_list(document.get(name)))]
    for here, step in _all_steps(document.get("steps"), ("steps",)):
        waited = step.get("wait_for")
        several = waited if isinstance(waited, Mapping) else {}
        forms = [name for name in ("any", "all") if name in several]
        found += [] if forms else [((*here, "wait_for"), waited)]
        found += [
            ((*here, "wait_for", name, index), one) for name in forms for index, one in enumerate(_list(several[name]))
        ]
    return ((loc, one) for loc, one in found if isinstance(one, Mapping))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def sends_of(document: Any) -> Iterator[tuple[Loc, str, tuple[str, ...]]]:
    """Every send that names a template: the path to the name, the template and the channels."""
    for loc, step in _steps_of(document, "steps"):
        send = template_and_channels(step.get("send"))
        if send is not None:
            yield (*loc, "send", "template"), *send


def scripts_of(document: Any) -> Iterator[tuple[Loc, str]]:
    """The script of every task, or what it says instead."""
    for loc, step in _steps_of(document, "steps"):
        task = step.get("task")
        script = task.get("script") if isinstance(task, Mapping) else None
        if isinstance(script, str):
            yield (*loc, "task", "script"), script


def invites_of(document: Any) -> Iterator[tuple[Loc, str, Mapping[str, Any]]]:
    """Every invite: its path, the template of its e-mail, and the invite."""
    for loc, step in _steps_of(document, "steps"):
        send = step.get("send")
        if isinstance(send, Mapping) and isinstance(send.get("invite"), Mapping):
            yield (*loc, "send", "invite"), str(send.get("template")), send["invite"]


def emits_of(document: Any) -> Iterator[tuple[Loc, str]]:
    """Every step that emits an event, and the event's type."""
    for loc, step in _steps_of(document, "steps"):
        emit = step.get("emit")
        event = emit.get("event") if isinstance(emit, Mapping) else None
        if isinstance(event, str):
            yield (*loc, "emit", "event"), event


def has_key(document: Any) -> bool:
    """Whether every entry has a key."""
    entry = document.get("entry") if isinstance(document, Mapping) else None
    matches = _list(entry["any"]) if isinstance(entry, Mapping) and "any" in entry else [entry]
    return all(isinstance(one, Mapping) and bool(one.get("key")) for one in matches)


def changes_of(document: Any) -> Iterator[tuple[Loc, str]]:
    """Every step that changes an attribute, as `profile.stage`."""
    for loc, step in _steps_of(document, "steps", "finally"):
        update = step.get("update")
        if not isinstance(update, Mapping):
            continue
        for key in ("set", "set_from"):
            named = update.get(key)
            for attribute in named if isinstance(named, Mapping) else ():
                yield (*loc, "update", key, attribute), f"profile.{attribute}"
        if "tags" in update:
            yield (*loc, "update", "tags"), "profile.tags"


def entries_at_any_rate(document: Any) -> Iterator[str]:
    """The types of events, or `profile.stage`, that may start the journey as often as they come or change."""
    entry = document.get("entry") if isinstance(document, Mapping) else None
    if not isinstance(entry, Mapping):
        return
    is_again = entry.get("again", "never") == "when-ended"
    if "when" in entry and is_again:
        yield from (f"profile.{name}" for name in _list(entry.get("watches")))
    if "none_of" in entry and is_again:
        yield from map(str, _list(entry["none_of"]))
    for match in _list(entry["any"]) if "any" in entry else [entry]:
        if isinstance(match, Mapping) and "event" in match and (is_again or match.get("key")):
            yield str(match["event"])


@dataclass
class _FlowCheck:
    refreshed: bool
    """The journey has `refresh_on`."""
    findings: list[Finding] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)

    def chain(self, steps: Any, loc: Loc, scope: EventScope) -> EventScope:
        """Check steps that follow one another; gives the scope behind the last one."""
        for here, step in _own_steps(steps, loc):
            if not scope:
                fix = "Remove it, or the exit before it."
                self.findings.append((here, "no way leads here: every one before it exits", fix))
                scope = WITH_EVENT | WITHOUT_EVENT  # reported once
            self.step_id(step, here)
            for kind in kinds_of(step):
                for rest, expression in model_of(kind).expressions(step[kind]):
                    self.expression(expression, (*here, kind, *rest), scope)
            scope = self.scope_behind(step, here, scope)
        return scope

    def scope_behind(self, step: Mapping[str, Any], loc: Loc, scope: EventScope) -> EventScope:
        kinds = kinds_of(step)
        if len(kinds) != 1:
            return scope
        (kind,) = kinds
        behind = model_of(kind).scope_behind(scope)
        for rest, steps, at_start in model_of(kind).paths(step[kind], scope):
            behind |= self.chain(steps, (*loc, kind, *rest), at_start)
        return behind

    def step_id(self, step: Mapping[str, Any], loc: Loc) -> None:
        this = step.get("id")
        if isinstance(this, str) and this in self.ids:
            self.findings.append(((*loc, "id"), f'"{this}" is the id of an earlier step', "Give each step its own."))
        elif isinstance(this, str):
            self.ids.add(this)

    def expression(self, expression: Any, loc: Loc, scope: EventScope) -> None:
        if not uses_root(expression, "event", with_alternative=True not in scope):
            return
        if scope != WITH_EVENT:
            instead = expression.replace("event.properties.", "data.")
            also = f" (or both: {expression} || {instead})" if True in scope and "||" not in expression else ""
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


def _steps_of(document: Any, *lists: str) -> Iterator[tuple[Loc, Mapping[str, Any]]]:
    """Steps and their nested steps of these lists of a journey."""
    for name in lists if isinstance(document, Mapping) else ():
        yield from _all_steps(document.get(name), (name,))


def _all_steps(steps: Any, loc: Loc) -> Iterator[tuple[Loc, Mapping[str, Any]]]:
    """Steps and their nested steps, with their paths."""
    for here, step in _own_steps(steps, loc):
        yield here, step
        for kind in kinds_of(step):
            for rest, nested, _ in model_of(kind).paths(step[kind], UNREACHABLE):
                yield from _all_steps(nested, (*here, kind, *rest))
