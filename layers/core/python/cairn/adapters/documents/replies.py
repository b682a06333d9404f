"""From the document of replies (replies.toml, already checked) to the rules by which replies are read."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cairn.domain.replies.rules import MODEL_CALLS_PER_DAY, THRESHOLD, Handling, IntentRule, Replies
from cairn.domain.shared.instants import duration

FILE = "replies.json"
"""Beside the compiled policy; where there is no such file, there are no rules."""

DUE = "4h"


def replies_beside(compiled: Path) -> Replies | None:
    """The rules that the build wrote beside another compiled file."""
    file = compiled.with_name(FILE)
    return replies_from_document(json.loads(file.read_bytes())) if file.is_file() else None


def replies_from_document(document: Mapping[str, Any]) -> Replies:
    """The rules of a checked document. Raises KeyError or ValueError on an unchecked one."""
    model = document.get("model", {})
    return Replies(
        queue=document["queue"],
        due=duration(document.get("due", DUE)),
        threshold=float(document.get("threshold", THRESHOLD)),
        intents={name: _intent(name, row) for name, row in document.get("intents", {}).items()},
        model_calls_per_day=model.get("calls_per_day", MODEL_CALLS_PER_DAY),
        drafts=model.get("drafts", False),
    )


def _intent(name: str, row: Mapping[str, Any]) -> IntentRule:
    words = {language: tuple(listed) for language, listed in row.get("words", {}).items()}
    return IntentRule(name, row["about"], words, Handling(row.get("handled_by", Handling.JOURNEY)))
