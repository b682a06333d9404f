"""Suppressions of addresses, each read by the hash of its address."""

from collections.abc import Mapping

from cairn.adapters.dynamodb.items import SUPPRESSED, suppressed_key
from cairn.adapters.dynamodb.table import read_all
from cairn.domain.consent.suppression import Mark, Suppression, current_suppressions, suppression_key
from cairn.domain.identity.identity_key import SuppressionKey
from cairn.domain.shared.channels import Channel


class DynamoSuppressions:
    """Implements the port Suppressions."""

    def __init__(self, key: SuppressionKey) -> None:
        self._key = key

    def current(self, addresses: Mapping[Channel, str]) -> Mapping[Channel, tuple[Suppression, ...]]:
        keys = {
            channel: (suppressed_key(suppression_key(channel, address, self._key)), SUPPRESSED)
            for channel, address in addresses.items()
        }
        found = read_all(keys.values()) if keys else {}
        marks = {channel: map(Mark.from_wire, found[key].marks or ()) for channel, key in keys.items() if key in found}
        return {channel: current for channel, some in marks.items() if (current := current_suppressions(some))}
