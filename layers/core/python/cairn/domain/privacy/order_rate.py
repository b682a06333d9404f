"""How many orders to erase vendors may give within an hour, before a person looks at each.

A stolen secret, or a mistake in a vendor's own clean-up, must not empty the database within minutes.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

WINDOW = timedelta(hours=1)

Orders = Mapping[str, datetime]
"""When each order was admitted, by the key of its event."""


def admit(earlier: Orders, order: str, limit: int, now: datetime) -> Orders | None:
    """The orders of the last hour with this one; None where it is one too many.

    Any hour has at most `limit` orders, not only those of the clock. The same order again is not counted again.
    """
    recent = {key: at for key, at in earlier.items() if now - at < WINDOW}
    if order in recent:
        return recent
    return {**recent, order: now} if len(recent) < limit else None
