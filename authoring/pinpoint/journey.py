"""Makes a journey of Cairn of one of Pinpoint's, and notes what does not carry over."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from authoring.journeys.values import LONGEST
from authoring.pinpoint.activities import KINDS, name_of, targets_of
from authoring.pinpoint.calendars import Calendar, calendars
from authoring.pinpoint.conditions import Conditions
from authoring.pinpoint.contacts import Contacts
from authoring.pinpoint.decisions import Decisions, Step
from authoring.pinpoint.model import Activity, Journey, JourneyLimits
from authoring.pinpoint.naming import Unique
from authoring.pinpoint.notes import Note, Notes
from authoring.pinpoint.settings import note_settings
from authoring.pinpoint.steps import StepWriter
from authoring.pinpoint.structure import Position, nested
from authoring.pinpoint.templates import Given, Written
from authoring.pinpoint.times import instant_of, length_of, written, zone_of

LONGEST_STEP_ID = 32
UNKNOWN_START = "pinpoint.started"
"""The event that starts a journey whose start is not known."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A journey, as it will be written."""

    name: str
    document: Mapping[str, Any]
    templates: Mapping[str, str]
    """Texts by file name."""
    calendars: Mapping[str, Calendar]
    attributes: tuple[str, ...]
    """Names of the profile's attributes that conditions and templates read."""
    notes: tuple[Note, ...]


def imported(journey: Journey, name: str, given: Given) -> Imported:
    """The journey under this name. Raises StructureError where its activities cannot be nested."""
    notes = Notes(name)
    found = calendars(journey, name, notes)
    activities = journey.activities
    positions = nested(_start(journey, notes), {key: _targets(key, activities, notes) for key in activities})
    unique = Unique(LONGEST_STEP_ID)
    unique.taken.add("entry")
    ids = {one: unique(name_of(activities[one.activity])) for one in _each(positions)}
    steps_of: dict[str, list[str]] = {}
    for position, id_ in ids.items():
        steps_of.setdefault(position.activity, []).append(id_)
    for activity in sorted(set(activities) - set(steps_of)):
        notes.add(activity, "no path leads to this activity, and it is left out", "Nothing is to be done.")
    for activity, each in steps_of.items():
        if len(each) > 1:
            message = f"paths cross here, so it is written {len(each)} times: {', '.join(each)}"
            notes.add(activity, message, "Make a path of the steps behind it (docs/journeys.md, path), or leave them.")
    conditions = Conditions(notes, steps_of)
    templates = Written(given, notes)
    names = {channel: calendar for channel, (calendar, _) in found.items()}
    decisions, contacts = Decisions(notes, conditions, unique), Contacts(notes, templates, names, unique)
    writer = StepWriter(activities, ids, unique, notes, decisions, contacts)
    document = _document(journey, name, conditions, notes)
    steps = writer.chain(positions) or [_nothing(notes)]
    note_settings(journey, name, notes)
    attributes = {**conditions.attributes, **templates.attributes}
    if attributes:
        message = f"it reads these attributes of the profile: {', '.join(attributes)}"
        notes.add("attributes", message, "Have your events and your import of customers set them.")
    for event, type_ in conditions.events.items():
        if not type_.startswith("message."):
            notes.add(f"event {event}", f"it is {type_} here", f"Post it with the type {type_} (docs/sources.md).")
    return Imported(
        name,
        {**document, "steps": steps},
        templates.files,
        dict(found.values()),
        tuple(attributes),
        tuple(notes.found),
    )


def _start(journey: Journey, notes: Notes) -> str | None:
    start = journey.start_activity
    if start in journey.activities:
        return start
    if start:
        notes.add("StartActivity", f"there is no activity {start}", "Write the steps.")
    return None


def _targets(activity: str, activities: Mapping[str, Activity], notes: Notes) -> Sequence[str | None]:
    targets = targets_of(activities[activity])
    for target in targets:
        if target is not None and target not in activities:
            notes.add(activity, f"it leads to {target}, which is not there: the journey ends", "Write what follows.")
    kinds = [kind for kind in KINDS if getattr(activities[activity], kind) is not None]
    if len(kinds) > 1:
        notes.add(activity, f"it has several kinds; {kinds[0]} is taken", f"Write steps for {', '.join(kinds[1:])}.")
    return [target if target in activities else None for target in targets]


def _each(positions: Iterable[Position | None]) -> Iterator[Position]:
    for position in positions:
        if position is not None:
            yield position
            for arm in position.arms:
                yield from _each(arm)


