"""What an enrollment costs, from the cheapest path to the dearest: messages, and what each trigger uses of AWS.

Beside the idle bill, storage and logs; of Lambda's time, what the functions of `python -m bench` took on average.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from typing import Any, NamedTuple, assert_never

from authoring import prices
from authoring.preflight.texts import prices as text_prices
from authoring.proof.limits import is_of
from authoring.proof.paths import crowded
from authoring.proof.ways import Trigger
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.steps.send import Send
from cairn.domain.message.sms import DEFAULT_MAX_PARTS
from cairn.domain.shared.channels import Channel

REQUESTS_OF_A_MESSAGE = 3
"""Of a queue: sent, received, deleted."""
GB_SECONDS = 0.0203
"""Of an invocation."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a trigger uses in all functions, until nothing more follows from it."""

    requests: int = 0
    """Of the HTTP API, each with a message of the FIFO queue."""
    queued: int = 0
    """Messages of other queues."""
    schedules: int = 0
    invocations: int = 0
    write_units: int = 0
    read_units: int = 0

    def __add__(self, other: "Work") -> "Work":
        return Work(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))

    @property
    def usd(self) -> float:
        return (
            prices.HTTP_REQUEST.of(self.requests)
            + prices.FIFO_REQUEST.of(self.requests * REQUESTS_OF_A_MESSAGE)
            + prices.SQS_REQUEST.of(self.queued * REQUESTS_OF_A_MESSAGE)
            + prices.SCHEDULE.of(self.schedules)
            + prices.INVOCATION.of(self.invocations)
            + prices.GB_SECOND.of(self.invocations * GB_SECONDS)
            + prices.WRITE_UNIT.of(self.write_units)
            + prices.READ_UNIT.of(self.read_units)
        )


NOTHING = Work()
START = Work(requests=1, invocations=3, write_units=7, read_units=4)
"""The event that starts an enrollment: received, decided, relayed."""
EVENT = Work(requests=1, invocations=3, write_units=4, read_units=4)
"""An event that a wait is for."""
WAKE_UP = Work(schedules=1, queued=1, invocations=2, write_units=5, read_units=5)
"""A timer, set by the relay (2 units) and then decided (3)."""
MESSAGE = Work(queued=2, invocations=2, write_units=4, read_units=9)
"""Sent (2 units), and its report (2)."""


class Range(NamedTuple):
    least: float
    most: float


def cost(journey: Journey, templates: Mapping[str, Any]) -> Range:
    """USD of one enrollment: the cheapest path with the cheapest channels, and the dearest with the dearest."""
    paths = crowded(journey)
    least: dict[str | None, float] = {None: 0.0}
    most: dict[str | None, float] = {None: 0.0}
    for step in reversed(paths.ways):
        own = _of_step(journey, step, templates)
        least[step] = own.least + min(_work(way.trigger).usd + least[way.target] for way in paths.ways[step])
        most[step] = own.most + max(_work(way.trigger).usd + most[way.target] for way in paths.ways[step])
    return Range(START.usd + least[journey.start], START.usd + most[journey.start])


def _work(trigger: Trigger) -> Work:
    match trigger:
        case "timer":
            return WAKE_UP
        case "event":  # the timer fires all the same, and is ignored
            return EVENT + WAKE_UP
        case "":
            return NOTHING


def _of_step(journey: Journey, step: str, templates: Mapping[str, Any]) -> Range:
    this = journey.steps[step]
    if not isinstance(this, Send):
        return Range(0.0, 0.0)
    each = [_sending(this, channel, templates) for channel in this.channels]
    return Range(MESSAGE.usd + min(one.least for one in each), MESSAGE.usd + max(one.most for one in each))


def _sending(send: Send, channel: Channel, templates: Mapping[str, Any]) -> Range:
    match channel:
        case Channel.SMS:
            of_a_part = text_prices().values()
            files = [one for name, one in templates.items() if is_of(name, send.template, channel)]
            parts = max((one.get("max_parts", DEFAULT_MAX_PARTS) for one in files), default=DEFAULT_MAX_PARTS)
            return Range(min(of_a_part), parts * max(of_a_part))
        case Channel.EMAIL:
            usd = prices.EMAIL.of(1)
        case Channel.PUSH:
            usd = prices.PUSH.of(1)
        case Channel.WHATSAPP:
            usd = prices.WHATSAPP.of(1)
        case Channel.IN_APP:
            usd = prices.IN_APP.of(1)
        case _:
            assert_never(channel)
    return Range(usd, usd)
