"""Every line of a customer's timeline as a plain sentence, on the customer's own clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from cairn.domain.effects import FactKind
from cairn.domain.explain.explanations import DECISIONS, Sentence, ahead, sentence_at
from cairn.domain.gate.decision import TimelineEntry
from cairn.domain.identity.trust import is_provider
from cairn.domain.people.task import TaskStatus
from cairn.domain.shared.channels import CHANNELS, Channel
from cairn.domain.shared.errors import InvalidRequestError
from cairn.domain.shared.instants import instant_from_wire

FACTS: Mapping[FactKind, str] = {
    "answered": "Another system answered at step {step}.",
    "branched": "Took way {arm} at step {step}.",
    "called": "Step {step} called the endpoint {endpoint}.",
    "classified": "Is a customer of class {arm} now.",
    "done": "The task of step {step} was done: {outcome}.",
    "dropped": "{field} was not taken over ({reason}).",
    "emitted": "Step {step} reported the event {event}.",
    "ended": "Journey {journey} ended: {outcome}.",
    "entered": "Entered journey {journey}.",
    "fell_back": "Step {step} tries another channel, because {because}.",
    "goal_reached": "Reached the goal of journey {journey} by {because}.",
    "happened": "{because} happened, for which step {step} waited.",
    "held_out": "Is in the holdout of journey {journey}, and gets nothing of it, so that its effect can be measured.",
    "merged": "Became one with customer {absorbed}.",
    "migrated": "Moved to version {to} of journey {journey}, at step {step}.",
    "misfired": "The timer of step {step} went off late.",
    "moment_past": "Step {step} did not wait: its time had passed.",
    "moment_unknown": "Step {step} did not wait: its time is not known.",
    "moment_unreadable": "Step {step} did not wait: its date cannot be read.",
    "not_carried_out": "{effect} was not carried out: {because}.",
    "not_counted": "{because} did not count for the score: {reason}.",
    "not_emitted": "Step {step} did not report the event {event}: {reason}.",
    "not_entered": "Did not enter journey {journey}: {reason}.",
    "not_opened": "Step {step} opened no task: {because}.",
    "not_staged": "Did not move to stage {stage} of {pipeline}: {reason}.",
    "passed_over": "Step {step} was skipped: it was late after the pause of {resumed}.",
    "paused": "Waits at step {step} until {target} is resumed.",
    "record_erased": "What {source} had reported was erased.",
    "refreshed": "{because} brought new data to journey {journey}.",
    "refused": "Another system refused at step {step}: {because}.",
    "resent": "The message of step {step} was ordered once more, by hand.",
    "resumed": "Is active again, after a longer pause than usual.",
    "set": "Step {step} noted {values}.",
    "slowed": "Is silent for longer than is usual for this customer.",
    "split": "Got arm {arm} at step {step}.",
    "staged": "Moved to stage {stage} of {pipeline}.",
    "stopped": "{because} stopped what still waited of journey {journey}.",
    "timed_out": "Step {step} waited in vain.",
    "updated": "Step {step} changed the profile: {attributes}.",
    "waiting": "Waits at step {step} until {until}.",
    "withdrawn": "The task of step {step} was withdrawn: {because}.",
}
"""A sentence for each kind of fact, with fields of its line."""

CONSENT = "consent"


class _Fields(dict[str, str]):
    """The fields of a line as text; one that it does not have is a question mark."""

    def __missing__(self, name: str) -> str:
        return "?"


@dataclass(frozen=True, slots=True)
class TimelineLine:
    entry: TimelineEntry
    sentence: Sentence


def lines_of(
    entries: Sequence[TimelineEntry], zone: ZoneInfo, limit: int, after: str = ""
) -> tuple[list[TimelineLine], str | None]:
    """The newest lines of a timeline, or those before a page; and what gives the next page, None after the oldest.

    A page begins where the one before has ended, whatever has happened since. Raises InvalidRequestError.
    """
    older = list(reversed(entries))
    if after:
        at, _, number = after.partition(" ")
        if not (number.isascii() and number.isdecimal()):
            raise InvalidRequestError(["after: not what an earlier answer gave"])
        same = [index for index, one in enumerate(older) if one["at"] == at][: int(number[:9])]
        start = same[-1] + 1 if same else next((i for i, one in enumerate(older) if one["at"] < at), len(older))
        older = older[start:]
    page, rest = older[:limit], older[limit:]
    lines = [TimelineLine(one, sentence_at(one, zone, _text(one, zone))) for one in page]
    if not rest:
        return lines, None
    last = page[-1]["at"]
    before = int(number) if after and at == last else 0
    return lines, f"{last} {before + sum(one['at'] == last for one in page)}"


def _text(entry: TimelineEntry, zone: ZoneInfo) -> str | None:
    """None for what `explanations` has its own sentence for."""
    kind = entry["kind"]
    if kind in DECISIONS or (kind == "event" and is_provider(entry["source"]) and entry["type"].startswith("message.")):
        return None
    if kind == "event":
        return f"{entry['type']} was reported by {entry['source']}."
    if kind == CONSENT:
        channel = CHANNELS[Channel(entry["channel"])]
        cause = f" ({str(entry['cause']).replace('_', ' ')})" if entry.get("cause") else ""
        return f"{entry['purpose']} {channel.plural}: {entry['status']}{cause}."
    if kind == "task":
        return _task(entry, zone)
    until = {"until": ahead(instant_from_wire(entry["until"]), zone)} if entry.get("until") else {}
    template = FACTS[kind]
    text = template.format_map(_Fields({name: _value(value) for name, value in entry.items()} | until))
    if not entry.get("because") or "{because}" in template:
        return text
    return f"{text[:-1]} ({_value(entry['because'])})."


def _task(entry: TimelineEntry, zone: ZoneInfo) -> str:
    about = f"Task “{entry['title']}” for {entry.get('now_in') or entry['queue']}"
    if entry.get("status") == TaskStatus.OPEN:
        owner = f", of {entry['owner']}" if entry.get("owner") else ""
        return f"{about}, due {ahead(instant_from_wire(entry['due_at']), zone)}{owner}."
    return f"{about}: {entry.get('outcome') or entry.get('status')}."


def _value(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value).replace("_", " ")
