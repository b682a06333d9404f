"""Who is in which arm: a salted hash decides, so that it is sticky, even and needs no memory."""

import hashlib


def share(salt: str, customer: str) -> float:
    """A number in [0, 1), the same for the same customer and salt for ever, and even over customers."""
    digest = hashlib.sha256(f"{salt}\x1f{customer}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def held_out(journey: str, customer: str, fraction: float) -> bool:
    """Whether this customer is in the journey's holdout. Raising the fraction keeps all who were in it."""
    return share(f"holdout/{journey}", customer) < fraction
