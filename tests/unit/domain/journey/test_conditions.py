"""Conditions: JMESPath with a few functions of ours; an expression that cannot be evaluated is null."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.journey.conditions import Scope, evaluate, is_met
from tests.unit.makers import MONDAY, event, name, profile
from tests.unit.strategies import conditions, json_values, payloads, profiles, values

ADA = (
    profile(who=name(user_id="ada", external={"stripe": "cus_1"}), stage="trial", visit_at="2026-03-05T12:00:00")
    .after(event("visit.attended", MONDAY - timedelta(days=3)))
    .after(event("visit.attended", MONDAY - timedelta(days=1)))
    .patched({"tags": ["vip"]}, MONDAY)
)


def value(expression: str, zone: str = "UTC", **data: Any) -> Any:
    signup = event("trial.signup", properties={"plan": "gold"})
    return evaluate(expression, Scope(ADA, MONDAY, data, signup.view(), {"key": "b-1"}, zone))


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("profile.stage", "trial"),
        ("profile.tags", ["vip"]),
        ("profile.external_ids.stripe", "cus_1"),
        ("profile.user_id", "ada"),
        ("event.properties.plan", "gold"),
        ("event.type", "trial.signup"),
        ("enrollment.key", "b-1"),
        ("data.amount > `100`", True),
        ("data.amount", 120),
        ("nobody.knows", None),
    ],
)
def test_an_expression_sees_the_profile_the_event_and_the_enrollment(expression: str, found: Any) -> None:
    assert value(expression, amount=120) == found


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("seen('visit.attended')", True),
        ("seen('invoice.paid')", False),
        ("count('visit.attended')", 2),
        ("count('invoice.paid')", 0),
        ("seen_since('visit.attended', '2026-03-01T09:00:00Z')", True),
        ("seen_since('visit.attended', '2026-03-01T10:00:01Z')", False),
        ("seen_since('visit.attended', 'last week')", None),
        ("seen_since('visit.attended', `1772355600`)", True),
        ("seen_since('visit.attended', '2026-03-01T10:00+01:00')", True),
        ("seen_since('visit.attended', '2026-03-01T24:00[Asia/Kathmandu]')", False),
        ("seen_since('visit.attended', profile.no_such_date)", None),
        ("days_since('visit.attended')", 1.0),
        ("!(days_since('visit.attended') < `1`)", True),
        ("!(days_since('visit.attended') < `1.1`)", False),
        ("!(days_since('invoice.paid') < `1`)", True),
        ("days_since('invoice.paid')", None),
        ("days_since('2026-02-28T10:00:00Z')", 2.0),
        ("hours_until(profile.visit_at)", 74.0),
        ("hours_until('2026-03-02T09:00:00Z')", -1.0),
        ("hours_until(profile.no_such_date)", None),
        ("hours_until(`1772449200`)", 1.0),
    ],
)
def test_our_functions_report_a_customers_events(expression: str, found: Any) -> None:
    assert value(expression) == found


@pytest.mark.parametrize(("zone", "found"), [("UTC", True), ("America/New_York", False)])
def test_a_date_without_an_offset_is_local_to_the_customer_in_each_function(zone: str, *, found: bool) -> None:
    assert value("seen_since('visit.attended', '2026-03-01T09:30')", zone) is found
    assert value("hours_until('2026-03-02T10:00') < `1`", zone) is found
    assert value("days_since('2026-03-01T10:00') >= `1`", zone) is found


def test_a_date_without_an_offset_is_in_the_customers_zone() -> None:
    assert value("hours_until(profile.visit_at)", zone="America/New_York") == 79.0


@pytest.mark.parametrize(
    "expression",
    [
        "seen(data.amount)",
        "seen()",
        "no_such_function(data.amount)",
        "data.[",
        "",
        "length(`5`)",
        "contains('text', `5`)",
        "data.list[::0]",
        "ceil(to_number('1e999'))",
        "avg(data.huge)",
        "days_since('2026-99-99')",
        "days_since(profile.tags)",
    ],
)
def test_an_expression_that_cannot_be_evaluated_is_null_and_not_true(expression: str) -> None:
    assert value(expression, list=[1], huge=[10**400, 1.5]) is None
    assert not is_met(expression, Scope(ADA, MONDAY, {"list": [1], "huge": [10**400, 1.5]}))


@pytest.mark.parametrize(
    ("expression", "truth"),
    [
        ("`0`", True),
        ("`-1`", True),
        ("'no'", True),
        ("`[null]`", True),
        ("`true`", True),
        ("`null`", False),
        ("`false`", False),
        ("''", False),
        ("`[]`", False),
        ("`{}`", False),
    ],
)
def test_true_is_what_jmespath_calls_true(expression: str, truth: bool) -> None:  # noqa: FBT001
    assert is_met(expression, Scope(ADA, MONDAY, {})) is truth


def test_no_condition_is_always_true() -> None:
    assert is_met(None, Scope(ADA, MONDAY, {}))


@given(conditions | values, payloads, profiles, st.dictionaries(st.text(max_size=3), json_values, max_size=2))
def test_no_payload_makes_a_condition_raise(expression: str, data: Any, who: Any, more: Any) -> None:
    scope = Scope(who, MONDAY, data, {"properties": more | data})

    assert is_met(expression, scope) in (True, False)
