"""Check in a deployment that the identity key is the one that made the customer ids, and that links have a secret.

The first deployment has neither customers nor links: it records the key, and signs links with the drawn secret. All
journey versions of its table will be those of releases that note which status reports they hear.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from cairn.application.ports import IdentityRecord, LinksSecret
from cairn.domain.identity.identity_key import IdentityKeys
from cairn.domain.shared.errors import IdentityKeyError, SecretMissingError


@dataclass(frozen=True, slots=True)
class CheckIdentityKey:
    read_keys: Callable[[], IdentityKeys]
    record: IdentityRecord
    links: LinksSecret
    note_first: Callable[[datetime], None]
    """Notes that no earlier release has used the table. Repeatable."""

    def __call__(self, now: datetime) -> str:
        """The key's fingerprint. Raises IdentityKeyError or SecretMissingError: nothing may be deployed."""
        keys = self.read_keys()
        recorded = self.record.fingerprint()
        is_first = recorded is None and not self.record.table_is_used()
        self._check_key(keys, recorded, is_first=is_first)
        self._check_links(is_first=is_first)
        if recorded is None:
            self.record.write(keys.fingerprint, now)
        if is_first:  # after the record: an interrupted deployment is then no first one, and notes nothing
            self.note_first(now)
        return keys.fingerprint

    def _check_key(self, keys: IdentityKeys, recorded: str | None, *, is_first: bool) -> None:
        if recorded is None:
            if not is_first and not keys.moved:
                raise IdentityKeyError(
                    "the table has customers from before the identity key, and this key would make each of them a new "
                    "one. Move the deployment first: cairn identity-key move (docs/operations.md, The identity key)"
                )
        elif recorded != keys.fingerprint:
            raise IdentityKeyError(
                "the identity key is another than the one that made the table's customer ids: with it every customer "
                "would be a new one, and no suppression would be found. Put back the value from your backup "
                "(docs/operations.md, The identity key)"
            )

    def _check_links(self, *, is_first: bool) -> None:
        """Links that were sent are opened with the secret that signed them, so another one is drawn at first only."""
        if self.links.is_there():
            return
        if not is_first:
            raise SecretMissingError(
                "no secret signs the links in messages, and those that were sent would stop working. Join the secrets "
                "first: cairn secrets join (docs/operations.md, The stage's secret)"
            )
        self.links.take_the_drawn_one()
