"""Pauses between the attempts of one invocation: exponential, with full jitter.

Without jitter, callers that were refused together come back together and are refused again.
https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
"""

import random
import time
from collections.abc import Iterator

FIRST = 0.05
"""Seconds before the second attempt, at most."""

LONGEST = 1.0
"""Seconds before any attempt, at most."""

ATTEMPTS = 8
"""Attempts in all. Their pauses take 4.15 seconds at most, half of that as a rule: well within the time that a record
is begun with (settings.RECORD_TIME)."""


def attempts(most: int = ATTEMPTS) -> Iterator[int]:
    """The numbers of the attempts, with a pause before each but the first."""
    for number in range(most):
        pause(number)
        yield number


def pause(number: int) -> None:
    """Wait before attempt `number`; the first, number 0, needs no pause."""
    if number > 0:
        time.sleep(random.uniform(0, at_most(number, FIRST, LONGEST)))  # noqa: S311  no secret


def at_most(number: int, first: float, longest: float) -> float:
    """The longest pause before attempt `number`: twice that of the attempt before it."""
    doublings = min(number - 1, 63)  # a power of two that a float still holds
    return float(min(longest, first * 2**doublings))
