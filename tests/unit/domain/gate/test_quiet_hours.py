"""Legal hours, to the second, on every day of the year; compared with a plain check of each quarter hour."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cairn.domain.gate.quiet_hours import HORIZON, Opening, first_legal
from cairn.domain.message.message import Jurisdiction, Message
from cairn.domain.policy import Closed, Hours, Policy
from cairn.domain.shared.channels import Channel, Purpose
from tests.unit.makers import at, message

US = Hours(jurisdiction="US", channels=frozenset({Channel.SMS}), start=time(8), end=time(21), source="federal")
RI = replace(US, jurisdiction="US-RI", start=time(9), end=time(18), zones=frozenset({"America/New_York"}), source="RI")
TX = replace(US, jurisdiction="US-TX", start=time(9), days=frozenset(range(1, 7)), source="TX")
TX = replace(TX, zones=frozenset({"America/Chicago", "America/Denver"}))
TX_SUNDAY = replace(TX, start=time(12), days=frozenset({7}))
INDIA = Hours(jurisdiction="IN", start=time(10), end=time(21), clock="Asia/Kolkata", source="India")
LAW = Policy(hours=(US, RI, TX, TX_SUNDAY, INDIA), regions={"US": frozenset({"NY", "RI", "TX"})})

NEW_YORK = "America/New_York"
QUARTER = timedelta(minutes=15)


def text(*zones: str, country: str = "US", region: str = "NY", purpose: Purpose = Purpose.MARKETING) -> Message:
    """A text to a customer who may be in these zones."""
    where = Jurisdiction(zones, dict.fromkeys(Channel, country), region)
    return message(channels=(Channel.SMS,), purpose=purpose, jurisdiction=where)


def opening(policy: Policy, sent: Message, now: str | datetime) -> Opening:
    return first_legal(policy, sent, Channel.SMS, at(now) if isinstance(now, str) else now)


def local(policy: Policy, sent: Message, now: str, zone: str = NEW_YORK) -> str:
    """The first legal instant on the clock of a zone; `now` is on that clock too."""
    found = opening(policy, sent, datetime.fromisoformat(now).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC))
    assert found.at is not None
    return f"{found.at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)}"


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2026-03-03 07:59:59.999999", "2026-03-03 08:00:00"),
        ("2026-03-03 08:00:00", "2026-03-03 08:00:00"),
        ("2026-03-03 20:59:59.999999", "2026-03-03 20:59:59.999999"),
        ("2026-03-03 21:00:00", "2026-03-04 08:00:00"),
        ("2026-03-03 00:00:00", "2026-03-03 08:00:00"),
    ],
)
def test_eight_is_legal_and_nine_at_night_is_not(now: str, then: str) -> None:
    assert local(LAW, text(NEW_YORK), now) == then


def test_without_rules_every_instant_is_legal() -> None:
    assert opening(Policy(), text(NEW_YORK), "2026-03-03 04:00") == Opening(at("2026-03-03 04:00"))


def test_transactional_messages_have_no_legal_hours() -> None:
    receipt = text(NEW_YORK, purpose=Purpose.TRANSACTIONAL)

    assert local(LAW, receipt, "2026-03-03 03:00") == "2026-03-03 03:00:00"


def test_hours_are_those_of_the_channel() -> None:
    now = at("2026-03-03 04:00")

    assert first_legal(LAW, text(NEW_YORK), Channel.EMAIL, now).at == now


@pytest.mark.parametrize(
    ("zone", "now", "then"),
    [
        # Clocks skip 02:00 to 03:00 on 2026-03-08, and say 01:00 to 02:00 twice on 2026-11-01.
        (NEW_YORK, "2026-03-07 22:00", "2026-03-08 08:00:00"),
        (NEW_YORK, "2026-10-31 22:00", "2026-11-01 08:00:00"),
        ("America/Phoenix", "2026-03-07 22:00", "2026-03-08 08:00:00"),
        ("Pacific/Honolulu", "2026-03-07 22:00", "2026-03-08 08:00:00"),
    ],
)
def test_eight_o_clock_is_eight_on_the_days_that_clocks_change(zone: str, now: str, then: str) -> None:
    assert local(LAW, text(zone), now, zone) == then


def test_arizona_has_no_daylight_saving_time() -> None:
    eight_in_new_york_winter = at("2026-01-15 13:00")
    summer = at("2026-07-15 13:00")

    assert opening(LAW, text("America/Phoenix"), eight_in_new_york_winter).at == at("2026-01-15 15:00")
    assert opening(LAW, text("America/Phoenix"), summer).at == at("2026-07-15 15:00")
    assert opening(LAW, text("America/Denver"), summer).at == at("2026-07-15 14:00")


def test_a_window_that_opens_in_the_hour_that_clocks_skip_opens_when_it_is_over() -> None:
    early = Policy(hours=(replace(US, start=time(2, 30)),))

    assert local(early, text(NEW_YORK), "2026-03-08 01:00") == "2026-03-08 03:00:00"


def test_a_window_that_closes_in_a_repeated_hour_closes_twice() -> None:
    odd = Policy(hours=(replace(US, start=time(0, 30), end=time(1, 30)),))
    between = datetime(2026, 11, 1, 1, 45, tzinfo=ZoneInfo(NEW_YORK))

    assert opening(odd, text(NEW_YORK), between.astimezone(UTC)).at == at("2026-11-01 06:00")  # 01:00 once more


def test_a_window_that_opens_in_a_repeated_hour_opens_twice() -> None:
    odd = Policy(hours=(replace(US, start=time(1, 30), end=time(3)),))
    second = datetime(2026, 11, 1, 1, 10, fold=1, tzinfo=ZoneInfo(NEW_YORK))

    assert opening(odd, text(NEW_YORK), second.astimezone(UTC)).at == at("2026-11-01 06:30")


def test_every_zone_that_the_customer_may_be_in_must_be_open() -> None:
    coasts = text(NEW_YORK, "America/Los_Angeles", "Pacific/Honolulu")

    assert local(LAW, coasts, "2026-03-03 09:00") == "2026-03-03 13:00:00"  # eight in Honolulu
    assert local(LAW, coasts, "2026-03-03 21:00") == "2026-03-04 13:00:00"


def test_a_customer_of_unknown_zone_has_the_journeys_zone() -> None:
    unknown = replace(text(), time_zone=NEW_YORK)

    assert local(LAW, unknown, "2026-03-03 22:00") == "2026-03-04 08:00:00"


def test_a_known_region_has_only_its_own_law() -> None:
    assert local(LAW, text(NEW_YORK, region="NY"), "2026-03-03 18:30") == "2026-03-03 18:30:00"
    assert local(LAW, text(NEW_YORK, region="RI"), "2026-03-03 18:30") == "2026-03-04 09:00:00"


@pytest.mark.parametrize("region", ["", "ZZ", "New York"])
def test_an_unknown_region_may_be_any_region_of_the_zone(region: str) -> None:
    assert local(LAW, text(NEW_YORK, region=region), "2026-03-03 18:30") == "2026-03-04 09:00:00"
    assert local(LAW, text("America/Denver", region=region), "2026-03-03 08:30", "America/Denver").endswith("09:00:00")


def test_a_policy_may_use_the_country_alone_for_unknown_regions() -> None:
    bold = replace(LAW, unknown_region="country")

    assert local(bold, text(NEW_YORK, region=""), "2026-03-03 18:30") == "2026-03-03 18:30:00"
    assert local(bold, text(NEW_YORK, region="RI"), "2026-03-03 18:30") == "2026-03-04 09:00:00"


def test_rules_of_one_law_complement_each_other() -> None:
    texan = text("America/Chicago", region="TX")

    assert local(LAW, texan, "2026-03-07 08:00", "America/Chicago") == "2026-03-07 09:00:00"  # a Saturday
    assert local(LAW, texan, "2026-03-08 09:00", "America/Chicago") == "2026-03-08 12:00:00"


def test_hours_that_no_rule_of_a_law_opens_are_closed() -> None:
    weekdays = Policy(hours=(replace(US, days=frozenset(range(1, 6))),))

    assert local(weekdays, text(NEW_YORK), "2026-03-06 21:00") == "2026-03-09 08:00:00"


def test_rules_of_two_sources_must_agree() -> None:
    careful = replace(LAW, hours=(*LAW.hours, replace(US, start=time(7), end=time(17), source="ours")))

    assert local(careful, text(NEW_YORK), "2026-03-03 07:30") == "2026-03-03 08:00:00"
    assert local(careful, text(NEW_YORK), "2026-03-03 17:00") == "2026-03-04 08:00:00"


def test_india_uses_its_own_clock_wherever_the_customer_travels() -> None:
    abroad = text("Europe/London", country="IN", region="")

    assert opening(LAW, abroad, "2026-03-03 04:29:59").at == at("2026-03-03 04:30")  # ten in India
    assert opening(LAW, abroad, "2026-03-03 15:30").at == at("2026-03-04 04:30")


def test_a_rule_for_everywhere_applies_to_an_unknown_country() -> None:
    ours = Policy(hours=(replace(US, jurisdiction="*"),))

    assert local(ours, text(NEW_YORK, country=""), "2026-03-03 22:00") == "2026-03-04 08:00:00"


def test_midnight_ends_a_day() -> None:
    late = Policy(hours=(replace(US, start=time(20), end=time(0)),))

    assert local(late, text(NEW_YORK), "2026-03-03 23:59:59") == "2026-03-03 23:59:59"
    assert local(late, text(NEW_YORK), "2026-03-04 00:00") == "2026-03-04 20:00:00"


def test_nothing_goes_out_on_a_closed_day() -> None:
    holidays = Closed(jurisdiction="US", yearly=frozenset({"12-25"}), dates=frozenset({date(2026, 12, 24)}), source="o")
    sundays = Closed(jurisdiction="US", days=frozenset({7}), source="ours")
    policy = replace(LAW, closed=(holidays, sundays))

    assert local(policy, text(NEW_YORK), "2026-12-23 21:00") == "2026-12-26 08:00:00"
    assert local(policy, text(NEW_YORK), "2026-12-26 21:00") == "2026-12-28 08:00:00"
    assert local(policy, text(NEW_YORK), "2027-12-25 10:00") == "2027-12-27 08:00:00"


def test_the_result_names_the_denials() -> None:
    sundays = Closed(jurisdiction="*", days=frozenset({7}), source="ours")
    saturday_night = at("2026-03-08 02:30")  # 21:30 on Saturday the 7th

    found = opening(replace(LAW, closed=(sundays,)), text(NEW_YORK), saturday_night)

    assert [one.kind for one in found.denials] == ["quiet_hours", "closed_day"]
    assert found.why() == {
        "jurisdiction": "US",
        "zone": NEW_YORK,
        "source": "federal",
        "hours": "08:00-21:00",
        "also": [{"jurisdiction": "*", "zone": NEW_YORK, "source": "ours"}],
    }
    assert opening(LAW, text(NEW_YORK), saturday_night).why() == {
        "jurisdiction": "US",
        "zone": NEW_YORK,
        "source": "federal",
        "hours": "08:00-21:00",
    }


def test_without_a_legal_hour_there_is_no_instant() -> None:
    never = Closed(jurisdiction="US", days=frozenset(range(1, 8)), source="ours")
    apart = (replace(US, start=time(9), end=time(10)), replace(US, start=time(10), end=time(11), source="other"))

    assert opening(Policy(closed=(never,)), text(NEW_YORK), "2026-03-03 12:00").at is None
    found = opening(Policy(hours=apart), text(NEW_YORK), "2026-03-03 14:30")
    assert (found.at, {one.source for one in found.denials}) == (None, {"federal", "other"})


def test_the_search_ends_after_two_weeks() -> None:
    midnight = at("2026-03-03 05:00")
    days = [date(2026, 3, 3) + timedelta(days=ahead) for ahead in range(15)]

    def found(count: int) -> datetime | None:
        shut = Closed(jurisdiction="*", dates=frozenset(days[:count]), source="ours")
        return opening(Policy(closed=(shut,)), text(NEW_YORK), midnight + timedelta(hours=1)).at

    assert found(14) == at("2026-03-17 04:00")
    assert found(15) is None
    exactly = Closed(jurisdiction="*", dates=frozenset(days[:14]), source="ours")
    utc = Policy(closed=(exactly,))
    assert opening(utc, text("Asia/Kolkata"), "2026-03-02 18:30").at == at("2026-03-16 18:30")
    assert opening(utc, text("Asia/Kolkata"), "2026-03-02 18:29:59").at == at("2026-03-02 18:29:59")


# The same, by law.

CLOCKS = st.integers(0, 95).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))
CHANGES = (
    *("2026-03-08", "2026-11-01"),  # North America; Cuba at midnight
    *("2026-03-29", "2026-10-25"),  # Europe; Lebanon at midnight
    *("2026-04-05", "2026-10-04", "2026-09-27"),  # Australia (Lord Howe by half an hour), New Zealand
    *("2026-04-24", "2026-10-30"),  # Egypt, at midnight
    *("2026-02-15", "2026-03-22", "2026-04-04", "2026-09-06"),  # Morocco, Chile
)
SPECIAL = (
    *(NEW_YORK, "America/Chicago", "America/Denver", "America/Phoenix", "Pacific/Honolulu", "America/Adak"),
    *("Australia/Lord_Howe", "Africa/Cairo", "Africa/Casablanca", "America/Havana", "Asia/Beirut", "America/Nuuk"),
    *("Asia/Kathmandu", "Pacific/Chatham", "America/St_Johns", "Antarctica/Troll", "America/Santiago", "Asia/Kolkata"),
)
zone_names = st.sampled_from(SPECIAL) | st.sampled_from(sorted(available_timezones()))
instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)) | st.builds(  # noqa: DTZ001
    lambda day, seconds: at(day) + timedelta(seconds=seconds),
    st.sampled_from(CHANGES),
    st.integers(-129_600, 172_800),
)
weekdays = st.just(frozenset(range(1, 8))) | st.frozensets(st.integers(1, 7), min_size=1)
jurisdictions = st.sampled_from(["US", "US-RI", "US-TX", "IN", "*"])
sources = st.sampled_from(["one", "two"])


@st.composite
def hours(draw: st.DrawFn) -> Hours:
    start, end = sorted(draw(st.lists(CLOCKS, min_size=2, max_size=2, unique=True)))
    territory = draw(jurisdictions)
    return Hours(
        jurisdiction=territory,
        start=start,
        end=draw(st.sampled_from([end, end, time()])),
        days=draw(weekdays),
        purposes=draw(st.sampled_from([frozenset({Purpose.MARKETING}), frozenset(Purpose)])),
        channels=draw(st.sampled_from([frozenset(Channel), frozenset({Channel.SMS}), frozenset({Channel.EMAIL})])),
        zones=draw(st.frozensets(st.sampled_from(SPECIAL), max_size=6)) if "-" in territory else frozenset(),
        source=draw(sources),
    )


closings = st.builds(
    Closed,
    jurisdiction=jurisdictions,
    days=st.frozensets(st.integers(1, 7), max_size=3),
    yearly=st.frozensets(st.sampled_from([day.removeprefix("2026-") for day in CHANGES]), max_size=3),
    dates=st.frozensets(st.sampled_from(CHANGES).map(date.fromisoformat), max_size=3),
    source=sources,
)
policies = st.builds(
    Policy,
    hours=st.lists(hours(), max_size=4).map(tuple),
    closed=st.lists(closings, max_size=2).map(tuple),
    unknown_region=st.sampled_from(["strictest", "country"]),
)
texts = st.builds(
    lambda zones, country, region, purpose: text(*zones, country=country, region=region, purpose=purpose),
    st.lists(zone_names, min_size=1, max_size=3, unique=True),
    st.sampled_from(["US", "US", "IN", ""]),
    st.sampled_from(["", "RI", "TX", "NY"]),
    st.sampled_from(Purpose),
)


def is_legal(policy: Policy, sent: Message, instant: datetime) -> bool:
    """Whether in each zone every law that may apply has an open window, and no closed day."""
    return all(is_legal_in(name, policy, sent, instant.astimezone(ZoneInfo(name))) for name in sent.jurisdiction.zones)


def is_legal_in(zone: str, policy: Policy, sent: Message, clock: datetime) -> bool:
    country, region = sent.jurisdiction.countries[Channel.SMS], sent.jurisdiction.region

    def about(rule: Hours | Closed) -> bool:
        possible = {"*", country}
        if region:
            possible.add(f"{country}-{region}")
        elif policy.unknown_region == "strictest" and zone in rule.zones and country == "US":
            possible |= {"US-RI", "US-TX"}
        return rule.jurisdiction in possible and Channel.SMS in rule.channels and sent.purpose in rule.purposes

    minute = clock.hour * 60 + clock.minute
    verdicts: dict[tuple[str, str], bool] = {}
    for rule in filter(about, policy.hours):
        begin, end = (one.hour * 60 + one.minute for one in (rule.start, rule.end))
        is_open = clock.isoweekday() in rule.days and begin <= minute < (end or 24 * 60)
        law = (rule.jurisdiction, rule.source)
        verdicts[law] = verdicts.get(law, False) or is_open
    days = {clock.date(), clock.strftime("%m-%d"), clock.isoweekday()}
    return all(verdicts.values()) and not any(
        days & {*closed.dates, *closed.yearly, *closed.days} for closed in filter(about, policy.closed)
    )


def quarters(now: datetime) -> Iterator[datetime]:
    """Now, and every quarter of an hour until the horizon: nothing opens in between, for no zone's clock does."""
    yield now
    past = timedelta(minutes=now.minute % 15, seconds=now.second, microseconds=now.microsecond)
    quarter = now - past + QUARTER
    while quarter - now <= HORIZON:
        yield quarter
        quarter += QUARTER


