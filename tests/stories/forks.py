"""Branches of a story: each is a process of its own, so that what comes before them is lived through once."""

import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from traceback import format_exc
from typing import Any


class Crash(BaseException):
    """The process of a function dies: no `except Exception` catches this."""


@dataclass(slots=True)
class Forks:
    results: list[tuple[Any, Any]] = field(default_factory=list)
    """Where each branch began, and what it came to."""
    point: Any = None
    """In a branch: where it began."""
    _result: int = -1

    def branch(self, point: Any) -> bool:
        """Begin a branch here, and wait for its end: True within the branch. A branch has no branches.

        Raises AssertionError where the branch raises an error.
        """
        if self.point is not None:
            return False
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            self.point, self._result = point, writing
            return True
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            found = pipe.read()
        os.waitpid(child, 0)
        result, error = pickle.loads(found) if found else (None, "its process ended")  # noqa: S301  our own child's
        assert not error, f"the branch at {point}: {error}"
        self.results.append((point, result))
        return False

    @contextmanager
    def branching(self) -> Iterator[list[Any]]:
        """What the block puts into the list is the result of each branch; a branch ends with the block."""
        result: list[Any] = []
        try:
            yield result
        except Exception:
            if self.point is None:
                raise
            self._end(None, format_exc())
        if self.point is not None:
            self._end(*result)

    def _end(self, result: Any, error: str = "") -> None:
        with os.fdopen(self._result, "wb") as pipe:
            pickle.dump((result, error), pipe)
        os._exit(0)
