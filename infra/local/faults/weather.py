"""What AWS may do between the calls: deliver again and later, in another order, in several shards."""

from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

ORDINARY_LATENESS = timedelta(seconds=60)
"""EventBridge Scheduler starts within the minute that a schedule names."""

LATEST_DUPLICATE = timedelta(days=3)
"""How late a duplicate of a standard queue comes at most. SQS names no limit but the queue's retention.

Of a FIFO queue, it comes when the visibility timeout ends: until then, the message keeps back all others of its group.
"""

SHARD_LATENESS = timedelta(minutes=20)

LONGEST_SLOWNESS = timedelta(days=1)
"""Calls that take longer than their timeout are an outage, and no outage of AWS has lasted longer than a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """Without arguments, the kind AWS of a test: one shard, at once, once, in order."""

    seed: str = ""
    shards: int = 1
    """Shards of the table's stream; a customer's items are in one of them."""
    shard_lateness: tuple[timedelta, ...] = ()
    """How long after its commit a shard's records reach the function, by shard; 0 where none is given."""
    redelivered: float = 0.0
    """Share of the messages that a queue delivers once more although they were handled."""
    redelivered_within: timedelta = LATEST_DUPLICATE
    receives_lost: float = 0.0
    """Share of the receives whose messages reach nobody, and are invisible all the same."""
    shuffled: bool = False
    """Standard queues give their messages in another order and in smaller batches."""
    schedules_late: timedelta = timedelta()
    schedules_twice: float = 0.0
    read_lag: timedelta = timedelta()
    """How old the table may look to an eventually consistent read."""
    takes: dict[str, timedelta] = field(default_factory=dict)
    """The time that a call takes, by service (`sns`) or operation (`sns.Publish`)."""
    slow_for: timedelta | None = None
    """How long after the plan's beginning calls take that time; None: always."""

    def lateness_of(self, shard: int) -> timedelta:
        return self.shard_lateness[shard] if shard < len(self.shard_lateness) else timedelta()

    def schedule_lateness(self, name: str) -> timedelta:
        return self._random("late", name).random() * self.schedules_late

    def fires_twice(self, name: str) -> bool:
        return self._random("twice", name).random() < self.schedules_twice

    def redelivery(self, message: str, receives: int) -> timedelta | None:
        """How long after it was handled a message comes once more, if it does; the third time is the last."""
        random = self._random("again", message, str(receives))
        again = receives <= 2 and random.random() < self.redelivered  # noqa: PLR2004
        return random.random() * self.redelivered_within if again else None

    def order(self, poll: str) -> Random | None:
        return self._random("order", poll) if self.shuffled else None

    def loses_receive(self, poll: str) -> bool:
        return self._random("lost", poll).random() < self.receives_lost

    def duration_of(self, service: str, operation: str) -> timedelta:
        return self.takes.get(f"{service}.{operation}", self.takes.get(service, timedelta()))

    def _random(self, *about: str) -> Random:
        return Random("/".join((self.seed, *about)))  # noqa: S311  a simulation


CALM = Weather()


def random_weather(seed: int, intensity: float) -> Weather:
    random = Random(f"weather/{seed}")  # noqa: S311  a simulation
    shards = random.choice((1, 2, 4))
    late = random.random() < 0.5  # noqa: PLR2004
    takes = {}
    if random.random() < 0.4:  # noqa: PLR2004
        takes = {random.choice(PROVIDER_CALLS): timedelta(seconds=random.choice((1, 4, 9)))}
    return Weather(
        seed=str(seed),
        shards=shards,
        shard_lateness=tuple(random.random() * SHARD_LATENESS for _ in range(shards)) if late else (),
        redelivered=min(1.0, 2 * intensity * random.random()),
        redelivered_within=random.choice((timedelta(minutes=10), timedelta(hours=12), LATEST_DUPLICATE)),
        receives_lost=intensity * random.random(),
        shuffled=random.random() < 0.7,  # noqa: PLR2004
        schedules_late=ORDINARY_LATENESS if random.random() < 0.8 else timedelta(),  # noqa: PLR2004
        schedules_twice=min(1.0, 2 * intensity * random.random()),
        read_lag=timedelta(seconds=random.choice((0, 0, 1, 5))),
        takes=takes,
        slow_for=random.choice((timedelta(hours=1), LONGEST_SLOWNESS)),
    )


PROVIDER_CALLS = (
    "sns.Publish",
    "sesv2.SendEmail",
    "pinpoint-sms-voice-v2.SendTextMessage",
    "socialmessaging.SendWhatsAppMessage",
    "dynamodb",
)
