"""What an enrollment costs: the cheapest and the dearest path, walked one by one."""

from collections.abc import Iterator

import pytest
from hypothesis import assume, given

from authoring import prices
from authoring.proof.costs import EVENT, MESSAGE, START, WAKE_UP, Range, Work, cost
from authoring.proof.paths import crowded
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.steps.send import Send
from cairn.domain.shared.channels import Channel
from tests.unit.authoring.proof.exhaustive import steerable
from tests.unit.authoring.proof.made import made, send

SENDING = {Channel.SMS: (0.00881, 4 * 0.00881), Channel.EMAIL: (0.0001, 0.0001), Channel.WHATSAPP: (0.005, 0.005)}


def walked(journey: Journey, step: str | None) -> Iterator[Range]:
    """The cost of each path from a step, with the cheapest and the dearest channels."""
    if step is None:
        yield Range(0, 0)
        return
    this, own = journey.steps[step], Range(0, 0)
    if isinstance(this, Send):
        least, most = zip(*(SENDING[channel] for channel in this.channels), strict=True)
        own = Range(MESSAGE.usd + min(least), MESSAGE.usd + max(most))
    for way in crowded(journey).ways[step]:
        spent = {"": 0.0, "timer": WAKE_UP.usd, "event": EVENT.usd + WAKE_UP.usd}[way.trigger]
        for rest in walked(journey, way.target):
            yield Range(own.least + spent + rest.least, own.most + spent + rest.most)


@given(steerable())
def test_the_cost_is_that_of_the_cheapest_and_of_the_dearest_path(journey: Journey) -> None:
    assume(crowded(journey).number <= 40)

    found = list(walked(journey, journey.start))

    assert cost(journey, {}).least == pytest.approx(START.usd + min(one.least for one in found))
    assert cost(journey, {}).most == pytest.approx(START.usd + max(one.most for one in found))


def test_a_text_costs_its_parts() -> None:
    journey = made(send("sms"))

    assert cost(journey, {}).most - cost(journey, {}).least == pytest.approx(3 * 0.00881)
    assert cost(journey, {"hello.sms": {"max_parts": 1}}) == pytest.approx((START.usd + MESSAGE.usd + 0.00881,) * 2)


@pytest.mark.parametrize(
    ("channel", "price"), [("email", prices.EMAIL), ("push", prices.PUSH), ("whatsapp", prices.WHATSAPP)]
)
def test_each_channel_has_its_price(channel: str, price: prices.Price) -> None:
    assert cost(made(send(channel)), {}).most == pytest.approx(START.usd + MESSAGE.usd + price.of(1))


def test_work_adds_up() -> None:
    both = Work(requests=1, queued=2) + Work(queued=3, schedules=4, invocations=5, write_units=6, read_units=7)

    assert both == Work(1, 5, 4, 5, 6, 7)
    assert both.usd == pytest.approx(Work(requests=1, queued=5).usd + Work(0, 0, 4, 5, 6, 7).usd)
