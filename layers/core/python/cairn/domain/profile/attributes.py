"""The attributes that Cairn itself reads. A profile may have any others, for conditions and templates.

docs/attributes.md is generated from this list: `python -m authoring.attributes`.
"""

from typing import Self

from cairn.domain.shared.channels import AddressKind

CUSTOMER = "an event's `customer`"
ATTRIBUTES = "an event's `attributes`"
UPDATE = "a journey's `update` step"
PROVIDER = "WhatsApp's replies and statuses"
MOVES = "an event's `previous_appointment_id`"
UPDATE_TAGS = "`tags` of a journey's `update` step"


class Attribute(str):
    """An attribute's name, with its row of the page. A plain class, since it is loaded in every cold start."""

    __slots__ = ("form", "meaning", "read_by", "set_by")

    form: str
    meaning: str
    read_by: str
    set_by: tuple[str, ...]

    def __new__(
        cls, name: str, form: str, meaning: str, read_by: str, set_by: tuple[str, ...] = (ATTRIBUTES, UPDATE)
    ) -> Self:
        row = super().__new__(cls, name)
        row.form, row.meaning, row.read_by, row.set_by = form, meaning, read_by, set_by
        return row


EMAIL = Attribute(
    AddressKind.EMAIL,
    "e-mail address",
    "the address for e-mail",
    "messages, suppression, erasure and export; `cairn explain`",
    (CUSTOMER, ATTRIBUTES, UPDATE),
)
PHONE = Attribute(
    AddressKind.PHONE,
    "phone number in E.164",
    "the number for SMS and WhatsApp, used while it is also an identifier of the customer",
    "messages, suppression, erasure and export; its country, for legal hours; `cairn explain`",
    (CUSTOMER, ATTRIBUTES, UPDATE),
)
PUSH_ENDPOINT = Attribute(
    AddressKind.PUSH_ENDPOINT,
    "ARN of an SNS endpoint",
    "the device for push",
    "messages, suppression, erasure and export",
)
WHATSAPP_ID = Attribute(
    "whatsapp_id",
    "digits, such as `5215512345678`",
    "the form of `phone` in which WhatsApp knows the customer; only in countries whose numbers have several forms",
    "WhatsApp messages, while it is a form of `phone`",
    (PROVIDER,),
)
TIME_ZONE = Attribute(
    "time_zone",
    "IANA name, such as `America/New_York`",
    "the customer's clock",
    "waits, legal hours, dates in messages; the journey's zone where it is missing",
)
COUNTRY = Attribute(
    "country",
    "ISO 3166-1 code, such as `US`",
    "the country whose law applies, beside that of the phone number",
    "legal hours; zones where `time_zone` is missing",
)
REGION = Attribute(
    "region",
    "ISO 3166-2 code, with its country or without: `US-NY`, `NY`",
    "the state or region whose law applies",
    "legal hours",
)
PREFERRED_TIME = Attribute(
    "preferred_time",
    'local time, such as `"18:30"`',
    "the time of day that the customer prefers for messages",
    "messages with `hour: preferred`",
)
LOCALE = Attribute(
    "locale",
    "BCP 47 tag, such as `es-MX`",
    "the customer's language",
    "the choice of a template's variant; answers to keywords; the preference centre",
)
FIRST_NAME = Attribute("first_name", "text", "the given name", "`cairn explain`")
LAST_NAME = Attribute("last_name", "text", "the family name", "`cairn explain`")
TAGS = Attribute(
    "tags",
    "list of texts; or `{tag: true}` to add and `{tag: false}` to remove",
    "labels, each merged on its own",
    "`profile.tags` in conditions and templates; `cairn explain`",
    (ATTRIBUTES, UPDATE_TAGS),
)
MOVED_APPOINTMENTS = Attribute(
    "moved_appointments",
    "object of ids, of the latest ten moves",
    "the ids that appointments had before they were moved",
    "`first_appointment_id` of [events](events.md#appointments-that-are-moved)",
    (MOVES,),
)

NEVER_TYPED = frozenset({EMAIL, PHONE, PUSH_ENDPOINT, WHATSAPP_ID, TAGS, MOVED_APPOINTMENTS, "stage", "score", "owner"})
"""Attributes that no visitor sets: addresses are typed as identifiers, and people and branches trust the others."""

GUARDED = frozenset({TIME_ZONE, COUNTRY, REGION, PREFERRED_TIME, LOCALE, *NEVER_TYPED})
"""Attributes of a known customer that no visitor changes: the gate reads them."""

READ_BY_CAIRN = frozenset(
    {
        EMAIL,
        PHONE,
        WHATSAPP_ID,
        PUSH_ENDPOINT,
        TIME_ZONE,
        COUNTRY,
        REGION,
        PREFERRED_TIME,
        LOCALE,
        FIRST_NAME,
        LAST_NAME,
        MOVED_APPOINTMENTS,
    }
)
"""A profile always has room for these. Tags are many, so each counts as any other attribute."""
