"""Branches of a story: each is a process of its own, so that what comes before them is lived through once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from traceback import format_exc
from typing import Any

from prove.fork import Branch, fork


class Crash(BaseException):
    """The process of a function dies: no `except Exception` catches this."""


@dataclass(slots=True)
class Forks:
    results: list[tuple[Any, Any]] = field(default_factory=list)
    """Where each branch began, and what it came to."""
    point: Any = None
    """In a branch: where it began."""
    _branch: Branch | None = None

    def branch(self, point: Any) -> bool:
        """Begin a branch here, and wait for its end: True within the branch. A branch has no branches.

        Raises AssertionError where the branch raises an error.
        """
        if self.point is not None:
            return False
        forked = fork()
        if isinstance(forked, Branch):
            self.point, self._branch = point, forked
            return True
        result, error = forked.result or (None, "its process ended")
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
            if self._branch is None:
                raise
            self._branch.end((None, format_exc()))
        if self._branch is not None:
            (found,) = result
            self._branch.end((found, ""))
