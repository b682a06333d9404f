"""Problems in files that people write, with the fix for each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from cairn.domain.shared.errors import CairnError

Loc = tuple[str | int, ...]
"""The path to a value in a document: keys and indexes. Parts that the document lacks (a missing key) are ignored."""


@dataclass(frozen=True, order=True, slots=True)
class Problem:
    """Sorts by file and line. `step` and `field` are empty if the problem is not about one; `fix` is a sentence."""

    file: Path
    line: int
    step: str
    field: str
    message: str
    fix: str

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.step and f"step {self.step}", self.field) if part)
        return f"{self.file}:{self.line}: {f'{where}: ' if where else ''}{self.message}. {self.fix}"


ProblemOfStep = Callable[[str, str, Loc, str, str], Problem | None]
"""Of a journey and a step, both by name: the problem of a field, with its message and fix, at the line where it is
written. None where the step is not there."""


def no_step(_journey: str, _step: str, _field: Loc, _message: str, _fix: str) -> Problem | None:
    """Where no journeys were read."""
    return None


class InvalidFilesError(CairnError):
    """Files cannot be compiled; `problems` lists all that is wrong with them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """The mend of a name that is not known: the known one that is most like it, else another sentence."""
    close = get_close_matches(name, list(known), n=1)
    return f"Did you mean {close[0]}?" if close else otherwise


def dotted(loc: Loc) -> str:
    """`branch[0].if`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).removeprefix(".")