def _nothing(notes: Notes) -> Step:
    notes.add("Activities", "nothing happens in it", "Write its steps.")
    return {"id": "end", "exit": "nothing-to-do"}


def _document(journey: Journey, name: str, conditions: Conditions, notes: Notes) -> dict[str, Any]:
    start = journey.start_condition
    described = " ".join(start.description.split()) if start else ""
    zone = _zone(journey, notes)
    return {
        "journey": name,
        "description": described
        or f"Imported from Amazon Pinpoint, where it was {' '.join(journey.name.split()) or name}.",
        **({"time_zone": zone} if zone != "UTC" else {}),
        "entry": _entry(journey, conditions, notes),
    }


def _zone(journey: Journey, notes: Notes) -> str:
    """The zone of the schedule, for customers whose own is not known."""
    offset = journey.schedule.timezone if journey.schedule else ""
    if not offset or offset == "UTC":
        return "UTC"
    zone = zone_of(offset)
    message = f"{offset} is {zone} here" if zone else f"{offset} is not the offset of a whole hour; the zone is UTC"
    notes.add("Schedule.Timezone", message, "Write your zone, such as Asia/Kolkata, so that its clock changes count.")
    return zone or "UTC"


def _entry(journey: Journey, conditions: Conditions, notes: Notes) -> dict[str, Any]:
    start = journey.start_condition
    by_event = start.event_start_condition if start else None
    by_segment = start.segment_start_condition if start else None
    entry: dict[str, Any] = {}
    if by_event and by_event.event_filter:
        segment = by_event.segment_id or (by_segment.segment_id if by_segment else "")
        in_segment = conditions.segment(segment, "EventStartCondition") if segment else None
        matches = conditions.matches(by_event.event_filter.dimensions, "EventStartCondition", in_segment)
        each = [match.written() for match in matches]
        entry = each[0] if len(each) == 1 else {"any": each} if each else {}
    elif by_segment or by_event:
        segment = by_segment.segment_id if by_segment else by_event.segment_id if by_event else ""
        entry = {"when": conditions.segment(segment, "SegmentStartCondition")}
        notes.add(
            "SegmentStartCondition",
            "a customer begins when the tag is added, and not if it was there before the journey",
            "Deploy the journey first, then add the tags.",
        )
    if not entry:
        entry = {"event": UNKNOWN_START}
        notes.add("StartCondition", f"what starts it is not known: {UNKNOWN_START} does", "Write the `entry`.")
    return entry | {"again": _again(journey.limits, notes)} | _window(journey, notes)


def _again(limits: JourneyLimits | None, notes: Notes) -> str:
    cap = limits.endpoint_reentry_cap if limits else None
    interval = limits.endpoint_reentry_interval if limits else ""
    length = length_of(interval) if interval else None
    if interval and length is None:
        notes.add(
            "Limits.EndpointReentryInterval", f"{interval} cannot be read", "Write `again: 7d` or another length."
        )
    if cap is None:
        notes.add("Limits.EndpointReentryCap", "it is not given, so a customer enters once", "Compare `entry.again`.")
    if cap is None or cap == 1:
        return "never"
    if cap > 1:
        message = f"a customer may enter again without a limit, not {cap} times"
        notes.add("Limits.EndpointReentryCap", message, "Write `again: never`, or a longer time.")
    return written(min(length, LONGEST)) if length else "when-ended"


def _window(journey: Journey, notes: Notes) -> dict[str, str]:
    """The first and the last day on which it may be entered."""
    window: dict[str, str] = {}
    schedule = journey.schedule
    for key, name, value in (
        ("from", "StartTime", schedule.start_time if schedule else None),
        ("until", "EndTime", schedule.end_time if schedule else None),
    ):
        if value is None or value == "":
            continue
        instant = instant_of(value)
        if instant is None:
            notes.add(f"Schedule.{name}", f"{value} cannot be read as an instant", f"Write `{key}` into the entry.")
        else:
            window[key] = instant.date().isoformat()
            message = f"{value} is a day here, in the journey's zone"
            notes.add(f"Schedule.{name}", message, f"Compare `entry.{key}`; who is inside goes on.")
    if window.keys() >= {"from", "until"} and window["from"] > window["until"]:
        notes.add("Schedule", "it ends before it starts, so neither day is written", "Write `from` and `until`.")
        return {}
    return window
