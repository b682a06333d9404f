"""A branch: a process that goes on from here on its own, while the one it comes from waits for its result."""

import os
import pickle
import warnings
from dataclasses import dataclass
from typing import Any, NoReturn


@dataclass(frozen=True, slots=True)
class Branch:
    """What the process of a branch ends with."""

    writing: int

    def end(self, result: Any) -> NoReturn:
        """Report the result, which is not None, and end the process without all that else runs at its end."""
        with os.fdopen(self.writing, "wb") as pipe:
            pickle.dump(result, pipe)
        os._exit(0)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a branch ended."""

    result: Any
    """None where its process ended before it reported one."""
    status: int
    """As os.waitpid gives it."""


def fork() -> Branch | Ended:
    """Begin a branch here: its process gets the Branch. The other one goes on once that has ended, with its end."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():  # of threads, from Python 3.12 on: a test's own do nothing but wait
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os.close(reading)
        return Branch(writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        found = pipe.read()
    _, status = os.waitpid(child, 0)
    return Ended(pickle.loads(found) if found else None, status)  # noqa: S301  our own child's
