"""What each part of a Pinpoint journey becomes, and what is noted."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from authoring.pinpoint.conditions import Conditions
from authoring.pinpoint.journey import Imported, imported
from authoring.pinpoint.model import Journey, SegmentDimensions, SimpleCondition
from authoring.pinpoint.notes import Notes
from cairn.domain.journey.conditions import Scope, is_met
from cairn.domain.profile.profile import Activity, Profile
from tests.unit.makers import profile

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
EVENT = {"EventCondition": {"Dimensions": {"EventType": {"Values": ["Bought"]}}}}
CLICKED = {"EventCondition": {"Dimensions": {"EventType": {"Values": ["_email.click"]}}}}
OPENED = {"EventCondition": {"Dimensions": {"EventType": {"Values": ["_email.open"]}}}}
SEGMENT = {"SegmentCondition": {"SegmentId": "abc"}}
SMS = {"SMS": {"TemplateName": "Hello", "MessageConfig": {"MessageType": "TRANSACTIONAL"}}}


def journey(activities: Mapping[str, Any], start: str = "a", **settings: Any) -> Imported:
    written = {"Name": "Example", "StartActivity": start, "Activities": activities, **settings}
    return imported(Journey.model_validate(written), "example", {})


def steps(activities: Mapping[str, Any], **settings: Any) -> list[dict[str, Any]]:
    return list(journey(activities, **settings).document["steps"])


def decided(condition: Any, operator: str = "ALL", wait: str = "") -> list[dict[str, Any]]:
    split = {"Condition": {"Conditions": condition, "Operator": operator}, "TrueActivity": "b", "FalseActivity": ""}
    waiting = {"EvaluationWaitTime": {"WaitFor": wait}} if wait else {}
    return steps({"a": {"Description": "asked", "ConditionalSplit": split | waiting}, "b": SMS})


# time


@pytest.mark.parametrize(
    ("time", "wait"),
    [
        ({"WaitFor": "PT1H"}, "1h"),
        ({"WaitFor": "P1DT2H30M"}, "1d2h30m"),
        ({"WaitFor": "P2W"}, "14d"),
        ({"WaitUntil": "2026-05-01T10:00:00+02:00"}, {"until": "'2026-05-01T08:00:00Z'"}),
        ({"WaitFor": "P90Y"}, "3660d"),
    ],
)
def test_a_wait_is_a_wait(time: dict[str, str], wait: Any) -> None:
    assert steps({"a": {"Wait": {"WaitTime": time, "NextActivity": "b"}}, "b": SMS})[0] == {"id": "wait", "wait": wait}


@pytest.mark.parametrize("time", [{"WaitFor": "PT0S"}, {"WaitFor": "soon"}, {}])
def test_a_wait_that_cannot_be_read_is_left_out(time: dict[str, str]) -> None:
    assert [one["id"] for one in steps({"a": {"Wait": {"WaitTime": time, "NextActivity": "b"}}, "b": SMS})] == [
        "sms-hello"
    ]


def test_open_hours_are_a_calendar_and_a_wait_before_the_channel() -> None:
    made = journey(
        {"a": SMS},
        SendingSchedule=True,
        OpenHours={
            "SMS": {"FRIDAY": [{"StartTime": "22:00", "EndTime": "02:00"}, {"StartTime": "09:00", "EndTime": "10:00"}]}
        },
        ClosedDays={"SMS": [{"StartDateTime": "2026-12-24T00:00:00Z", "EndDateTime": "2026-12-26T00:00:00Z"}]},
    )

    assert made.calendars == {
        "example-sms": {
            "hours": {"fri": "09:00-10:00, 22:00-24:00", "sat": "00:00-02:00"},
            "closed": ["2026-12-24", "2026-12-25"],
        }
    }
    assert made.document["steps"][0] == {"id": "sms-hello-open", "wait": {"open": "example-sms"}}


def test_open_hours_that_are_not_in_force_are_noted_alone() -> None:
    made = journey({"a": SMS}, OpenHours={"SMS": {"FRIDAY": [{"StartTime": "09:00", "EndTime": "10:00"}]}})

    assert made.calendars == {}
    assert "SendingSchedule" in [note.about for note in made.notes]


# start


def test_an_event_with_attributes_and_metrics_starts_it() -> None:
    dimensions = {
        "EventType": {"Values": ["AddToCart"]},
        "Attributes": {"sku name": {"AttributeType": "INCLUSIVE", "Values": ["it's"]}},
        "Metrics": {"price": {"ComparisonOperator": "GREATER_THAN", "Value": 9.5}},
    }
    start = {"EventStartCondition": {"EventFilter": {"FilterType": "ENDPOINT", "Dimensions": dimensions}}}

    assert journey({"a": SMS}, StartCondition=start).document["entry"] == {
        "event": "app.add_to_cart",
        "where": 'event.properties."sku name" == `"it\'s"` && event.properties.price > `9.5`',
        "again": "never",
    }


def test_several_events_start_it_each() -> None:
    dimensions = {"EventType": {"Values": ["order.placed", "_email.open", "_SMS.OPTOUT"]}}
    start = {"EventStartCondition": {"EventFilter": {"FilterType": "SYSTEM", "Dimensions": dimensions}}}

    assert journey({"a": SMS}, StartCondition=start).document["entry"]["any"] == [
        {"event": "app.order_placed"},
        {"event": "message.opened"},
        {"event": "message.stopped"},
    ]


def test_attributes_of_events_about_messages_are_not_asked_for() -> None:
    dimensions = {
        "EventType": {"Values": ["_email.click", "order.placed"]},
        "Attributes": {"link": {"AttributeType": "INCLUSIVE", "Values": ["a"]}},
    }
    start = {"EventStartCondition": {"EventFilter": {"FilterType": "SYSTEM", "Dimensions": dimensions}}}

    assert journey({"a": SMS}, StartCondition=start).document["entry"]["any"] == [
        {"event": "message.clicked"},
        {"event": "app.order_placed", "where": "event.properties.link == 'a'"},
    ]


def test_a_segment_starts_it_by_a_tag() -> None:
    made = journey({"a": SMS}, StartCondition={"SegmentStartCondition": {"SegmentId": "a1B2"}})

    assert made.document["entry"]["when"] == "contains(profile.tags, 'pinpoint-a1B2')"


@pytest.mark.parametrize(
    ("limits", "again"),
    [
        ({}, "never"),
        ({"EndpointReentryCap": 1, "EndpointReentryInterval": "P7D"}, "never"),
        ({"EndpointReentryCap": 0}, "when-ended"),
        ({"EndpointReentryCap": 0, "EndpointReentryInterval": "P7D"}, "7d"),
        ({"EndpointReentryCap": 5, "EndpointReentryInterval": "PT12H"}, "12h"),
    ],
)
def test_limits_say_who_may_enter_again(limits: dict[str, Any], again: str) -> None:
    assert journey({"a": SMS}, Limits=limits).document["entry"]["again"] == again


@pytest.mark.parametrize(
    ("offset", "zone"), [("UTC+05", "Etc/GMT-5"), ("UTC-03", "Etc/GMT+3"), ("UTC", "UTC"), ("UTC+05:30", "UTC")]
)
def test_the_offset_of_the_schedule_is_a_zone(offset: str, zone: str) -> None:
    made = journey({"a": SMS}, Schedule={"Timezone": offset, "StartTime": "2026-03-01T00:00:00Z"})

    assert made.document.get("time_zone", "UTC") == zone
    assert made.document["entry"]["from"] == "2026-03-01"


# decisions


def test_a_condition_on_the_profile_is_a_branch() -> None:
    assert decided([SEGMENT]) == [
        {"id": "asked", "branch": [{"if": "contains(profile.tags, 'pinpoint-abc')", "then": [hello()]}]}
    ]


def test_one_event_is_waited_for() -> None:
    assert decided([EVENT], wait="P1D") == [
        {"id": "asked", "wait_for": {"event": "app.bought", "timeout": "1d", "then": [hello()]}}
    ]


def test_all_of_several_events_are_waited_for() -> None:
    assert decided([EVENT, OPENED], wait="P1D") == [
        {
            "id": "asked",
            "wait_for": {
                "all": [{"event": "app.bought"}, {"event": "message.opened"}],
                "timeout": "1d",
                "then": [hello()],
            },
        }
    ]


def test_any_of_several_events_is_waited_for_and_a_branch_asks_for_it() -> None:
    wait, branch = decided([EVENT, SEGMENT], "ANY", wait="P1D")

    assert wait == {"id": "asked-wait", "wait_for": {"event": "app.bought", "timeout": "1d"}}
    assert branch["branch"][0]["if"] == (
        "((event.type == 'app.bought') || `false`) || contains(profile.tags, 'pinpoint-abc')"
    )


def test_events_without_a_wait_are_asked_of_the_past() -> None:
    assert decided([EVENT])[0]["branch"][0]["if"] == "seen_since('app.bought', enrollment.since)"


def several(*conditions: Any) -> list[dict[str, Any]]:
    branches = [{"Condition": one, "NextActivity": "b"} for one in conditions]
    multi = {"Branches": branches, "DefaultActivity": "", "EvaluationWaitTime": {"WaitFor": "P1D"}}
    return steps({"a": {"Description": "asked", "MultiCondition": multi}, "b": SMS})


def test_the_first_of_several_events_decides() -> None:
    (waited, *_) = several(EVENT, CLICKED)

    assert [one["event"] for one in waited["wait_for"]["any"]] == ["app.bought", "message.clicked"]


def test_an_opening_does_not_decide_before_a_click_may_come() -> None:
    (waited, *_) = several(CLICKED, OPENED)

    assert waited["wait_for"]["event"] == "message.clicked"
    assert waited["wait_for"]["else"][0]["branch"][0]["if"] == "seen_since('message.opened', enrollment.since)"


def test_a_holdout_is_an_arm_that_exits() -> None:
    (split, hello_) = steps({"a": {"Holdout": {"Percentage": 20, "NextActivity": "b"}}, "b": SMS})

    assert [(one["arm"], one["weight"]) for one in split["split"]["arms"]] == [("held-out", 20), ("goes-on", 80)]
    assert split["split"]["arms"][0]["then"] == [{"id": "holdout-end", "exit": "held-out"}]
    assert hello_ == hello()


def test_a_message_that_a_condition_names_is_that_of_its_step() -> None:
    condition = {"EventCondition": CLICKED["EventCondition"] | {"MessageActivity": "a"}}
    split = {"Condition": {"Conditions": [condition]}, "EvaluationWaitTime": {"WaitFor": "P1D"}}
    (_, waited) = steps({"a": {"EMAIL": {"TemplateName": "Hi", "NextActivity": "b"}}, "b": {"ConditionalSplit": split}})

    assert waited["wait_for"]["where"] == "event.properties.step == 'email-hi'"


def hello() -> dict[str, Any]:
    return {"id": "sms-hello", "send": {"channel": "sms", "template": "hello", "purpose": "transactional"}}


# conditions, as they are met

DAY = timedelta(days=1)
MIA = {"plan": "team", "seats": 12, "since": "2026-02-01T00:00:00Z", "email": "mia@example.com", "country": "ES"}


def attribute(kind: str, *values: str, name: str = "plan") -> dict[str, Any]:
    return {"UserAttributes": {name: {"AttributeType": kind, "Values": list(values)}}}


@pytest.mark.parametrize(
    ("dimensions", "met"),
    [
        (attribute("INCLUSIVE", "solo", "team"), True),
        (attribute("INCLUSIVE", "solo"), False),
        (attribute("EXCLUSIVE", "solo"), True),
        (attribute("EXCLUSIVE", "team"), False),
        (attribute("CONTAINS", "ea"), True),
        (attribute("CONTAINS", "ea", name="nothing"), False),
        (attribute("BEFORE", "2026-02-02T00:00:00Z", name="since"), True),
        (attribute("BEFORE", "2026-01-02T00:00:00Z", name="since"), False),
        (attribute("AFTER", "2026-01-02T00:00:00Z", name="since"), True),
        (attribute("AFTER", "2026-02-02T00:00:00Z", name="since"), False),
        (attribute("ON", "2026-02-01T17:00:00Z", name="since"), True),
        (attribute("ON", "2026-02-02T00:00:00Z", name="since"), False),
        (attribute("BETWEEN", "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z", name="since"), True),
        (attribute("BETWEEN", "2026-02-02T00:00:00Z", "2026-03-01T00:00:00Z", name="since"), False),
        (attribute("BEFORE", "some day", name="since"), False),
        ({"Metrics": {"seats": {"ComparisonOperator": "GREATER_THAN_OR_EQUAL", "Value": 12}}}, True),
        ({"Metrics": {"seats": {"ComparisonOperator": "LESS_THAN", "Value": 12}}}, False),
        ({"Metrics": {"seats": {"ComparisonOperator": "NEAR", "Value": 12}}}, False),
        ({"Demographic": {"Channel": {"Values": ["EMAIL"]}}}, True),
        ({"Demographic": {"Channel": {"DimensionType": "EXCLUSIVE", "Values": ["SMS"]}}}, True),
        ({"Demographic": {"Platform": {"Values": ["ios"]}}}, False),
        ({"Location": {"Country": {"Values": ["FR", "ES"]}}}, True),
        ({"Location": {"GPSPoint": {"Coordinates": {"Latitude": 1.0, "Longitude": 2.0}}}}, False),
        ({"Behavior": {"Recency": {"Duration": "DAY_7", "RecencyType": "ACTIVE"}}}, True),
        ({"Behavior": {"Recency": {"Duration": "HR_24", "RecencyType": "ACTIVE"}}}, False),
        ({"Behavior": {"Recency": {"Duration": "HR_24", "RecencyType": "INACTIVE"}}}, True),
        ({"Location": {"Country": {"Values": ["ES"]}}, **attribute("INCLUSIVE", "solo")}, False),
        ({}, True),
    ],
)
def test_a_dimension_is_met_by_whom_it_is_met_in_pinpoint(dimensions: dict[str, Any], met: bool) -> None:  # noqa: FBT001
    conditions = Conditions(Notes("example"))
    expression = conditions.dimensions(SegmentDimensions.model_validate(dimensions), "asked")

    assert is_met(expression, Scope(mia(), NOW, {})) is met


def mia() -> Profile:
    seen = Activity(1, NOW - 3 * DAY, NOW - 3 * DAY)
    return replace(profile(when=NOW, **MIA), activity={"app.session_start": seen})


def test_the_wire_name_of_segment_dimensions_counts_too() -> None:
    written = {"segmentDimensions": attribute("INCLUSIVE", "team")}

    assert SimpleCondition.model_validate(written).segment_dimensions is not None


# notes


def test_what_does_not_carry_over_is_noted_with_what_to_do() -> None:
    made = journey(
        {"a": {"CUSTOM": {"DeliveryUri": "https://hooks.example.com/x", "NextActivity": "gone"}}, "z": SMS},
        Limits={"DailyCap": 3, "TotalCap": 9, "MessagesPerSecond": 5, "TimeframeCap": {"Cap": 4, "Days": 40}},
        QuietTime={"Start": "22:00", "End": "07:00"},
        WaitForQuietTime=False,
        LocalTime=True,
        RefreshFrequency="PT1H",
        RefreshOnSegmentUpdate=True,
        TimezoneEstimationMethods=["PHONE_NUMBER"],
        JourneyChannelSettings={"ConnectCampaignArn": "arn"},
        State="PAUSED",
    )
    notes = {note.about: note for note in made.notes}

    assert notes.keys() >= {
        "a",
        "a (custom)",
        "z",
        "StartCondition",
        "Limits.DailyCap",
        "Limits.TotalCap",
        "Limits.MessagesPerSecond",
        "Limits.TimeframeCap",
        "QuietTime",
        "WaitForQuietTime",
        "LocalTime",
        "RefreshFrequency",
        "RefreshOnSegmentUpdate",
        "TimezoneEstimationMethods",
        "JourneyChannelSettings",
        "State",
    }
    assert 'limit = 3, window = "day", journey = "example"' in notes["Limits.DailyCap"].mend
    assert 'limit = 4, window = "30d"' in notes["Limits.TimeframeCap"].mend
    assert 'from = "07:00", to = "22:00"' in notes["QuietTime"].mend
    assert "hooks.example.com" in notes["a (custom)"].message
    assert all(note.mend.endswith(".") for note in made.notes)
