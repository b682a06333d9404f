"""How much of a customer is stored, so that nothing that a sender sends makes the customer's item too large to write.

An item of DynamoDB has 400 KB at most; how a customer's state is divided among items is the store's affair
(adapters/dynamodb/customer_state). What does not fit is dropped, and the timeline says so; the event is handled.

The bounds of a single attribute depend on nothing else. So in any order of arrival, the same attributes pass them. Only
where a profile is full does the order count: what is there stays, and what is new is dropped.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from cairn.domain.consent.changes import ConsentChange
from cairn.domain.event import Event
from cairn.domain.profile.attributes import READ_BY_CAIRN, TAGS
from cairn.domain.profile.profile import MAX_ACTIVITY_TYPES, Profile, flattened
from cairn.domain.shared.text import one_line

MAX_NAME = 128
"""Characters of an attribute's name. HubSpot's have 100 at most (its property API)."""

MAX_VALUE = 4_096
"""Bytes of an attribute's value as JSON: a long address or a list of interests, but no document."""

MAX_DEPTH = 16
"""Lists and objects in one another, of a value or a property."""

MAX_ATTRIBUTES = 500
"""Attributes of a profile, tags and removed ones included."""

MAX_PROFILE = 96 * 1024
"""Bytes of all attributes as JSON: a quarter of an item (DynamoDB: 400 KB)."""

MAX_DATA = 32 * 1024
"""Bytes of the data of an enrollment as JSON, which begins with the properties of an event."""

MAX_PROPERTIES = 350 * 1024
"""Bytes of an event's properties as JSON: its item on the timeline has the rest for names and consent (DynamoDB:
400 KB).
"""

MAX_EARLY_DATA = 4_096
"""Bytes of an event's properties as JSON, stored until a journey starts that they may change."""

MAX_ENROLLMENTS = 400
"""Enrollments of a customer that are stored at once. One more is not begun."""

MAX_STATE = 330 * 1024
"""Bytes of the profile, of the enrollments and of their data, from which on no enrollment that is read with all others
gets more data. A state may have more: enrollments that begin while others are unread are not counted with those, and
what is there stays. No item has all of it."""

PER_ENROLLMENT = 400
"""Bytes that an enrollment takes beside its data: ids, instants and addresses."""

MAX_EVIDENCE = 2_048
"""Bytes of the evidence of one consent change as JSON. A contact has one change for each channel and purpose."""

MAX_REPORTED = 20
"""Dropped fields that the timeline names one by one, of one event."""

PER_ATTRIBUTE = 48
"""Bytes that an attribute takes beside its name and value: its instant, brackets and quotes."""

NAME_TOO_LONG = "name_too_long"
NAME_UNREADABLE = "name_unreadable"
VALUE_TOO_LARGE = "value_too_large"
VALUE_TOO_DEEP = "value_too_deep"
TOO_MANY_ATTRIBUTES = "too_many_attributes"
PROFILE_FULL = "profile_full"
DATA_TOO_LARGE = "data_too_large"
EVIDENCE_TOO_LARGE = "evidence_too_large"

Dropped = dict[str, str]
"""Reasons by field."""


def within_bounds(event: Event, profile: Profile) -> Event:
    """The event with as much as the profile and the contact have room for; it names what was dropped.

    Its properties have an item of their own on the timeline, and nearly all of it.
    """
    attributes, dropped = fitting(profile, event.attributes)
    consent = tuple(_with_short_evidence(change, dropped) for change in event.consent)
    unfit = _unfit_data(event.properties, MAX_PROPERTIES)
    dropped |= {f"properties.{_shown(name)}": reason for name, reason in unfit.items()}
    if not dropped:
        return event
    properties = {name: value for name, value in event.properties.items() if name not in unfit}
    changed = replace(event, properties=properties, attributes=attributes, consent=consent)
    return changed.without(_reported(dropped))


def fitting(profile: Profile, attributes: Mapping[str, Any]) -> tuple[Mapping[str, Any], Dropped]:
    """The attributes that a profile has room for, and why the others are dropped.

    Those that Cairn itself reads always have room: no other attribute crowds out a customer's time zone or address.
    """
    changes, dropped = flattened(attributes), dict[str, str]()
    count, size = len(profile.attributes), _size_where_it_counts(profile, changes)
    stored: dict[str, Any] = {}
    for name, value in changes.items():
        before = profile.attributes.get(name)
        more = _size(name, value) - (_size(name, before.value) if before else 0)
        reason = _unfit(name, value)
        if not reason and name not in READ_BY_CAIRN:
            reason = _no_room(is_new=before is None, count=count, size=size + more, grows=more > 0)
        if reason:
            dropped[f"attributes.{_shown(name)}"] = reason
            continue
        stored[name] = value
        count, size = count + (before is None), size + more
    return (_nested(stored), dropped) if dropped else (attributes, dropped)


