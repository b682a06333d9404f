"""The attributes and the consent of an event that are taken over, because its source may report them."""

from dataclasses import replace
from typing import Any

from cairn.domain.consent.changes import ConsentChange, ConsentStatus
from cairn.domain.consent.contact import Contact
from cairn.domain.event import Event
from cairn.domain.identity.trust import ATTRIBUTES, CONSENT, TYPED
from cairn.domain.profile.attributes import GUARDED, NEVER_TYPED
from cairn.domain.profile.profile import ADDRESS_KINDS, Profile

UNLISTED = "unlisted"
"""The reason for an attribute that the mapping does not list."""


def believed(  # noqa: PLR0913  what is known of the customer, and how the customer was found
    event: Event, profile: Profile, contact: Contact, *, known: bool, by_vouched: bool, guarded: frozenset[str]
) -> Event:
    """The event with what may be taken over; the rest is named in its `dropped`.

    `known` says whether the customer was known before the event. What a source vouches for counts if it also vouches
    for the name by which the customer was found; an attribute that it vouches for by name (`attributes.plan`) always
    counts. `guarded` are attributes that the policy's rules read. Afterwards, `settable` names the attributes of the
    event that a visitor typed.
    """
    dropped: dict[str, str] = {}
    attributes: dict[str, Any] = {}
    typed = frozenset(name for name in event.attributes if not _is_vouched(name, event, by_vouched=by_vouched))
    # Another visitor may have typed the other names, and a journey may show there what is typed now.
    alone = all(name.key not in profile.typed or name in event.identifiers for name in profile.identifiers)
    for name, value in event.attributes.items():
        reason = _refused(name, event, alone=alone, known=known, guarded=guarded) if name in typed else ""
        if reason:
            dropped[f"{ATTRIBUTES}.{name}"] = reason
        else:
            attributes[name] = value
    consent = event.consent
    if known and not (by_vouched and event.vouches(CONSENT)):
        consent = tuple(change for change in consent if not _widens(change, contact))
        dropped |= {f"{CONSENT}.{one.channel}.{one.purpose}": TYPED for one in event.consent if one not in consent}
    if not dropped and typed == event.settable:
        return event
    return replace(event, attributes=attributes, consent=consent, settable=typed).without(dropped)


def _is_vouched(name: str, event: Event, *, by_vouched: bool) -> bool:
    if f"{ATTRIBUTES}.{name}" in event.vouched:
        return True
    if name in ADDRESS_KINDS and not event.vouches(name):
        return False  # an address is one by whatever field it comes
    return by_vouched and event.vouches(ATTRIBUTES)


def _refused(name: str, event: Event, *, alone: bool, known: bool, guarded: frozenset[str]) -> str:
    """Why a typed attribute is not taken over; empty if it is."""
    if name not in event.settable:
        return UNLISTED
    if name in NEVER_TYPED or not alone or (known and name in GUARDED | guarded):
        return TYPED
    return ""


def _widens(change: ConsentChange, contact: Contact) -> bool:
    """Whether a change may let a message out: a grant, or a question to a customer who has said no."""
    answer = contact.consents.get(f"{change.channel}:{change.purpose}")
    denied = answer is not None and answer.status is ConsentStatus.DENIED
    return change.status is ConsentStatus.GRANTED or (change.status is ConsentStatus.PENDING and denied)
