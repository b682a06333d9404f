"""The faults that `cairn chaos` plays against `cairn serve`, by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from infra.local.faults.errors import UNREACHABLE
from infra.local.faults.fault import Fault
from infra.local.faults.plan import FaultPlan
from infra.local.faults.weather import CALM

SLOW = timedelta(seconds=4)
LATE = (timedelta(minutes=20), timedelta(), timedelta(minutes=5), timedelta(minutes=1))
AGAIN = timedelta(minutes=30)
OFTEN = 0.2
SEED = 1

Make = Callable[[timedelta], FaultPlan]


@dataclass(frozen=True, slots=True)
class GameDay:
    about: str
    make: Make


def game_day(name: str, length: timedelta) -> FaultPlan:
    """Raises KeyError where no fault has this name."""
    return replace(GAME_DAYS[name].make(length), name=name, lasts=length)


def _out(service: str, code: str = "", operation: str | None = None) -> Make:
    return lambda length: FaultPlan.outage(service, code, operation, length=length)


def _providers_throttle(length: timedelta) -> FaultPlan:
    return (
        FaultPlan.outage("sesv2", "TooManyRequestsException", "SendEmail", length=length)
        | FaultPlan.outage("sns", "Throttled", "Publish", length=length)
        | FaultPlan.outage("pinpoint-sms-voice-v2", "ThrottlingException", length=length)
        | FaultPlan.outage("socialmessaging", "ThrottledRequestException", length=length)
    )


def _slow_providers(_: timedelta) -> FaultPlan:
    return FaultPlan.slow(dict.fromkeys(("sns", "sesv2", "pinpoint-sms-voice-v2", "socialmessaging"), SLOW))


def _random(*only: Fault) -> Make:
    return lambda _: FaultPlan.random(SEED, OFTEN, only=only)


GAME_DAYS: Mapping[str, GameDay] = {
    "table-down": GameDay("the table answers with a server error", _out("dynamodb")),
    "table-throttled": GameDay("the table throttles every call", _out("dynamodb", "ThrottlingException")),
    "table-unreachable": GameDay("no connection to the table comes about", _out("dynamodb", UNREACHABLE)),
    "access-denied": GameDay("the functions may not use the table", _out("dynamodb", "AccessDeniedException")),
    "queues-down": GameDay("the queues take nothing", _out("sqs")),
    "scheduler-down": GameDay("no schedule can be set", _out("scheduler")),
    "scheduler-over-quota": GameDay(
        "the account has as many schedules as it may have",
        _out("scheduler", "ServiceQuotaExceededException", "CreateSchedule"),
    ),
    "secrets-down": GameDay("no secret can be read", _out("secretsmanager")),
    "providers-throttle": GameDay("the providers of messages throttle", _providers_throttle),
    "providers-slow": GameDay("a provider takes four seconds for a message", _slow_providers),
    "processes-die": GameDay(
        "a fifth of the calls is the last of its process", _random(Fault.DIES_BEFORE, Fault.DIES_AFTER)
    ),
    "answers-lost": GameDay("the answers to a fifth of the writes are lost", _random(Fault.ALL_ANSWERS_LOST)),
    "deliveries-again": GameDay(
        "queues deliver again what was handled, in another order",
        lambda _: FaultPlan.under(replace(CALM, redelivered=1.0, redelivered_within=AGAIN, shuffled=True)),
    ),
    "stream-late": GameDay(
        "the table's stream has four shards, and one is twenty minutes late",
        lambda _: FaultPlan.under(replace(CALM, shards=len(LATE), shard_lateness=LATE)),
    ),
    "everything": GameDay("a fifth of the calls fails in one way or another, and AWS is unkind", _random()),
}
