"""AWS End User Messaging, which moto lacks: it accepts what botocore accepts, and records it."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from botocore.session import Session

from infra.local.answered_here import Around, answer_here, only_answer
from infra.local.shapes import ACCOUNT, REGION

SMS_ORIGINATION = f"arn:aws:sms-voice:{REGION}:{ACCOUNT}:pool/pool-local"
SMS_CONFIGURATION_SET = "cairn"
WHATSAPP_PHONE_NUMBER_ID = "phone-number-id-local"
OPERATIONS = ("pinpoint-sms-voice-v2.SendTextMessage", "socialmessaging.SendWhatsAppMessage")


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that the service accepted: its request, with Meta's document decoded."""

    id: str
    channel: str
    address: str
    text: str
    request: dict[str, Any]


@dataclass(slots=True)
class EndUserMessaging:
    sent: list[SentMessage] = field(default_factory=list)

    def register(self, session: Session, around: Around = only_answer) -> None:
        for operation in OPERATIONS:
            answer_here(session, operation, self._answer, around)

    def _answer(self, asked: dict[str, Any]) -> dict[str, str]:
        id_ = str(uuid5(NAMESPACE_URL, f"{ACCOUNT}/{len(self.sent)}"))
        self.sent.append(_whatsapp(id_, asked) if "metaApiVersion" in asked else _sms(id_, asked))
        return {"messageId" if "metaApiVersion" in asked else "MessageId": id_}


def _sms(id_: str, asked: dict[str, Any]) -> SentMessage:
    return SentMessage(id_, "sms", asked["DestinationPhoneNumber"], asked["MessageBody"], asked)


def _whatsapp(id_: str, asked: dict[str, Any]) -> SentMessage:
    message = json.loads(base64.b64decode(asked["message"]))
    return SentMessage(
        id_, "whatsapp", message.get("to") or message["recipient"], _text(message), asked | {"message": message}
    )


def _text(message: dict[str, Any]) -> str:
    """The text; of an approved template its name and the values of its variables."""
    if message["type"] != "template":
        return str(message["text"]["body"])
    template = message["template"]
    shown = [one["text"] for part in template.get("components", ()) for one in part["parameters"]]
    return f"{template['name']}: {', '.join(shown)}"
