"""Refusals that are about the account, and claims whose lease is over."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cairn.adapters.providers import ABOUT_US, call
from cairn.application.deliver_message import LEASE, DeliverMessage
from cairn.domain.contact import Claim, Contact
from cairn.domain.errors import ClaimedElsewhereError, ProviderBusyError, ProviderRejectedError
from tests.unit.makers import MONDAY, message


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "SendEmail")


def refusing(code: str) -> Any:
    def operation(**_: Any) -> None:
        raise refusal(code)

    return operation


@pytest.mark.parametrize("code", sorted(ABOUT_US))
def test_a_refusal_of_the_account_keeps_the_message(code: str) -> None:
    with pytest.raises(ProviderBusyError):
        call(refusing(code))


def test_a_refusal_of_the_message_ends_it() -> None:
    with pytest.raises(ProviderRejectedError):
        call(refusing("MessageRejected"))


class TwoAtOnce:
    """Claims as the table has them, while another sender takes the message over first."""

    def claim(self, told: Any, now: Any) -> Any:
        return told, Contact(), Claim(now - LEASE - timedelta(seconds=1), told.purpose)

    def outcome(self, _: Any) -> None:
        return None

    def take_over(self, *_: Any) -> None:
        raise ClaimedElsewhereError("somebody else has just taken the message over")


def test_of_two_deliveries_of_a_message_whose_lease_is_over_one_sends() -> None:
    never: Any = None
    late = DeliverMessage(TwoAtOnce(), never, never, never)

    with pytest.raises(ClaimedElsewhereError):
        late(message(), MONDAY)
