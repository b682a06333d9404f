"""An e-mail with a calendar invite, as a whole: MIME (RFC 2045) in the form of iMIP (RFC 6047).

Gmail and Outlook take a calendar for an invite where it is the last alternative to the text; other programs look for a
file. So it is both, as in the invites of Google Calendar.
"""

from datetime import datetime
from email.header import Header
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import formataddr

from cairn.adapters.providers.calendar_text import calendar_text, method_of
from cairn.domain.message.message import Rendered
from cairn.domain.shared.invites import Invite

FILE = "invite.ics"

UNFOLDED = compat32.clone(max_line_length=None, linesep="\r\n")
"""Headers stay as they are written: a link to unsubscribe is one word, which no fold may change."""


def invite_mail(rendered: Rendered, invite: Invite, *, sender: tuple[str, str], stamp: datetime) -> bytes:
    """The e-mail. `sender` is a name and an address; `stamp`, when the invite was decided."""
    text = calendar_text(invite, organizer=sender, attendee=rendered.address, stamp=stamp)
    calendar = MIMEText(text, "calendar", "utf-8")
    calendar.set_param("method", method_of(invite))
    bodies = (MIMEText(rendered.text, "plain", "utf-8"), MIMEText(rendered.html, "html", "utf-8"))
    file = MIMEApplication(text.encode(), "ics", name=FILE)
    file.add_header("Content-Disposition", "attachment", filename=FILE)
    mail = MIMEMultipart("mixed", _subparts=[MIMEMultipart("alternative", _subparts=[*bodies, calendar]), file])
    subject = Header(rendered.subject, "us-ascii" if rendered.subject.isascii() else "utf-8", header_name="Subject")
    headers = {"From": formataddr(sender), "To": rendered.address, "Subject": subject.encode(), **rendered.headers}
    for name, value in headers.items():
        mail[name] = value
    return mail.as_bytes(policy=UNFOLDED)
