"""The cost that `cairn check --report` states is what the deployment uses, as the benchmark measures it."""

import re

import pytest

from authoring import prices
from authoring.proof.costs import MESSAGE, START, WAKE_UP
from bench.bill import FIFO, measured
from bench.page import PAGE
from bench.units import IN_TRANSACTION

JOURNEY = START + WAKE_UP + MESSAGE + WAKE_UP
"""Of the bill: a wait, an e-mail, a wait."""


def test_the_work_of_a_journey_is_what_the_benchmark_measures() -> None:
    found = measured(2)
    times = 1 / found.webhooks
    used = found.by_function.values()
    queued = sum(number for queue, number in found.messages.items() if not queue.endswith(FIFO))

    assert JOURNEY.requests == 1
    assert JOURNEY.invocations == times * sum(one.invocations for one in used)
    assert JOURNEY.schedules == times * found.schedules
    assert JOURNEY.queued == times * queued
    assert JOURNEY.write_units == pytest.approx(times * sum(one.write_units for one in used), abs=IN_TRANSACTION)
    assert JOURNEY.read_units == pytest.approx(times * sum(one.read_units for one in used), abs=IN_TRANSACTION)


def test_its_price_is_about_that_of_the_bill() -> None:
    """Somewhat more: a poll that finds a message replaces another, and here each message is received for itself."""
    page = PAGE.read_text(encoding="utf-8")
    work = page[page.index("### The work of the month") : page.index("### A stage while nothing happens")]
    lines = dict(re.findall(r"^\| ([^|]+) \| [^|]+ \| ([0-9.]+) \|$", work, re.MULTILINE))
    counted = ("HTTP API", "Lambda", "table: writes", "table: reads", "queues", "schedules")

    billed = sum(float(lines[one]) for one in counted) / prices.MILLION

    assert billed < JOURNEY.usd < 1.15 * billed
