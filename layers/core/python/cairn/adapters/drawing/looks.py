"""How each kind of step looks in a picture, and what it says there: one row a kind."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cairn.domain.journey.steps import STEP_KINDS, StepKind
from cairn.domain.journey.steps.task import DEFAULT_AT_MOST
from cairn.domain.journey.steps.webhook import CALLED, DEFAULT_TIMEOUT


@dataclass(frozen=True, slots=True)
class Look:
    tone: str
    """The colour: a class of the SVG and of the Mermaid diagram."""
    mermaid: tuple[str, str]
    """The brackets that give a node of a Mermaid flowchart its shape."""
    says: Callable[[Any], str]
    """What the step does, from its value in the document."""
    ways_out: Callable[[Any], Sequence[str]] = lambda _: ()
    """The words at the ways out, in the order of the step's `successors`; none: one way, without words."""
    ends: bool = False
    """Whether the journey ends there."""


RECTANGLE, ROUNDED, STADIUM, DIAMOND, HEXAGON = ("[", "]"), ("(", ")"), ("([", "])"), ("{", "}"), ("{{", "}}")


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def moment_text(moment: Any) -> str:
    """A moment of a wait, or a timeout, in words."""
    if not isinstance(moment, Mapping):
        return str(moment)
    if "until" in moment:
        offset = str(moment.get("offset", "0s"))
        if not offset.strip("-0smhdw"):
            return str(moment["until"])
        return f"{offset.lstrip('-')} {'before' if offset.startswith('-') else 'after'} {moment['until']}"
    parts = [
        str(moment.get("for", "")),
        f"day {moment['day']}" if "day" in moment else "",
        f"at {moment['at']}" if "at" in moment else "",
        f"on {_listed(moment['weekdays'])}" if "weekdays" in moment else "",
        "in opening hours" if "open" in moment else "",
    ]
    return " ".join(filter(None, parts))


def _timeout(moment: Any) -> str:
    text = moment_text(moment)
    return f"nothing for {text}" if isinstance(moment, str) or "for" in moment else f"nothing until {text}"


def _matches(wait_for: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = wait_for.get("any") or wait_for.get("all") or [wait_for]
    return found


def _events(wait_for: Mapping[str, Any]) -> Sequence[str]:
    named = [_match_text(one) for one in _matches(wait_for)]
    return [*([" and ".join(named)] if "all" in wait_for else named), _timeout(wait_for["timeout"])]


def _match_text(match: Mapping[str, Any]) -> str:
    return f"{match['event']} if {match['where']}" if match.get("where") else str(match["event"])


def _shares(split: Mapping[str, Any]) -> Sequence[str]:
    total = sum(one["weight"] for one in split["arms"])
    return [f"{one['arm']} {one['weight'] / total:.0%}" for one in split["arms"]]


def _changes(update: Mapping[str, Any]) -> str:
    tags = update.get("tags", {})
    signed = [f"{sign}{tag}" for sign, key in (("+", "add"), ("-", "remove")) for tag in tags.get(key, ())]
    return ", ".join([*update.get("set", ()), *update.get("set_from", ()), *signed])


def _sent(send: Mapping[str, Any]) -> str:
    invite = send.get("invite")
    along = "" if not invite else ", which cancels its invite" if invite.get("cancel") else ", with an invite"
    return f"{send['template']} by {_listed(send['channel'])}{along}"


def _outcomes(task: Mapping[str, Any]) -> Sequence[str]:
    """The outcomes that it waits for; no words where it waits for none."""
    if "then" not in task:
        return ()
    return [*task["then"], f"any other, or {_timeout(task.get('at_most', DEFAULT_AT_MOST))}"]


LOOKS: Mapping[StepKind, Look] = {
    "send": Look("message", RECTANGLE, _sent),
    "wait": Look("time", ROUNDED, moment_text),
    "wait_for": Look("time", HEXAGON, lambda wait: f"at most {moment_text(wait['timeout'])}", _events),
    "branch": Look("choice", DIAMOND, lambda _: "", lambda arms: [*(one["if"] for one in arms if "if" in one), "else"]),
    "split": Look("choice", DIAMOND, lambda split: f"{len(split['arms'])} arms by weight", _shares),
    "task": Look("person", RECTANGLE, lambda task: f"{task['title']} ({task['queue']})", _outcomes),
    "update": Look("change", RECTANGLE, _changes),
    "set": Look("change", RECTANGLE, ", ".join),
    "emit": Look("change", RECTANGLE, lambda emit: str(emit["event"])),
    "webhook": Look(
        "change",
        RECTANGLE,
        lambda webhook: f"{webhook.get('type', CALLED)} to {webhook['endpoint']}",
        lambda webhook: ("answered", f"refused, or {_timeout(webhook.get('timeout', DEFAULT_TIMEOUT))}"),
    ),
    "exit": Look("finish", STADIUM, lambda outcome: f"ends: {outcome}", ends=True),
}

UNKNOWN = Look("change", RECTANGLE, lambda _: "")
"""Of a kind without a row; a test names it."""


def kind_of(step: Mapping[str, Any]) -> StepKind:
    """Of a step of a checked document."""
    return next(kind for kind in STEP_KINDS if kind in step)


def look_of(kind: str) -> Look:
    return next((look for named, look in LOOKS.items() if named == kind), UNKNOWN)


def ways_out(step: Mapping[str, Any]) -> Sequence[str]:
    """The words at the ways out of a step of a checked document, in the order of its successors."""
    kind = kind_of(step)
    return look_of(kind).ways_out(step[kind])
