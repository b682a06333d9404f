"""Conditions of Pinpoint as JMESPath on the profile, and as matches of events."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from authoring.pinpoint import expressions
from authoring.pinpoint.expressions import FALSE, all_of, any_of, negated
from authoring.pinpoint.model import (
    AttributeDimension,
    EventCondition,
    EventDimensions,
    MetricDimension,
    SegmentDimensions,
    SetDimension,
    SimpleCondition,
)
from authoring.pinpoint.naming import STANDARD_EVENTS, event_type
from authoring.pinpoint.notes import Notes
from authoring.pinpoint.times import instant_of, instant_text
from cairn.domain.event import MESSAGE_EVENTS

OPERATORS = {
    "GREATER_THAN": ">",
    "GREATER_THAN_OR_EQUAL": ">=",
    "LESS_THAN": "<",
    "LESS_THAN_OR_EQUAL": "<=",
    "EQUAL": "==",
}
CHANNELS = {"EMAIL": "email", "SMS": "phone", "VOICE": "phone"}
"""The attribute of the profile by which a channel reaches a customer; of all others it is the push endpoint."""
RECENCY = {"HR_24": 1, "DAY_7": 7, "DAY_14": 14, "DAY_30": 30}
"""In days."""
SESSION = event_type("_session.start")
"""Stands for Pinpoint's `_session.start`, by which an endpoint is active."""
DEMOGRAPHIC = ("app_version", "device_type", "make", "model", "platform")
CANNOT = "the condition is written as `false`: nobody meets it until you write another"


@dataclass(frozen=True, slots=True)
class EventMatch:
    event: str
    where: str = ""
    key: str = ""

    def written(self) -> dict[str, str]:
        return {"event": self.event} | ({"where": self.where} if self.where else {})

    @property
    def on_event(self) -> str:
        """A condition on the event that may have ended the wait before it."""
        return all_of([f"event.type == '{self.event}'", *([self.where] if self.where else [])])


@dataclass(frozen=True, slots=True)
class Asked:
    """One condition: about events, any of which meets it, or about the profile."""

    matches: tuple[EventMatch, ...] = ()
    about_profile: str | None = None

    @property
    def by_history(self) -> str:
        """Asked of the events since the journey began."""
        if self.about_profile is not None:
            return self.about_profile
        return any_of(f"seen_since('{match.event}', enrollment.since)" for match in self.matches)

    @property
    def by_event(self) -> str:
        """Asked of the event that has ended a wait, if one has."""
        if self.about_profile is not None:
            return self.about_profile
        return any_of(f"({match.on_event}) || {FALSE}" for match in self.matches)


