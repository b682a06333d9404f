"""One botocore session for the whole process, and the errors of AWS as errors of the domain."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session, get_session

from cairn.domain.shared.errors import ServiceBusyError, ServiceRefusedError

CONFIG = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3})

ONE_ATTEMPT = Config(retries={"mode": "standard", "total_max_attempts": 1})

SERVER_ERROR = 500
THROTTLED = ("Throttl", "TooManyRequests", "LimitExceeded", "ProvisionedThroughputExceeded")
BUSY = (*THROTTLED, "Unavailable", "InternalError", "InternalFailure", "Timeout")


@cache
def session() -> Session:
    """The one session: each further one costs as much again at cold start (measured: 489 ms CPU against 253)."""
    return get_session()


def client(service: str, *, retries: bool = True, validated: bool = False) -> Any:
    """A client of the shared session; AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_<SERVICE> are honoured by botocore.

    `validated` says that parameters come from a library that has checked them, so that botocore need not.
    """
    config = CONFIG if retries else CONFIG.merge(ONE_ATTEMPT)
    return session().create_client(service, config=config.merge(Config(parameter_validation=not validated)))


@contextmanager
def calling(service: str) -> Iterator[None]:
    """Turn errors of AWS into ServiceBusyError (try later) or ServiceRefusedError (never with this content)."""
    try:
        yield
    except ClientError as error:
        if is_busy(error):
            raise ServiceBusyError(f"{service} is busy: {code_of(error)}") from error
        raise ServiceRefusedError(service, code_of(error)) from error
    except BotoCoreError as error:
        raise ServiceBusyError(f"{service} cannot be reached: {type(error).__name__}") from error


def is_busy(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= SERVER_ERROR or any(word in code_of(error) for word in BUSY)


def is_throttled(error: ClientError) -> bool:
    return any(word in code_of(error) for word in THROTTLED)


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "Unknown"))
