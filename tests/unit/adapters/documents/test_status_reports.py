"""Which status reports a journey may hear, read from its document: rather one too many than one too few."""

from typing import Any

import pytest

from cairn.adapters.documents.journey import journey_from_document, status_reports_in
from cairn.domain.message.message import STATUS_REPORTS

DELIVERED = frozenset({"message.delivered"})


def document(**more: Any) -> dict[str, Any]:
    return {"journey": "j", "entry": {"event": "trial.signup"}, "steps": [{"id": "end", "exit": "over"}], **more}


def with_condition(condition: str) -> dict[str, Any]:
    branch = {"id": "which", "branch": [{"if": condition, "then": [{"id": "yes", "exit": "yes"}]}]}
    return document(steps=[branch, {"id": "end", "exit": "over"}])


@pytest.mark.parametrize(
    "heard",
    [
        document(entry={"event": "message.delivered"}),
        document(exit_on=[{"event": "message.delivered"}]),
        document(refresh_on=[{"event": "message.delivered", "key": "event.id"}]),
        document(goal={"event": "message.delivered"}),
        document(
            steps=[
                {"id": "w", "wait_for": {"event": "message.delivered", "timeout": "1d"}},
                {"id": "end", "exit": "over"},
            ]
        ),
    ],
    ids=["entry", "exit", "refresh", "goal", "wait"],
)
def test_every_rule_by_which_a_journey_hears_a_report_is_found(heard: dict[str, Any]) -> None:
    assert status_reports_in(heard) == DELIVERED
    assert "message.delivered" in journey_from_document(heard, "1").listens_to


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("seen('message.delivered')", DELIVERED),
        ("count('message.delivered') > `3`", DELIVERED),
        ("seen_since('message.sent', enrollment.entered_at)", frozenset({"message.sent"})),
        ("days_since('message.delivered') > `3`", DELIVERED),
        ('count(`"message.delivered"`)', STATUS_REPORTS),
        ('count(`"message\\u002edelivered"`)', STATUS_REPORTS),
        ('days_since(`"message\\u002edelivered"`)', STATUS_REPORTS),
        ("count(data.type)", STATUS_REPORTS),
        ("seen( join('.', ['message', 'delivered']) )", STATUS_REPORTS),
        ("seen_since(data.type, enrollment.entered_at)", STATUS_REPORTS),
        ("seen('app.opened') && count( 'visit.made' ) >= `2`", frozenset()),
        ("days_since(data.starts_at) > `3`", frozenset()),
        ("data.discount > `3` || length(data.counts) > `0`", frozenset()),
    ],
)
def test_a_condition_that_may_ask_for_a_report_is_found(condition: str, found: frozenset[str]) -> None:
    assert status_reports_in(with_condition(condition)) == found


def test_most_journeys_hear_none() -> None:
    assert status_reports_in(document()) == frozenset()
