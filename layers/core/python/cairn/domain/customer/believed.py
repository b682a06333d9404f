"""The attributes and the consent of an event that are taken over, because its source may report them."""

from dataclasses import replace
from typing import Any

from cairn.domain.consent.changes import ConsentStatus
from cairn.domain.event import Event
from cairn.domain.identity.trust import ATTRIBUTES, CONSENT, TYPED
from cairn.domain.profile.attributes import GUARDED, NEVER_TYPED

UNLISTED = "unlisted"
"""The reason for an attribute that the mapping does not list."""


def believed(event: Event, *, known: bool, by_vouched: bool, guarded: frozenset[str] = frozenset()) -> Event:
    """The event with what may be taken over; the rest is named in its `dropped`.

    `known` says whether the customer was known before the event. What a source vouches for counts if it also vouches
    for the name by which the customer was found; an attribute that it vouches for by name (`attributes.plan`) always
    counts. `guarded` are attributes that the policy's rules read. Afterwards, `settable` names the attributes of the
    event that a visitor typed.
    """
    dropped: dict[str, str] = {}
    attributes: dict[str, Any] = {}
    typed = frozenset(name for name in event.attributes if not _is_vouched(name, event, by_vouched=by_vouched))
    for name, value in event.attributes.items():
        reason = _refused(name, event, known=known, guarded=guarded) if name in typed else ""
        if reason:
            dropped[f"{ATTRIBUTES}.{name}"] = reason
        else:
            attributes[name] = value
    consent = event.consent
    if known and not (by_vouched and event.vouches(CONSENT)):
        consent = tuple(change for change in consent if change.status is not ConsentStatus.GRANTED)
        dropped |= {
            f"{CONSENT}.{change.channel}.{change.purpose}": TYPED
            for change in event.consent
            if change.status is ConsentStatus.GRANTED
        }
    return replace(event, attributes=attributes, consent=consent, settable=typed).without(dropped)


def _is_vouched(name: str, event: Event, *, by_vouched: bool) -> bool:
    return f"{ATTRIBUTES}.{name}" in event.vouched or (by_vouched and event.vouches(ATTRIBUTES))


def _refused(name: str, event: Event, *, known: bool, guarded: frozenset[str]) -> str:
    """Why a typed attribute is not taken over; empty if it is."""
    if name not in event.settable:
        return UNLISTED
    if name in NEVER_TYPED or (known and name in GUARDED | guarded):
        return TYPED
    return ""
