"""The providers that messages are handed to. Each says clearly whether it certainly did not send.

Their clients never retry by themselves: SES and SNS have no idempotency key, so a retry after a lost answer
would send twice. Whether to try again is decided with the claim in hand (application/message/deliver_message).
"""

from html import escape
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from cairn.adapters.aws import code_of, is_busy, is_throttled
from cairn.domain.message.message import Message, Rendered
from cairn.domain.shared.errors import ProviderBusyError, ProviderRejectedError

ABOUT_US = frozenset(
    {
        "AccessDeniedException",
        "AccountSuspendedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "ConfigurationSetDoesNotExistException",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "KMSAccessDenied",
        "MailFromDomainNotVerifiedException",
        "SendingPausedException",
        "ServiceQuotaExceededException",
        "UnrecognizedClientException",
    },
)
"""Refusals that say nothing of the message: the account is paused, out of money or rights. The message waits, and ends
among the dead letters with an alarm; no other channel is taken for it."""

NEVER_LEFT = (ConnectTimeoutError, EndpointConnectionError)
"""Failures before a byte of the request was sent. Any other one leaves open whether the provider acted."""


INDIA = "+91"
"""How numbers there begin."""


class SesEmail:
    """Amazon SES v2. Feedback is matched by the tags `message` and `customer`, which SES sends back with each event."""

    def __init__(self, client: Any, *, sender: str, configuration_set: str) -> None:
        self._client = client
        self._sender = sender
        self._configuration_set = configuration_set

    def send(self, message: Message, rendered: Rendered) -> str:
        answer = call(
            self._client.send_email,
            FromEmailAddress=self._sender,
            Destination={"ToAddresses": [rendered.address]},
            Content={
                "Simple": {
                    "Subject": {"Data": rendered.subject, "Charset": "UTF-8"},
                    "Body": {
                        "Text": {"Data": rendered.text, "Charset": "UTF-8"},
                        "Html": {"Data": _with_preview(rendered), "Charset": "UTF-8"},
                    },
                    "Headers": [{"Name": name, "Value": value} for name, value in rendered.headers.items()],
                },
            },
            ConfigurationSetName=self._configuration_set,
            EmailTags=[{"Name": "message", "Value": message.id}, {"Name": "customer", "Value": message.customer}],
        )
        return str(answer["MessageId"])


class SnsSms:
    """Amazon SNS, direct to a phone number."""

    def __init__(self, client: Any, *, sender_id: str, dlt_entity: str = "") -> None:
        self._client = client
        self._sender_id = sender_id
        self._dlt_entity = dlt_entity

    def send(self, message: Message, rendered: Rendered) -> str:
        kind = "Transactional" if message.purpose == "transactional" else "Promotional"
        attributes = {"AWS.SNS.SMS.SMSType": kind}
        if self._sender_id:
            attributes["AWS.SNS.SMS.SenderID"] = self._sender_id
        if india := registered_in_india(rendered, self._dlt_entity):
            attributes["AWS.MM.SMS.EntityId"], attributes["AWS.MM.SMS.TemplateId"] = india
        answer = call(
            self._client.publish,
            PhoneNumber=rendered.address,
            Message=rendered.text,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )
        return str(answer["MessageId"])


class SnsPush:
    """Amazon SNS, to a mobile platform endpoint (its ARN is the address)."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def send(self, message: Message, rendered: Rendered) -> str:  # noqa: ARG002  the port's shape
        answer = call(
            self._client.publish,
            TargetArn=rendered.address,
            Subject=rendered.subject or " ",
            Message=rendered.text,
        )
        return str(answer["MessageId"])


def registered_in_india(rendered: Rendered, entity: str) -> tuple[str, str] | None:
    """The ids of sender and template in India's DLT, for a text that goes there and has both."""
    template = rendered.registered.get("dlt_template")
    return (entity, template) if entity and template and rendered.address.startswith(INDIA) else None


def call(operation: Any, **arguments: Any) -> Any:
    """Ask a provider once, and say in our words what it answered."""
    try:
        return operation(**arguments)
    except ClientError as error:
        if is_throttled(error) or code_of(error) in ABOUT_US:
            raise ProviderBusyError(f"the provider is busy: {code_of(error)}") from error
        if is_busy(error):
            raise  # it broke on its side: nobody knows whether it had sent
        raise ProviderRejectedError(code_of(error)) from error
    except NEVER_LEFT as error:
        raise ProviderBusyError(f"the provider cannot be reached: {type(error).__name__}") from error
    except BotoCoreError as error:
        if "Validation" in type(error).__name__:
            raise ProviderRejectedError(type(error).__name__) from error
        raise


def _with_preview(rendered: Rendered) -> str:
    """The preview text as mail clients read it: the first text of the body, which nobody sees."""
    if not rendered.preview:
        return rendered.html
    hidden = f'<div style="display:none;max-height:0;overflow:hidden">{escape(rendered.preview)}</div>'
    head, body, rest = rendered.html.partition("<body")
    if not body:
        return hidden + rendered.html
    tag, close, content = rest.partition(">")
    return f"{head}{body}{tag}{close}{hidden}{content}"
