"""The attacks on a story: one fault at one call, an outage that begins at a call, or many faults by a seed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from cairn.domain.shared.errors import CairnError
from cairn.domain.shared.instants import duration, duration_text
from infra.local.faults import Call, Fault, FaultPlan, faults_for
from infra.local.faults.errors import UNREACHABLE, refusals
from infra.local.faults.fault import is_read

SHORT = timedelta(seconds=30)
LENGTHS = (SHORT, timedelta(minutes=20), timedelta(hours=1), timedelta(days=1))
LONGEST = {"sqs": timedelta(hours=22), "firehose": timedelta(hours=22)}
"""Of a service that nothing else stands in for: while no queue takes what a commit decided, it is in the table's stream
alone, which stores records for 24 hours (and is read for 23: infra/cloud/functions/relay_effects). So is what the log
of facts does not take (docs/data.md)."""
INTENSITIES = (0.02, 0.05, 0.15)

AT_ONCE = "DELIVERED_TWICE_AT_ONCE"
"""A standard queue may deliver a message twice, and another process gets it while the first is at work with it.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html
"""
STANDARD = frozenset({"deliver_message", "record_feedback", "notify_subscriber", "erase_customer"})
"""Functions that only standard queues start."""
SWEEP = "sweep"
NAMES = (*Fault.__members__, AT_ONCE)

AT_CALL = re.compile(r"(\d+):([A-Z_]+)")
OUTAGE = re.compile(r"(\d+):outage:([\w-]+):(\w+):(\w+)")
SEED = re.compile(r"seed:(\d+):([\d.]+)")


class UnknownAttackError(CairnError):
    """A line that names an attack cannot be read."""


@dataclass(frozen=True, slots=True, order=True)
class Attack:
    """`at` is the number of the call with which it begins; 0 for a seed, which begins with the story."""

    at: int = 0
    fault: str = ""
    service: str = ""
    code: str = ""
    length: timedelta = timedelta()
    seed: int = -1
    intensity: float = 0.0

    @classmethod
    def read(cls, text: str) -> Self:
        """The attack that `str` wrote. Raises UnknownAttackError."""
        if one := AT_CALL.fullmatch(text):
            if one[2] not in NAMES:
                raise UnknownAttackError(f"{one[2]} is no fault; there are {', '.join(NAMES)}")
            return cls(int(one[1]), fault=one[2])
        if one := OUTAGE.fullmatch(text):
            return cls(int(one[1]), service=one[2], code=one[3], length=duration(one[4]))
        if one := SEED.fullmatch(text):
            return cls(seed=int(one[1]), intensity=float(one[2]))
        raise UnknownAttackError(f"{text!r}: write 12:DIES_AFTER, 12:outage:sqs:ServiceUnavailable:1h or seed:7:0.05")

    def __str__(self) -> str:
        if self.seeded:
            return f"seed:{self.seed}:{self.intensity:g}"
        if self.service:
            return f"{self.at}:outage:{self.service}:{self.code}:{duration_text(self.length)}"
        return f"{self.at}:{self.fault}"

    @property
    def seeded(self) -> bool:
        return self.seed >= 0

    @property
    def kind(self) -> str:
        """The column of the table that it counts in."""
        return "seeds" if self.seeded else "outages" if self.service else "faults"

    @property
    def short(self) -> bool:
        """Whether the story must end exactly as without it. A longer one delays what a timeout or a law looks at."""
        return bool(self.fault)

    def begin(self, plan: FaultPlan, after: timedelta) -> None:
        """Make the plan do this from now on, so long `after` its beginning."""
        if self.fault == AT_ONCE:
            return
        if self.fault:
            plan.at_calls = {self.at: Fault[self.fault]}
        else:
            made = FaultPlan.outage(self.service, self.code, start=after, length=self.length)
            plan.outages = made.outages


def attacked_calls(calls: Sequence[Call]) -> Iterator[Call]:
    """Every call, but of the runs of `sweep` that only read from the same services, the first alone.

    Such a run finds nothing to do, writes nothing and keeps nothing in its process for the next one: what a fault does
    to one of them it does to each. A story of sixty days has over a thousand. Some of them ask CloudWatch how old work
    is, where a queue is not empty.
    """
    several: dict[int, list[Call]] = {}
    for call in calls:
        several.setdefault(call.invocation, []).append(call)
    seen: set[frozenset[str]] = set()
    for one in several.values():
        services = frozenset(call.service for call in one)
        idle = one[0].function == SWEEP and all(is_read(call.operation) for call in one)
        if not (idle and services in seen):
            yield from one
        if idle:
            seen.add(services)


def single_faults(calls: Sequence[Call]) -> Iterator[Attack]:
    """Each call and each fault that makes sense for it."""
    for call in attacked_calls(calls):
        yield from (Attack(call.number, fault=fault.name) for fault in faults_for(call))
        if call.function in STANDARD:
            yield Attack(call.number, fault=AT_ONCE)


def outages(calls: Sequence[Call]) -> Iterator[Attack]:
    """Each service of the story, out of order or throttling for each length, from its first and its middle call on."""
    attacked = list(attacked_calls(calls))
    for service in sorted({call.service for call in attacked}):
        numbers = [call.number for call in attacked if call.service == service]
        longest = LONGEST.get(service, LENGTHS[-1])
        for at in sorted({numbers[0], numbers[len(numbers) // 2]}):
            for fault in (Fault.SERVER_ERROR, Fault.BUSY):
                codes = [one.code for one in refusals(fault, service, "")]
                yield from (
                    Attack(at, service=service, code=codes[(at + number) % len(codes)], length=min(length, longest))
                    for number, length in enumerate(LENGTHS)
                )
            yield Attack(at, service=service, code=UNREACHABLE, length=timedelta(hours=1))


def seeds(first: int, count: int) -> Iterator[Attack]:
    for seed in range(first, first + count):
        yield Attack(seed=seed, intensity=INTENSITIES[seed % len(INTENSITIES)])
