"""AWS End User Messaging, which moto lacks: it accepts what botocore accepts, and records it."""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.session import Session

from infra.local.shapes import ACCOUNT, REGION

SMS_ORIGINATION = f"arn:aws:sms-voice:{REGION}:{ACCOUNT}:pool/pool-local"
SMS_CONFIGURATION_SET = "cairn"
WHATSAPP_PHONE_NUMBER_ID = "phone-number-id-local"
OPERATIONS = ("pinpoint-sms-voice-v2.SendTextMessage", "socialmessaging.SendWhatsAppMessage")


Around = Callable[[str, str, AWSPreparedRequest, Callable[[], AWSResponse | None]], AWSResponse | None]
"""Gives the answer to a request of a service's operation, by calling its last argument or without it."""


def only_answer(
    _service: str, _operation: str, _request: AWSPreparedRequest, act: Callable[[], AWSResponse | None]
) -> AWSResponse | None:
    return act()


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
        """Answer instead of AWS, after botocore has validated and signed the request."""

        def answer(event_name: str, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
            service, operation = event_name.split(".")[1:]
            return around(service, operation, request, lambda: self._answer(request))

        for operation in OPERATIONS:
            session.register(f"before-send.{operation}", answer)  # type: ignore[arg-type]

    def _answer(self, request: AWSPreparedRequest) -> AWSResponse:
        body: Any = request.body
        asked = json.loads(body)
        id_ = str(uuid5(NAMESPACE_URL, f"{ACCOUNT}/{len(self.sent)}"))
        self.sent.append(_whatsapp(id_, asked) if "metaApiVersion" in asked else _sms(id_, asked))
        answer = json.dumps({"messageId" if "metaApiVersion" in asked else "MessageId": id_}).encode()
        return AWSResponse(request.url, 200, HTTPHeaders(), _Raw(answer))


class _Raw(BytesIO):
    """A body as urllib3 returns it."""

    def stream(self, **_: Any) -> Any:
        yield self.read()


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
