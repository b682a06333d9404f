"""Every line of a timeline is a plain sentence, and pages have each line once."""

from datetime import timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.effects import FactKind
from cairn.domain.explain.lines import FACTS, lines_of
from cairn.domain.shared.errors import InvalidRequestError
from cairn.domain.shared.instants import instant_to_wire
from tests.unit.makers import MONDAY

PARIS = ZoneInfo("Europe/Paris")


def text(**entry: Any) -> str:
    ((line,), _) = lines_of([{"at": instant_to_wire(MONDAY), **entry}], PARIS, 1)
    return line.sentence.text


def test_every_kind_of_fact_has_a_sentence_and_there_is_none_for_another() -> None:
    assert set(FACTS) == set(get_args(FactKind))


@pytest.mark.parametrize("kind", get_args(FactKind))
def test_a_fact_with_no_details_is_a_sentence_all_the_same(kind: FactKind) -> None:
    said = text(kind=kind)

    assert said.endswith(".")
    assert "{" not in said


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (
            {"kind": "waiting", "step": "a", "until": "2026-03-05T17:30:00Z"},
            "Waits at step a until 18:30 on Thursday 5 March 2026 in Europe/Paris.",
        ),
        (
            {"kind": "ended", "journey": "shop", "outcome": "exit_on", "because": "payment.succeeded"},
            "Journey shop ended: exit on (payment.succeeded).",
        ),
        ({"kind": "updated", "step": "a", "attributes": ["plan", "seats"]}, "Step a changed the profile: plan, seats."),
        ({"kind": "event", "type": "trial.signup", "source": "track"}, "trial.signup was reported by track."),
        ({"kind": "event", "type": "message.opened", "source": "feedback"}, "It was opened."),
        (
            {
                "kind": "consent",
                "channel": "sms",
                "purpose": "marketing",
                "status": "suppressed",
                "cause": "hard_bounce",
            },
            "marketing texts: suppressed (hard bounce).",
        ),
        (
            {
                "kind": "task",
                "status": "open",
                "title": "Call",
                "queue": "sales",
                "owner": "ana",
                "due_at": "2026-03-05T17:30:00Z",
            },
            "Task “Call” for sales, due 18:30 on Thursday 5 March 2026 in Europe/Paris, of ana.",
        ),
        (
            {"kind": "task", "status": "done", "title": "Call", "queue": "sales", "outcome": "booked", "due_at": "x"},
            "Task “Call” for sales: booked.",
        ),
    ],
)
def test_a_line_says_what_happened(entry: dict[str, Any], sentence: str) -> None:
    assert text(**entry) == sentence


moments = st.lists(st.integers(0, 5), max_size=25).map(sorted)


@given(moments, st.integers(1, 6))
def test_pages_have_every_line_once_the_newest_first(minutes: list[int], limit: int) -> None:
    entries = [
        {"at": instant_to_wire(MONDAY + timedelta(minutes=one)), "kind": "event", "type": f"e.{number}", "source": "s"}
        for number, one in enumerate(minutes)
    ]
    read: list[str] = []
    after: str | None = ""
    while after is not None:
        page, after = lines_of(entries, PARIS, limit, after)
        assert len(page) <= limit
        read += [one.entry["type"] for one in page]

    assert read == [one["type"] for one in reversed(entries)]


@pytest.mark.parametrize("after", ["yesterday", "2026-03-02T10:00:00Z x", "2026-03-02T10:00:00Z -1", " "])
def test_a_cursor_that_no_page_gave_is_refused(after: str) -> None:
    with pytest.raises(InvalidRequestError, match="after: not what an earlier answer gave"):
        lines_of([], PARIS, 1, after)
