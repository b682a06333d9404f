"""Every refusal has a status of its own, and a document that says what to do."""

import pytest

from cairn.adapters.http.problems import STATUSES, UNAVAILABLE, problem, problem_of, status_of
from cairn.domain.shared.errors import (
    CairnError,
    ErasedCustomerError,
    InvalidEventError,
    InvalidRequestError,
    ServiceBusyError,
    SignatureMissingError,
)


def test_an_error_becomes_a_problem_document() -> None:
    assert problem_of(SignatureMissingError("sign it"), "not-stored") == {
        "type": "urn:cairn:problem:signature-missing",
        "title": "signature-missing",
        "status": 401,
        "detail": "sign it",
    }


@pytest.mark.parametrize(
    ("error", "status"), [(InvalidEventError(["a: b", "c: d"]), 422), (InvalidRequestError(["a: b", "c: d"]), 400)]
)
def test_an_error_with_several_problems_lists_them(error: CairnError, status: int) -> None:
    document = problem_of(error, "not-stored")

    assert (document["status"], document["detail"], document["problems"]) == (status, "a: b; c: d", ["a: b", "c: d"])


def test_an_error_without_a_row_may_be_sent_again() -> None:
    document = problem_of(ServiceBusyError("sqs is busy: Throttling"), "out-of-order")

    assert (document["status"], document["title"]) == (UNAVAILABLE, "out-of-order")


def test_a_subclass_has_the_status_of_its_class() -> None:
    assert status_of(ErasedCustomerError(), "out-of-order") == (404, "unknown-customer")


def test_titles_are_distinct() -> None:
    titles = [title for _, title in STATUSES.values()]

    assert len(titles) == len(set(titles))


def test_a_problem_without_a_title_is_its_status_and_detail() -> None:
    assert problem(400, "post an object") == {"status": 400, "detail": "post an object"}