def merged(own: Profile, both: Profile) -> tuple[Profile, Dropped]:
    """The merge of a profile with others, within the bounds: the surviving profile's own attributes come first."""
    few = len(both.attributes) <= MAX_ATTRIBUTES and len(both.activity) <= MAX_ACTIVITY_TYPES
    if few and any(
        sum(size(name, one.value) for name, one in both.attributes.items()) <= MAX_PROFILE for size in (_at_most, _size)
    ):
        return both, {}
    stored, dropped = dict[str, Any](), dict[str, str]()
    size = 0
    for name in sorted(both.attributes, key=lambda name: (name not in READ_BY_CAIRN, name not in own.attributes, name)):
        more = _size(name, both.attributes[name].value)
        reason = _no_room(is_new=True, count=len(stored), size=size + more, grows=True)
        if reason and name not in own.attributes and name not in READ_BY_CAIRN:
            dropped[f"attributes.{_shown(name)}"] = reason
            continue
        stored[name], size = both.attributes[name], size + more
    types = sorted(both.activity, key=lambda name: (name not in own.activity, name))[:MAX_ACTIVITY_TYPES]
    activity = {name: both.activity[name] for name in types}
    return replace(both, attributes=stored, activity=activity), _reported(dropped)


def trimmed(data: Mapping[str, Any], most: int = MAX_DATA) -> tuple[Mapping[str, Any], Dropped]:
    """The data of an enrollment within the bounds: the largest fields are dropped first, and any that nest too deep.

    `most`: the bytes that there is room for.
    """
    dropped = _unfit_data(data, min(most, MAX_DATA))
    if not dropped:
        return data, {}
    stored = {name: value for name, value in data.items() if name not in dropped}
    return stored, _reported({f"data.{_shown(name)}": reason for name, reason in dropped.items()})


def _unfit_data(data: Mapping[str, Any], most: int) -> Dropped:
    """By name, what nests too deep, and the largest of what has more than this many bytes in all."""
    dropped = {name: VALUE_TOO_DEEP for name, value in data.items() if _is_deep(value)}
    if sum(_at_most(name, value) for name, value in data.items()) <= most:
        return dropped
    sizes = {name: _size(name, value) for name, value in data.items() if name not in dropped}
    size = sum(sizes.values())
    if size <= most:
        return dropped
    for name in sorted(sizes, key=lambda name: (-sizes[name], name)):
        if size <= most:
            break
        dropped[name], size = DATA_TOO_LARGE, size - sizes[name]
    return dropped


def refreshed(
    before: Mapping[str, Any], after: Mapping[str, Any], most: int = MAX_DATA
) -> tuple[Mapping[str, Any], Dropped]:
    """The data of an enrollment after a refresh. Where there is no room for it, fields stay as they were before.

    Those first that grow the most.
    """
    size = size_of_data(after)
    grows = {
        name: _size(name, value) - (_size(name, before[name]) if name in before else 0) for name, value in after.items()
    }
    data, dropped = dict(after), dict[str, str]()
    for name in sorted(grows, key=lambda name: (-grows[name], name)):
        if size <= most or grows[name] <= 0:
            break
        size -= grows[name]
        dropped[name] = DATA_TOO_LARGE
        if name in before:
            data[name] = before[name]
        else:
            del data[name]
    if not dropped:
        return after, {}
    return data, _reported({f"data.{_shown(name)}": reason for name, reason in dropped.items()})


def size_of_data(data: Mapping[str, Any]) -> int:
    """The bytes of an enrollment's data, as its bounds count them."""
    return sum(_size(name, value) for name, value in data.items())


def room_for_data(profile: Profile, others: Collection[Mapping[str, Any]]) -> int:
    """The bytes that a state has left for the data of one more enrollment, beside the data of the others."""
    if len(others) * MAX_DATA <= MAX_STATE - MAX_PROFILE - 2 * MAX_DATA:
        return MAX_DATA  # there is room for the largest
    return max(0, MAX_STATE - PER_ENROLLMENT - _size_of_state(profile, others))


