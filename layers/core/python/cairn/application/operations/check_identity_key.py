"""Check at each deployment that the identity key is the one that made the table's customer ids."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cairn.application.ports import IdentityRecord
from cairn.domain.identity.identity_key import IdentityKeys
from cairn.domain.shared.errors import IdentityKeyError


@dataclass(frozen=True, slots=True)
class CheckIdentityKey:
    read_keys: Callable[[], IdentityKeys]
    record: IdentityRecord

    def __call__(self, now: datetime) -> str:
        """The key's fingerprint; the first deployment records it. Raises IdentityKeyError: nothing may be deployed."""
        keys = self.read_keys()
        recorded = self.record.fingerprint()
        if recorded is None:
            if self.record.table_is_used() and not keys.moved:
                raise IdentityKeyError(
                    "the table has customers from before the identity key, and this key would make each of them a new "
                    "one. Move the deployment first: cairn identity-key move (docs/operations.md, The identity key)"
                )
            self.record.write(keys.fingerprint, now)
        elif recorded != keys.fingerprint:
            raise IdentityKeyError(
                "the identity key is another than the one that made the table's customer ids: with it every customer "
                "would be a new one, and no suppression would be found. Put back the value from your backup "
                "(docs/operations.md, The identity key)"
            )
        return keys.fingerprint
