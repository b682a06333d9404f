"""Counts what sources send that reaches no customer or has no rule."""

from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from cairn.adapters import aws
from cairn.telemetry import logger, where

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cairn.application.events.count_seen import CountSeen
    from cairn.domain.operations.seen import Seen

Count: TypeAlias = "Callable[[Sequence[Seen], datetime], None]"


def count_seen(table_name: str) -> Count:
    """What it needs is imported and connected with the first of it: a cold start does not pay for it.

    It never raises: the counts are for `cairn sources seen`, and an event that is not counted is accepted all the same.
    """

    @cache
    def made() -> "CountSeen":
        from cairn.adapters.dynamodb.seen import DynamoSeenTypes  # noqa: PLC0415
        from cairn.application.events.count_seen import CountSeen  # noqa: PLC0415

        return CountSeen(DynamoSeenTypes(aws.client("dynamodb", quick=True), table_name))

    def count(found: "Sequence[Seen]", now: datetime) -> None:
        try:
            made()(found, now)
        except Exception as error:  # noqa: BLE001
            logger.warning("what a source sent was not counted", reason=where(error))

    return count
