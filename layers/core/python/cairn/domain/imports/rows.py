"""The rows of an import: what each may be about, why one is refused, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from cairn.domain.shared.errors import CairnError


class Kind(StrEnum):
    """What the rows of one import are about."""

    CUSTOMERS = "customers"
    CONSENTS = "consents"
    EVENTS = "events"
    SUPPRESSIONS = "suppressions"


class Duplicates(StrEnum):
    """The policy for two rows about one customer in one import of customers."""

    REFUSE = "refuse"
    FIRST = "first"
    LAST = "last"


class Outcome(StrEnum):
    """What became of a row that was not refused; of a dry run, what would."""

    CREATED = "created"
    UPDATED = "updated"
    MERGED = "merged"
    REPEATED = "repeated"
    """The import had written the row before."""
    SUPPRESSED = "suppressed"
    """The address is suppressed, and no customer has it."""


class Reason(StrEnum):
    """Why a row is refused. The list is closed: WAYS_ON says of each what to do."""

    # the file
    ENCODING = "encoding"
    NUL = "nul"
    QUOTES = "quotes"
    COLUMNS = "columns"
    TOO_LONG = "too_long"
    NOT_JSON = "not_json"
    # the row
    NO_NAME = "no_name"
    PLACEHOLDER = "placeholder"
    EMAIL = "email"
    PHONE = "phone"
    NAME = "name"
    DATE = "date"
    AMBIGUOUS_DATE = "ambiguous_date"
    NUMBER = "number"
    BOOLEAN = "boolean"
    JSON = "json"
    COUNTRY = "country"
    TIME_ZONE = "time_zone"
    CHANNEL = "channel"
    PURPOSE = "purpose"
    STATUS = "status"
    METHOD = "method"
    PROOF = "proof"
    EVENT_TYPE = "event_type"
    CAUSE = "cause"
    ADDRESS = "address"
    # the import
    DUPLICATE = "duplicate"
    # the customer
    ERASED = "erased"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    FAILED = "failed"


WAYS_ON: Mapping[Reason, str] = {
    Reason.ENCODING: "save the file as UTF-8, or name its encoding: --encoding latin-1",
    Reason.NUL: "remove the NUL characters from the row",
    Reason.QUOTES: 'write a quote within quotes twice ("") and close every quote',
    Reason.COLUMNS: "write as many fields as the header has; quote a field that has the delimiter in it",
    Reason.TOO_LONG: "shorten the row; one row takes 256 KB at most",
    Reason.NOT_JSON: "write one JSON object a line",
    Reason.NO_NAME: "give the customer's e-mail address, phone number, user id or external id",
    Reason.PLACEHOLDER: "give the customer's own value, or leave the field empty",
    Reason.EMAIL: "write it as ada@example.com, or leave the field empty",
    Reason.PHONE: "write it with + and the country's code, or add --phone-region US",
    Reason.NAME: "an id has 256 characters at most, and the name of its system has no colon",
    Reason.DATE: "write it as 2026-03-02 or 2026-03-02T09:30:00Z",
    Reason.AMBIGUOUS_DATE: "say which comes first: --dates day-first or --dates month-first",
    Reason.NUMBER: "write digits, with a point before decimals",
    Reason.BOOLEAN: "write true or false",
    Reason.JSON: "write JSON, or take the column's type away from the mapping",
    Reason.COUNTRY: "write the code of ISO 3166-1, such as US",
    Reason.TIME_ZONE: "write the IANA name, such as America/New_York",
    Reason.CHANNEL: "one of sms, email, whatsapp, push, in_app",
    Reason.PURPOSE: "one of transactional, marketing",
    Reason.STATUS: "one of granted, denied, pending",
    Reason.METHOD: "one of the methods in docs/importing.md; leave it empty for import",
    Reason.PROOF: "a granted consent needs its source, its instant, and the wording or other evidence",
    Reason.EVENT_TYPE: "use object.action in lower case, such as order.created; orders to erase are not imported",
    Reason.CAUSE: "one of hard_bounce, complaint, stop, unsubscribe, invalid_number, operator, erasure",
    Reason.ADDRESS: "give an address that its channel reaches, or the key of an export",
    Reason.DUPLICATE: "leave one row for each customer, or add --on-duplicate first or last",
    Reason.ERASED: "nothing: the customer was erased after the instant of this row",
    Reason.CONFLICT: "import the row again: others kept changing the customer",
    Reason.TOO_LARGE: "shorten the attributes: an item of the table takes 400 KB",
    Reason.FAILED: "report it with the line of the log; import the row again once it is mended",
}


class RowRefusedError(CairnError):
    """A row cannot be imported: its reason, the field, and what is wrong without the value itself."""

    def __init__(self, reason: Reason, field: str = "", detail: str = "") -> None:
        self.reason, self.field, self.detail = reason, field, detail
        super().__init__(": ".join(part for part in (field, detail or reason.value) if part))


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused row. It names the field and never its value, since reports are logged and passed on."""

    line: int
    reason: Reason
    field: str = ""
    detail: str = ""

    @classmethod
    def of(cls, line: int, error: RowRefusedError) -> Self:
        return cls(line, error.reason, error.field, error.detail)

    def to_wire(self) -> dict[str, Any]:
        return {"line": self.line, "reason": self.reason.value, "field": self.field, "detail": self.detail}


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import. Its name makes the ids of its events, so a second run of the same import changes nothing."""

    name: str
    kind: Kind
    as_of: datetime
    """The instant of a row that names none: when the file was made. Newer values of a customer stay."""
    phone_region: str = ""
    """The country of phone numbers without a code; empty: the deployment's."""
    day_first: bool | None = None
    """Of dates such as 03/04/2026; None: such a date is refused."""
    dry_run: bool = False
    finds_duplicates: bool = False
    """Whether nobody has looked for two rows about one customer before: the second one that comes is refused."""


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    fields: Mapping[str, Any]
