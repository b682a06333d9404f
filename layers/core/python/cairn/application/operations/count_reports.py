"""Count providers' reports by the journey and the channel of their message."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cairn.application.ports import DeliveryCounters
from cairn.domain.operations.breaker import DeliveryOutcome
from cairn.domain.operations.flow import bucket_of


def count_report(
    counters: DeliveryCounters, message: Mapping[str, Any], outcome: DeliveryOutcome, at: datetime
) -> tuple[str, ...]:
    """The targets for which the report of a recorded message was counted. Unrecorded messages are not counted."""
    targets = _targets(message)
    if targets:
        counters.add(targets, bucket_of(at), outcome)
    return targets


def _targets(message: Mapping[str, Any]) -> tuple[str, ...]:
    """The journey and the channel of a message. An answer to a STOP has no journey."""
    named = (("journey", message.get("journey")), ("channel", message.get("channel")))
    return tuple(f"{kind}:{name}" for kind, name in named if name)
