"""The one notification that lists all tasks of a member for a period."""

from datetime import datetime, timedelta

from pynamodb.exceptions import PutError

from cairn.adapters.dynamodb.items import CONDITION_FAILED, MEMBER, RecordItem, code_of
from cairn.domain.shared.instants import instant_to_wire

NOTIFIED = "notified#"
STAYS = timedelta(days=15)
"""Longer than a notification can wait in its queue, or lie among the dead letters."""


class DynamoNotifiedMembers:
    """Implements the port NotifiedMembers."""

    def first(self, member: str, period_ends: datetime, notification: str, now: datetime) -> bool:
        item = RecordItem(
            MEMBER + member,
            NOTIFIED + instant_to_wire(period_ends),
            added_by=notification,
            expires_at=int((now + STAYS).timestamp()),
        )
        try:
            item.save(RecordItem.pk.does_not_exist() | (RecordItem.added_by == notification))
        except PutError as error:
            if code_of(error) != CONDITION_FAILED:
                raise
            return False
        return True
