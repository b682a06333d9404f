"""From a compiled call script (docs/people.md, already checked) to what a member walks through."""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from cairn.domain.people.script import AnswerKind, Concern, Question, Script, ScriptKind, ScriptLine

VARIABLES = ("profile", "context", "member", "brand")
"""What the texts of a script may name: the customer, the context of the task, who calls, and for whom."""


class Scripts:
    """The deployed scripts. `path` is the file that `cairn check` has passed and the build wrote."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def _all(self) -> Mapping[str, Script]:
        documents = json.loads(self._path.read_bytes()) if self._path.is_file() else ()
        return {one["name"]: script_from_document(one) for one in documents}

    def get(self, name: str) -> Script | None:
        """None where there is no such script (any more)."""
        return self._all.get(name)

    def names(self) -> list[str]:
        return list(self._all)


def script_from_document(document: Mapping[str, Any]) -> Script:
    """The script of a checked document. Raises KeyError or ValueError on an unchecked one."""
    language = document.get("language", "en")
    return Script(
        name=document["name"],
        title=document["title"],
        kind=ScriptKind(document["kind"]),
        language=language,
        languages=document.get("languages", {}),
        lines={name: _line(name, one, language) for name, one in document["lines"].items()},
        concerns={
            name: Concern(_texts(one["title"], language), _texts(one["text"], language))
            for name, one in document.get("concerns", {}).items()
        },
    )


def _line(name: str, document: Mapping[str, Any], language: str) -> ScriptLine:
    return ScriptLine(
        id=name,
        text=_texts(document["text"], language),
        must_be_read=document.get("must_be_read", False),
        question=_question(document["question"], language) if "question" in document else None,
        go=document.get("go", {}),
        end=document.get("end", ""),
    )


def _question(document: Mapping[str, Any], language: str) -> Question:
    return Question(
        kind=AnswerKind(document["kind"]),
        choices={name: _texts(text, language) for name, text in document.get("choices", {}).items()},
        attribute=document.get("attribute", ""),
        equals=document.get("equals", ""),
        attempts=document.get("attempts", 1),
        otherwise=document.get("otherwise", ""),
    )


def _texts(document: Mapping[str, str], language: str) -> dict[str, str]:
    """With the script's own language under the empty locale too."""
    return {"": document.get("", document.get(language, "")), **document}
