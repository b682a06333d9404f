"""An appointment keeps its first id, though some calendars give it another one whenever it is moved."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from cairn.domain.event import Event
from cairn.domain.profile.attributes import MOVED_APPOINTMENTS
from cairn.domain.profile.profile import Profile
from cairn.domain.shared.hashing import short_hash

ID, PREVIOUS, FIRST = "appointment_id", "previous_appointment_id", "first_appointment_id"
"""The properties of events. Sources send the first two, and Cairn adds the last one."""

MOST_MOVES = 10
"""The latest moves are remembered: some hundred bytes each, in the item of the profile."""

MOST_CHARACTERS = 256
"""Of an id. Calendly's, a URI, has 110."""


def with_first_id(profile: Profile, event: Event, now: datetime) -> tuple[Profile, Event]:
    """The event with `first_appointment_id`, where its appointment had another id before; and the profile that knows.

    In whatever order moves arrive, the appointment has its first id from the last of them on.
    """
    id_, previous = event.properties.get(ID), event.properties.get(PREVIOUS)
    if not isinstance(id_, str) or len(id_) > MOST_CHARACTERS:
        return profile, event
    known = profile.get(MOVED_APPOINTMENTS)
    moves: dict[str, Any] = dict(known) if isinstance(known, Mapping) else {}
    if isinstance(previous, str) and len(previous) <= MOST_CHARACTERS and previous != id_ and _name(id_) not in moves:
        moves = dict([*moves.items(), (_name(id_), previous)][-MOST_MOVES:])
        profile = profile.updated({MOVED_APPOINTMENTS: moves}, now)
    first = _first(moves, id_)
    return profile, event if first == id_ else replace(event, properties={**event.properties, FIRST: first})


def _first(moves: Mapping[str, Any], id_: str) -> str:
    """As far back as the moves lead, and no further than there are moves: a circle has an end, too."""
    for _ in moves:
        before = moves.get(_name(id_))
        if not isinstance(before, str):
            return id_
        id_ = before
    return id_


def _name(id_: str) -> str:
    return short_hash("appointment", id_)