@given(policies, texts, instants)
def test_a_check_of_each_quarter_hour_finds_the_same_instant(policy: Policy, sent: Message, now: datetime) -> None:
    found = opening(policy, sent, now)

    assert found.at == next((quarter for quarter in quarters(now) if is_legal(policy, sent, quarter)), None)
    assert bool(found.denials) == (found.at != now)


@given(policies, texts, instants)
def test_a_legal_instant_is_not_moved(policy: Policy, sent: Message, now: datetime) -> None:
    found = opening(policy, sent, now)

    assert found.at is None or opening(policy, sent, found.at) == Opening(found.at)


class TestANumberWithoutACountry:
    """A satellite phone may be anywhere: the strictest of all laws holds, and never the journey's zone."""

    def sent(self, **more: Any) -> Message:
        where = Jurisdiction((), dict.fromkeys(Channel, ""), anywhere=frozenset({Channel.SMS}))
        return replace(text(), jurisdiction=where, time_zone=NEW_YORK, **more)

    @given(st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
    def test_no_hour_is_legal_in_every_zone(self, now: datetime) -> None:
        found = opening(LAW, self.sent(), now)

        assert found.at is None
        assert found.denials[0].kind == "quiet_hours"
        assert found.denials[0].zone == ""

    def test_a_rule_of_our_own_for_everywhere_is_enough(self) -> None:
        ours = Policy(hours=(Hours(jurisdiction="*", start=time(8), end=time(21), source="ours"),))

        assert opening(ours, self.sent(), "2026-03-03 17:00").at is None

    @pytest.mark.parametrize(
        "sent", [{"purpose": Purpose.TRANSACTIONAL}, {"jurisdiction": Jurisdiction((), {Channel.SMS: ""})}]
    )
    def test_what_no_rule_asks_for_may_go_out(self, sent: dict[str, Any]) -> None:
        assert opening(LAW, replace(self.sent(), **sent), "2026-03-03 17:00").denials == ()

    def test_without_hours_every_hour_is_legal(self) -> None:
        always = replace(US, start=time(), end=time())

        for policy in (Policy(), Policy(hours=(always,))):
            assert opening(policy, self.sent(), "2026-03-03 03:00").at == at("2026-03-03 03:00")

    def test_a_closed_day_is_over_when_it_is_over_everywhere(self) -> None:
        closed = Policy(closed=(Closed(jurisdiction="IN", dates=frozenset({date(2026, 3, 3)}), source="holiday"),))

        assert opening(closed, self.sent(), "2026-03-02 09:59:59").at == at("2026-03-02 09:59:59")
        assert opening(closed, self.sent(), "2026-03-02 10:00").at == at("2026-03-04 12:00")

    def test_a_rule_with_a_clock_of_its_own_has_it_here_too(self) -> None:
        india = Policy(hours=(INDIA,))

        assert opening(india, self.sent(), "2026-03-03 16:00").at == at("2026-03-04 04:30")
