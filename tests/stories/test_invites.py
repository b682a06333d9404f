"""A customer's calendar: what the e-mails of a booking bring is one entry, which follows the booking to its end."""

import email.policy
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar
from werkzeug.test import Client

from infra.local.server import Application

BY_BOOKING = {"key": "event.properties.booking_id", "again": "when-ended"}
VISIT = {"starts": "data.visit_at", "lasts": "2h"}
MAIL = """\
---
subject: Your visit
invite_title: "{{ journey }}: {{ data.room | default('a room') }}"
invite_location: "{{ data.address | default('here') | full }}"
---
<p>See you.</p>
"""


def _journey(root: Path, name: str, event: str, invite: dict[str, Any], purpose: str = "transactional") -> None:
    (root / name / "templates").mkdir(parents=True)
    send = {"channel": "email", "template": "visit", "purpose": purpose, "invite": invite}
    steps = [{"id": "mail", "send": send}, {"id": "a-week", "wait": "7d"}]
    document = {"journey": name, "entry": {"event": event, **BY_BOOKING}, "steps": steps}
    if name == "booking":
        document |= {"exit_on": [{"event": "booking.cancelled"}]}
    (root / name / "journey.yaml").write_text(json.dumps(document), encoding="utf-8")
    (root / name / "templates/visit.email.html").write_text(MAIL, encoding="utf-8")


@pytest.fixture
def bookings(tmp_path: Path) -> Path:
    root = tmp_path / "journeys"
    _journey(root, "booking", "booking.confirmed", VISIT)
    _journey(root, "booking-moved", "booking.moved", VISIT | {"of": "booking"})
    _journey(root, "booking-cancelled", "booking.cancelled", {"cancel": True, "of": "booking"})
    _journey(root, "open-day", "open_day.announced", VISIT, purpose="marketing")
    return root


@dataclass(frozen=True)
class Invited:
    """One e-mail's calendar part."""

    method: str
    event: Any
    mail: Any


def invited(story: Any) -> list[Invited]:
    found = []
    for asked in story.deployment.cloud.mails:
        mail = email.message_from_bytes(asked["Content"]["Raw"]["Data"], policy=email.policy.default)
        (part,) = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
        calendar = Calendar.from_ical(part.get_payload(decode=True))
        (event,) = calendar.subcomponents
        assert part["Content-Type"].params["method"] == calendar["METHOD"]
        found.append(Invited(str(calendar["METHOD"]), event, mail))
    return found


def books(story: Any, member: Any, type_: str, visit_at: str = "", **properties: Any) -> None:
    more = {"visit_at": visit_at} if visit_at else {}
    story.happens(type_, properties={"booking_id": "B-1", **more, **properties}, **member())


def test_a_booking_that_moves_and_is_cancelled_is_one_entry_in_three_versions(
    a_story: Any, bookings: Path, member: Any
) -> None:
    story = a_story(bookings)

    books(story, member, "booking.confirmed", "2026-03-07T18:30:00")
    story.passes("1d")
    books(story, member, "booking.moved", "2026-03-08T18:30:00")
    story.passes("1d")
    books(story, member, "booking.cancelled")

    mails = invited(story)
    assert [one.method for one in mails] == ["REQUEST", "REQUEST", "CANCEL"]
    assert len({one.event["UID"] for one in mails}) == 1
    sequences = [one.event["SEQUENCE"] for one in mails]
    assert sequences == sorted(set(sequences))
    winter, summer = (one.event.start for one in mails[:2])  # New York's clocks change in the night between
    assert (winter, summer) == (
        datetime.fromisoformat("2026-03-07T18:30-05:00"),
        datetime.fromisoformat("2026-03-08T18:30-04:00"),
    )
    assert "DTSTART" not in mails[2].event


