"""A simulation as lines, in the form of `cairn replay --json`, so that one printer and one reader do for both."""

from collections.abc import Iterator
from typing import Any

from authoring.simulation.messages import Messages, Outgoing
from authoring.simulation.paths import Paths
from authoring.simulation.run import Simulation, TimelineEntry
from cairn.domain.effects import Fact, OpenTask, SendMessage
from cairn.domain.event import Event
from cairn.domain.gate.verdict import Defer, Send
from cairn.domain.shared.instants import instant_to_wire
from cairn.domain.shared.invites import shown

ReportLine = dict[str, Any]


def report(simulation: Simulation, messages: Messages) -> dict[str, Any]:
    """One way through the journey."""
    enrollment = simulation.enrollment
    return {
        "journey": simulation.journey.name,
        "version": simulation.journey.version,
        "customer": messages.sample.name,
        "outcome": enrollment.outcome,
        "ended_at": instant_to_wire(enrollment.ended_at) if enrollment.ended_at else None,
        "goal_at": instant_to_wire(enrollment.goal_at) if enrollment.goal_at else None,
        "lines": lines_of(simulation, messages),
    }


def report_of_paths(paths: Paths, messages: Messages) -> dict[str, Any]:
    """Several ways through it."""
    return {
        "paths": [report(one, messages) for one in paths.shown],
        "left_out": paths.left_out,
        "all_counted": paths.all_counted,
    }


def lines_of(simulation: Simulation, messages: Messages) -> list[ReportLine]:
    """The timeline of one way."""
    own = {"customer": messages.sample.name, "journey": simulation.journey.name}
    return [
        {"at": instant_to_wire(entry.at), **line, **own, **({"step": entry.step} if entry.step else {})}
        for entry in simulation.entries
        for line in _lines(entry, messages)
    ]


def _lines(entry: TimelineEntry, messages: Messages) -> Iterator[ReportLine]:
    match entry.what:
        case Event() as event:
            yield {"kind": "event", "type": event.type, "source": event.source, "properties": dict(event.properties)}
        case Fact() as fact:
            enrollment = {"enrollment": fact.enrollment} if fact.enrollment else {}
            yield {"kind": fact.kind, **enrollment, **fact.detail}
        case SendMessage() as effect:
            yield from _message(messages.of(entry, effect), effect)
        case OpenTask() as task:
            due_at, context = instant_to_wire(task.due_at), dict(task.context)
            named = {"queue": task.queue, "title": task.title, "script": task.script}
            yield {"kind": "task", **named, "due_at": due_at, "context": context}
        case _:
            return  # another effect, of which a fact says what it is


def _message(one: Outgoing, effect: SendMessage) -> Iterator[ReportLine]:
    named = {"channel": one.channel.value, "template": effect.template}
    if one.rendered is None:
        yield {"kind": "failed", **named, "reason": "template", "error": one.problem}
        return
    sent = isinstance(one.verdict, Send)
    written: ReportLine = {"subject": one.rendered.subject} if one.rendered.subject else {}
    written |= {"invite": shown(one.rendered.invite)} if one.rendered.invite else {}
    status = "sent" if sent else "waits" if isinstance(one.verdict, Defer) else "not sent"
    purpose = effect.purpose.value
    yield {"kind": "message", **named, "purpose": purpose, "status": status, **written, "body": one.rendered.text}
    if not sent:
        until = {"until": instant_to_wire(one.until)} if one.until else {}
        kind = "deferred" if isinstance(one.verdict, Defer) else "suppressed"
        yield {"kind": kind, **named, "reason": one.verdict.reason.value, **until}
