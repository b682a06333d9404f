"""The tables of replies, and what the rules make of them: `python -m tests.unit.domain.consent.refusal_tables`."""

import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cairn.domain.consent.keywords import Intent, intent_of, may_mean_stop

FOLDER = Path(__file__).parent
WRITTEN_WITH = FOLDER / "refusals.toml"
SECOND = FOLDER / "refusals_second.toml"
THIRD = FOLDER / "refusals_third.toml"

LABELS = STOP, POSSIBLE, NONE = ("stop", "possible", "none")


@dataclass(frozen=True)
class Reply:
    heard_as: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.language}-{self.heard_as}-{self.text[:40]!a}"


def replies(file: Path) -> Iterator[Reply]:
    for heard_as, languages in tomllib.loads(file.read_text(encoding="utf-8")).items():
        for language, texts in languages.items():
            yield from (Reply(heard_as, language, text) for text in texts)


def heard_as(text: str, language: str) -> str:
    """How a deployment that knows the language's keywords hears a text. START and HELP are ordinary replies here."""
    if intent_of(text, (language,)) is Intent.STOP:
        return STOP
    return POSSIBLE if may_mean_stop(text, (language,)) else NONE


@dataclass(frozen=True)
class Figures:
    found: Counter[tuple[str, str]]
    """How many replies there are, by their label and by what they are heard as."""

    @classmethod
    def of(cls, file: Path) -> "Figures":
        return cls(Counter((reply.heard_as, heard_as(reply.text, reply.language)) for reply in replies(file)))

    @property
    def precision(self) -> float:
        """The share of refusals among the replies that are heard as STOP."""
        return self.found[STOP, STOP] / sum(self.found[label, STOP] for label in LABELS)

    @property
    def recall(self) -> float:
        """The share of refusals that are heard as STOP."""
        return self.found[STOP, STOP] / sum(self.found[STOP, heard] for heard in LABELS)

    @property
    def recall_with_doubt(self) -> float:
        """The share of refusals that are heard as STOP, or shown to a person while marketing waits."""
        return 1 - self.found[STOP, NONE] / sum(self.found[STOP, heard] for heard in LABELS)

    def __str__(self) -> str:
        rows = [
            "; ".join(f"{label} heard as {heard}: {self.found[label, heard]}" for heard in LABELS) for label in LABELS
        ]
        shares = f"precision {self.precision:.3f}, recall {self.recall:.3f}, with doubt {self.recall_with_doubt:.3f}"
        return "\n".join(f"  {row}" for row in (*rows, shares))


if __name__ == "__main__":
    for table in (WRITTEN_WITH, SECOND, THIRD):
        sys.stdout.write(f"{table.name}\n{Figures.of(table)}\n")
        for reply in replies(table):
            if (got := heard_as(reply.text, reply.language)) != reply.heard_as:
                sys.stdout.write(f"    {reply.heard_as} -> {got} [{reply.language}] {reply.text!r}\n")
