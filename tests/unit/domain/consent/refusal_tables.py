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
HELD_OUT = FOLDER / "refusals_held_out.toml"

STOP, POSSIBLE, NONE = "stop", "possible", "none"


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


def figures(file: Path) -> str:
    """How many replies are heard as what, with precision and recall of STOP, and of STOP or doubt together."""
    found = Counter((reply.heard_as, heard_as(reply.text, reply.language)) for reply in replies(file))
    lines = [f"{file.name}: {found.total()} replies"]
    for wanted in (STOP, POSSIBLE, NONE):
        heard = ", ".join(f"{found[wanted, got]} {got}" for got in (STOP, POSSIBLE, NONE))
        lines.append(f"  {wanted}: {heard}")
    stops, said = (
        sum(found[STOP, got] for got in (STOP, POSSIBLE, NONE)),
        sum(n for (_, got), n in found.items() if got == STOP),
    )
    lines.append(f"  STOP: precision {found[STOP, STOP] / said:.3f}, recall {found[STOP, STOP] / stops:.3f}")
    lines.append(f"  STOP or asked: recall {1 - found[STOP, NONE] / stops:.3f}")
    return "\n".join(lines)


if __name__ == "__main__":
    for table in (WRITTEN_WITH, HELD_OUT):
        if table.exists():
            sys.stdout.write(figures(table) + "\n")
            for reply in replies(table):
                if (got := heard_as(reply.text, reply.language)) != reply.heard_as:
                    sys.stdout.write(f"    {reply.heard_as} -> {got} [{reply.language}] {reply.text!r}\n")
