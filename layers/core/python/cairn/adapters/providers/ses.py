"""Amazon SES v2: e-mail."""

from email.header import Header
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import formataddr, parseaddr
from html import escape
from typing import Any

from cairn.adapters.providers.calendar_text import calendar_text, method_of
from cairn.adapters.providers.calls import call
from cairn.domain.identity.emails import ascii_email
from cairn.domain.message.message import Message, Rendered
from cairn.domain.shared.invites import Invite

FILE = "invite.ics"

UNFOLDED = compat32.clone(max_line_length=None, linesep="\r\n")
"""Headers stay as they are written: a link to unsubscribe is one word, which no fold may change."""


class SesEmail:
    """SES returns the tags `message` and `customer` with each event, which assigns the feedback."""

    def __init__(self, client: Any, *, sender: str, configuration_set: str) -> None:
        self._client = client
        self._sender = sender
        self._configuration_set = configuration_set

    def send(self, message: Message, rendered: Rendered) -> str:
        answer = call(
            self._client.send_email,
            FromEmailAddress=self._sender,
            Destination={"ToAddresses": [ascii_email(rendered.address)]},
            Content=self._with_invite(message, rendered, rendered.invite) if rendered.invite else _simple(rendered),
            ConfigurationSetName=self._configuration_set,
            EmailTags=[{"Name": "message", "Value": message.id}, {"Name": "customer", "Value": message.customer}],
        )
        return str(answer.get("MessageId", ""))

    def _with_invite(self, message: Message, rendered: Rendered, invite: Invite) -> dict[str, Any]:
        """As a whole e-mail, since SES would make an attachment of the invite.

        Gmail and Outlook take it for an invite where it is the last alternative to the text (RFC 6047, 2.4); other
        programs look for a file. So it is both, as in the invites of Google Calendar.
        """
        sender, recipient = parseaddr(self._sender), ascii_email(rendered.address)
        text = calendar_text(invite, organizer=sender, attendee=recipient, stamp=message.decided_at)
        calendar = MIMEText(text, "calendar", "utf-8")
        calendar.set_param("method", method_of(invite))
        bodies = (MIMEText(rendered.text, "plain", "utf-8"), MIMEText(_with_preview(rendered), "html", "utf-8"))
        file = MIMEApplication(text.encode(), "ics", name=FILE)
        file.add_header("Content-Disposition", "attachment", filename=FILE)
        mail = MIMEMultipart("mixed", _subparts=[MIMEMultipart("alternative", _subparts=[*bodies, calendar]), file])
        subject = Header(rendered.subject, "us-ascii" if rendered.subject.isascii() else "utf-8", header_name="Subject")
        headers = {"From": formataddr(sender), "To": recipient, "Subject": subject.encode(), **rendered.headers}
        for name, value in headers.items():
            mail[name] = value
        return {"Raw": {"Data": mail.as_bytes(policy=UNFOLDED)}}


def _simple(rendered: Rendered) -> dict[str, Any]:
    return {
        "Simple": {
            "Subject": {"Data": rendered.subject, "Charset": "UTF-8"},
            "Body": {
                "Text": {"Data": rendered.text, "Charset": "UTF-8"},
                "Html": {"Data": _with_preview(rendered), "Charset": "UTF-8"},
            },
            "Headers": [{"Name": name, "Value": value} for name, value in rendered.headers.items()],
        },
    }


def _with_preview(rendered: Rendered) -> str:
    """The HTML with the preview as the first, hidden text of the body, where mail clients look for it."""
    if not rendered.preview:
        return rendered.html
    hidden = f'<div style="display:none;max-height:0;overflow:hidden">{escape(rendered.preview)}</div>'
    head, body, rest = rendered.html.partition("<body")
    if not body:
        return hidden + rendered.html
    tag, close, content = rest.partition(">")
    return f"{head}{body}{tag}{close}{hidden}{content}"
