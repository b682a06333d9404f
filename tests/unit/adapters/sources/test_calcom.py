"""Cal.com: what a journey about an appointment relies on."""

import json
from typing import Any

from cairn.domain.identity.identifiers import EMAIL, PHONE, Identifier


def changed(take: Any, post: Any, name: str, at: str = "", **payload: Any) -> Any:
    document = json.loads(take(f"calcom/{name}").request.body)
    document["payload"] |= payload
    return post("calcom", document | ({"createdAt": at} if at else {})).read().events


def test_a_booking_that_two_webhooks_report_is_one_event(take: Any, post: Any) -> None:
    """One of the user and one of the team: their createdAt differ by some milliseconds."""
    [of_the_user] = changed(take, post, "booking_created")
    [of_the_team] = changed(take, post, "booking_created", at="2026-03-09T14:00:00.007Z")
    [another_seat] = changed(
        take, post, "booking_created", responses={"email": {"label": "email_address", "value": "mia@example.com"}}
    )

    assert of_the_user.key == of_the_team.key
    assert another_seat.key != of_the_user.key


def test_each_guest_who_did_not_come_has_an_event(take: Any) -> None:
    events = take("calcom/booking_no_show_updated").read().events

    assert [(event.type, event.identifiers) for event in events] == [
        ("appointment.missed", (Identifier(EMAIL, "omar.sample@example.com"),)),
        ("appointment.missed", (Identifier(EMAIL, "ida.sample@example.com"),)),
    ]


def test_a_no_show_that_is_marked_twice_is_missed_once(take: Any, post: Any) -> None:
    first, again = (
        changed(take, post, "booking_no_show_updated", at=at)[0].key
        for at in ("2026-03-12T15:20:00Z", "2026-03-12T16:00:00Z")
    )

    assert first == again


def test_who_books_by_phone_has_no_address_of_cal_com(take: Any) -> None:
    [event] = take("calcom/booking_requested").read().events

    assert event.identifiers == (Identifier(PHONE, "+12015550149"),)


def test_a_booker_who_is_not_among_the_guests_has_nobody_elses_name(take: Any, post: Any) -> None:
    [event] = changed(take, post, "booking_created", attendees=[{"email": "ida@example.com", "name": "Ida Sample"}])

    assert event.identifiers[0] == Identifier(EMAIL, "omar.sample@example.com")
    assert event.attributes == {}


def test_a_guest_of_a_meeting_that_ended_is_the_one_who_booked(take: Any) -> None:
    [event] = take("calcom/meeting_ended").read().events

    assert event.identifiers[0] == Identifier(EMAIL, "omar.sample@example.com")
    assert event.occurred_at.isoformat() == "2026-03-19T15:30:00+00:00"
