"""The orders to erase that vendors gave within the last hour, in one item that all functions share."""

from datetime import datetime

from pynamodb.exceptions import DoesNotExist, PutError

from cairn.adapters.dynamodb import codec
from cairn.adapters.dynamodb.items import CONDITION_FAILED, ORDERS, RECENT, DocumentItem, code_of
from cairn.domain.privacy.order_rate import admit
from cairn.domain.shared.errors import ConflictError


class DynamoErasureOrders:
    """Implements the port ErasureOrders. Only an order reads or writes the item; no other event knows of it."""

    def admit(self, order: str, limit: int, now: datetime) -> bool:
        try:
            item = DocumentItem.get(ORDERS, RECENT, consistent_read=True)
        except DoesNotExist:
            item = DocumentItem(ORDERS, RECENT, body={}, version=0)
        earlier = codec.instants_from_wire(item.body)
        admitted = admit(earlier, order, limit, now)
        if admitted is None:
            return False
        if admitted == earlier:
            return True
        unchanged = DocumentItem.version == item.version if item.version else DocumentItem.pk.does_not_exist()
        after = DocumentItem(ORDERS, RECENT, body=codec.instants_to_wire(admitted), version=int(item.version) + 1)
        try:
            after.save(condition=unchanged)
        except PutError as error:
            if code_of(error) == CONDITION_FAILED:
                raise ConflictError("another order was counted in between") from error
            raise
        return True
