"""Promise 7: no marketing outside legal hours in the customer's time zone, and none above the caps."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from authoring.policy import InvalidPolicyError
from cairn.adapters.providers.sns import SnsSms
from cairn.domain.explain.explanations import sentence_of

ROOT = Path(__file__).parents[2]
MIA = "+12015550001"

OFFERS = """
journey: offers
description: Somebody asks for offers, and gets one each time.
time_zone: America/New_York
entry: {event: offer.wanted, key: event.properties.number, again: never}
steps:
  - id: offer
    send: {channel: sms, template: offer, purpose: marketing}
"""


@pytest.fixture
def offers(tmp_path: Path) -> Path:
    folder = tmp_path / "journeys" / "offers"
    (folder / "templates").mkdir(parents=True)
    (folder / "journey.yaml").write_text(OFFERS, encoding="utf-8")
    (folder / "templates" / "offer.sms.txt").write_text("Offer {{ data.number }}. STOP to stop.", encoding="utf-8")
    return folder.parent


BETTER_OFFERS = """
journey: better-offers
description: Somebody asks for a better offer.
time_zone: America/New_York
entry: {event: better_offer.wanted, key: event.properties.number, priority: 10}
steps:
  - id: offer
    send: {channel: sms, template: offer, purpose: marketing, hour: preferred}