@dataclass
class Conditions:
    """Reads the conditions of one journey, and collects what they ask for."""

    notes: Notes
    steps: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The steps of each activity."""
    attributes: dict[str, None] = field(default_factory=dict)
    """Names of the profile's attributes that are asked for."""
    events: dict[str, str] = field(default_factory=dict)
    """The types of events that are waited for, by their names in Pinpoint."""

    def asked(self, condition: SimpleCondition | None, about: str) -> Asked:
        if condition is None:
            condition = SimpleCondition()
        if condition.event_condition:
            if condition.segment_condition or condition.segment_dimensions:
                self.notes.add(
                    about, "a condition asks for an event and for a segment; the event is taken", "Add the other one."
                )
            return Asked(matches=self.event_matches(condition.event_condition, about))
        each = []
        if condition.segment_condition:
            each.append(self.segment(condition.segment_condition.segment_id, about))
        if condition.segment_dimensions:
            each.append(self.dimensions(condition.segment_dimensions, about))
        if not each:
            self.notes.add(about, f"a condition is empty; {CANNOT}", "Write the condition under `if`.")
        return Asked(about_profile=all_of(each) if each else FALSE)

    def event_matches(self, condition: EventCondition, about: str) -> tuple[EventMatch, ...]:
        """The matches of a condition on events; of a message, if it names one."""
        steps = self.steps.get(condition.message_activity, ())
        if condition.message_activity and not steps:
            self.notes.add(
                about,
                f"it asks for the message of activity {condition.message_activity}, which the journey does not send",
                "Say which step is meant: event.properties.step == 'the-step'.",
            )
        sent_by = any_of(f"event.properties.step == '{step}'" for step in steps) if steps else None
        return self.matches(condition.dimensions, about, sent_by)

    def matches(
        self, dimensions: EventDimensions | None, about: str, further: str | None = None
    ) -> tuple[EventMatch, ...]:
        types = dimensions.event_type if dimensions else None
        if dimensions is None or types is None or types.dimension_type == "EXCLUSIVE" or not types.values:
            self.notes.add(
                about, "it asks for no event, or for every event but some", "Write the events under `event` or `any`."
            )
            return ()
        each = [*self.attribute_conditions("event.properties", dimensions.attributes, about)]
        each += [*self.metric_conditions("event.properties", dimensions.metrics, about)]
        own = [further] if further else []
        found = self.types(types.values, about)
        if each and any(type_.startswith(MESSAGE_EVENTS) for type_ in found):
            message = "events about messages have other attributes here, so those of Pinpoint are not asked for"
            self.notes.add(about, message, "Ask for event.properties.channel, step or link (docs/events.md).")
        wheres = {type_: all_of(own if type_.startswith(MESSAGE_EVENTS) else [*own, *each]) for type_ in found}
        return tuple(EventMatch(type_, "" if one == expressions.TRUE else one) for type_, one in wheres.items())

    def types(self, names: Sequence[str], about: str) -> list[str]:
        for name in names:
            self.events[name] = event_type(name)
            if name.startswith("_") and name not in STANDARD_EVENTS:
                self.notes.add(
                    about, f"Cairn knows no event {name}", f"Post it as {event_type(name)}, or name another event."
                )
        return list(dict.fromkeys(map(event_type, names)))

    def segment(self, segment: str, about: str) -> str:
        """A segment is a tag of the profile."""
        tag = f"pinpoint-{segment}"
        self.attributes.setdefault("tags")
        self.notes.add(
            about,
            f"segment {segment} is known by its id alone",
            f"Give its customers the tag {tag}, or write a condition.",
        )
        return f"contains(profile.tags, {expressions.text(tag)})"

    def dimensions(self, dimensions: SegmentDimensions, about: str) -> str:
        each = [
            *self.attribute_conditions("profile", dimensions.attributes, about),
            *self.attribute_conditions("profile", dimensions.user_attributes, about),
            *self.metric_conditions("profile", dimensions.metrics, about),
        ]
        demographic, location = dimensions.demographic, dimensions.location
        for name in DEMOGRAPHIC if demographic else ():
            each += self.of_set(name, getattr(demographic, name))
        if demographic and demographic.channel:
            channels = demographic.channel
            reached = any_of(self.profile(CHANNELS.get(one, "push_endpoint")) for one in channels.values)
            each.append(negated(reached) if channels.dimension_type == "EXCLUSIVE" else reached)
        if location:
            each += self.of_set("country", location.country)
        if location and location.gps_point:
            self.notes.add(about, f"a distance from a point cannot be asked; {CANNOT}", "Ask for country or region.")
            each.append(FALSE)
        if dimensions.behavior and dimensions.behavior.recency:
            recency = dimensions.behavior.recency
            self.events["_session.start"] = SESSION
            self.notes.add(
                about,
                "who is active is asked of sessions",
                f"Post {SESSION} when the app is opened, or ask for another event.",
            )
            active = f"days_since('{SESSION}') <= `{RECENCY[recency.duration]}`"
            each.append(active if recency.recency_type == "ACTIVE" else negated(active))
        return all_of(each)

    def of_set(self, name: str, dimension: SetDimension | None) -> Iterator[str]:
        if dimension:
            path = self.profile(name)
            one_of = any_of(f"{path} == {expressions.text(value)}" for value in dimension.values)
            yield negated(one_of) if dimension.dimension_type == "EXCLUSIVE" else one_of

    def attribute_conditions(
        self, root: str, dimensions: Mapping[str, AttributeDimension], about: str
    ) -> Iterator[str]:
        for name, dimension in dimensions.items():
            path = self.path(root, name)
            found = attribute_condition(path, dimension) if path else None
            if found is None:
                message = f"the condition on {name or 'an attribute without a name'} cannot be read; {CANNOT}"
                self.notes.add(about, message, "Write the condition in JMESPath.")
            yield FALSE if found is None else found

    def metric_conditions(self, root: str, dimensions: Mapping[str, MetricDimension], about: str) -> Iterator[str]:
        for name, dimension in dimensions.items():
            path, operator = self.path(root, name), OPERATORS.get(dimension.comparison_operator)
            if not path or not operator:
                message = f"the comparison of {name or 'a metric without a name'} cannot be read; {CANNOT}"
                self.notes.add(about, message, "Write the condition in JMESPath.")
            yield f"{path} {operator} {expressions.number(dimension.value)}" if path and operator else FALSE

    def path(self, root: str, name: str) -> str:
        """The attribute in an expression; empty if it has no name."""
        if not name:
            return ""
        return self.profile(name) if root == "profile" else expressions.field(root, name)

    def profile(self, name: str) -> str:
        self.attributes.setdefault(name)
        return expressions.field("profile", name)


def attribute_condition(path: str, dimension: AttributeDimension) -> str | None:
    """The condition; None where a value that should be a date is none."""
    values = dimension.values
    match dimension.attribute_type:
        case "INCLUSIVE" | None:
            return any_of(f"{path} == {expressions.text(value)}" for value in values)
        case "EXCLUSIVE":
            return negated(any_of(f"{path} == {expressions.text(value)}" for value in values))
        case "CONTAINS":
            found = any_of(f"contains({path}, {expressions.text(value)})" for value in values)
            return all_of([path, found])
        case _:
            return _date_condition(path, dimension.attribute_type, values)


def _date_condition(path: str, kind: str, values: Sequence[str]) -> str | None:
    instants = [instant for value in values if (instant := instant_of(value)) is not None]
    if len(instants) < len(values) or not instants or (kind == "BETWEEN") != (len(instants) == 2):  # noqa: PLR2004
        return None
    if kind == "ON":
        return all_of([path, any_of(f"starts_with({path}, '{one.date().isoformat()}')" for one in instants)])
    elapsed = [f"days_since('{instant_text(one)}')" for one in instants]
    if kind == "BETWEEN":
        return all_of([f"days_since({path}) < {elapsed[0]}", f"days_since({path}) > {elapsed[1]}"])
    return any_of(f"days_since({path}) {'>' if kind == 'BEFORE' else '<'} {one}" for one in elapsed)
