"""What is wrong with a policy, said so that it can be mended."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cairn.domain.shared.errors import CairnError


@dataclass(frozen=True, order=True, slots=True)
class Problem:
    """Sorts by place. `field` is empty where the problem is about the whole file; `fix` is a sentence."""

    file: Path
    line: int
    field: str
    message: str
    fix: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {f'{self.field}: ' if self.field else ''}{self.message}. {self.fix}"


class InvalidPolicyError(CairnError):
    """A policy cannot be compiled; `problems` holds everything that is wrong with it and with the tables of law."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(str(problem) for problem in self.problems))
