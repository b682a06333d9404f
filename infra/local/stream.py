"""The event source mappings between the table's stream and its functions, as Lambda documents them.

https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html
https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zlib import crc32

from cairn.adapters.dynamodb.items import AUDIT, TASK
from cairn.adapters.dynamodb.logged_facts import LOGGED
from cairn.adapters.dynamodb.seen import SEEN
from infra.local.faults.weather import CALM, Weather
from infra.local.shapes import Shape

BATCH_SIZE = 100
LOG_BATCH_SIZE, LOG_WINDOW = 1000, timedelta(minutes=5)
"""Of log_facts, which gathers as many changes as come within the window; a test compares them with the template."""
MAX_AGE = timedelta(hours=23)
"""How long a failing batch is tried again; a test compares it, and the batch size, with the CDK's template."""

FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=1), timedelta(minutes=1)
"""Between the tries of a failing batch. Lambda documents that it waits, and not how long."""
MOST_DOUBLINGS = 6

ITEMS = ("open#state", "task#", "broadcast#")


def has_outbox(change: Shape) -> bool:
    """The filter of the event source mapping; a test compares it with the CDK's template."""
    record = change["dynamodb"]
    outbox = record.get("NewImage", {}).get("outbox", {})
    return record["Keys"]["sk"]["S"].startswith(ITEMS) and "S" in outbox


def is_announced(change: Shape) -> bool:
    """The further filter where a webhook endpoint hears of tasks and orders; likewise compared."""
    record, keys = change["dynamodb"], change["dynamodb"]["Keys"]
    is_open = record.get("NewImage", {}).get("status", {}).get("S") == "open"
    is_order = keys["pk"]["S"] == AUDIT and change["eventName"] == "INSERT"
    return bool(is_order or (keys["sk"]["S"].startswith(TASK) and is_open))


def has_facts(change: Shape) -> bool:
    """The filter of log_facts; a test compares it with the CDK's template."""
    keys = change["dynamodb"]["Keys"]
    is_record = keys["sk"]["S"].startswith(LOGGED) or keys["pk"]["S"] == SEEN
    return bool(change["eventName"] != "REMOVE" and is_record)


Run = Callable[[list[Shape]], "list[str] | None"]
"""Runs the function on a batch: the sequence numbers that failed, or None where it gave no answer."""


@dataclass(slots=True)
class Shard:
    fresh: list[Shape] = field(default_factory=list)
    failed: list[list[Shape]] = field(default_factory=list)
    """Batches to be tried again before anything fresh; one that failed as a whole is two."""
    retry_at: datetime | None = None
    first_failed_at: datetime | None = None
    failures: int = 0
    batch_size: int = BATCH_SIZE

    def batch(self) -> list[Shape]:
        return self.failed[0] if self.failed else self.fresh[: self.batch_size]

    def replace(self, *batches: list[Shape]) -> None:
        """Put these in place of the next batch."""
        if not self.failed:
            del self.fresh[: self.batch_size]
        self.failed[:1] = [batch for batch in batches if batch]
        if not self.failed:
            self.retry_at, self.first_failed_at, self.failures = None, None, 0

    def due(self, lateness: timedelta) -> datetime | None:
        """When its next batch can be run; None where nothing waits."""
        batch = self.batch()
        if not batch:
            return None
        arrival = created(batch[0]) + lateness
        return max(arrival, self.retry_at) if self.retry_at else arrival


