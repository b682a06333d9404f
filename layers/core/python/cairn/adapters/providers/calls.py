"""One call to a provider, and its errors in our terms.

The clients of providers never retry: SES and SNS have no idempotency key, so a retry after a lost answer could send
twice. The caller retries, while it holds the message's claim (application/message/deliver_message).
"""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from cairn.adapters.aws import code_of, is_busy, is_throttled
from cairn.domain.shared.errors import ProviderBusyError, ProviderRejectedError

ACCOUNT_REFUSALS = frozenset(
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
"""Refusals that concern the account, not the message: it is paused, or lacks money or rights. The message waits and
becomes a dead letter with an alarm; its other channels are not tried."""

NOT_SENT = (ConnectTimeoutError, EndpointConnectionError)
"""Failures before the request was sent. After any other failure the provider may have acted."""


def call(operation: Any, **arguments: Any) -> Any:
    """The provider's answer. Raises ProviderBusyError where it certainly did not send, or ProviderRejectedError."""
    try:
        return operation(**arguments)
    except ClientError as error:
        if is_throttled(error) or code_of(error) in ACCOUNT_REFUSALS:
            raise ProviderBusyError(f"the provider is busy: {code_of(error)}") from error
        if is_busy(error):
            raise  # a server error: the message may have been sent
        raise ProviderRejectedError(code_of(error)) from error
    except NOT_SENT as error:
        raise ProviderBusyError(f"the provider cannot be reached: {type(error).__name__}") from error
    except BotoCoreError as error:
        if "Validation" in type(error).__name__:
            raise ProviderRejectedError(type(error).__name__) from error
        raise