def have_room(profile: Profile, data: Collection[Mapping[str, Any]]) -> bool:
    """Whether a state has room for these enrollments, by their data."""
    return len(data) <= MAX_ENROLLMENTS and _size_of_state(profile, data) <= MAX_STATE


def _size_of_state(profile: Profile, data: Collection[Mapping[str, Any]]) -> int:
    attributes = sum(_at_most(name, one.value) for name, one in profile.attributes.items())
    return min(attributes, MAX_PROFILE) + sum(PER_ENROLLMENT + _bytes(one) for one in data)


def _unfit(name: str, value: Any) -> str:
    """Why an attribute fits into no profile; empty if it may fit."""
    if len(name) > MAX_NAME:
        return NAME_TOO_LONG
    if not name or one_line(name) != name:
        return NAME_UNREADABLE
    if _is_deep(value):
        return VALUE_TOO_DEEP
    return VALUE_TOO_LARGE if _at_most("", value) > MAX_VALUE < _bytes(value) else ""


def _no_room(*, is_new: bool, count: int, size: int, grows: bool) -> str:
    if is_new and count >= MAX_ATTRIBUTES:
        return TOO_MANY_ATTRIBUTES
    return PROFILE_FULL if grows and size > MAX_PROFILE else ""


def _size_where_it_counts(profile: Profile, changes: Mapping[str, Any]) -> int:
    """The size of a profile's attributes; 0 where an estimate shows that there is room for the changes.

    So an event costs what it changes, and not what the customer has.
    """
    if not changes:
        return 0
    estimate = sum(_at_most(name, one.value) for name, one in profile.attributes.items())
    if estimate + sum(_at_most(name, value) for name, value in changes.items()) <= MAX_PROFILE:
        return 0
    return sum(_size(name, one.value) for name, one in profile.attributes.items())


def _at_most(name: str, value: Any) -> int:
    """No less than the size, and cheap for a text: an escaped character takes 6 bytes in JSON."""
    if isinstance(value, str):
        return 4 * len(name) + 6 * len(value) + PER_ATTRIBUTE + 2
    return _size(name, value)


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as an event has them: tags in one."""
    tag = f"{TAGS}."
    tags = {name.removeprefix(tag): value for name, value in flat.items() if name.startswith(tag)}
    others = {name: value for name, value in flat.items() if not name.startswith(tag)}
    return others | ({TAGS: tags} if tags else {})


def _with_short_evidence(change: ConsentChange, dropped: Dropped) -> ConsentChange:
    if _bytes(change.evidence) <= MAX_EVIDENCE:
        return change
    stored: dict[str, Any] = {}
    for name, value in sorted(change.evidence.items(), key=lambda item: (_size(*item), item[0])):
        if _bytes({**stored, name: value}) <= MAX_EVIDENCE:
            stored[name] = value
        else:
            dropped[f"consent.{_shown(name)}"] = EVIDENCE_TOO_LARGE
    return replace(change, evidence=stored)


def _reported(dropped: Dropped) -> Dropped:
    """The first fields by name; the others are counted in one line for each reason."""
    fields = sorted(dropped)
    named = {field: dropped[field] for field in fields[:MAX_REPORTED]}
    others: dict[str, int] = {}
    for field in fields[MAX_REPORTED:]:
        others[dropped[field]] = others.get(dropped[field], 0) + 1
    return named | {f"{count} more fields ({reason})": reason for reason, count in others.items()}


def _shown(name: str) -> str:
    return one_line(name)[:MAX_NAME]


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode
"""`json.dumps` makes an encoder for each call."""


def _size(name: str, value: Any) -> int:
    return len(name.encode(errors="replace")) + _bytes(value) + PER_ATTRIBUTE


def _bytes(value: Any) -> int:
    """The size as JSON, where half a pair of surrogates is escaped. What nests too deep is dropped for its depth."""
    if _is_deep(value):
        return 0
    return len(_encode(value).encode(errors="backslashreplace"))


def _is_deep(value: Any) -> bool:
    """Whether lists and objects nest too deep. No recursion: that has a limit of its own."""
    if isinstance(value, str | int | float | None):
        return False
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [inner for one in level for inner in _inner(one)]
        if not level:
            return False
    return True


def _inner(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, list | tuple):
        yield from value
