"""Which secrets are secrets: long enough, and not blank."""

import base64
import binascii
from collections.abc import Iterable

MIN_SECRET_BYTES = 16
"""Bytes of a secret that signs: 128 bits. NIST SP 800-131A Rev. 2, section 10, allows no HMAC key under 112."""

STANDARD_WEBHOOKS = "whsec_"
"""Standard Webhooks and Stripe begin a secret with it; the key is what follows."""

BLANKS = frozenset(" \u115f\u1160\u2800\u3164\uffa0")
"""The printable characters that show nothing: the space, fillers of Hangul, and the empty pattern of Braille
(Unicode 16, chapters 18 and 21). `str.isprintable` finds all other spaces, controls and format characters.
"""


def problem_of_secret(secret: object, least: int = MIN_SECRET_BYTES) -> str:
    """Why this is no secret, as the end of a sentence that does not quote it; empty where it is one."""
    if not isinstance(secret, str):
        return f"is no text, but {_name_of(secret)}"
    if not secret:
        return "is empty"
    visible = "".join(character for character in secret if character.isprintable() and character not in BLANKS)
    if not visible:
        return "is blank"
    size = key_size(visible)
    if size < least:
        return f"has {size} bytes; it needs {least} or more"
    return ""


def usable(secrets: Iterable[str]) -> tuple[str, ...]:
    """Those of these that are secrets, in their order."""
    return tuple(one for one in secrets if not problem_of_secret(one))


def key_size(secret: str) -> int:
    """The bytes of the key in a secret: of what follows `whsec_`, where that is base64 the bytes that it encodes."""
    if not secret.startswith(STANDARD_WEBHOOKS):
        return len(secret.encode(errors="surrogatepass"))
    text = secret.removeprefix(STANDARD_WEBHOOKS)
    try:
        return len(base64.b64decode(text + "=" * (-len(text) % 4), validate=True))
    except (binascii.Error, ValueError):
        return len(text.encode(errors="surrogatepass"))


def _name_of(value: object) -> str:
    """The kind of a JSON value."""
    names = {bool: "true or false", dict: "an object", list: "a list", type(None): "null"}
    return names.get(type(value), "a number")