"""


@pytest.fixture
def better_offers(offers: Path) -> Path:
    """Both kinds of offer."""
    folder = offers / "better-offers"
    (folder / "templates").mkdir(parents=True)
    (folder / "journey.yaml").write_text(BETTER_OFFERS, encoding="utf-8")
    (folder / "templates" / "offer.sms.txt").write_text("A better one. STOP to stop.", encoding="utf-8")
    return offers


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """A copy of the policy that a test may change."""
    copy = tmp_path / "policy.toml"
    copy.write_text((ROOT / "policy.toml").read_text(encoding="utf-8"), encoding="utf-8")
    return copy


def wants(story: Any, number: int, member: Any, **attributes: str) -> None:
    mia = member()
    mia["attributes"] |= attributes
    story.happens("offer.wanted", f"wanted-{number}", properties={"number": number}, **mia)


def sent_at(story: Any) -> list[str]:
    return [line["at"] for line in story.timeline("message")]


def when(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_an_offer_at_night_is_sent_at_eight(a_story: Any, offers: Path, member: Any) -> None:
    story = a_story(offers, at=when("2026-03-03T21:00-05:00"))

    wants(story, 1, member, region="NY")
    assert story.sent() == []
    story.passes("1d")

    (deferred,) = story.timeline("deferred")
    assert (deferred["reason"], deferred["until"]) == ("quiet_hours", "2026-03-04T13:00:00Z")
    assert sent_at(story) == ["2026-03-04T13:00:00Z"]
    assert [one.text for one in story.sent()] == ["Offer 1. STOP to stop."]


def test_a_customer_who_moves_is_texted_by_the_new_time_zone(a_story: Any, offers: Path, member: Any) -> None:
    story = a_story(offers, at=when("2026-03-03T21:00-05:00"))
    wants(story, 1, member, region="NY")

    story.happens("profile.updated", attributes={"time_zone": "Pacific/Honolulu", "region": "HI"}, **_who(member))
    story.passes("2d")

    assert sent_at(story) == ["2026-03-04T18:00:00Z"]


def test_the_strictest_law_applies_where_the_region_is_unknown(a_story: Any, offers: Path, member: Any) -> None:
    story = a_story(offers, at=when("2026-03-03T18:30-05:00"))

    wants(story, 1, member)
    assert story.sent() == []
    story.passes("1d")

    assert sent_at(story) == ["2026-03-04T14:00:00Z"]  # nine o'clock, the rule of Rhode Island


def test_a_policy_may_use_the_country_alone(a_story: Any, offers: Path, policy: Path, member: Any) -> None:
    policy.write_text(policy.read_text(encoding="utf-8").replace('"strictest"', '"country"'), encoding="utf-8")
    story = a_story(offers, at=when("2026-03-03T18:30-05:00"), policy=policy)

    wants(story, 1, member)

    assert len(story.sent()) == 1


def test_a_message_above_the_cap_is_sent_on_another_day(a_story: Any, offers: Path, policy: Path, member: Any) -> None:
    text = policy.read_text(encoding="utf-8").partition("[[cooldowns]]")
    policy.write_text(text[0] + text[2].replace('length = "1h"\n', ""), encoding="utf-8")
    story = a_story(offers, at=when("2026-03-03T12:00-05:00"), policy=policy)

    for number in range(1, 4):
        wants(story, number, member, region="NY")
    assert len(story.sent()) == 2
    story.passes("1d")

    assert [line["reason"] for line in story.timeline("deferred")][:1] == ["cap"]
    assert sent_at(story)[-1] == "2026-03-04T13:00:00Z"  # a new day began at midnight, but within quiet hours
    assert len(story.sent()) == 3


def test_a_message_yields_to_a_more_important_one_that_waits_for_its_hour(
    a_story: Any, better_offers: Path, policy: Path, member: Any
) -> None:
    text = policy.read_text(encoding="utf-8").replace('limit = 2\nwindow = "day"', 'limit = 1\nwindow = "day"')
    policy.write_text(text.replace('[[cooldowns]]\nlength = "1h"', ""), encoding="utf-8")
    story = a_story(better_offers, at=when("2026-03-03T21:00-05:00"), policy=policy)

    wants(story, 1, member, region="NY", preferred_time="18:30")
    story.happens("better_offer.wanted", "better-1", properties={"number": 1}, **_who(member))
    story.passes("2d")

    assert [one.text for one in story.sent()] == ["A better one. STOP to stop.", "Offer 1. STOP to stop."]
    assert sent_at(story) == ["2026-03-04T23:30:00Z", "2026-03-05T13:00:00Z"]
    yielded = [line for line in story.timeline("deferred") if "yields_to" in line.get("why", {})]
    assert [(line["journey"], line["reason"]) for line in yielded] == [("offers", "cap")]
    better = next(line["message_id"] for line in story.timeline("message") if line["journey"] == "better-offers")
    assert sentence_of(yielded[0], ZoneInfo("America/New_York")) == (
        "Held until 18:31 on Wednesday 4 March in America/New_York because it yields to the more important step offer "
        f"({better}): a customer gets at most 1 marketing messages a day."
    )


def test_what_a_cap_reserves_is_left_for_the_more_important_one(
    a_story: Any, better_offers: Path, policy: Path, member: Any
) -> None:
    text = policy.read_text(encoding="utf-8").replace('window = "day"', 'window = "day"\nreserved = 1')
    policy.write_text(text.replace('[[cooldowns]]\nlength = "1h"', ""), encoding="utf-8")
    story = a_story(better_offers, at=when("2026-03-03T12:00-05:00"), policy=policy)

    wants(story, 1, member, region="NY")
    wants(story, 2, member, region="NY")
    story.happens("better_offer.wanted", "better-1", properties={"number": 1}, **_who(member))
    story.passes("1h")

    assert [one.text for one in story.sent()] == ["Offer 1. STOP to stop.", "A better one. STOP to stop."]


def test_an_invalid_policy_is_not_deployed(a_story: Any, offers: Path, policy: Path) -> None:
    text = policy.read_text(encoding="utf-8").replace("revoke_all = false", 'revoke_all = "no"')
    policy.write_text(text, encoding="utf-8")

    with pytest.raises(InvalidPolicyError, match="revoke_all"):
        a_story(offers, policy=policy)


def _who(member: Any) -> dict[str, Any]:
    return {"customer": member()["customer"]}


def asks_from(story: Any, number: str) -> None:
    """A customer asks for an offer, and the profile names no zone."""
    consent = [{"channel": "sms", "purpose": "marketing", "status": "granted", "source": "form"}]
    customer = {"user_id": "member-1", "phone": number}
    story.happens("offer.wanted", "wanted-1", customer=customer, consent=consent, properties={"number": 1})


def test_a_number_of_a_region_without_a_country_has_its_own_clock(a_story: Any, offers: Path) -> None:
    story = a_story(offers, at=when("2026-03-03T15:00-05:00"))

    asks_from(story, "+38344123456")  # nine in the evening in Kosovo
    assert story.sent() == []
    story.passes("1d")

    assert sent_at(story) == ["2026-03-04T07:00:00Z"]


def test_a_satellite_phone_may_be_anywhere_and_gets_no_marketing_until_its_zone_is_known(
    a_story: Any, offers: Path
) -> None:
    story = a_story(offers, at=when("2026-03-03T15:00-05:00"))  # the journey's zone would allow it

    asks_from(story, "+870773111632")
    (suppressed,) = story.timeline("suppressed")
    assert suppressed["reason"] == "no_legal_hour"

    attributes = {"time_zone": "America/New_York", "region": "NY"}
    story.happens("profile.updated", customer={"user_id": "member-1"}, attributes=attributes)
    story.happens("offer.wanted", "wanted-2", customer={"user_id": "member-1"}, properties={"number": 2})
    assert [one.text for one in story.sent()] == ["Offer 2. STOP to stop."]


@pytest.mark.parametrize("asked_at", ["2026-03-03T21:00-05:00", "2026-03-03T20:30-05:00"])
def test_an_offer_that_could_not_be_handed_over_is_deferred_like_any_other_after_its_redrive(
    a_story: Any, offers: Path, member: Any, monkeypatch: pytest.MonkeyPatch, asked_at: str
) -> None:
    story = a_story(offers, at=when(asked_at))  # at night, or just before it
    with monkeypatch.context() as patch:
        patch.setattr(SnsSms, "send", _cannot_be_written)
        wants(story, 1, member, region="NY")
        story.passes("1h")  # night in any case
        story.passes("12h")
        assert [line["reason"] for line in story.timeline("undecided")] == ["not_handed_over"]
        story.passes("14h")

    story.redrives("messages")
    assert sent_at(story) == []
    story.passes("12h")

    assert sent_at(story) == ["2026-03-05T13:00:00Z"]


def _cannot_be_written(*_: Any) -> str:
    return chr(0xD83D).encode().decode()
