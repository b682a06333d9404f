"""One call to a provider, and its errors in our terms: certainly not sent, refused, or perhaps sent.

The clients of providers never retry: SES and SNS have no idempotency key, so a retry after a lost answer could send
twice. Only a call that certainly sent nothing is made again, here for a moment, and later by the queue; the message's
claim is given back meanwhile (application/message/deliver_message).

| the provider's answer                        | the message                                      |
|----------------------------------------------|--------------------------------------------------|
| called too often; `ServiceUnavailable` (503) | not sent: waits                                  |
| the account may not send (ACCOUNT_REFUSALS)  | not sent: waits, and a person is called; no      |
|                                              | other channel is tried                           |
| no connection was made                       | not sent: waits                                  |
| any other code below 500                     | refused: its next channel is tried, or it failed |
| 500, 502, 504; no answer                     | perhaps sent: its purpose decides                |
| none, the call could not be made (Handover)  | not sent: its next channel is tried, or it is a  |
|                                              | dead letter                                      |

Sources, as of 2026-11: the errors of each call in its API reference (SES v2 SendEmail, SNS Publish, SMS and Voice v2
SendTextMessage, Social SendWhatsAppMessage) and the common errors of AWS ("the request has failed due to a temporary
failure of the server": 503; "an unknown error": 500).
"""

from time import monotonic
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ProxyConnectionError,
)

from cairn.adapters.aws import account_codes, code_of, is_busy, is_throttled
from cairn.adapters.backoff import attempts
from cairn.application.ports import Provider
from cairn.domain.message.message import Message, Rendered
from cairn.domain.shared.errors import (
    AccountRefusedError,
    CairnError,
    NotHandedOverError,
    ProviderBusyError,
    ProviderRejectedError,
)

ACCOUNT_REFUSALS = account_codes("sesv2", "sns", "pinpoint-sms-voice-v2", "socialmessaging")
"""Refusals that concern the account, not the message: it is paused, in the sandbox, or lacks money or rights.

The message waits until an operator mends that, and its other channels are not tried: they may cost money.
"""

ACCOUNT_REASONS = frozenset(
    {
        "DESTINATION_PHONE_NUMBER_NOT_VERIFIED",  # the account is in the sandbox
        "NO_ORIGINATION_IDENTITIES_FOUND",
        "REGISTRATION_NOT_COMPLETE",
        "RESOURCE_NOT_ACTIVE",
        "RESOURCE_NOT_ACCESSIBLE",
        "SENDER_ID_NOT_REGISTERED",
        "SENDER_ID_REQUIRES_REGISTRATION",
    }
)
"""The same, as the reason of a ConflictException or ValidationException of SendTextMessage."""

NOT_VERIFIED = "not verified"
"""In the text of SES's MessageRejected: the sender's identity, or in the sandbox the recipient's, is not verified
(docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html). Any other MessageRejected is about the content.
"""

SANDBOX = "sandbox"
"""In the text of any refusal of an account that has no production access yet: by SNS, End User Messaging or SES."""

UNAVAILABLE = 503

NOT_SENT = (
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ProxyConnectionError,
)
"""Failures before the request was sent. After any other failure the provider may have acted."""

QUICK_ATTEMPTS = 6
QUICK_SECONDS = 3.0
"""A provider counts by the second: within this time, a call that came too often is made again. A batch of senders keeps
to the provider's rate by that, and what does not get through waits in its queue."""


class Handover:
    """A provider in whose errors it is certain what was not sent.

    An error before the request is written, such as of a text that has no UTF-8, is a defect here and no answer of
    the provider. Everything else that is raised around a call stays as it is: perhaps sent.
    """

    def __init__(self, provider: Provider) -> None:
        self.provider = provider

    @property
    def name(self) -> str:
        return self.provider.name

    def send(self, message: Message, rendered: Rendered) -> str:
        try:
            return self.provider.send(message, rendered)
        except (CairnError, BotoCoreError, ClientError):
            raise
        except _AroundCallError as error:
            raise error.met from error
        except Exception as error:
            raise NotHandedOverError(type(error).__name__) from error


class _AroundCallError(Exception):
    """An error that no SDK documents, around a call that was perhaps made."""

    def __init__(self, met: Exception) -> None:
        self.met = met
        super().__init__(type(met).__name__)


def call(operation: Any, **arguments: Any) -> Any:
    """The provider's answer. Raises ProviderBusyError where it certainly did not send, or ProviderRejectedError."""
    began = monotonic()
    busy: ProviderBusyError | None = None
    for _ in attempts(QUICK_ATTEMPTS):
        try:
            return _call_once(operation, arguments)
        except _TooOftenError as error:
            busy = error
        if monotonic() - began > QUICK_SECONDS:
            break
    raise ProviderBusyError(str(busy)) from busy


class _TooOftenError(ProviderBusyError):
    """The provider is called more often than the account may call it."""


def _call_once(operation: Any, arguments: dict[str, Any]) -> Any:
    try:
        return _made(operation, arguments)
    except ClientError as error:
        code = code_of(error)
        if _is_about_the_account(error):
            raise AccountRefusedError(str(error.response.get("Reason") or code)) from error
        if is_throttled(error):
            raise _TooOftenError(f"the provider is called too often: {code}") from error
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == UNAVAILABLE:
            raise ProviderBusyError(f"the provider is busy: {code}") from error
        if is_busy(error):
            raise  # a server error: the message may have been sent
        raise ProviderRejectedError(code) from error
    except NOT_SENT as error:
        raise ProviderBusyError(f"the provider cannot be reached: {type(error).__name__}") from error
    except BotoCoreError as error:
        if "Validation" in type(error).__name__:
            raise ProviderRejectedError(type(error).__name__) from error
        raise


def _made(operation: Any, arguments: dict[str, Any]) -> Any:
    try:
        return operation(**arguments)
    except (BotoCoreError, ClientError, UnicodeEncodeError):  # the last one: the request could not be written
        raise
    except Exception as error:
        raise _AroundCallError(error) from error


def _is_about_the_account(error: ClientError) -> bool:
    code, said = code_of(error), str(error.response["Error"].get("Message", ""))
    if SANDBOX in said.lower():
        return True
    if code == "MessageRejected":
        return NOT_VERIFIED in said
    return code in ACCOUNT_REFUSALS or error.response.get("Reason") in ACCOUNT_REASONS
