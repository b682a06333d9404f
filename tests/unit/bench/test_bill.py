"""How many receives a queue needs: long polls that find nothing, and those that a message ends early."""

import random
from itertools import accumulate, repeat, takewhile

import pytest

from bench.bill import POLL_SECONDS, POLLERS, POLLS, SECONDS, polls_with


def test_an_idle_queue_is_polled_as_the_idle_bill_says() -> None:
    assert polls_with(0) == POLLS
    assert polls_with(1) == pytest.approx(POLLS, abs=1)


def test_each_message_of_a_busy_queue_needs_a_receive_of_its_own() -> None:
    busy = 1_000_000_000

    assert polls_with(busy) == pytest.approx(busy, rel=0.001)


@pytest.mark.parametrize("messages", [1_000, 100_000, 1_000_000, 10_000_000])
def test_a_message_never_costs_more_than_one_receive_and_saves_no_poll(messages: int) -> None:
    assert 0 < polls_with(messages) - POLLS < messages


@pytest.mark.parametrize("messages", [300_000, 1_000_000, 5_000_000])
def test_a_poller_that_is_watched_polls_as_often(messages: int) -> None:
    chance = random.Random(messages)  # noqa: S311  a simulation
    rate = messages / SECONDS / POLLERS
    arrivals = accumulate(chance.expovariate(rate) for _ in repeat(None))
    watched_seconds = 200_000.0

    polls, now = 0, 0.0
    for arrival in takewhile(lambda at: at < watched_seconds, arrivals):
        while now + POLL_SECONDS <= arrival:  # nothing came
            now += POLL_SECONDS
            polls += 1
        now = arrival
        polls += 1

    assert polls / watched_seconds * SECONDS * POLLERS == pytest.approx(polls_with(messages), rel=0.03)
