"""AWS End User Messaging: texts with delivery reports, and WhatsApp. Neither has an idempotency token (calls.py)."""

from typing import Any

from cairn.adapters.documents.json_text import to_json
from cairn.adapters.providers.calls import call
from cairn.adapters.providers.india import dlt_ids
from cairn.domain.identity.addresses import is_whatsapp_user
from cairn.domain.message.message import Message, Rendered
from cairn.domain.shared.channels import Purpose
from cairn.domain.shared.errors import ProviderRejectedError

NO_NUMBER = "no_whatsapp_number"
"""The rejection in a deployment without a WhatsApp number."""


class EndUserSms:
    """SendTextMessage of `pinpoint-sms-voice-v2`; its events return `message` and `customer` as their context."""

    name = "end_user_messaging"

    def __init__(self, client: Any, *, origination: str, configuration_set: str, dlt_entity: str = "") -> None:
        self._client = client
        self._origination = origination
        self._configuration_set = configuration_set
        self._dlt_entity = dlt_entity

    def send(self, message: Message, rendered: Rendered) -> str:
        india = dlt_ids(rendered, self._dlt_entity)
        registered = {"IN_ENTITY_ID": india[0], "IN_TEMPLATE_ID": india[1]} if india else {}
        answer = _call(
            self._client.send_text_message,
            DestinationPhoneNumber=rendered.address,
            OriginationIdentity=self._origination,
            MessageBody=rendered.text,
            MessageType="TRANSACTIONAL" if message.purpose is Purpose.TRANSACTIONAL else "PROMOTIONAL",
            ConfigurationSetName=self._configuration_set,
            Context={"message": message.id, "customer": message.customer},
            **({"DestinationCountryParameters": registered} if registered else {}),
        )
        return str(answer.get("MessageId", ""))


class EndUserWhatsApp:
    """SendWhatsAppMessage of `socialmessaging`: the approved template that the message's template names.

    Without one, free text, which Meta delivers only within 24 hours of the customer's last message.
    `api_version` is the version of Meta's API that handles it: Meta ends each after about two years, and refuses it.
    Meta returns `biz_opaque_callback_data` with each status, as End User Messaging returns the context of a text.
    """

    name = "end_user_messaging"

    def __init__(self, client: Any, *, phone_number_id: str, api_version: str) -> None:
        self._client = client
        self._phone_number_id = phone_number_id
        self._api_version = api_version

    def send(self, message: Message, rendered: Rendered) -> str:
        document = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            # Meta delivers by number or, to a customer who hides it, by the id that it gave (its page on
            # business-scoped user ids); it reads an id from no other field.
            ("recipient" if is_whatsapp_user(rendered.address) else "to"): rendered.address,
            **_content(rendered),
            "biz_opaque_callback_data": f"{message.customer}/{message.id}",
        }
        answer = call(
            self._client.send_whatsapp_message,
            originationPhoneNumberId=self._phone_number_id,
            message=to_json(document).encode(),
            metaApiVersion=self._api_version,
        )
        return str(answer.get("messageId", ""))


class NoWhatsApp:
    """A deployment without a number: it rejects every message, so that the next channel is tried."""

    name = "none"

    def send(self, message: Message, rendered: Rendered) -> str:  # noqa: ARG002  the port's shape
        raise ProviderRejectedError(NO_NUMBER)


def _content(rendered: Rendered) -> dict[str, Any]:
    """The content part of Meta's document."""
    name = rendered.registered.get("whatsapp_template")
    if not name:
        return {"type": "text", "text": {"preview_url": True, "body": rendered.text}}
    template: dict[str, Any] = {"name": name, "language": {"code": rendered.registered["whatsapp_language"]}}
    if rendered.parameters:
        parameters = [{"type": "text", "text": text} for text in rendered.parameters]
        template["components"] = [{"type": "body", "parameters": parameters}]
    return {"type": "template", "template": template}


def _call(operation: Any, **arguments: Any) -> Any:
    """As `call`, but a rejection names the reason beside the code, where there is one (the number has opted out)."""
    try:
        return call(operation, **arguments)
    except ProviderRejectedError as error:
        reason = getattr(error.__cause__, "response", {}).get("Reason")
        raise ProviderRejectedError(str(reason or error.code)) from error
