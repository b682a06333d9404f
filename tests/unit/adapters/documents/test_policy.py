"""The tables of law and the policy that we ship, as the functions read them."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authoring.policy import compile_policy, write_policy
from cairn.adapters.documents.policy import policy_at, policy_from_document
from cairn.adapters.phone.jurisdiction import jurisdiction_of, zones_by_country
from cairn.domain.consent.keywords import Intent
from cairn.domain.gate.quiet_hours import first_legal
from cairn.domain.message.message import Jurisdiction, Message
from cairn.domain.policy import Breaker, Cap, Closed, Cooldown, Policy, Rate, ReviewRule, WebhookEndpoint
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.makers import at, message

ROOT = Path(__file__).parents[4]
POLICY, LAW = ROOT / "policy.toml", ROOT / "law.toml"


def test_the_policy_adds_placeholders_in_any_spelling() -> None:
    policy = policy_from_document({"identity": {"placeholders": ["Walk-In", " [none given] "]}})

    assert policy.placeholders == {"walk-in", "none given"}


@cache
def shipped() -> Policy:
    return policy_from_document(compile_policy(POLICY, LAW))


def text(number: str = "+12015550123", **profile: str) -> Message:
    offer = message(
        purpose=Purpose.MARKETING,
        channels=(Channel.SMS,),
        addresses={Channel.SMS: number},
        variables={"profile": profile},
    )
    return replace(offer, jurisdiction=jurisdiction_of(offer))


def first(offer: Message, now: str | datetime) -> datetime:
    found = first_legal(shipped(), offer, Channel.SMS, at(now) if isinstance(now, str) else now)
    assert found.at is not None
    return found.at


def test_a_function_reads_what_the_build_wrote(tmp_path: Path) -> None:
    target = tmp_path / "policy.json"
    write_policy(POLICY, LAW, target)

    assert policy_at(target) == shipped()


def test_every_rule_names_its_source() -> None:
    assert all(rule.source for rule in (*shipped().hours, *shipped().closed, *shipped().forbidden))


@pytest.mark.parametrize(
    ("region", "opens", "closes"),
    [
        ("NY", "08:00", "21:00"),
        ("CT", "09:00", "20:00"),
        ("FL", "08:00", "20:00"),
        ("MD", "08:00", "20:00"),
        ("RI", "09:00", "18:00"),
        ("", "09:00", "18:00"),  # any of these
    ],
)
def test_the_hours_of_the_eastern_states(region: str, opens: str, closes: str) -> None:
    offer = text(time_zone="America/New_York", region=region)
    before, opening, last, closing, tomorrow = (
        datetime.combine(date(2026, 3, day), time.fromisoformat(clock), ZoneInfo("America/New_York")).astimezone(UTC)
        for day, clock in ((3, "00:00"), (3, opens), (3, closes), (3, closes), (4, opens))
    )

    assert first(offer, before) == opening
    assert first(offer, last - timedelta(microseconds=1)) == last - timedelta(microseconds=1)
    assert first(offer, closing) == tomorrow


def test_texas_is_closed_on_sunday_mornings() -> None:
    assert first(text(time_zone="America/Chicago", region="TX"), "2026-03-07 13:00") == at("2026-03-07 15:00")
    assert first(text(time_zone="America/Chicago", region="TX"), "2026-03-08 13:00") == at("2026-03-08 17:00")
    assert first(text(time_zone="America/Chicago"), "2026-03-08 13:00") == at("2026-03-08 17:00")


def test_a_number_alone_waits_for_the_whole_country() -> None:
    assert first(text(), "2026-07-15 12:00") == at("2026-07-15 18:00")  # eight in Honolulu
    assert first(text(region="NY"), "2026-07-15 12:00") == at("2026-07-15 18:00")
    assert first(text("+18005550123"), "2026-07-15 12:00") == at("2026-07-15 18:00")  # toll-free
    assert first(text(region="NY"), "2026-07-16 01:00") == at("2026-07-16 18:00")  # nine at night in New York


@pytest.mark.parametrize(("now", "then"), [("04:29", "04:30"), ("15:29", "15:29"), ("15:30", "1 04:30")])
def test_india_s_window_for_promotions(now: str, then: str) -> None:
    days, _, clock = then.rpartition(" ")

    assert first(text("+919812345678"), f"2026-03-03 {now}") == at(f"2026-03-03 {clock}") + timedelta(int(days or 0))


def test_transactional_messages_may_go_at_any_hour() -> None:
    ticket = replace(text(), purpose=Purpose.TRANSACTIONAL)

    assert first(ticket, "2026-03-03 08:00") == at("2026-03-03 08:00")


def test_whatsapp_marketing_to_the_united_states_is_forbidden() -> None:
    assert shipped().forbidding(Channel.WHATSAPP, Purpose.MARKETING, "US")
    assert not shipped().forbidding(Channel.WHATSAPP, Purpose.MARKETING, "MX")


def test_india_needs_registered_templates() -> None:
    assert shipped().needs_registration(Channel.SMS, "IN")


def test_keywords_are_answered_by_name_and_with_a_way_to_reach_us() -> None:
    for language in ("en", "es"):
        assert all(shipped().brand in shipped().answer(intent, language) for intent in Intent)
        assert shipped().contact in shipped().answer(Intent.HELP, language)


@given(
    st.sampled_from([*zones_by_country()["US"]]),
    st.sampled_from(["", "NY", "CT", "FL", "MD", "MS", "OK", "RI", "TX", "CA", "ZZ"]),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_no_customer_in_america_gets_a_text_at_night(zone: str, region: str, now: datetime) -> None:
    clock = first(text(time_zone=zone, region=region), now).astimezone(ZoneInfo(zone))

    latest = {"CT": 20, "FL": 20, "MD": 20, "MS": 20, "OK": 20, "RI": 18}
    earliest = {"CT": 9, "RI": 9, "TX": 12 if clock.isoweekday() == 7 else 9}
    assert earliest.get(region, 8) <= clock.hour < latest.get(region, 21)


def test_every_choice_is_read() -> None:
    document = {
        "brand": "Ours",
        "contact": "us@example.com",
        "postal_address": "Here",
        "revoke_all": True,
        "unknown_region": "country",
        "dlt_entity": "1101",
        "preferred_hour_window": "30m",
        "max_hold": "2d",
        "double_opt_in": ["email"],
        "closed": [
            {
                "jurisdiction": "US",
                "days": ["sun"],
                "dates": ["12-25", "2026-11-26"],
                "source": "ours",
                "channels": ["sms"],
            }
        ],
        "caps": [
            {"limit": 1, "window": "day", "purposes": ["marketing", "transactional"]},
            {"limit": 2, "window": "7d", "channel": "sms", "journey": "visit"},
        ],
        "cooldowns": [{"length": "1h", "channel": "push"}],
        "rates": [{"channel": "sms", "per_second": 2, "country": "US", "reserved": "25%"}],
        "breaker": {"failure": "20%", "minimum": 50, "window": "1h", "doubling": 3},
        "identity": {"max_identifiers": 7, "placeholders": ["Walk-in"]},
        "privacy": {"orders_per_hour": 5},
        "reviews": [
            {"steps": ["visit/sorry"], "queue": "care", "within": "1d", "otherwise": "send", "when": "profile.vip"}
        ],
        "subscribers": [{"name": "crm", "url": "https://crm.example.com", "secret": "crm"}],
        "answers": {"en": {"stop": "Stopped"}},
    }

    assert policy_from_document(document) == Policy(
        brand="Ours",
        contact="us@example.com",
        postal_address="Here",
        revoke_all=True,
        unknown_region="country",
        dlt_entity="1101",
        preferred_hour_window=timedelta(minutes=30),
        max_hold=timedelta(days=2),
        double_opt_in=frozenset({Channel.EMAIL}),
        closed=(
            Closed(
                jurisdiction="US",
                days=frozenset({7}),
                yearly=frozenset({"12-25"}),
                dates=frozenset({date(2026, 11, 26)}),
                channels=frozenset({Channel.SMS}),
                source="ours",
            ),
        ),
        caps=(
            Cap(limit=1, window="day", purposes=frozenset(Purpose)),
            Cap(limit=2, window=timedelta(days=7), channel=Channel.SMS, journey="visit"),
        ),
        cooldowns=(Cooldown(length=timedelta(hours=1), channel=Channel.PUSH),),
        rates=(Rate(channel=Channel.SMS, per_second=2.0, country="US", reserved=0.25),),
        breaker=Breaker(failure=0.2, minimum=50, window=timedelta(hours=1), doubling=3),
        erasure_orders_per_hour=5,
        max_identifiers=7,
        guarded=frozenset({"vip"}),
        placeholders=frozenset({"walk-in"}),
        reviews=(
            ReviewRule(
                queue="care",
                within=timedelta(days=1),
                otherwise="send",
                steps=frozenset({"visit/sorry"}),
                when="profile.vip",
            ),
        ),
        webhook_endpoints=(WebhookEndpoint(name="crm", url="https://crm.example.com", secret="crm"),),
        answers={"en": {Intent.STOP: "Stopped"}},
    )


def test_an_empty_policy_demands_nothing() -> None:
    assert policy_from_document({}) == Policy()
    anywhere = message(jurisdiction=Jurisdiction(("Asia/Tokyo",), {}, ""), purpose=Purpose.MARKETING)
    assert first_legal(Policy(), anywhere, Channel.SMS, at("2026-03-03 18:00")).denials == ()
