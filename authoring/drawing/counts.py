"""How many stand at each step of a journey, and went along each way, from a file that says so or from a timeline."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from cairn.domain.journey.moves import Move, Moves, moves_of
from cairn.domain.shared.errors import CairnError

ENDED = frozenset({"ended", "held_out"})
"""After these facts an enrollment stands nowhere in the picture."""


class InvalidCountsError(CairnError):
    """A file of counts is neither of its two forms."""


def read_counts(text: str, journey: str) -> tuple[Mapping[str, int], Moves | None]:
    """From one JSON object of steps and numbers, or from the lines of `cairn replay --json`, which say both.

    Raises InvalidCountsError.
    """
    try:
        documents = [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError:
        try:
            documents = [json.loads(text)]
        except ValueError as error:
            raise InvalidCountsError(f"the counts are not JSON ({error})") from None
    if documents and all(isinstance(one, dict) and "kind" in one for one in documents):
        return counts_of(documents, journey), moves_in(documents, journey)
    if len(documents) == 1 and isinstance(documents[0], dict) and all(map(_is_count, documents[0].values())):
        return dict(documents[0]), None
    raise InvalidCountsError('write {"step": 12, …}, or give the lines of `cairn replay --json`')


def counts_of(timeline: Iterable[Mapping[str, Any]], journey: str) -> Mapping[str, int]:
    """Where each enrollment of a timeline has come to wait last, if it has not ended."""
    at: dict[str, str] = {}
    for line in timeline:
        if line.get("journey") != journey:
            continue
        if line["kind"] == "waiting":
            at[line["enrollment"]] = line["step"]
        elif line["kind"] in ENDED:
            at.pop(line["enrollment"], None)
    return Counter(at.values())


def moves_in(timeline: Iterable[Mapping[str, Any]], journey: str) -> Moves:
    lines = (line for line in timeline if line.get("journey") == journey and line["kind"] in {"waiting", "ended"})
    return moves_of(Move(line["kind"], line.get("step", ""), line.get("via", "")) for line in lines)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
