"""Deterministic hashes: short names for resources, and even shares of customers."""

import hashlib
from base64 import b32encode


def share(salt: str, customer: str) -> float:
    """A number in [0, 1): always the same for a customer and salt, and evenly distributed over customers."""
    digest = hashlib.sha256(f"{salt}\x1f{customer}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def short_hash(*parts: str, length: int = 16) -> str:
    """A deterministic name made of `[a-z2-7]`, safe in every AWS resource name (16 characters are 80 bits)."""
    return base32(hashlib.sha256(to_bytes("\x1f".join(parts))).digest(), length)


def to_bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")  # JSON may contain half of a surrogate pair; hash it all the same


def base32(digest: bytes, length: int) -> str:
    """So many characters in lower case, five bits each, the last five bits first. The digest must have as many."""
    needed = -(-length // 8) * 5
    whole = bytes(max(0, needed - len(digest))) + digest[-needed:]
    return b32encode(whole).decode().lower()[::-1][:length]
