"""Amazon SES v2: e-mail."""

from dataclasses import replace
from email.utils import parseaddr
from html import escape
from typing import Any

from cairn.adapters.providers.calls import call
from cairn.domain.identity.emails import ascii_email
from cairn.domain.message.message import Message, Rendered
from cairn.domain.shared.invites import Invite


class SesEmail:
    """SES returns the tags `message` and `customer` with each event, which assigns the feedback."""

    name = "ses"

    def __init__(self, client: Any, *, sender: str, configuration_set: str) -> None:
        self._client = client
        self._sender = sender
        self._configuration_set = configuration_set

    def send(self, message: Message, rendered: Rendered) -> str:
        answer = call(
            self._client.send_email,
            FromEmailAddress=self._sender,
            Destination={"ToAddresses": [ascii_email(rendered.address)]},
            Content=self._whole(message, rendered, rendered.invite) if rendered.invite else _simple(rendered),
            ConfigurationSetName=self._configuration_set,
            EmailTags=[{"Name": "message", "Value": message.id}, {"Name": "customer", "Value": message.customer}],
        )
        return str(answer.get("MessageId", ""))

    def _whole(self, message: Message, rendered: Rendered, invite: Invite) -> dict[str, Any]:
        """SES would only make an attachment of the invite."""
        from cairn.adapters.providers.invite_mail import invite_mail  # noqa: PLC0415  few e-mails need it at a cold start

        shown = replace(rendered, html=_with_preview(rendered), address=ascii_email(rendered.address))
        return {"Raw": {"Data": invite_mail(shown, invite, sender=parseaddr(self._sender), stamp=message.decided_at)}}


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
