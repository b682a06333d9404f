"""E-mail addresses: one canonical form for all spellings, and the form that SES takes.

Only an addr-spec is an address (RFC 5322, section 3.4.1): no display name, comment, `mailto:` or trailing dot. The
canonical form is in lower case and NFC, and an international domain is in Unicode, as people read it. The local part is
in lower case too, although RFC 5321 (2.4) lets a host distinguish cases: no large provider does, and people do not type
the same case twice.
"""

import re
import unicodedata
from functools import lru_cache

from cairn.domain.identity.characters import MAX_LENGTH, is_unseen, trimmed

ATOM = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+")
"""RFC 5322, section 3.2.3, in lower case."""

HOST_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
DOTS = re.compile("[.\u3002\uff0e\uff61]")
"""The dots that UTS 46 takes as one (section 2.3)."""

CHEROKEE = frozenset(map(chr, (*range(0x13A0, 0x13FE), *range(0xAB70, 0xABC0))))
"""Its small letters came later: UTS 46 maps them to the capitals, where in all other scripts it is the other way."""

ACE = "xn--"
MAX_LOCAL = 64
MAX_LABEL = 63
MAX_ADDRESS = 254
"""Octets: RFC 5321 4.5.3.1.1, RFC 1035 2.3.4, and RFC 5321 4.5.3.1.3 without its angle brackets."""

FOLDS = 4
"""Rounds until a text in lower case and NFKC no longer changes; two are enough for all of Unicode 16."""


@lru_cache(maxsize=256)  # an event compares the same few addresses many times
def canonical_email(text: str) -> str | None:
    """`ada@bücher.example` from any spelling of it; None where it is no address."""
    if len(text) > MAX_LENGTH:
        return None
    local, at, domain = unicodedata.normalize("NFC", trimmed(text)).rpartition("@")
    if not at:
        return None
    mailbox, labels = _local(local), [_label(label) for label in DOTS.split(domain)]
    if mailbox is None or len(labels) < 2 or None in labels or str(labels[-1]).isdecimal():  # noqa: PLR2004
        return None
    address = f"{mailbox}@{'.'.join(map(str, labels))}"
    fits = len(mailbox.encode()) <= MAX_LOCAL and len(ascii_email(address).encode()) <= MAX_ADDRESS
    return address if fits else None


def ascii_email(address: str) -> str:
    """A canonical address with its domain in Punycode, the only form of one that SES sends to and reports.

    Amazon SES Developer Guide, "Formatting your email": a domain with other characters than ASCII is in Punycode.
    """
    local, at, domain = address.rpartition("@")
    return local + at + ".".join(label if label.isascii() else _ace(label) for label in domain.split("."))


def _local(text: str) -> str | None:
    """The local part; a quoted one only where the quotes change nothing (RFC 5321 4.1.2)."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    text = unicodedata.normalize("NFC", text.lower())
    return text if all(map(_is_atom, text.split("."))) else None


def _is_atom(text: str) -> bool:
    """RFC 5322, and letters, marks and digits of other scripts (RFC 6531)."""
    return bool(text) and all(ATOM.fullmatch(char) if char.isascii() else _is_word(char) for char in text)


def _label(text: str) -> str | None:
    """One label of a domain: in Unicode where it has only letters, marks and digits, else in ASCII.

    The mapping is UTS 46's without its transition: ß and ss are two domains.
    """
    mapped = text.lower() if text.isascii() else _mapped(text)
    if mapped.isascii():
        valid = HOST_LABEL.fullmatch(mapped) and len(mapped) <= MAX_LABEL
        return _unicode_label(mapped) if valid else None
    if not _is_label(mapped):
        return None
    ace = _ace(mapped)
    if len(ace) > MAX_LABEL:
        return None
    return mapped if _is_written(mapped) else ace


def _unicode_label(ascii_label: str) -> str:
    """The Unicode of a label in Punycode, if it has one that people write."""
    if not ascii_label.startswith(ACE):
        return ascii_label
    try:
        found = ascii_label.removeprefix(ACE).encode().decode("punycode")
    except UnicodeError:
        return ascii_label
    same = not found.isascii() and _mapped(found) == found and _is_label(found) and _is_written(found)
    return found if same and _ace(found) == ascii_label else ascii_label


def _mapped(text: str) -> str:
    for _ in range(FOLDS):
        folded = unicodedata.normalize("NFKC", "".join(map(_folded, unicodedata.normalize("NFKC", text))))
        if folded == text:
            break
        text = folded
    return text


def _folded(char: str) -> str:
    return char.casefold() if char in CHEROKEE else char.lower()


def _ace(label: str) -> str:
    return ACE + label.encode("punycode").decode("ascii")


def _is_label(text: str) -> bool:
    """Letters, marks, digits and symbols; no hyphen at an end, no mark at the beginning (RFC 5891, section 4.2.3)."""
    edges = text[0] != "-" and text[-1] != "-" and unicodedata.category(text[0])[0] != "M"
    return edges and not text.startswith(ACE) and all(map(_is_label_char, text))


def _is_label_char(char: str) -> bool:
    if char.isascii():
        return char == "-" or bool(HOST_LABEL.fullmatch(char))
    return unicodedata.category(char)[0] in "LMNS" and not is_unseen(char)


def _is_written(text: str) -> bool:
    """Whether its Unicode is shown to people. Symbols (an emoji domain) stay in Punycode: many look the same.

    So do Cherokee's capitals, since what we compare is in lower case.
    """
    return text == text.lower() and all(char.isascii() or _is_word(char) for char in text)


def _is_word(char: str) -> bool:
    return unicodedata.category(char)[0] in "LMN" and not is_unseen(char)
