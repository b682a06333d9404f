"""One botocore session for the whole process, a client for each service; errors of AWS as errors of the domain."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import MappingProxyType
from typing import Any
from weakref import WeakSet

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
)
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.parsers import ResponseParserError
from botocore.session import Session, get_session

from cairn.domain.shared.errors import CairnError, ServiceBusyError, ServiceRefusedError

CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3})
"""A call that is never answered ends after 3 times 7 seconds, with pauses of a second or two in between: within the 30
seconds of a function. The slowest answer of these services takes a fraction of a second.
"""

PROVIDER_CONFIG = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 1})
"""A provider is asked once, and gets more time: an unknown outcome costs more than a wait (settings.SEND_TIME)."""

QUICK_CONFIG = Config(connect_timeout=1, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 1})
"""For what may fail without harm while a vendor waits: most give up after a few seconds."""

SERVER_ERROR = 500
TOO_MANY_REQUESTS = 429

EVERY_SERVICE = "every service"

TRANSIENT: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        # https://docs.aws.amazon.com/awssupport/latest/user/API_CommonErrors.html, and botocore/retries/standard.py
        EVERY_SERVICE: frozenset(
            {
                "BandwidthLimitExceeded",
                "EC2ThrottledException",
                "InternalError",
                "InternalFailure",
                "InternalServerError",
                "InternalServerException",
                "InternalServiceError",
                "InternalServiceException",
                "PriorRequestNotComplete",
                "RequestLimitExceeded",
                "RequestThrottled",
                "RequestThrottledException",
                "RequestTimeout",
                "RequestTimeoutException",
                "ServiceUnavailable",
                "ServiceUnavailableException",
                "Throttled",
                "ThrottledException",
                "Throttling",
                "ThrottlingException",
                "TooManyRequestsException",
            }
        ),
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
        # TransactionCanceledException only by its reasons: see _cancelled_by.
        "dynamodb": frozenset(
            {
                "ProvisionedThroughputExceededException",
                "ReplicatedWriteConflictException",
                "TransactionConflictException",
                "TransactionInProgressException",
            }
        ),
        # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html#API_SendMessage_Errors
        # Both forms of a code: of the JSON protocol, and of the query protocol that it replaced.
        "sqs": frozenset(
            {
                "AWS.SimpleQueueService.OverLimit",
                "KmsThrottled",
                "OverLimit",
                "AWS.SimpleQueueService.KmsThrottled",
            }
        ),
        # https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
        # ConditionalRequestConflict: another write to the same key is under way.
        "s3": frozenset({"ConditionalRequestConflict", "OperationAborted", "SlowDown", "503 SlowDown"}),
        # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html#API_Publish_Errors
        "sns": frozenset({"KMSThrottling", "KMSThrottlingException"}),
        # https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html#API_CreateSchedule_Errors:
        # all of its transient codes are among those of every service.
        "scheduler": frozenset(),
        # https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html#API_Decrypt_Errors
        "kms": frozenset({"DependencyTimeoutException", "KeyUnavailableException", "KMSInternalException"}),
    }
)
"""Codes of AWS by service, with the page that documents them: the same call may succeed later."""

ACCOUNT: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        # https://docs.aws.amazon.com/awssupport/latest/user/API_CommonErrors.html
        EVERY_SERVICE: frozenset(
            {
                "AccessDenied",
                "AccessDeniedException",
                "AuthorizationError",
                "AuthorizationErrorException",
                "ExpiredToken",
                "ExpiredTokenException",
                "IncompleteSignature",
                "InvalidClientTokenId",
                "InvalidSignatureException",
                "LimitExceededException",
                "MissingAuthenticationToken",
                "MissingAuthenticationTokenException",
                "NotAuthorized",
                "OptInRequired",
                "RequestExpired",
                "RequestTimeTooSkewed",
                "ServiceQuotaExceededException",
                "SignatureDoesNotMatch",
                "UnauthorizedOperation",
                "UnrecognizedClientException",
            }
        ),
        "dynamodb": frozenset({"ResourceNotFoundException"}),
        "sqs": frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"}),
        "s3": frozenset({"AllAccessDisabled", "InvalidAccessKeyId", "InvalidToken", "NoSuchBucket"}),
        # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
        "sns": frozenset(
            {
                "InvalidSecurity",
                "KMSAccessDenied",
                "KMSDisabled",
                "KMSInvalidState",
                "KMSNotFound",
                "KMSOptInRequired",
                "PlatformApplicationDisabled",
            }
        ),
        # https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
        "sesv2": frozenset(
            {
                "AccountSuspendedException",
                "ConfigurationSetDoesNotExistException",
                "MailFromDomainNotVerifiedException",
                "NotFoundException",
                "SendingPausedException",
            }
        ),
        # https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html
        "pinpoint-sms-voice-v2": frozenset({"ResourceNotFoundException"}),
        # https://docs.aws.amazon.com/social-messaging/latest/APIReference/API_SendWhatsAppMessage.html
        "socialmessaging": frozenset({"AccessDeniedByMetaException", "ResourceNotFoundException"}),
        "scheduler": frozenset({"ResourceNotFoundException"}),
        "kms": frozenset({"DisabledException", "KMSInvalidStateException"}),
    }
)
"""Codes by which a right, a key, a resource, a quota or money of the account is missing, or its clock is wrong: an
outage that people end. What meets it waits, as in any other outage, and an alarm shows that it does. The one list of
them: the calls to providers read it as well (providers/calls).
"""


def account_codes(*services: str) -> frozenset[str]:
    """The codes of ACCOUNT that these services may answer with, those of every service included."""
    return frozenset().union(*(ACCOUNT[one] for one in (EVERY_SERVICE, *services)))


WAITED_OUT = frozenset().union(*TRANSIENT.values(), *ACCOUNT.values())
"""For an error that does not say which service it is from."""

THROTTLED = ("Throttl", "TooManyRequests", "LimitExceeded", "ProvisionedThroughputExceeded")

UNANSWERED = (
    *(HTTPClientError, NoConnectionError, IncompleteReadError, ResponseParserError),
    *(CredentialRetrievalError, NoCredentialsError),
)
"""Errors of the SDK where no whole answer came, or no credentials: connections, timeouts, half an answer."""

THROTTLED_REASONS = frozenset({"ProvisionedThroughputExceeded", "RequestLimitExceeded", "ThrottlingError"})
"""Reasons of a cancelled transaction that time mends."""

CANCELLED_IN_BETWEEN = THROTTLED_REASONS | {"TransactionConflict"}
"""Reasons of a cancelled transaction that do not come from what is in it.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""


