"""Amazon SNS: texts without delivery reports, and push notifications."""

from typing import Any

from cairn.adapters.providers.calls import call
from cairn.adapters.providers.india import dlt_ids
from cairn.domain.message.message import Message, Rendered


class SnsSms:
    """Amazon SNS, direct to a phone number."""

    name = "sns"

    def __init__(self, client: Any, *, sender_id: str, dlt_entity: str = "") -> None:
        self._client = client
        self._sender_id = sender_id
        self._dlt_entity = dlt_entity

    def send(self, message: Message, rendered: Rendered) -> str:
        kind = "Transactional" if message.purpose == "transactional" else "Promotional"
        attributes = {"AWS.SNS.SMS.SMSType": kind}
        if self._sender_id:
            attributes["AWS.SNS.SMS.SenderID"] = self._sender_id
        if india := dlt_ids(rendered, self._dlt_entity):
            attributes["AWS.MM.SMS.EntityId"], attributes["AWS.MM.SMS.TemplateId"] = india
        answer = call(
            self._client.publish,
            PhoneNumber=rendered.address,
            Message=rendered.text,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )
        return str(answer.get("MessageId", ""))


class SnsPush:
    """Amazon SNS, to a mobile platform endpoint (its ARN is the address)."""

    name = "sns"

    def __init__(self, client: Any) -> None:
        self._client = client

    def send(self, message: Message, rendered: Rendered) -> str:  # noqa: ARG002  the port's shape
        answer = call(
            self._client.publish,
            TargetArn=rendered.address,
            Subject=rendered.subject or " ",
            Message=rendered.text,
        )
        return str(answer.get("MessageId", ""))
