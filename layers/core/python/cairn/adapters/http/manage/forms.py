"""Reads an operator's request: every problem at once, each with its field."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, timedelta
from enum import Enum
from typing import Any, TypeVar

from cairn.domain.event import LONE_SURROGATE, MAX_ID_LENGTH
from cairn.domain.identity.addresses import ReadPhone, canonical_address
from cairn.domain.operations.switches import MAX_REASON_LENGTH, window_of
from cairn.domain.operations.targets import check_target
from cairn.domain.privacy.reasons import names
from cairn.domain.shared.channels import CHANNELS, AddressKind, Channel
from cairn.domain.shared.errors import BodyTooLargeError, CairnError, InvalidRequestError, InvalidSwitchError
from cairn.domain.shared.instants import duration, to_instant

MAX_BODY_BYTES = 64 * 1024
MAX_WORDING = 10_000
"""Characters of the text that the customer consented to."""

NAMES = ("customer", "other", "identifier", "address")
"""The fields that name a customer, or a person's address."""

Choice = TypeVar("Choice", bound=Enum)

MOST_PARTS, MOST_ENTRIES = 3, 200
"""Of an entry of a script's walk: line, answer, concern; and of a walk."""


class Form:
    """A JSON object. Read the fields one by one; `check` then raises InvalidRequestError with all problems."""

    def __init__(self, body: bytes, read_phone: ReadPhone) -> None:
        self._read_phone = read_phone
        self._document = _object_in(body)
        self._known: set[str] = set()
        self._problems: list[str] = []

    def check(self) -> None:
        """Call it after all fields were read, and before anything is done."""
        unknown = sorted(self._document.keys() - self._known)
        known = ", ".join(sorted(self._known))
        self._problems += [f"{name[:MAX_ID_LENGTH]!r}: unknown field; known are {known}" for name in unknown]
        self._problems += self._named_in_the_reason()
        if self._problems:
            raise InvalidRequestError(self._problems)

    def _named_in_the_reason(self) -> list[str]:
        why = self._document.get("why")
        given = [self._document.get(field) for field in NAMES]
        if not isinstance(why, str) or not any(
            isinstance(name, str) and names(why, name, self._read_phone) for name in given
        ):
            return []
        return ["why: it names the customer, and the audit is never deleted; give the number of a ticket instead"]

    def has(self, name: str) -> bool:
        self._known.add(name)
        return self._document.get(name) is not None

    def text(self, name: str, *, required: bool = True, most: int = MAX_ID_LENGTH) -> str:
        if not self.has(name) and not required:
            return ""
        value = self._document.get(name)
        if not isinstance(value, str) or not value.strip():
            return self._wrong(name, "a text that is not empty")
        if len(value) > most or LONE_SURROGATE.search(value):
            return self._wrong(name, f"at most {most} characters, all of them whole")
        return value.strip()

    def why(self) -> str:
        return self.text("why", most=MAX_REASON_LENGTH)

    def choice(self, name: str, among: type[Choice]) -> Choice:
        """Any choice where it is missing or wrong: `check` reports that before the form is used."""
        return self._among(name, self.text(name), among) or next(iter(among))

    def choice_if_any(self, name: str, among: type[Choice]) -> Choice | None:
        return self._among(name, self.text(name, required=False), among)

    def one_of(self, name: str, *among: str) -> str:
        value = self.text(name)
        return self._wrong(name, f"one of {', '.join(among)}") if value and value not in among else value

    def number(self, name: str, most: int) -> int:
        value = self._document.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not self.has(name) or isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
            self._wrong(name, f"a whole number from 1 to {most}")
            return 1
        return value

    def scalar(self, name: str) -> str | int | float | None:
        """A text or a number; None where the field is missing."""
        value = self._document[name] if self.has(name) else None
        if value is None or (
            isinstance(value, str) and len(value) <= MAX_ID_LENGTH and not LONE_SURROGATE.search(value)
        ):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        self._wrong(name, "a text or a number")
        return None

    def flag(self, name: str) -> bool:
        """True or false; false where the field is missing."""
        value = self._document[name] if self.has(name) else False
        if not isinstance(value, bool):
            self._wrong(name, "true or false")
        return value is True

    def when(self, name: str, *, required: bool = True) -> str:
        """A date or an instant in ISO 8601, whose zone may be left to be said."""
        text = self.text(name, required=required)
        if text and to_instant(text, UTC) is None:
            return self._wrong(name, "a date or an instant, such as 2026-08-01 or 2026-08-01T12:00:00Z")
        return text

    def target(self) -> str:
        """A target of a stop or a pause."""
        value = self.text("target")
        try:
            return check_target(value) if value else ""
        except InvalidSwitchError as error:
            return self._wrong("target", str(error))

    def window(self) -> timedelta | None:
        value = self.text("window", required=False)
        try:
            return window_of(duration(value)) if value else None
        except (ValueError, InvalidSwitchError) as error:
            self._wrong("window", str(error))
            return None

    def address(self, channel: Channel, read_phone: ReadPhone) -> str:
        """In the canonical form that the whole system uses."""
        value = self.text("address", most=2 * MAX_ID_LENGTH)
        wrong = {
            AddressKind.EMAIL: "not an e-mail address",
            AddressKind.PHONE: "not a phone number; begin with + and the country's code",
            AddressKind.PUSH_ENDPOINT: "empty",
            AddressKind.USER_ID: "empty",
        }
        # A number that is not known to be in use may be suppressed all the same.
        known = (canonical_address(channel, value, read_phone) or canonical_address(channel, value)) if value else ""
        return known if known is not None else self._wrong("address", wrong[CHANNELS[channel].address])

    def object(self, name: str) -> Mapping[str, Any]:
        """A JSON object; an empty one where the field is missing."""
        value = self._document[name] if self.has(name) else {}
        if isinstance(value, dict):
            return value
        self._wrong(name, "a JSON object")
        return {}

    def list(self, name: str) -> Sequence[Any]:
        value = self._document[name] if self.has(name) else None
        if isinstance(value, list):
            return value
        self._wrong(name, "a list")
        return []

    def entries(self, name: str) -> Sequence[Sequence[str]]:
        """A list of lists of one to three texts; none where the field is missing."""
        value = self._document[name] if self.has(name) else []
        right = isinstance(value, list) and all(
            isinstance(one, list) and 0 < len(one) <= MOST_PARTS and all(isinstance(part, str) for part in one)
            for one in value
        )
        if right and len(value) <= MOST_ENTRIES:
            return list(value)
        self._wrong(name, 'a list such as [["greeting"], ["plan", "small"]]: line, answer, concern')
        return []

    def wrong(self, problem: str) -> None:
        """A problem of several fields together."""
        self._problems.append(problem)

    def _among(self, name: str, value: str, among: type[Choice]) -> Choice | None:
        try:
            return among(value) if value else None
        except ValueError:
            self._wrong(name, f"one of {', '.join(str(one.value) for one in among)}")
            return None

    def _wrong(self, name: str, problem: str) -> str:
        self._problems.append(f"{name}: {problem}")
        return ""


def count_in(query: Mapping[str, str], name: str, *, default: int, most: int) -> int:
    """A number of the query string. Raises InvalidRequestError."""
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:9]) <= most):
        raise InvalidRequestError([f"{name}: a whole number from 1 to {most}"])
    return int(text)


def names_in(body: bytes) -> Mapping[str, str]:
    """The texts of a body, by field, for a look at it before its form is read; none of a body that a form refuses."""
    try:
        document = _object_in(body)
    except CairnError:
        return {}
    return {name: value.strip() for name, value in document.items() if isinstance(value, str)}


def _object_in(body: bytes) -> Mapping[str, Any]:
    if len(body) > MAX_BODY_BYTES:
        raise BodyTooLargeError(f"a request has at most {MAX_BODY_BYTES} bytes")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidRequestError(["the body is no JSON"]) from None
    if not isinstance(document, dict):
        raise InvalidRequestError(["the body is a JSON object"])
    return document
