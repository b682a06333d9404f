"""The body of a notification by webhook."""

from typing import Any

from cairn.domain.people.members import WebhookForm
from cairn.domain.people.notification import MemberNotification
from cairn.domain.people.notification_texts import NotificationText
from cairn.domain.shared.instants import instant_to_wire

CARD_SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"


def document_of(form: WebhookForm, one: MemberNotification, text: NotificationText) -> dict[str, Any]:
    """Ids, the title of the task and a link; nothing of the customer."""
    match form:
        case WebhookForm.SLACK:
            return {"text": _escaped(text.text)}
        case WebhookForm.TEAMS:
            blocks = [{"type": "TextBlock", "text": line, "wrap": True} for line in text.text.splitlines() if line]
            card = {"$schema": CARD_SCHEMA, "type": "AdaptiveCard", "version": "1.4", "body": blocks}
            attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
            return {"type": "message", "attachments": [attachment]}
        case WebhookForm.EVENT:
            data = {"kind": one.kind.value, "member": one.member, "task": one.task, "text": text.text}
            return {"type": "task.notification", "timestamp": instant_to_wire(one.at), "data": data}


def _escaped(text: str) -> str:
    """Slack's three control characters (docs.slack.dev, Formatting message text)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
