"""Refusals about the account."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from cairn.adapters.providers.calls import ACCOUNT_REFUSALS, call
from cairn.domain.shared.errors import ProviderBusyError, ProviderRejectedError


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "SendEmail")


def refusing(code: str) -> Any:
    def operation(**_: Any) -> None:
        raise refusal(code)

    return operation


@pytest.mark.parametrize("code", sorted(ACCOUNT_REFUSALS))
def test_a_refusal_about_the_account_does_not_end_the_message(code: str) -> None:
    with pytest.raises(ProviderBusyError):
        call(refusing(code))


def test_a_refusal_about_the_message_ends_it() -> None:
    with pytest.raises(ProviderRejectedError):
        call(refusing("MessageRejected"))
