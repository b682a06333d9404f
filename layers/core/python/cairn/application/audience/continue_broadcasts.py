"""Continue a broadcast by one page: events for its members, then the next version, from which the next page follows.

A crash anywhere repeats the page, and what repeats is a duplicate. Two workers put the same events, and one of them
stores the version.
"""

from dataclasses import dataclass
from datetime import datetime

from cairn.application.ports import AudienceIndex, Broadcasts, Inbox
from cairn.domain.audience.audiences import Audiences
from cairn.domain.audience.broadcasts import BroadcastState
from cairn.domain.effects import ContinueBroadcast


@dataclass(frozen=True, slots=True)
class ContinueBroadcasts:
    broadcasts: Broadcasts
    audiences: Audiences
    index: AudienceIndex
    inbox: Inbox

    def __call__(self, page: ContinueBroadcast, now: datetime) -> None:
        """Put the events of one page. Raises where the queue does not take all of them."""
        present = self.broadcasts.get(page.broadcast)
        if present is None or present.version != page.version or not present.is_running:
            return
        audience = self.audiences.named(present.audience)
        if audience is None or audience.version != present.audience_version:
            self.broadcasts.change(present.moved_to(BroadcastState.OUTDATED))
            return
        members = self.index.page(audience, present.selected, present.page_size, present.after)
        if present.has_grown(present.put + len(members.members)):
            self.broadcasts.change(present.moved_to(BroadcastState.GROWN))
            return
        self.inbox.put(present.events(one.customer for one in members.members))
        self.broadcasts.change(present.after_page(len(members.members), members.following, now))
