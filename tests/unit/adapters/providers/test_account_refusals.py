"""Refusals about the account, the rate and the message, and failures after which it may have been sent."""

import gzip
import json
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError

from cairn.adapters import backoff
from cairn.adapters.aws import ACCOUNT, EVERY_SERVICE, calling
from cairn.adapters.providers.calls import ACCOUNT_REASONS, ACCOUNT_REFUSALS, QUICK_ATTEMPTS, Handover, call
from cairn.domain.message.message import Message, Rendered
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.errors import (
    AccountRefusedError,
    NotHandedOverError,
    ProviderBusyError,
    ProviderRejectedError,
    ServiceBusyError,
)
from tests.unit.makers import message

UNVERIFIED = "Email address is not verified. The following identities failed the check in region US-EAST-1: a@b.example"


def refusal(code: str, status: int = 400, text: str = "", **more: Any) -> ClientError:
    answer = {"Error": {"Code": code, "Message": text}, "ResponseMetadata": {"HTTPStatusCode": status}, **more}
    return ClientError(answer, "SendEmail")  # type: ignore[arg-type]


class Provider:
    """Answers with each error in turn, then accepts."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self, **_: Any) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "accepted"


@pytest.fixture(autouse=True)
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    pauses: list[float] = []
    monkeypatch.setattr(backoff.time, "sleep", pauses.append)
    return pauses


@pytest.mark.parametrize("code", sorted(ACCOUNT_REFUSALS))
def test_a_refusal_about_the_account_does_not_end_the_message(code: str) -> None:
    with pytest.raises(ProviderBusyError):
        call(Provider(refusal(code)))


@pytest.mark.parametrize("code", sorted(ACCOUNT[EVERY_SERVICE]))
def test_what_is_the_accounts_failure_at_one_service_is_so_at_every_provider(code: str) -> None:
    """A clock that is wrong, a right that is missing, a quota that is used up: all wait, and none costs a message."""
    with pytest.raises(ServiceBusyError), calling("dynamodb"):
        raise refusal(code)

    provider = Provider(refusal(code))
    with pytest.raises(ProviderBusyError):
        call(provider)
    assert provider.calls == 1, "the account is mended by people, not within seconds"


@pytest.mark.parametrize("code", ["RequestTimeTooSkewed", "UnauthorizedOperation", "ServiceQuotaExceededException"])
def test_a_wrong_clock_a_missing_right_and_a_spend_limit_are_the_accounts(code: str) -> None:
    assert code in ACCOUNT_REFUSALS


def test_an_account_in_the_sandbox_does_not_end_the_message() -> None:
    with pytest.raises(ProviderBusyError):
        call(Provider(refusal("MessageRejected", text=UNVERIFIED)))


@pytest.mark.parametrize("code", ["InvalidParameter", "ConflictException", "UserError"])
def test_a_refusal_that_names_the_sandbox_is_the_account_s(code: str) -> None:
    text = "The destination phone number is not verified, and the account is in the SMS Sandbox"

    with pytest.raises(AccountRefusedError) as refused:
        call(Provider(refusal(code, text=text)))

    assert refused.value.code == code


def test_the_reason_of_a_refusal_says_more_than_its_code() -> None:
    with pytest.raises(AccountRefusedError) as refused:
        call(Provider(refusal("ServiceQuotaExceededException", Reason="MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT")))

    assert refused.value.code == "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"


@pytest.mark.parametrize("reason", sorted(ACCOUNT_REASONS))
def test_a_reason_about_the_account_does_not_end_the_message(reason: str) -> None:
    with pytest.raises(ProviderBusyError):
        call(Provider(refusal("ConflictException", Reason=reason)))


@pytest.mark.parametrize(
    "error",
    [
        refusal("MessageRejected", text="Email contains a virus"),
        refusal("ConflictException", Reason="DESTINATION_PHONE_NUMBER_OPTED_OUT"),
        refusal("EndpointDisabled"),
        refusal("InvalidParameter"),
    ],
    ids=lambda error: str(error.response["Error"]["Code"]),
)
def test_a_refusal_about_the_message_ends_it(error: ClientError) -> None:
    with pytest.raises(ProviderRejectedError):
        call(Provider(error))


@pytest.mark.parametrize(
    "error",
    [
        refusal("ServiceUnavailable", 503),
        EndpointConnectionError(endpoint_url="https://email"),
        NoCredentialsError(),
    ],
    ids=["unavailable", "unreachable", "no credentials"],
)
def test_what_certainly_sent_nothing_waits(error: Exception) -> None:
    with pytest.raises(ProviderBusyError):
        call(Provider(error))


@pytest.mark.parametrize(
    "error",
    [
        refusal("InternalFailure", 500),
        refusal("", 502),
        refusal("", 504),
        ReadTimeoutError(endpoint_url="https://email"),
    ],
    ids=["500", "502", "504", "no answer"],
)
def test_what_may_have_sent_is_not_called_again(error: Exception) -> None:
    provider = Provider(error)

    with pytest.raises(type(error)):
        call(provider)

    assert provider.calls == 1


TOO_OFTEN = ("TooManyRequestsException", "Throttling", "ThrottlingException", "ThrottledRequestException")


@pytest.mark.parametrize("code", TOO_OFTEN)
def test_a_call_that_came_too_often_is_made_again_within_the_second(slept: list[float], code: str) -> None:
    provider = Provider(refusal(code, 429), refusal(code, 429))

    assert call(provider) == "accepted"
    assert len(slept) == 2


def test_a_provider_that_throttles_on_is_left_alone(slept: list[float]) -> None:
    provider = Provider(*(refusal("TooManyRequestsException", 429) for _ in range(QUICK_ATTEMPTS)))

    with pytest.raises(ProviderBusyError):
        call(provider)

    assert provider.calls == QUICK_ATTEMPTS
    assert sum(slept) < 3


CALLS = (
    ("sesv2", "SendEmail"),
    ("sns", "Publish"),
    ("pinpoint-sms-voice-v2", "SendTextMessage"),
    ("socialmessaging", "SendWhatsAppMessage"),
)

CONTENT = frozenset(
    {
        *("BadRequestException", "MessageRejected"),
        *("EndpointDisabled", "InvalidParameter", "NotFound", "ParameterValueInvalid", "ValidationException"),
        *("ConflictException", "InvalidParametersException"),
    }
)
"""Codes that are about the message, but for the texts and reasons above."""

PERHAPS = frozenset({"InternalError", "InternalServerException", "InternalServiceException", "DependencyException"})


def documented_codes(service: str, operation: str) -> set[str]:
    """The errors that AWS documents for a call, from its own model of the service."""
    (model,) = (Path(botocore.__file__).parent / "data" / service).glob("*/service-2.json.gz")
    document = json.loads(gzip.decompress(model.read_bytes()))
    names = [one["shape"] for one in document["operations"][operation]["errors"]]
    return {document["shapes"][name].get("error", {}).get("code", name) for name in names}


@pytest.mark.parametrize(("service", "operation"), CALLS)
def test_every_documented_code_is_in_one_class(service: str, operation: str) -> None:
    others = documented_codes(service, operation) - CONTENT - PERHAPS

    assert {code for code in others if not waits(code)} == set()


def waits(code: str) -> bool:
    try:
        call(Provider(*(refusal(code) for _ in range(QUICK_ATTEMPTS))))
    except ProviderBusyError:
        return True
    except (ClientError, ProviderRejectedError):
        return False
    raise AssertionError


class Calls:
    """A provider that prepares its request, and then makes the call."""

    name = "fake"

    def __init__(self, operation: Any, *, unprepared: Exception | None = None) -> None:
        self.operation = operation
        self.unprepared = unprepared

    def send(self, message: Message, rendered: Rendered) -> str:  # noqa: ARG002  the port's shape
        if self.unprepared:
            raise self.unprepared
        return str(call(self.operation))


def hand_over(provider: Calls) -> str:
    return Handover(provider).send(message(), Rendered(Channel.SMS, "+12015550123", "Hi"))


def half_an_emoji() -> UnicodeEncodeError:
    with pytest.raises(UnicodeEncodeError) as raised:
        chr(0xD83D).encode()
    return raised.value


def test_what_fails_before_the_request_is_written_was_certainly_not_sent() -> None:
    unwritten, unprepared = Provider(half_an_emoji()), Provider()

    for provider in (Calls(unwritten), Calls(unprepared, unprepared=AttributeError("of ours"))):
        with pytest.raises(NotHandedOverError):
            hand_over(provider)
    assert (unwritten.calls, unprepared.calls) == (1, 0)


@pytest.mark.parametrize("met", [KeyError("an answer of another shape"), RuntimeError("of the SDK")])
def test_what_no_sdk_documents_around_a_call_may_have_been_sent(met: Exception) -> None:
    with pytest.raises(type(met)):
        hand_over(Calls(Provider(met)))


@pytest.mark.parametrize("met", [refusal("SendingPausedException"), refusal("InvalidParameter")])
def test_what_a_provider_answers_stays_its_answer(met: ClientError) -> None:
    with pytest.raises((ProviderBusyError, ProviderRejectedError)):
        hand_over(Calls(Provider(met)))
    assert hand_over(Calls(Provider())) == "accepted"
