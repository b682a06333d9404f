"""Which status reports journey versions in use may hear, in one small item that is read for each report."""

from collections.abc import Collection
from datetime import datetime

from pynamodb.exceptions import DoesNotExist

from cairn.adapters.dynamodb.items import HEARD, HeardItem
from cairn.domain.message.message import STATUS_REPORTS
from cairn.domain.shared.instants import instant_to_wire


def note_heard(types: Collection[str]) -> None:
    """A version that may hear these types is about to be used. Noted for ever: versions are stored for ever."""
    HeardItem(HEARD, HEARD).update([HeardItem.types.add(set(types))])


def note_complete(at: datetime) -> None:
    """From now on, the types of every version in the table are noted."""
    HeardItem(HEARD, HEARD).update([HeardItem.complete_since.set(instant_to_wire(at))])


class DynamoStatusReports:
    """Implements the port StatusReports."""

    def unheard(self) -> frozenset[str]:
        try:
            item = HeardItem.get(HEARD, HEARD, consistent_read=True)
        except DoesNotExist:
            return frozenset()
        return STATUS_REPORTS.difference(item.types or ()) if item.complete_since else frozenset()
