"""The record of which identity key made the customer ids of the table: its fingerprint, not the key."""

from datetime import datetime

from pynamodb.exceptions import DoesNotExist, PutError

from cairn.adapters.dynamodb.items import CONDITION_FAILED, IDENTITY, DocumentItem, code_of
from cairn.adapters.dynamodb.table import is_empty
from cairn.domain.shared.errors import ConflictError
from cairn.domain.shared.instants import instant_to_wire


class DynamoIdentityRecord:
    """Implements the port IdentityRecord."""

    def fingerprint(self) -> str | None:
        try:
            return str((DocumentItem.get(IDENTITY, IDENTITY, consistent_read=True).body or {})["fingerprint"])
        except DoesNotExist:
            return None

    def write(self, fingerprint: str, at: datetime) -> None:
        item = DocumentItem(IDENTITY, IDENTITY, body={"fingerprint": fingerprint, "since": instant_to_wire(at)})
        try:
            item.save(condition=DocumentItem.pk.does_not_exist())
        except PutError as error:
            if code_of(error) != CONDITION_FAILED:
                raise
            raise ConflictError("another deployment recorded an identity key first; deploy again") from None

    def table_is_used(self) -> bool:
        return not is_empty()
