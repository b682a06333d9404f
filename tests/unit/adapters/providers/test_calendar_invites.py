"""E-mails with a calendar invite, read by the library `icalendar` and by Python's own reader of e-mails."""

import email.policy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from icalendar import Calendar, vCalAddress

from cairn.adapters.providers.calendar_text import LONGEST_LINE, calendar_text
from cairn.adapters.providers.ses import SesEmail
from cairn.domain.message.message import Rendered
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.invites import Invite
from tests.unit.makers import MONDAY, message

NORTHSIDE = ("Northside Fitness", "hello@northside.example.com")
VISIT = Invite(
    "abcd234", 7, MONDAY, MONDAY + timedelta(hours=2), title="Your visit", location="1 River Road, Hoboken; NJ"
)


def text_of(invite: Invite, organizer: tuple[str, str] = NORTHSIDE, attendee: str = "ada@example.com") -> str:
    return calendar_text(invite, organizer=organizer, attendee=attendee, stamp=MONDAY)


def event_of(text: str | bytes) -> tuple[Any, Any]:
    calendar = Calendar.from_ical(text)
    (event,) = calendar.subcomponents
    assert not [*calendar.errors, *event.errors]
    return calendar, event


def test_an_invite_is_a_request_to_one_attendee_at_an_instant_in_utc() -> None:
    calendar, event = event_of(text_of(VISIT))

    assert (calendar["METHOD"], calendar["VERSION"]) == ("REQUEST", "2.0")
    assert (event.start, event.end) == (MONDAY, MONDAY + timedelta(hours=2))
    assert (event["UID"], event["SEQUENCE"]) == ("abcd234@northside.example.com", 7)
    assert (event["SUMMARY"], event["LOCATION"]) == ("Your visit", "1 River Road, Hoboken; NJ")
    assert event["ORGANIZER"] == "mailto:hello@northside.example.com"
    assert event["ORGANIZER"].params["CN"] == "Northside Fitness"
    assert event["ATTENDEE"] == "mailto:ada@example.com"
    assert event["ATTENDEE"].params["RSVP"] == "FALSE"
    assert (event["STATUS"], event["DTSTAMP"].dt) == ("CONFIRMED", MONDAY)


def test_a_cancellation_has_the_same_uid_and_may_lack_the_date() -> None:
    calendar, event = event_of(text_of(Invite("abcd234", 9, None, None, cancels=True, title="Your visit")))

    assert (calendar["METHOD"], event["STATUS"]) == ("CANCEL", "CANCELLED")
    assert (event["UID"], event["SEQUENCE"]) == ("abcd234@northside.example.com", 9)
    assert "DTSTART" not in event


texts = st.text(st.characters(codec="utf-8"), max_size=120) | st.text(
    st.sampled_from('\r\n\\;,:" \tné👩‍🚀\u2028\x85\x00END')
)
instants = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


@given(texts, texts, texts, texts, instants)
@example("a\r\nMETHOD:CANCEL", "b\nEND:VEVENT", "c\rX:1", 'N"\r\nX: 1', MONDAY)
@example("é" * 100, "👩‍🚀" * 40, "\\n\\", ";;", MONDAY)
def test_whatever_the_texts_are_the_calendar_is_whole_and_gives_them_back(
    title: str, location: str, description: str, name: str, starts: datetime
) -> None:
    invite = Invite(
        "u", 1, starts, starts + timedelta(hours=1), title=title, location=location, description=description
    )

    text = text_of(invite, (name, NORTHSIDE[1]))

    lines = text.split("\r\n")
    assert lines[-1] == ""
    assert all(len(line.encode()) <= LONGEST_LINE for line in lines)
    assert "\n" not in text.replace("\r\n", "")
    assert "\r" not in text.replace("\r\n", "")
    calendar, event = event_of(text)
    assert (calendar["METHOD"], event["UID"]) == ("REQUEST", "u@northside.example.com")
    assert event.start == starts.replace(microsecond=0)
    assert set(event) <= {
        *("UID", "DTSTAMP", "SEQUENCE", "DTSTART", "DTEND", "SUMMARY", "LOCATION", "DESCRIPTION", "STATUS"),
        *("ORGANIZER", "ATTENDEE"),
    }
    assert isinstance(event["ATTENDEE"], vCalAddress)
    for written, read in ((title, event["SUMMARY"]), (description, event.get("DESCRIPTION", ""))):
        assert _plain(read) == _plain(written)


def _plain(text: str) -> str:
    """Its printable characters that are no blanks: no control is promised to come back."""
    return "".join(one for one in text if one.isprintable() and not one.isspace() and one != "\u200d")


class Ses:
    """Records what SES is asked to send."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def send_email(self, **asked: Any) -> dict[str, str]:
        self.asked = asked
        return {"MessageId": "1"}


def sent(rendered: Rendered, sender: str = "Northside Fitness <hello@northside.example.com>") -> EmailMessage:
    ses = Ses()
    SesEmail(ses, sender=sender, configuration_set="cairn").send(message(), rendered)
    assert ses.asked["ConfigurationSetName"] == "cairn"
    assert {"Name": "message", "Value": "enr-confirm-1"} in ses.asked["EmailTags"]
    read = email.message_from_bytes(ses.asked["Content"]["Raw"]["Data"], policy=email.policy.default)
    assert isinstance(read, EmailMessage)
    return read


UNSUBSCRIBE = f"<https://links.example.com/u/{'x' * 300}>"
RENDERED = Rendered(
    Channel.EMAIL,
    "ada@example.com",
    "Hello, Zoë",
    subject="Your visit",
    html="<p>Hello, Zoë</p>",
    headers={"List-Unsubscribe": UNSUBSCRIBE, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    invite=VISIT,
)


def test_the_invite_is_the_last_alternative_and_a_file_besides() -> None:
    mail = sent(RENDERED)

    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
        "application/ics",
    ]
    *_, text, html, calendar, file = mail.walk()
    assert (text.get_content().strip(), html.get_content().strip()) == ("Hello, Zoë", "<p>Hello, Zoë</p>")
    assert calendar["Content-Type"].params["method"] == "REQUEST"
    assert file.get_filename() == "invite.ics"
    for part in (calendar, file):
        assert event_of(part.get_payload(decode=True))[1]["UID"] == "abcd234@northside.example.com"


def test_its_headers_are_those_of_every_e_mail() -> None:
    mail = sent(RENDERED)

    assert mail["List-Unsubscribe"] == UNSUBSCRIBE
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert (mail["From"], mail["To"]) == ("Northside Fitness <hello@northside.example.com>", "ada@example.com")


@pytest.mark.parametrize("subject", ["Your visit", "Bis Samstag, Zoë! 👩‍🚀 " * 8, "Plain, but long. " * 20])
def test_a_subject_arrives_as_it_was_written(subject: str) -> None:
    mail = sent(replace(RENDERED, subject=subject.strip()), "Café Zoë <hello@northside.example.com>")

    assert " ".join(mail["Subject"].split()) == subject.strip()
    assert mail["From"].addresses[0].display_name == "Café Zoë"


def test_an_e_mail_without_an_invite_stays_simple() -> None:
    ses = Ses()

    SesEmail(ses, sender="hello@example.com", configuration_set="cairn").send(message(), replace(RENDERED, invite=None))

    assert ses.asked["Content"].keys() == {"Simple"}
