"""What one customer adds to the counts of a report."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from authoring.journeys import compile_catalogue
from authoring.quality import Counting, asked_for
from authoring.quality.counting import INACTIVE_AFTER, STALE_AFTER, Copied, Report
from cairn.domain.consent.suppression import Cause, Mark
from cairn.domain.identity.identifiers import identifier
from cairn.domain.profile.profile import Activity, Profile
from cairn.domain.profile.stamped import Stamped
from cairn.domain.shared.channels import Purpose
from tests.conftest import SHORT_JOURNEY

AT = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)
NUMBER = "+12015550101"


def customer(at: datetime = AT - DAY, *, names: dict[str, str] | None = None, **attributes: Any) -> Copied:
    stamped = {name: Stamped(value, at) for name, value in attributes.items()}
    known_by = tuple(identifier(kind, value) for kind, value in (names or {}).items())
    sources = {"track": at, "feedback": at, "crm": at}
    return Copied(Profile("c_1", at, known_by, stamped, {"x.y": Activity(1, AT - DAY, AT - DAY)}, sources=sources))


def state(one: Copied, kind: str) -> str:
    (found,) = (name[2] for name in Counting([], AT)(one).counts if name[:2] == ("address", kind))
    return found


def test_who_has_what_journeys_ask_for_is_counted_by_source_audience_and_stage() -> None:
    anna = customer(plan="pro", stage="won", city="", locale="undefined")
    anna.audiences.append("vip")

    counts = Counting(["plan", "city", "locale", "phone"], AT)(anna).counts

    segments = [("all", ""), ("source", "track"), ("source", "crm"), ("audience", "vip"), ("stage", "won")]
    assert [name[1:] for name in counts if name[0] == "segment"] == segments
    assert [name[1:] for name in counts if name[0] == "filled"] == [(*one, "plan") for one in segments]


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ({}, "none"),
        ({"email": "anna@"}, "invalid"),
        ({"email": "undefined"}, "invalid"),
        ({"email": ["anna@example.com"]}, "invalid"),
        ({"email": "anna@example.com", "names": {"email": "anna@example.com"}}, "usable"),
        ({"email": "anna@example.com", "at": AT - STALE_AFTER - DAY}, "stale"),
    ],
)
def test_the_state_of_an_e_mail_address(about: dict[str, Any], expected: str) -> None:
    assert state(customer(**about), "email") == expected


def test_a_number_that_identifies_another_customer_is_not_its_own() -> None:
    assert state(customer(phone=NUMBER), "phone") == "not_its_own"
    assert state(customer(phone=NUMBER, names={"phone": NUMBER}), "phone") == "usable"
    assert state(customer(phone="+1201555"), "phone") == "invalid"


def test_what_bounced_is_no_address_until_it_is_reported_again() -> None:
    bounced = Mark(Cause.HARD_BOUNCE, AT - 2 * DAY)
    before, after = customer(AT - 3 * DAY, email="anna@example.com"), customer(AT - DAY, email="anna@example.com")
    for one in (before, after):
        one.marks["email"] = [bounced]

    assert state(before, "email") == "bounced"
    assert state(after, "email") == "usable"
    before.marks["email"].append(Mark(Cause.HARD_BOUNCE, AT - DAY, lifted=True))
    assert state(before, "email") == "usable"
    before.marks["email"] = [Mark(Cause.UNSUBSCRIBE, AT - DAY, Purpose.MARKETING)]
    assert state(before, "email") == "usable", "the customer's wish is no fault of the address"


def test_where_something_arrived_is_not_stale() -> None:
    old = customer(AT - STALE_AFTER - DAY, phone=NUMBER, names={"phone": NUMBER})
    assert state(old, "phone") == "stale"

    old.arrived["whatsapp"] = AT - DAY

    assert state(old, "phone") == "usable"


def test_sources_disagree_by_their_latest_reports() -> None:
    anna = customer()
    anna.reported = {
        "plan": {"crm": Report(AT, "aaaa"), "shop": Report(AT - DAY, "bbbb"), "track": Report(AT, "aaaa")},
        "city": {"crm": Report(AT, "aaaa"), "shop": Report(AT, "aaaa")},
    }

    counted = Counting([], AT)(anna)

    assert [name for name in counted.counts if name[0] == "disagree"] == [
        ("disagree", "plan", "crm", "shop"),
        ("disagree", "plan", "shop", "track"),
    ]
    assert ("disagreement", "plan") in counted.findings
    assert len(counted.findings) == 1


def test_who_gave_no_sign_of_life_for_three_years_is_inactive() -> None:
    asleep = Copied(Profile("c_1", AT - INACTIVE_AFTER - DAY))
    awake = Copied(Profile("c_1", AT - INACTIVE_AFTER - DAY, activity={"x.y": Activity(1, AT - DAY, AT - DAY)}))

    assert ("inactive", "") in Counting([], AT)(asleep).findings
    assert ("inactive", "") not in Counting([], AT)(awake).findings


def test_journeys_ask_for_attributes_in_conditions_and_texts_and_for_addresses() -> None:
    compiled = [
        {
            "journey": "a",
            "document": {
                "steps": [{"id": "x", "send": {"template": "t", "channel": "sms"}}],
                "entry": {"where": "profile.plan == 'pro' && profile.\"my size\" > `3`"},
            },
            "templates": {"t": "Hello {{ profile.first_name }}, {{ profile.stage }}"},
        },
        {"journey": "b", "document": {"steps": []}, "templates": {"t": "{{ profile.plan }}"}},
    ]

    asked = asked_for(compiled)

    assert asked["plan"] == ["a", "b"]
    assert {"first_name", "my size"} <= asked.keys()
    assert "stage" not in asked
    assert {"email", "phone"} <= asked_for(compile_catalogue(SHORT_JOURNEY)).keys()
