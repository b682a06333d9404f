"""Warnings of entries in calendars that no e-mail corrects."""

from typing import Any

import pytest

from authoring.proof.invites import uncorrected
from cairn.domain.journey.definition import Journey
from tests.unit.authoring.proof.made import made

VISIT = {"starts": "data.visit_at", "lasts": "2h"}
KEY = "event.properties.booking_id"


def inviting(**invite: Any) -> dict[str, Any]:
    return {"send": {"channel": "email", "template": "hello", "purpose": "transactional", "invite": invite or VISIT}}


def booking(*more: dict[str, Any], **keys: Any) -> Journey:
    return made(inviting(), *more, journey="booking", **keys)


def change(**invite: Any) -> Journey:
    return made(inviting(**invite), journey="changes", entry={"event": "booking.moved", "key": KEY})


MOVES = {"refresh_on": [{"event": "booking.moved"}]}
ENDS = {"exit_on": [{"event": "booking.cancelled"}, {"event": "account.closed"}]}


def said(*journeys: Journey) -> list[tuple[str, str, str]]:
    return [(journey.name, one.step, one.message) for journey, one in uncorrected(journeys)]


def test_a_date_that_moves_without_another_invite_is_a_warning() -> None:
    assert said(booking(**MOVES)) == [
        ("booking", "s0", "booking.moved may bring another date, and the customer's calendar keeps the first")
    ]


def test_an_end_without_a_cancellation_is_a_warning() -> None:
    assert said(booking(**ENDS)) == [
        (
            "booking",
            "s0",
            "booking.cancelled or account.closed ends this, and the entry stays in the customer's calendar",
        )
    ]


@pytest.mark.parametrize(
    "journeys",
    [
        [booking()],
        [booking({"wait": "1d"}, inviting(), **MOVES)],
        [booking(**MOVES), change(**VISIT, of="booking")],
        [booking(inviting(cancel=True), **ENDS)],
        [booking(**ENDS), change(cancel=True, of="booking")],
        [made(inviting(starts="profile.next_visit", lasts="1h"), **MOVES)],
        [change(cancel=True, of="booking")],
    ],
)
def test_what_is_corrected_is_none(journeys: list[Journey]) -> None:
    assert said(*journeys) == []


@pytest.mark.parametrize("other", [change(**VISIT), change(**VISIT, of="delivery"), change(cancel=True, of="booking")])
def test_an_invite_of_something_else_corrects_nothing(other: Journey) -> None:
    assert len(said(booking(**MOVES), other)) == 1
