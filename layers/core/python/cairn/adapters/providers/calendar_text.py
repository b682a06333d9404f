"""A calendar invite as iCalendar text (RFC 5545), in the form that e-mails carry it (iTIP, RFC 5546; iMIP, RFC 6047).

Its method is REQUEST and not PUBLISH: Gmail, Outlook and Apple Mail put a request into the calendar, and follow a later
one of the same UID and a cancellation; what is published they only offer to import, once more each time. No answer is
asked for. Times are in UTC, so that no definition of a time zone goes along; calendars show them on their own clock.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import quote

from cairn.domain.shared.invites import Invite
from cairn.domain.shared.text import one_line, without_controls

LONGEST_LINE = 75
"""Octets of a line, without its end (RFC 5545, 3.1)."""

IN_ADDRESS = "@!$&'*+-/=^_`{|}~."
"""What an address may have in a mailto URI as it is; everything else is escaped (RFC 6068, 2)."""


def method_of(invite: Invite) -> str:
    return "CANCEL" if invite.cancels else "REQUEST"


def calendar_text(invite: Invite, *, organizer: tuple[str, str], attendee: str, stamp: datetime) -> str:
    """The text, in lines that end in CRLF. `organizer`: the sender's name and address, as the e-mail has it.

    Whatever the texts are, they stay within their own property.
    """
    name, address = organizer
    lines = [
        "BEGIN:VCALENDAR",
        "PRODID:-//Cairn//Cairn//EN",
        "VERSION:2.0",
        "CALSCALE:GREGORIAN",
        f"METHOD:{method_of(invite)}",
        "BEGIN:VEVENT",
        f"UID:{invite.uid}@{address.rpartition('@')[2]}",
        f"DTSTAMP:{_utc(stamp)}",
        f"SEQUENCE:{invite.sequence}",
        *([f"DTSTART:{_utc(invite.starts)}"] if invite.starts else []),
        *([f"DTEND:{_utc(invite.ends)}"] if invite.ends else []),
        f"SUMMARY:{_text(invite.title)}",
        *([f"LOCATION:{_text(invite.location)}"] if invite.location else []),
        *([f"DESCRIPTION:{_text(invite.description)}"] if invite.description else []),
        f"ORGANIZER{_common_name(name)}:{_mailto(address)}",
        f"ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=FALSE:{_mailto(attendee)}",
        f"STATUS:{'CANCELLED' if invite.cancels else 'CONFIRMED'}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _utc(at: datetime) -> str:
    written = at.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()
    return written.replace("-", "").replace(":", "") + "Z"


def _text(value: str) -> str:
    """A value of type TEXT (RFC 5545, 3.3.11)."""
    plain = without_controls(value).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return plain.replace("\n", "\\n")


def _common_name(name: str) -> str:
    """A parameter in quotes, which it cannot contain itself (RFC 5545, 3.2)."""
    plain = one_line(name).replace('"', "'")
    return f';CN="{plain}"' if plain else ""


def _mailto(address: str) -> str:
    return f"mailto:{quote(address, safe=IN_ADDRESS, errors='replace')}"


def _folded(line: str) -> Iterator[str]:
    """The line in parts of at most 75 octets, of which all but the first begin with a blank; no character is cut."""
    part, octets = "", 0
    for one in line:
        size = len(one.encode())
        if octets + size > LONGEST_LINE:
            yield part
            part, octets = " ", 1
        part, octets = part + one, octets + size
    yield part