def test_moves_that_arrive_in_the_wrong_order_leave_the_last_date(a_story: Any, bookings: Path, member: Any) -> None:
    story = a_story(bookings)
    books(story, member, "booking.confirmed", "2026-03-07T18:30:00")
    first = story.deployment.now()
    story.passes("2h")

    books(story, member, "booking.moved", "2026-03-09T18:30:00")
    story.passes("8d")
    late = (first.replace(microsecond=0)).isoformat()
    more = {"booking_id": "B-1", "visit_at": "2026-03-19T18:30:00"}
    story.happens("booking.moved", "late", occurred_at=late, properties=more, **member())

    first_date, last_date, late_date = invited(story)
    assert late_date.event["SEQUENCE"] < last_date.event["SEQUENCE"]
    assert late_date.event["SEQUENCE"] == first_date.event["SEQUENCE"]


def test_marketing_with_an_invite_can_be_unsubscribed_by_one_click(a_story: Any, bookings: Path, member: Any) -> None:
    story = a_story(bookings)

    books(story, member, "open_day.announced", "2026-03-07T18:30:00")

    (one,) = invited(story)
    assert one.mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = one.mail["List-Unsubscribe"].strip("<>")
    assert story.deployment.visit("POST", url, {}, b"List-Unsubscribe=One-Click")["statusCode"] == 200
    story.deployment.settle()
    assert [line["source"] for line in story.timeline("event") if line["type"] == "consent.changed"] == ["preferences"]


def test_what_a_customer_writes_stays_within_its_property(a_story: Any, bookings: Path, member: Any) -> None:
    story = a_story(bookings)
    evil = "Blue\r\nATTENDEE:mailto:eve@example.com\r\nEND:VEVENT"

    books(story, member, "booking.confirmed", "2026-03-07T18:30:00", room=evil, address="1 River Road; Unit 2, \\ B\n")

    (one,) = invited(story)
    assert one.event["ATTENDEE"] == "mailto:mia.1@example.com"
    assert one.event["SUMMARY"] == "booking: Blue ATTENDEE: mailto: eve@example. com END:VEVENT"
    assert one.event["LOCATION"] == "1 River Road; Unit 2, \\ B"


def test_the_timeline_has_the_invite(a_story: Any, bookings: Path, member: Any) -> None:
    story = a_story(bookings)

    books(story, member, "booking.confirmed", "2026-03-07T18:30:00", room="Blue")

    (line,) = story.timeline("message")
    assert line["invite"] == {
        "method": "request",
        "title": "booking: Blue",
        "starts": "2026-03-07T23:30:00Z",
        "ends": "2026-03-08T01:30:00Z",
        "location": "here",
    }


def test_the_local_server_lists_the_e_mail_with_its_calendar(a_story: Any, bookings: Path, member: Any) -> None:
    story = a_story(bookings)
    books(story, member, "open_day.announced", "2026-03-07T18:30:00")

    (line,) = Client(Application(story.deployment)).get("/_mail").get_data(as_text=True).splitlines()

    mail = json.loads(line)
    assert (mail["to"], mail["subject"]) == ("mia.1@example.com", "Your visit")
    assert mail["text"].startswith("See you.")
    assert mail["headers"]["List-Unsubscribe"].startswith("<https://")
    assert "METHOD:REQUEST" in mail["invite"]


@pytest.mark.parametrize(("visit_at", "outcome", "mails"), [("next Friday", "moment_unreadable", 0), ("", "", 1)])
def test_a_date_that_cannot_be_read_ends_the_journey_and_one_that_is_not_there_leaves_the_invite_out(  # noqa: PLR0913, PLR0917
    a_story: Any, bookings: Path, member: Any, visit_at: str, outcome: str, mails: int
) -> None:
    story = a_story(bookings)

    books(story, member, "booking.confirmed", visit_at)

    assert [line["outcome"] for line in story.timeline("ended")] == ([outcome] if outcome else [])
    assert [one["Content"].keys() for one in story.deployment.cloud.mails] == [{"Simple"}] * mails
