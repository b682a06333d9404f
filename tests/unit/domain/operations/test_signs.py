"""Signs that something goes wrong though every function works."""

from datetime import datetime, timedelta

import pytest

from cairn.application.operations.watch_signs import WatchSigns
from cairn.domain.measurement.facts import LoggedFact
from cairn.domain.operations.flow import Flow, flow_of
from cairn.domain.operations.signs import WINDOW, Sign, misfires_in, signs_in
from tests.unit.fakes import FlowCounters
from tests.unit.makers import MONDAY

QUIET = Flow(delivered=1_000, complained=1, events=1_000, unmatched=10)


def signs(before: Flow, now: Flow) -> list[Sign]:
    return [one.sign for one in signs_in(before, now)]


@pytest.mark.parametrize(
    ("before", "now", "wanted"),
    [
        (QUIET, QUIET, []),
        (Flow(), Flow(), []),
        (Flow(delivered=1_000, complained=2), Flow(delivered=1_000, complained=5), [Sign.COMPLAINTS_DOUBLED]),
        (Flow(delivered=1_000, complained=2), Flow(delivered=2_500, complained=5), []),  # as many of each message
        (Flow(), Flow(delivered=96, failed=2, bounced=2), [Sign.DELIVERY_ERRORS]),
        (Flow(), Flow(delivered=97, failed=1, bounced=2), []),  # 3 %
        (Flow(), Flow(delivered=30, failed=20), []),  # few messages
        (Flow(), Flow(events=84, unmatched=16), [Sign.MATCH_RATE_LOW]),
        (Flow(), Flow(events=85, unmatched=15), []),
        (Flow(), Flow(events=1, unmatched=10), []),  # few events
        (Flow(), Flow(events=100, late=6), [Sign.EVENTS_LATE]),
        (Flow(), Flow(events=100, late=5), []),
        (Flow(), Flow(events=20, late=2), []),
    ],
)
def test_a_sign_is_found_above_its_bound_and_not_at_it(before: Flow, now: Flow, wanted: list[Sign]) -> None:
    assert signs(before, now) == wanted


def test_timers_that_fire_late_are_a_share_of_those_that_fire() -> None:
    assert misfires_in(Flow(misfired=3), 300) is None
    found = misfires_in(Flow(misfired=4), 300)
    assert found is not None
    assert (found.sign, found.why) == (Sign.MISFIRES, "4 of 300 timers fired late in 30 minutes")
    assert misfires_in(Flow(misfired=2), 2) is None, "two are chance"
    assert misfires_in(Flow(misfired=5), 0) is not None, "where nothing is known of the others"


def test_what_is_counted_of_the_log() -> None:
    facts = [
        LoggedFact("1", 0, "event", source="crm", lag_ms=60_001),
        LoggedFact("2", 0, "event", source="crm", lag_ms=60_000),
        LoggedFact("3", 0, "event", source="crm", reason="backfill"),
        LoggedFact("5", 0, "unmatched", reason="no_customer", number=3),
        LoggedFact("6", 0, "unmatched", reason="no_rule", number=70),
        LoggedFact("7", 0, "delivered"),
        LoggedFact("8", 0, "failed"),
        LoggedFact("9", 0, "bounced"),
        LoggedFact("10", 0, "complained"),
        LoggedFact("11", 0, "misfired"),
        LoggedFact("12", 0, "opened"),
    ]

    assert flow_of(facts) == Flow(1, 1, 1, 1, events=2, late=1, unmatched=3, misfired=1)


def test_the_last_half_hour_counts_and_a_person_is_called_once() -> None:
    asked: list[tuple[datetime, datetime]] = []

    def fired(first: datetime, last: datetime) -> int:
        asked.append((first, last))
        return 100

    counters = FlowCounters()
    counters.add(Flow(events=10, unmatched=90), MONDAY - timedelta(minutes=45))  # what was, is over
    counters.add(Flow(events=50, misfired=2), MONDAY - timedelta(minutes=20))
    counters.add(Flow(events=50), MONDAY - timedelta(minutes=5))
    watch = WatchSigns(counters, fired)
    assert watch(MONDAY) == []
    assert asked == [], "CloudWatch is asked where timers were late, since each question costs"

    counters.add(Flow(misfired=1), MONDAY)
    assert [(one.sign, is_new) for one, is_new in watch(MONDAY)] == [(Sign.MISFIRES, True)]
    assert asked == [(MONDAY - WINDOW, MONDAY)]
    assert [is_new for _, is_new in watch(MONDAY + timedelta(minutes=5))] == [False]