_clients: WeakSet[Any] = WeakSet()
"""Those that are in use, for close_connections."""


@cache
def session() -> Session:
    """The one session: each further one costs as much again at cold start (measured: 489 ms CPU against 253)."""
    return get_session()


@cache
def client(
    service: str, *, retries: bool = True, validated: bool = False, quick: bool = False, patience: Config | None = None
) -> Any:
    """The client of the shared session; AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_<SERVICE> are honoured by botocore.

    The same one each time: a further one costs 5 ms at cold start, and connections of its own. Without `retries` it is
    the client of a provider. A `quick` one asks once, for two seconds at most. `validated` says that parameters come
    from a library that has checked them, so that botocore need not. `patience` is a configuration of its own.
    """
    config = patience or (QUICK_CONFIG if quick else CONFIG if retries else PROVIDER_CONFIG)
    made = session().create_client(service, config=config.merge(Config(parameter_validation=not validated)))
    _clients.add(made)
    return made


def close_connections() -> None:
    """Close the connections of all clients; each opens another one with its next call."""
    for one in _clients:
        one.close()


def forget() -> None:
    """Make a new session and new clients when they are asked for next: what is configured or registered has changed."""
    session.cache_clear()
    client.cache_clear()


@contextmanager
def calling(service: str) -> Iterator[None]:
    """Turn errors of AWS into ServiceBusyError (try later) or ServiceRefusedError (never with this content)."""
    try:
        yield
    except ClientError as error:
        if is_busy(error) or code_of(error) in _waited_out_at(service) or _was_cancelled_in_between(error):
            state = "is busy" if is_busy(error) else "refuses every call for now"
            raise ServiceBusyError(f"{service} {state}: {code_of(error)}") from error
        raise ServiceRefusedError(service, code_of(error)) from error
    except BotoCoreError as error:
        raise ServiceBusyError(f"{service} cannot be reached: {type(error).__name__}") from error


def is_transient(error: BaseException | None) -> bool:
    """Whether time may mend it. Whatever is not known to be transient is permanent: no time mends it."""
    if isinstance(error, CairnError):
        return error.retryable
    if isinstance(error, ClientError):
        return is_busy(error) or code_of(error) in WAITED_OUT or _was_cancelled_in_between(error)
    if isinstance(error, (*UNANSWERED, ConnectionError, TimeoutError)):
        return True
    cause = getattr(error, "cause", None)  # PynamoDB wraps the errors of botocore
    return isinstance(cause, Exception) and is_transient(cause)


def is_busy(error: ClientError) -> bool:
    """The service is: it throttles, or is out of order. After a server error it may have acted."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= SERVER_ERROR or status == TOO_MANY_REQUESTS or code_of(error) in BUSY


def is_throttled(error: ClientError) -> bool:
    return any(word in code_of(error) for word in THROTTLED)


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


BUSY = frozenset().union(*TRANSIENT.values())


def _waited_out_at(service: str) -> frozenset[str]:
    none: frozenset[str] = frozenset()
    return none.union(*(codes.get(one, none) for codes in (TRANSIENT, ACCOUNT) for one in (EVERY_SERVICE, service)))


def _was_cancelled_in_between(error: ClientError) -> bool:
    raw = {one.get("Code") for one in error.response.get("CancellationReasons") or ()}
    read = {one.code for one in getattr(error, "cancellation_reasons", ()) if one}  # PynamoDB's own copy
    return bool(CANCELLED_IN_BETWEEN & (raw | read))
