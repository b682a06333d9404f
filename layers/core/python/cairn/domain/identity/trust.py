"""What a source vouches for, and what a visitor merely typed. docs/trust.md has the table of all sources.

A source vouches for what it knows itself: its own account ids, an address that it has verified. A visitor typed all
else, and may have typed another person's address. An event carries what its source vouches for, as names
of its own fields: `user_id`, `email`, `phone`, `external_ids.<system>`, `attributes.<name>`, `consent`, `privacy`. A
name stands for all that is below it, and ALL_FIELDS for all of them.
"""

from collections.abc import Collection

from cairn.domain.identity.identifiers import EXTERNAL, Identifier

FEEDBACK_SOURCE = "feedback"
"""The source of the events that record_feedback creates."""

PROVIDERS = (FEEDBACK_SOURCE, "twilio", "whatsapp")
"""Only these sources can report a message's status or a customer's reply."""

_OF_THE_SAME_VENDORS = tuple(f"{provider}-" for provider in PROVIDERS)

PREFERENCES_SOURCE = "preferences"
"""The source of the choices that customers make in the preference centre."""

OPERATORS_SOURCE = "operators"
"""The source of operators' commands."""

TRACK_SOURCE = "track"
"""Our own API: its secret is given to systems of this deployment only."""

JOURNEYS_SOURCE = "journeys"
"""The source of events that journeys emit."""

PEOPLE_SOURCE = "people"
"""The source of events about what people do with their tasks."""

LEADS_SOURCE = "leads"
"""The source of events about a customer's score."""

AUDIENCES_SOURCE = "audiences"
"""The source of events about who joins or leaves an audience."""

IMPORTS_SOURCE = "imports"
"""The source of what operators import from files. No webhook source may have this name."""

OWN_SOURCES = frozenset({JOURNEYS_SOURCE, PEOPLE_SOURCE, LEADS_SOURCE, AUDIENCES_SOURCE})
"""Their events say what Cairn or a colleague has done, and are no sign of life of the customer."""

RESERVED_SOURCES = frozenset({FEEDBACK_SOURCE, PREFERENCES_SOURCE, OPERATORS_SOURCE, *OWN_SOURCES})
"""Names that no webhook source may have, because their events are trusted."""

ALL_FIELDS = frozenset({"*"})
NO_FIELDS: frozenset[str] = frozenset()

ATTRIBUTES = "attributes"
CONSENT = "consent"
PRIVACY = "privacy"
"""A vouched order to erase, or to hand out, the data of the record that an event names."""

FIELDS = frozenset({"user_id", "email", "phone", "external_ids", ATTRIBUTES, CONSENT, PRIVACY})
"""What a source can vouch for. `external_ids` and `attributes` have parts: `external_ids.stripe`."""

TYPED = "typed"
"""The reason why something was dropped: nobody vouches for it."""


def is_provider(source: str) -> bool:
    """Whether a source is one of PROVIDERS, or another one of the same vendor (`twilio-eu`)."""
    return source in PROVIDERS or source.startswith(_OF_THE_SAME_VENDORS)


def vouched_by_default(source: str) -> frozenset[str]:
    """What an event of a source vouches for if it does not say: our own sources for everything, others for nothing."""
    ours = source in {TRACK_SOURCE, IMPORTS_SOURCE, *RESERVED_SOURCES} or is_provider(source)
    return ALL_FIELDS if ours else NO_FIELDS


def is_vouched(field: str, vouched: Collection[str]) -> bool:
    """Whether a source that vouches for these fields vouches for this one."""
    return "*" in vouched or field in vouched or field.partition(".")[0] in vouched


def field_of(name: Identifier) -> str:
    """The field of an event in which an identifier stands: `external_ids.stripe` for `external:stripe`."""
    if name.kind.startswith(EXTERNAL):
        return f"external_ids.{name.kind.removeprefix(EXTERNAL)}"
    return name.kind
