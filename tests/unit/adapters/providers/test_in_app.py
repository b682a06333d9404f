"""The inbox as a provider: it stores once, and what cannot be stored now waits."""

from datetime import UTC, datetime, timedelta

import pytest
from pynamodb.exceptions import PutError

from cairn.adapters.providers.calls import Handover
from cairn.adapters.providers.in_app import InAppProvider
from cairn.domain.message.message import Message, Rendered
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import ProviderBusyError, ServiceBusyError
from tests.unit.fakes import InAppInbox, InAppOutbox

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
MESSAGE = Message(
    id="e-hello-1",
    customer="c_mia",
    enrollment="e",
    journey="hello",
    version="1",
    step="hello",
    channels=(Channel.IN_APP,),
    template="hello",
    purpose=Purpose.MARKETING,
    addresses={Channel.IN_APP: "mia"},
    decided_at=NOW,
)


def rendered(**more: object) -> Rendered:
    return Rendered(Channel.IN_APP, "mia", "Welcome.", subject="Hello", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("length", "days"), [(timedelta(days=7), 7), (None, 30)])
def test_a_message_is_shown_for_as_long_as_its_template_says(length: timedelta | None, days: int) -> None:
    inbox, reports = InAppInbox(), InAppOutbox()

    InAppProvider(inbox, reports, lambda: NOW).send(MESSAGE, rendered(expires_after=length, link="/a", button="Go"))

    (stored,) = inbox.values()
    assert (stored.title, stored.text, stored.link, stored.button) == ("Hello", "Welcome.", "/a", "Go")
    assert stored.expires_at == NOW + timedelta(days=days)
    assert [(one.message, one.status) for one in reports] == [("e-hello-1", "delivered")]


def test_a_message_that_is_sent_again_later_is_stored_once() -> None:
    inbox, reports = InAppInbox(), InAppOutbox()

    for ago in (0, 1):
        at = NOW + timedelta(hours=ago)
        InAppProvider(inbox, reports, lambda at=at: at).send(MESSAGE, rendered())  # type: ignore[misc]

    assert [one.sent_at for one in inbox.values()] == [NOW]


class Down(InAppInbox):
    def put(self, message: object) -> None:  # noqa: ARG002  as the port has it
        raise PutError("throttled")


@pytest.mark.parametrize("broken", ["the inbox", "the queue"])
def test_what_cannot_be_stored_now_waits_for_another_attempt(broken: str) -> None:
    inbox, reports = (Down() if broken == "the inbox" else InAppInbox()), InAppOutbox()
    reports.is_down = ServiceBusyError("sqs is busy") if broken == "the queue" else None

    with pytest.raises(ProviderBusyError):
        Handover(InAppProvider(inbox, reports, lambda: NOW)).send(MESSAGE, rendered())
