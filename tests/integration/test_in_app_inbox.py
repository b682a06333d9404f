"""The inbox in the table does what the tests' own inbox does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from cairn.adapters.dynamodb.in_app import DynamoInAppInbox
from cairn.adapters.dynamodb.items import IN_APP, RecordItem
from cairn.application.ports import InAppInbox
from cairn.domain.message.in_app import InAppMessage, InAppStatus, inbox_id
from tests.unit import fakes

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)


@pytest.fixture(params=["table", "fake"])
def inbox(request: pytest.FixtureRequest, table: str) -> InAppInbox:  # noqa: ARG001  bound to it
    return fakes.InAppInbox() if request.param == "fake" else DynamoInAppInbox()


def message(number: int, customer: str = "c_mia", link: str = "") -> InAppMessage:
    at = NOW + timedelta(minutes=number)
    button = "Go" if link else ""
    return InAppMessage(
        inbox_id(f"m{number}", at), f"m{number}", customer, at, at + timedelta(days=1), "Hello", "Hi", link, button
    )


def test_messages_come_back_whole_and_the_newest_first(inbox: InAppInbox) -> None:
    written = [message(number, link="/a" if number else "") for number in range(3)]
    for one in (*written, message(1, "c_noah")):
        inbox.put(one)

    assert inbox.newest("c_mia", 5) == written[::-1]
    assert inbox.newest("c_mia", 2) == written[:0:-1]


def test_a_message_is_stored_once_and_keeps_what_its_reader_did(inbox: InAppInbox) -> None:
    one = message(1)
    inbox.put(one)
    inbox.move(one, InAppStatus.OPENED)

    inbox.put(one)

    assert inbox.find("c_mia", one.id) == replace(one, status=InAppStatus.OPENED)


def test_a_status_only_moves_forward(inbox: InAppInbox) -> None:
    one = message(1)
    inbox.put(one)

    for status in (InAppStatus.CLICKED, InAppStatus.SEEN, InAppStatus.OPENED):
        inbox.move(one, status)

    assert inbox.find("c_mia", one.id) == replace(one, status=InAppStatus.CLICKED)


def test_a_message_that_is_gone_does_not_come_back(inbox: InAppInbox) -> None:
    inbox.move(message(1), InAppStatus.DISMISSED)

    assert inbox.find("c_mia", message(1).id) is None
    assert inbox.newest("c_mia", 5) == []


@pytest.mark.usefixtures("table")
def test_the_table_forgets_a_message_once_it_has_expired() -> None:
    DynamoInAppInbox().put(message(1))

    item = RecordItem.get("c_mia", IN_APP + message(1).id)

    assert item.expires_at == int(message(1).expires_at.timestamp())
