"""Each report of a small log, whose figures can be counted by hand; every line comes twice, in no order."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from cairn.application.measurement.report_facts import REPORTS, ReportFacts
from cairn.application.values.facts import BusinessStage
from cairn.domain.measurement.facts import LoggedFact
from cairn.domain.shared.errors import InvalidRequestError
from infra.local.facts_in_duckdb import DuckFacts

NOW = datetime(2026, 3, 30, tzinfo=UTC)
START = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp() * 1000)
MINUTE, HOUR = 60_000, 3_600_000
STAGES = (
    BusinessStage("awareness", ("lead.created", "page.viewed")),
    BusinessStage("purchase", ("order.paid",)),
    BusinessStage("advocacy", ("review.written",)),
)


def fact(id_: str, kind: str, at: int = 0, **about: Any) -> LoggedFact:
    return LoggedFact(id_, START + at, kind, **about)


def report(name: str, facts: Iterable[LoggedFact], journey: str = "") -> dict[str, list[dict[str, Any]]]:
    lines = [one.wire() for one in facts] * 2
    Random(1).shuffle(lines)  # noqa: S311  any order will do
    found = ReportFacts(DuckFacts(lines), STAGES)(name, journey, 60, NOW)
    return {query: rows for query, rows in found.items() if isinstance(rows, list)}


def test_customers_of_a_stage_and_those_who_go_on_to_the_next() -> None:
    events = [
        ("ada", "page.viewed", 0),
        ("ada", "lead.created", HOUR),
        ("ada", "order.paid", 3 * HOUR),
        ("ben", "lead.created", 0),
        ("ben", "review.written", HOUR),  # without an order
        ("cem", "order.paid", 0),
        ("cem", "lead.created", HOUR),  # after the order: that is not the way on
        ("cem", "page.closed", HOUR),
    ]
    facts = [fact(f"e{n}", "event", at, customer=who, event=type_) for n, (who, type_, at) in enumerate(events)]
    facts += [
        fact("g1", "goal_reached", journey="trial", enrollment="e1", customer="ada", value=1250, currency="USD"),
        fact("g2", "goal_reached", journey="trial", enrollment="e2", customer="ada", value=250, currency="USD"),
    ]

    found = report("kpis", facts)

    assert found["kpis"] == [
        {
            "stage": "awareness",
            "customers": 3,
            "events": 4,
            "went_on": 1,
            "went_on_percent": 33.33,
            "median_ms": 3 * HOUR,
        },
        {"stage": "purchase", "customers": 2, "events": 2, "went_on": 0, "went_on_percent": 0.0, "median_ms": None},
        {"stage": "advocacy", "customers": 1, "events": 1, "went_on": 0, "went_on_percent": 0.0, "median_ms": None},
    ]
    assert found["goals"] == [{"journey": "trial", "currency": "USD", "goals": 2, "customers": 1, "value": 1500}]


def test_deliveries_by_channel_provider_and_country() -> None:
    about = {"channel": "sms", "provider": "sns", "country": "US", "journey": "trial"}
    facts = [
        *(fact(f"{n}-sent", "sent", message=f"m{n}", **about) for n in range(4)),
        *(fact(f"{n}-delivered", "delivered", message=f"m{n}", **about) for n in range(3)),
        fact("3-failed", "failed", message="m3", **about),
        fact("4-failed", "failed", message="m4", **about),  # its provider did not take it
        fact("5-sent", "sent", message="m5", **(about | {"provider": "end_user_messaging", "country": "FR"})),
    ]

    rows = report("deliveries", facts)["deliveries"]

    assert [(row["provider"], row["country"], row["sent"]) for row in rows] == [
        ("end_user_messaging", "FR", 1),
        ("sns", "US", 4),
    ]
    assert (rows[1]["delivered_percent"], rows[1]["failed"], rows[1]["failed_percent"]) == (75.0, 2, 40.0)
    assert (rows[0]["delivered_percent"], rows[0]["failed_percent"]) == (0.0, 0.0)


def test_from_what_happened_to_its_message() -> None:
    facts = [
        *(fact(f"e{n}", "event", customer="ada", event="order.paid", lag_ms=1000 * n) for n in range(1, 4)),
        fact("old", "event", customer="ada", event="order.paid", reason="backfill"),
        fact("in", "entered", 5_000, enrollment="e1", journey="trial", lag_ms=2_000),
        fact("m1-sent", "sent", 6_500, enrollment="e1", message="m1", lag_ms=1_500),
        fact("m2-sent", "sent", HOUR, enrollment="e1", message="m2", lag_ms=700),  # after a wait
        fact("m3-sent", "sent", 9 * HOUR, enrollment="e1", message="m3", lag_ms=9 * HOUR - 5_000),  # quiet hours
    ]

    rows = {row["kind"]: row for row in report("latencies", facts)["latencies"]}

    assert (rows["event"]["facts"], rows["event"]["p50_ms"], rows["event"]["longest_ms"]) == (3, 2_000, 3_000)
    assert (rows["sent"]["facts"], rows["sent"]["longest_ms"]) == (2, 1_500)
    assert (rows["event_to_message"]["facts"], rows["event_to_message"]["p99_ms"]) == (1, 3_500)


def test_how_long_a_consent_takes_to_count_and_what_goes_out_meanwhile() -> None:
    said = {"customer": "ada", "channel": "sms", "purpose": "marketing"}
    facts = [
        fact("stop", "consent", 0, source="crm", status="denied", lag_ms=10 * MINUTE, **said),
        fact("yes", "consent", 0, source="crm", status="granted", lag_ms=MINUTE, **said),
        fact("m0-sent", "sent", -MINUTE, message="m0", **said),
        fact("m1-sent", "sent", 5 * MINUTE, message="m1", **said),  # it would have been stopped
        fact("m2-sent", "sent", 5 * MINUTE, message="m2", **(said | {"channel": "email"})),
        fact("m3-sent", "sent", 5 * MINUTE, message="m3", **(said | {"purpose": "transactional"})),
        fact("m4-sent", "sent", 11 * MINUTE, message="m4", **said),
    ]

    rows = report("consents", facts)["consents"]

    assert [(row["status"], row["statements"], row["p95_ms"], row["messages_meanwhile"]) for row in rows] == [
        ("denied", 1, 10 * MINUTE, 1),
        ("granted", 1, MINUTE, 0),
    ]


def test_the_share_of_what_a_source_sends_that_reaches_a_customer() -> None:
    facts = [
        *(fact(f"e{n}", "event", source="crm", customer="ada") for n in range(17)),
        fact("u1", "unmatched", source="crm", reason="no_customer", number=2),
        fact("u2", "unmatched", source="crm", reason="unknown_reference", number=1),
        fact("u3", "unmatched", source="crm", reason="no_rule", number=50),
    ]

    assert report("matching", facts)["matching"] == [
        {"source": "crm", "matched": 17, "unmatched": 3, "without_rule": 50, "matched_percent": 85.0}
    ]


def test_how_many_tasks_are_done_in_time() -> None:
    def change(task: str, what: str, at: int) -> LoggedFact:
        return fact(f"{task}-{what}", "task", at, task=task, queue="coaches", change=what)

    facts = [
        *(change(f"t{n}", "opened", 0) for n in range(4)),
        change("t0", "done", HOUR),
        change("t1", "done", 2 * HOUR),
        change("t2", "overdue", 3 * HOUR),
        change("t2", "done", 4 * HOUR),
    ]

    (row,) = report("tasks", facts)["tasks"]

    assert (row["opened"], row["done"], row["late"], row["to_done_ms"]) == (4, 3, 1, 2 * HOUR)
    assert row["in_time_percent"] == 66.67


def test_customers_who_came_into_a_class_or_fell_silent() -> None:
    facts = [
        fact("a", "classified", customer="ada", arm="new"),
        fact("b", "classified", HOUR, customer="ada", arm="best"),
        fact("c", "classified", customer="ben", arm="new"),
        fact("d", "slowed", customer="ben"),
        fact("e", "slowed", HOUR, customer="ben"),
        fact("f", "resumed", customer="ben"),
    ]

    rows = report("stages", facts)["classes"]

    assert [(row["kind"], row["class"], row["customers"]) for row in rows] == [
        ("classified", "best", 1),
        ("classified", "new", 2),
        ("resumed", "", 1),
        ("slowed", "", 1),
    ]


def test_a_report_that_there_is_not_names_those_that_there_are() -> None:
    with pytest.raises(InvalidRequestError, match="consents"):
        report("weather", [])
    with pytest.raises(InvalidRequestError, match="journey"):
        report("funnel", [])
    for name in REPORTS:
        assert report(name, [fact("e", "event")], journey="trial")
    assert NOW - timedelta(days=60) < datetime(2026, 3, 2, tzinfo=UTC)
