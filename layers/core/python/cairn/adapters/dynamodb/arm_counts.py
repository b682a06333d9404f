"""How many customers entered each arm of a split, and how many of those reached the goal.

Each is counted with a mark of its own, in one transaction: a decision that is relayed again finds its mark, and counts
nothing. The mark names nobody: it is a hash, and expires when nothing can bring the decision again any more. A few
counters share the work, so that their writes seldom meet.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from pynamodb.exceptions import TransactWriteError

from cairn.adapters.dynamodb.items import ARMS, COUNTED, ArmItem
from cairn.adapters.dynamodb.table import transaction
from cairn.application.values.arms import ArmCount, CountedArm
from cairn.domain.journey.arms import ArmOutcome
from cairn.domain.shared.hashing import share, short_hash

SHARDS = 4

RETENTION = timedelta(days=35)
"""Of marks: the stream brings a commit again for a day, and a dead letter for fourteen."""

ALREADY_COUNTED = "ConditionalCheckFailed"


class DynamoArmCounts:
    """Implements the port ArmCounts."""

    def add(self, outcome: ArmOutcome, at: datetime) -> None:
        mark = ArmItem(COUNTED + short_hash(outcome.enrollment, outcome.step, outcome.what, length=32), COUNTED)
        mark.expires_at = int((at + RETENTION).timestamp())
        counter = ArmItem(ARMS + outcome.journey, _sort_key(outcome))
        counted = ArmItem.entered if outcome.what == "entered" else ArmItem.reached
        try:
            with transaction() as write:
                write.save(mark, condition=ArmItem.pk.does_not_exist())
                write.update(counter, actions=[counted.add(1)])
        except TransactWriteError as error:
            if not any(reason and reason.code == ALREADY_COUNTED for reason in error.cancellation_reasons):
                raise

    def of(self, journey: str) -> Mapping[CountedArm, ArmCount]:
        """One Query of the journey's counters, as they are now."""
        found: dict[CountedArm, ArmCount] = {}
        for item in ArmItem.query(ARMS + journey, consistent_read=True):
            version, step, arm, _ = item.sk.split("#")
            this, before = CountedArm(version, step, arm), found.get(CountedArm(version, step, arm), ArmCount())
            counted = (int(item.entered or 0), int(item.reached or 0))
            found[this] = ArmCount(before.entered + counted[0], before.reached + counted[1])
        return found


def _sort_key(outcome: ArmOutcome) -> str:
    return f"{outcome.version}#{outcome.step}#{outcome.arm}#{int(share('arms', outcome.enrollment) * SHARDS)}"
