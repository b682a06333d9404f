"""The inbox in the business's own app: our own table is its provider, and reports that the message has arrived."""

from collections.abc import Callable
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from cairn.application.ports import InAppInbox, InAppReports
from cairn.application.values.messages import InAppReport
from cairn.domain.message.in_app import SHOWN_FOR, InAppMessage, inbox_id
from cairn.domain.message.message import Message, Rendered
from cairn.domain.shared.errors import CairnError, ProviderBusyError
from cairn.domain.shared.instants import duration


def _now() -> datetime:
    return datetime.now(UTC)


class InAppProvider:
    """Stores a message once, however often it is sent, and so never leaves open whether it was."""

    name = "in_app"

    def __init__(self, inbox: InAppInbox, reports: InAppReports, clock: Callable[[], datetime] = _now) -> None:
        self._inbox = inbox
        self._reports = reports
        self._clock = clock

    def send(self, message: Message, rendered: Rendered) -> str:
        now = self._clock()
        stored = InAppMessage(
            id=inbox_id(message.id, message.decided_at),
            message=message.id,
            customer=message.customer,
            sent_at=now,
            expires_at=now + (rendered.expires_after or duration(SHOWN_FOR)),
            title=rendered.subject,
            text=rendered.text,
            link=rendered.link,
            button=rendered.button,
        )
        try:
            self._inbox.put(stored)
            self._reports.put(InAppReport(message.customer, message.id, "delivered", now))
        except (CairnError, PynamoDBException, ClientError, BotoCoreError) as error:
            raise ProviderBusyError(f"the inbox cannot be written: {type(error).__name__}") from error
        return ""
