"""What is wrong with a file that people write, said so that they can mend it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cairn.domain.shared.errors import CairnError

Loc = tuple[str | int, ...]
"""The path to a value in a document: keys and indexes. Parts that the document lacks (a missing key) are ignored."""


@dataclass(frozen=True, order=True, slots=True)
class Problem:
    """Sorts by place. `step` and `field` are empty where the problem is not about one; `fix` is a sentence."""

    file: Path
    line: int
    step: str
    field: str
    message: str
    fix: str

    def __str__(self) -> str:
        place = ", ".join(part for part in (self.step and f"step {self.step}", self.field) if part)
        return f"{self.file}:{self.line}: {f'{place}: ' if place else ''}{self.message}. {self.fix}"


class InvalidFilesError(CairnError):
    """Files cannot be compiled; `problems` holds everything that is wrong with them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def dotted(loc: Loc) -> str:
    """`branch[0].if`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).removeprefix(".")