@dataclass(slots=True)
class StreamMapping:
    """Every shard has its own position, lateness and retries."""

    stream_arn: str
    shard_id: str
    give_up: Callable[[str], None]
    """Sends a dead letter to the on-failure destination."""
    weather: Callable[[], Weather] = lambda: CALM
    function: str = "relay_effects"
    batch_size: int = BATCH_SIZE
    window: timedelta = timedelta()
    """How long changes may be gathered, for a batch that is not full."""
    shards: list[Shard] = field(default_factory=list)

    def add(self, changes: Iterable[Shape]) -> None:
        """New changes of the table. In order are those of one item: a shard has several batches at work at a time."""
        if not any(shard.batch() for shard in self.shards):  # a new shard begins when its parent is read
            self.shards = [Shard(batch_size=self.batch_size) for _ in range(self.weather().shards)]
        for change in changes:
            key = change["dynamodb"]["Keys"]
            item = key["pk"]["S"] + key["sk"]["S"]
            self.shards[crc32(item.encode()) % len(self.shards)].fresh.append(change)

    def due(self) -> datetime | None:
        """When the next batch of any shard is due."""
        return min((at for _, at in self._due()), default=None)

    def _due(self) -> Iterator[tuple[Shard, datetime]]:
        weather = self.weather()
        for number, shard in enumerate(self.shards):
            at = shard.due(weather.lateness_of(number))
            if at is not None:
                yield shard, at if shard.retry_at or len(shard.batch()) == self.batch_size else at + self.window

    def retry(self) -> datetime | None:
        """When the next batch that has failed is tried again."""
        return min((at for shard, at in self._due() if shard.retry_at), default=None)

    def run(self, relay: Run, *, early: bool = False) -> bool:
        """Hand one batch of each shard that is due to the function; whether anything moved. `early`: of each shard."""
        moved = False
        for shard, at in list(self._due()):
            if early or at <= datetime.now(UTC):
                moved |= self._run(shard, relay)
        return moved

    def _run(self, shard: Shard, relay: Run) -> bool:
        self._drop_old(shard)
        batch = shard.batch()
        if not batch:
            return True
        failed = relay(batch)
        if failed is None:
            shard.replace(*_halves(batch))
        else:
            shard.replace(_from(batch, failed))
        if failed == []:
            return True
        shard.failures += 1
        shard.first_failed_at = shard.first_failed_at or datetime.now(UTC)
        pause = FIRST_RETRY * 2 ** min(shard.failures - 1, MOST_DOUBLINGS)
        shard.retry_at = datetime.now(UTC) + min(pause, LONGEST_RETRY)
        return False

    def _drop_old(self, shard: Shard) -> None:
        """Give up what is too old of the next batch, and was tried as long: what a laptop left waiting is not lost."""
        limit = datetime.now(UTC) - MAX_AGE
        if shard.first_failed_at is None or shard.first_failed_at > limit:
            return
        batch = shard.batch()
        old = [change for change in batch if created(change) <= limit]
        if old:
            self.give_up(json.dumps(self._dead_letter(shard, old)))
            shard.replace(batch[len(old) :])

    def _dead_letter(self, shard: Shard, lost: list[Shape]) -> Shape:
        first, last = lost[0]["dynamodb"], lost[-1]["dynamodb"]
        return {
            "requestContext": {
                "requestId": "local",
                "functionArn": function_arn(self.function),
                "condition": "MaximumRecordAgeExceeded",
                "approximateInvokeCount": shard.failures,
            },
            "version": "1.0",
            "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "DDBStreamBatchInfo": {
                "shardId": self.shard_id,
                "startSequenceNumber": first["SequenceNumber"],
                "endSequenceNumber": last["SequenceNumber"],
                "approximateArrivalOfFirstRecord": created(lost[0]).isoformat(),
                "approximateArrivalOfLastRecord": created(lost[-1]).isoformat(),
                "batchSize": len(lost),
                "streamArn": self.stream_arn,
            },
        }


def function_arn(name: str) -> str:
    return f"arn:aws:lambda:local:function:{name}"


def created(change: Shape) -> datetime:
    at: datetime = change["dynamodb"]["ApproximateCreationDateTime"]
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _halves(batch: list[Shape]) -> list[list[Shape]]:
    middle = (len(batch) + 1) // 2
    return [batch[:middle], batch[middle:]]


def _from(batch: list[Shape], failed: list[str]) -> list[Shape]:
    """From the lowest failed record on: Lambda tries these again, whatever succeeded after it."""
    if not failed:
        return []
    first = min(map(int, failed))
    return [change for change in batch if int(change["dynamodb"]["SequenceNumber"]) >= first]
