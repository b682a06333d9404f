"""Serve in-app messages: what waits in a customer's inbox, and what its reader does there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cairn.application.ports import InAppInbox, InAppReports
from cairn.application.values.messages import InAppReport
from cairn.domain.message.in_app import InAppMessage, InAppStatus
from cairn.domain.shared.errors import UnknownMessageError

PAGE = 20
"""Messages of one page, where none is asked for."""

MOST_SHOWN = 200
"""An inbox shows the newest ones; one read of 200 usual messages takes 13 read units."""


@dataclass(frozen=True, slots=True)
class InAppPage:
    messages: Sequence[InAppMessage]
    """The newest first."""
    unread: int
    """Of the whole inbox."""
    following: str | None
    """The id behind which the next page begins; None: there is none."""


@dataclass(frozen=True, slots=True)
class ServeInApp:
    """Every act is idempotent: its event has one id, and a status only moves forward."""

    inbox: InAppInbox
    reports: InAppReports

    def messages(self, customer: str, limit: int, after: str, now: datetime) -> InAppPage:
        """The messages behind `after`, an id; empty: the newest."""
        shown = self._shown(customer, now)
        page = [one for one in shown if not after or one.id < after]
        following = page[limit - 1].id if len(page) > limit else None
        return InAppPage(page[:limit], sum(one.status is InAppStatus.NEW for one in shown), following)

    def note(self, customer: str, id_: str, status: InAppStatus, now: datetime) -> None:
        """The reader has done this with a message. Raises UnknownMessageError where it is shown no more.

        The report goes first: after a failure the app tries again, and the report is known by its id.
        """
        message = self.inbox.find(customer, id_)
        if message is None or not (message.is_shown(now) or message.status is status):
            raise UnknownMessageError("there is no such message in this inbox, or it is shown no more")
        if status.rank <= message.status.rank:
            return
        if status.is_reported:
            self.reports.put(InAppReport(message.customer, message.message, status.value, now, link=message.link))
        self.inbox.move(message, status)

    def see_all(self, customer: str, now: datetime) -> None:
        """The reader has looked at the list."""
        for message in self._shown(customer, now):
            if message.status is InAppStatus.NEW:
                self.inbox.move(message, InAppStatus.SEEN)

    def _shown(self, customer: str, now: datetime) -> list[InAppMessage]:
        return [one for one in self.inbox.newest(customer, MOST_SHOWN) if one.is_shown(now)]
