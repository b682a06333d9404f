"""The error documents of AWS, as each service's protocol writes them, so that botocore's own parser reads them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import UUID
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from infra.local.faults.fault import Fault

UNREACHABLE = "Unreachable"
"""Instead of a code: no connection to the service comes about."""

CANCELED = "TransactionCanceledException"

JSON, REST_JSON, QUERY, REST_XML = "json", "rest-json", "query", "rest-xml"
PROTOCOLS: Mapping[str, str] = {
    "scheduler": REST_JSON,
    "sesv2": REST_JSON,
    "socialmessaging": REST_JSON,
    "sns": QUERY,
    "s3": REST_XML,
}
"""The protocols that are not JSON in the body. A test compares them with botocore's models."""

THROTTLED: Mapping[str, tuple[str, ...]] = {
    "dynamodb": ("ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"),
    "sqs": ("RequestThrottled", "ThrottlingException"),
    "scheduler": ("ThrottlingException",),
    "sns": ("Throttled", "ThrottlingException"),
    "sesv2": ("TooManyRequestsException",),
    "pinpoint-sms-voice-v2": ("ThrottlingException",),
    "socialmessaging": ("ThrottledRequestException",),
    "s3": ("SlowDown",),
}
SERVER_ERROR: Mapping[str, tuple[str, ...]] = {
    "dynamodb": ("InternalServerError", "ServiceUnavailable"),
    "sqs": ("InternalError", "ServiceUnavailable"),
    "scheduler": ("InternalServerException", "ServiceUnavailable"),
    "sns": ("InternalError", "ServiceUnavailable"),
    "sesv2": ("InternalFailure", "ServiceUnavailable"),
    "pinpoint-sms-voice-v2": ("InternalServerException", "ServiceUnavailable"),
    "socialmessaging": ("InternalServiceException", "DependencyException"),
    "s3": ("InternalError", "ServiceUnavailable"),
    "secretsmanager": ("InternalServiceError", "ServiceUnavailable"),
}
QUOTA: Mapping[str, tuple[str, ...]] = {
    "scheduler": ("ServiceQuotaExceededException",),
    "pinpoint-sms-voice-v2": ("ServiceQuotaExceededException",),
    "socialmessaging": ("LimitExceededException",),
    "sesv2": ("LimitExceededException",),
}
STATUS: Mapping[str, int] = {
    "ServiceUnavailable": 503,
    "InternalServerError": 500,
    "InternalError": 500,
    "InternalFailure": 500,
    "InternalServerException": 500,
    "InternalServiceException": 500,
    "InternalServiceError": 500,
    "DependencyException": 502,
    "SlowDown": 503,
    "Throttled": 429,
    "TooManyRequestsException": 429,
    "ThrottledRequestException": 429,
    "ServiceQuotaExceededException": 402,
    "AccessDenied": 403,
}
"""The HTTP status of a code; 400 for all others."""

STATUS_OF: Mapping[tuple[str, str], int] = {
    ("scheduler", "ThrottlingException"): 429,
    ("pinpoint-sms-voice-v2", "ServiceQuotaExceededException"): 400,
}

REASONS = ("ThrottlingError", "ProvisionedThroughputExceeded")
"""Why a transaction is cancelled when it is throttled."""
CONFLICT_REASON = "TransactionConflict"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error code, and for a cancelled transaction the reason of one of its items."""

    code: str
    reason: str = ""


def refusals(fault: Fault, service: str, operation: str) -> tuple[Refusal, ...]:
    """Every error that AWS documents for this fault of this call."""
    transaction = operation == "TransactWriteItems"
    match fault:
        case Fault.THROTTLED | Fault.BUSY:
            codes = THROTTLED.get(service, ("ThrottlingException",))
            cancelled = [Refusal(CANCELED, reason) for reason in REASONS] if transaction else []
            return (*(Refusal(code) for code in codes), *cancelled)
        case Fault.SERVER_ERROR:
            return tuple(Refusal(code) for code in SERVER_ERROR.get(service, ("InternalFailure", "ServiceUnavailable")))
        case Fault.QUOTA:
            return tuple(Refusal(code) for code in QUOTA[service])
        case Fault.CONFLICT:
            return (Refusal(CANCELED, CONFLICT_REASON) if transaction else Refusal("TransactionConflictException"),)
        case _:
            return ()


def error_answer(service: str, url: str, refusal: Refusal, body: bytes = b"") -> AWSResponse:
    """The answer of a service that refuses a request with this body."""
    code = refusal.code
    protocol = PROTOCOLS.get(service, JSON)
    headers = {"x-amzn-requestid": str(UUID(int=0))}
    message = f"{code}: injected by the fault plan"
    if protocol == QUERY:
        text = f"<ErrorResponse><Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        text += "<RequestId>0</RequestId></ErrorResponse>"
    elif protocol == REST_XML:
        text = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    else:
        headers["x-amzn-ErrorType"] = code
        document: dict[str, Any] = {"__type": f"com.amazonaws.{service}#{code}", "message": message}
        if refusal.reason:
            document["CancellationReasons"] = _reasons(body, refusal.reason)
            document["Message"] = f"Transaction cancelled, please refer cancellation reasons: [{refusal.reason}]"
        text = json.dumps(document)
    return answer(url, STATUS_OF.get((service, code), STATUS.get(code, 400)), text.encode(), headers)


def answer(url: str, status: int, body: bytes, headers: Mapping[str, str]) -> AWSResponse:
    made = HTTPHeaders()
    for name, value in headers.items():
        made[name] = value
    return AWSResponse(url, status, made, _Raw(body))


class _Raw(BytesIO):
    """A body as urllib3 returns it."""

    def stream(self, **_: Any) -> Any:
        yield self.read()


def _reasons(body: bytes, reason: str) -> list[dict[str, str]]:
    """One reason for each item of the transaction; the first one has this."""
    items = len(json.loads(body or b"{}").get("TransactItems", [{}]))
    return [{"Code": reason, "Message": "injected by the fault plan"}] + [{"Code": "None"}] * (items - 1)
