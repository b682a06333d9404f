"""What a refused request is answered with: a status for each error, in a problem document (RFC 9457)."""

from collections.abc import Mapping, Sequence
from typing import Any

from cairn.domain.shared.errors import (
    AlreadySwitchedError,
    AmbiguousNameError,
    BodyTooLargeError,
    CairnError,
    ConflictError,
    DealTakenError,
    InAppTokenError,
    InvalidAnswerError,
    InvalidEventError,
    InvalidRequestError,
    InvalidSwitchError,
    LineSkippedError,
    LinkExpiredError,
    LinkInvalidError,
    MalformedBodyError,
    NoLeadsError,
    NoReportError,
    NotAllowedError,
    NotMergedError,
    NotSignedInError,
    NotUnderReviewError,
    OrderRefusedError,
    RoleMissingError,
    SecretMissingError,
    SecretUnusableError,
    SignatureInvalidError,
    SignatureMissingError,
    StageRefusedError,
    TaskClosedError,
    TaskOwnedError,
    UnknownAudienceError,
    UnknownBroadcastError,
    UnknownCustomerError,
    UnknownDealKeyError,
    UnknownIdentifierError,
    UnknownJourneyError,
    UnknownLineError,
    UnknownMemberError,
    UnknownMessageError,
    UnknownQueueError,
    UnknownSourceError,
    UnknownTargetError,
    UnknownTaskError,
    UnsupportedEncodingError,
)

CONTENT_TYPE = "application/problem+json"

STATUSES: Mapping[type[CairnError], tuple[int, str]] = {
    InvalidRequestError: (400, "invalid-request"),
    MalformedBodyError: (400, "malformed-body"),
    InAppTokenError: (401, "token-invalid"),
    SignatureInvalidError: (401, "signature-invalid"),
    SignatureMissingError: (401, "signature-missing"),
    LinkInvalidError: (403, "link-invalid"),
    NotSignedInError: (403, "not-signed-in"),
    RoleMissingError: (403, "role-missing"),
    NoReportError: (404, "no-report"),
    UnknownAudienceError: (404, "unknown-audience"),
    UnknownBroadcastError: (404, "unknown-broadcast"),
    UnknownCustomerError: (404, "unknown-customer"),
    UnknownDealKeyError: (404, "unknown-deal-key"),
    UnknownIdentifierError: (404, "unknown-identifier"),
    UnknownJourneyError: (404, "unknown-journey"),
    UnknownMemberError: (404, "unknown-member"),
    UnknownMessageError: (404, "unknown-message"),
    UnknownQueueError: (404, "unknown-queue"),
    UnknownSourceError: (404, "unknown-source"),
    UnknownTargetError: (404, "unknown-target"),
    UnknownLineError: (404, "unknown-line"),
    UnknownTaskError: (404, "unknown-task"),
    AlreadySwitchedError: (409, "already-switched"),
    AmbiguousNameError: (409, "ambiguous-name"),
    ConflictError: (409, "conflict"),
    DealTakenError: (409, "deal-taken"),
    NotMergedError: (409, "not-merged"),
    NotAllowedError: (409, "not-allowed"),
    InvalidSwitchError: (409, "not-switched"),  # the form has refused an invalid target already, with a 400
    NoLeadsError: (409, "no-leads"),
    NotUnderReviewError: (409, "not-under-review"),
    OrderRefusedError: (409, "order-refused"),
    StageRefusedError: (409, "stage-refused"),
    TaskClosedError: (409, "task-closed"),
    TaskOwnedError: (409, "task-owned"),
    LineSkippedError: (409, "line-skipped"),
    LinkExpiredError: (410, "link-expired"),
    BodyTooLargeError: (413, "body-too-large"),
    UnsupportedEncodingError: (415, "unsupported-encoding"),
    InvalidAnswerError: (422, "invalid-answer"),
    InvalidEventError: (422, "invalid-event"),
    SecretMissingError: (503, "secret-missing"),
    SecretUnusableError: (503, "secret-unusable"),
}
"""The status and title of each error, subclasses included."""

UNAVAILABLE = 503
"""For every other error: nothing was stored, and the same request may be sent again."""


def status_of(error: CairnError, title: str) -> tuple[int, str]:
    """Its status and title; UNAVAILABLE with this title for an error without a row in STATUSES."""
    return next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), (UNAVAILABLE, title))


def problem_of(error: CairnError, otherwise: str) -> dict[str, Any]:
    """The document of an error: its text says what to do. `otherwise` is the title of an error without a row."""
    status, title = status_of(error, otherwise)
    problems = error.problems if isinstance(error, InvalidEventError | InvalidRequestError) else None
    return problem(status, str(error), title, problems)


def problem(status: int, detail: str, title: str = "", problems: Sequence[str] | None = None) -> dict[str, Any]:
    named = {"type": f"urn:cairn:problem:{title}", "title": title} if title else {}
    listed = {} if problems is None else {"problems": list(problems)}
    return {**named, "status": status, "detail": detail, **listed}
