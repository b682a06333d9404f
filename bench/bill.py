"""A month's bill, counted from what a small piece of it uses on the local deployment.

The month: 100,000 customers with 50 attributes and 5 open enrollments of a kilobyte each; 1 M webhooks, each of which
starts an enrollment of three steps: a wait of an hour, an e-mail, a wait of a day. So 3 M steps, 1 M e-mails, and a
report of SES for each. Nothing is batched: each message of a queue is an invocation of its own.
"""

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from authoring import prices
from bench.calls import Call
from bench.dynamodb_local import deployment
from bench.meter import Usage, metered
from bench.paths import MONDAY, ROOT
from bench.template import Stack
from bench.units import size_of
from bench.workload import MAILS, NEXT_DAY, WAIT, Customer, journeys, passes
from cairn.domain.measurement.facts import Stored
from infra.local.deployment import LocalDeployment
from infra.local.shapes import Shape, rule_event
from infra.local.stream import LOG_BATCH_SIZE, LOG_WINDOW

CUSTOMERS = 100_000
ATTRIBUTES = 50
ENROLLMENTS = 5
WEBHOOKS = 1_000_000
STEPS_OF_A_WEBHOOK = 3
DAYS = 30
SECONDS = DAYS * 24 * 3600
RUNS_BY_RULE = SECONDS // (5 * 60)
GIGABYTE = 1024**3

POLLERS = 5
POLL_SECONDS = 20
"""Lambda polls each queue that is idle with five long polls of twenty seconds.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
"""
PLATFORM_LOG_BYTES = 700
"""Lambda's own lines of an invocation that succeeds: platform.start and platform.report, in JSON. Only in a stage that
has them logged (infra/cloud/stage.Stage.platform_logs)."""

FIFO = ".fifo"
FEEDBACK = "cairn-feedback"
"""The local deployment's queue of what SES reports."""

DELIVERED = ROOT / "events" / "aws" / "ses_delivery.json"
POLLS = SECONDS // POLL_SECONDS * POLLERS


class Charge(NamedTuple):
    what: str
    counted: str
    usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What webhooks with all that follows from them use, and one run of `sweep` that finds nobody."""

    webhooks: int
    by_function: Mapping[str, Usage]
    sweep: Usage
    log: Usage
    """The log of facts, which gathers more at a time than these webhooks bring."""
    facts: list[Shape]
    bytes_of_a_customer: float
    """All that is stored of one."""
    mails: int

    @property
    def calls(self) -> list[Call]:
        return [call for usage in self.by_function.values() for call in usage.calls]

    @property
    def sends(self) -> list[Call]:
        """The calls that send to queues."""
        return [one for one in self.calls if one.service == "sqs" and one.operation.startswith("SendMessage")]

    @property
    def messages(self) -> Mapping[str, int]:
        """Of each queue, by its name: those sent by functions, by schedules, and by SES through SNS."""
        found: Counter[str] = Counter({FEEDBACK: self.mails})
        for call in self.sends:
            found[str(call.arguments["QueueUrl"]).rpartition("/")[2]] += len(call.arguments.get("Entries", [1]))
        for call in self.calls:
            if call.operation == "CreateSchedule":
                found[str(call.arguments["Target"]["Arn"]).rpartition(":")[2]] += 1
        return found

    @property
    def schedules(self) -> int:
        return sum(call.operation == "CreateSchedule" for call in self.calls)

    @property
    def series(self) -> set[str]:
        """The series of metrics, in the order of their names."""
        return self.sweep.metrics.union(*(usage.metrics for usage in self.by_function.values()))


def measured(customers: int = 4) -> Measured:
    """Each customer posts once to warm up, and once for the count."""
    with (
        journeys(20) as folder,
        deployment(None, folder, start=MONDAY) as made,
        metered(made, reports=False) as meter,
    ):
        known = [Customer(made, f"customer-{number}", ATTRIBUTES) for number in range(customers)]
        for customer in known:
            customer.arrives(ENROLLMENTS)
        _mails(made, known, 1)
        before = len(made.facts())
        meter.reset()
        mails = _mails(made, known, 2)
        facts, log = made.facts()[before:], meter["log_facts"]
        used = {name: usage for name, usage in meter.by_function.items() if name not in {"sweep", "log_facts"}}
        meter.reset()
        made.handlers["sweep"](rule_event("sweep", made.now()), None)
        return Measured(
            webhooks=customers,
            by_function=used,
            sweep=meter["sweep"],
            log=log,
            facts=facts,
            bytes_of_a_customer=_stored(made) / customers,
            mails=mails,
        )


def _mails(made: LocalDeployment, known: list[Customer], number: int) -> int:
    """Let each start the journey and come to its end; returns how many e-mails were sent."""
    before = len(made.cloud.mails)
    for customer in known:
        customer.starts(number, MAILS)
        passes(made, timedelta(minutes=1))  # each is due by itself, so that nothing is batched
    passes(made, WAIT)
    mails = made.cloud.mails[before:]
    for at, mail in enumerate(mails, before):
        made.feedback(_report_of(mail, f"report-{at}"))
        made.settle()
    passes(made, NEXT_DAY)
    return len(mails)


def _report_of(mail: Shape, message_id: str) -> str:
    report = json.loads(DELIVERED.read_text())
    report["mail"]["messageId"] = message_id
    report["mail"]["destination"] = mail["Destination"]["ToAddresses"]
    report["mail"]["tags"] |= {one["Name"]: [one["Value"]] for one in mail.get("EmailTags", ())}
    return json.dumps(report)


def _stored(made: LocalDeployment) -> int:
    pages = made.cloud.client("dynamodb").get_paginator("scan").paginate(TableName=made.cloud.table)
    return sum(size_of(item) for page in pages for item in page["Items"])


def idle(stack: Stack, found: Measured) -> list[Charge]:
    """What a stage costs in a month in which nothing happens."""
    sweep = found.sweep
    polls = (stack.polled_standard, prices.SQS_REQUEST), (stack.polled_fifo, prices.FIFO_REQUEST)
    asked = [_is_fifo(call) for call in sweep.calls if call.service == "sqs"]
    fifo_asked, queues_asked = RUNS_BY_RULE * sum(asked), RUNS_BY_RULE * len(asked)
    lambda_usd = _functions(stack, {"sweep": sweep}, RUNS_BY_RULE)
    table = prices.READ_UNIT.of(sweep.read_units * RUNS_BY_RULE) + prices.WRITE_UNIT.of(
        sweep.write_units * RUNS_BY_RULE
    )
    logs = RUNS_BY_RULE * _log_bytes(stack, sweep) / GIGABYTE
    traces = _traces(stack, RUNS_BY_RULE)
    return [
        Charge("alarms", f"{stack.alarms} of one metric", prices.ALARM.of(stack.alarms)),
        Charge("composite alarms", f"{stack.composite_alarms}", prices.COMPOSITE_ALARM.of(stack.composite_alarms)),
        Charge("secrets", f"{stack.secrets}", prices.SECRET.of(stack.secrets)),
        Charge("encryption keys", f"{stack.keys}", prices.KEY.of(stack.keys)),
        Charge(
            "polling of idle queues",
            f"{stack.polled_standard + stack.polled_fifo} queues, {POLLS:,} polls each",
            sum(price.of(number * POLLS) for number, price in polls),
        ),
        Charge("every five minutes: Lambda", f"{RUNS_BY_RULE:,} invocations", lambda_usd),
        Charge("every five minutes: table", f"{sweep.read_units * RUNS_BY_RULE:,.0f} read units", table),
        Charge(
            "every five minutes: queues",
            f"{queues_asked:,} requests: how many messages each has",
            prices.FIFO_REQUEST.of(fifo_asked) + prices.SQS_REQUEST.of(queues_asked - fifo_asked),
        ),
        Charge("every five minutes: logs", f"{logs:.2f} GB", prices.LOG_GB.of(logs)),
        Charge("every five minutes: metrics", f"{len(sweep.metrics)} series", prices.METRIC.of(len(sweep.metrics))),
        Charge("every five minutes: traces", f"{traces:,.0f}", prices.TRACE.of(traces)),
    ]


def month(stack: Stack, found: Measured) -> list[Charge]:
    """What the month's work costs beside the idle bill and the sending."""
    times = WEBHOOKS / found.webhooks
    used = found.by_function
    writes = times * sum(one.write_units for one in used.values())
    reads = times * sum(one.read_units for one in used.values())
    invocations = times * sum(one.invocations for one in used.values())
    messages = sum(found.messages.values()) * times
    schedules = times * found.schedules
    printed = sum(_log_bytes(stack, one) for one in used.values())
    logs = times * printed / GIGABYTE + WEBHOOKS * stack.access_log_bytes / GIGABYTE
    series = found.series - found.sweep.metrics
    stored = CUSTOMERS * found.bytes_of_a_customer / GIGABYTE
    traces = sum(_traces(stack, times * one.invocations) for one in used.values())
    mails = times * found.mails
    return [
        Charge("HTTP API", f"{WEBHOOKS:,} requests", prices.HTTP_REQUEST.of(WEBHOOKS)),
        Charge("Lambda", f"{invocations:,.0f} invocations", _functions(stack, used, times)),
        Charge("table: writes", f"{writes:,.0f} units", prices.WRITE_UNIT.of(writes)),
        Charge("table: reads", f"{reads:,.0f} units", prices.READ_UNIT.of(reads)),
        Charge(
            "table: storage and recovery",
            f"{stored:.1f} GB",
            prices.GB_STORED.of(stored) + prices.GB_BACKED_UP.of(stored),
        ),
        Charge(
            "queues",
            f"{messages:,.0f} messages: sent, received (beyond the polling of idle queues), deleted",
            _queues(found, times),
        ),
        Charge(
            "age of the oldest message",
            f"{_busy_queues(stack, found, times):.2f} queues of which `sweep` asks for it",
            prices.METRIC_ASKED.of(_busy_queues(stack, found, times) * RUNS_BY_RULE),
        ),
        Charge("schedules", f"{schedules:,.0f}", prices.SCHEDULE.of(schedules)),
        Charge("reports of SES", f"{mails:,.0f}", prices.SNS_REQUEST.of(mails)),
        Charge("logs", f"{logs:.1f} GB", prices.LOG_GB.of(logs)),
        Charge("metrics", f"{len(series)} series", prices.METRIC.of(len(series))),
        Charge(
            "metrics of the API",
            f"{stack.metrics_of_a_route} of one route",
            prices.METRIC.of(stack.metrics_of_a_route),
        ),
        Charge("traces", f"{traces:,.0f}", prices.TRACE.of(traces)),
        _log_of_facts(stack, found, times),
    ]


def _log_of_facts(stack: Stack, found: Measured, times: float) -> Charge:
    """In batches as large as may be, or as often as one may begin; Firehose counts the bytes of many lines together."""
    facts = times * len(found.facts)
    invocations = max(facts / LOG_BATCH_SIZE, SECONDS / LOG_WINDOW.total_seconds())
    cpu_ms = times * found.log.cpu_ms * prices.CPU_TO_DURATION
    seconds = (cpu_ms + invocations * len(Stored) * prices.CALL_MS) / 1000
    gigabytes = times * sum(len(json.dumps(one, separators=(",", ":"))) + 1 for one in found.facts) / GIGABYTE
    lambda_usd = prices.INVOCATION.of(invocations) + prices.GB_SECOND.of(seconds * stack.memory_mb["log_facts"] / 1024)
    counted = f"{facts:,.0f} facts, {gigabytes:.1f} GB: Lambda and Firehose"
    return Charge("log of facts", counted, lambda_usd + prices.FIREHOSE_GB.of(gigabytes))


def sending(found: Measured) -> float:
    return prices.EMAIL.of(WEBHOOKS * found.mails / found.webhooks)


def total(lines: list[Charge]) -> float:
    return sum(line.usd for line in lines)


def _functions(stack: Stack, used: Mapping[str, Usage], times: float) -> float:
    """Invocations and GB-seconds, from the CPU and the calls."""
    cost = 0.0
    for name, usage in used.items():
        gigabytes = stack.memory_mb[name] / 1024
        cost += prices.INVOCATION.of(usage.invocations * times)
        cost += prices.GB_SECOND.of(_seconds(usage) * gigabytes * times)
    return cost


def _seconds(usage: Usage) -> float:
    return (usage.cpu_ms * prices.CPU_TO_DURATION + len(usage.calls) * prices.CALL_MS) / 1000


def _log_bytes(stack: Stack, usage: Usage) -> int:
    return usage.log_bytes + (usage.invocations * PLATFORM_LOG_BYTES if stack.platform_logs else 0)


def _busy_queues(stack: Stack, found: Measured, times: float) -> float:
    """How many queues have a message when `sweep` looks, on average and at most: as many as functions are at work.

    A queue has as many messages in delivery as arrive in the time that one takes (Little's law), and never more queues
    are busy than there are.
    """
    at_work = times * sum(map(_seconds, found.by_function.values())) / SECONDS
    return min(at_work, stack.polled_standard + stack.polled_fifo)


def _traces(stack: Stack, invocations: float) -> float:
    """One request a second, and a share of the others: X-Ray's own rule. The load is taken as even."""
    if not stack.traced:
        return 0
    reserved = min(invocations, SECONDS)
    return reserved + (invocations - reserved) * stack.sampled


def polls_with(messages: float) -> float:
    """Receives of one queue in a month in which so many messages come, evenly at random; each receive gets one.

    A poller asks, and is answered by the next message or after POLL_SECONDS. Where r messages a second come to each of
    the POLLERS, by Poisson's law, a poll lasts (1 - exp(-POLL_SECONDS r)) / r seconds on average, so that there are
    r / (1 - exp(-POLL_SECONDS r)) a second: 1 / POLL_SECONDS where none comes, and r where many do.
    """
    rate = messages / SECONDS / POLLERS
    if rate == 0:
        return POLLS
    return SECONDS * POLLERS * rate / -math.expm1(-POLL_SECONDS * rate)


def _queues(found: Measured, times: float) -> float:
    """Sends, deletions, and the receives that idle queues do not have: a poll that finds a message replaces another."""
    cost = 0.0
    for call in found.sends:
        cost += (prices.FIFO_REQUEST if _is_fifo(call) else prices.SQS_REQUEST).of(times)
    for queue, number in found.messages.items():
        price = prices.FIFO_REQUEST if queue.endswith(FIFO) else prices.SQS_REQUEST
        cost += price.of(polls_with(number * times) - POLLS + number * times)
    return cost


def _is_fifo(call: Call) -> bool:
    return str(call.arguments["QueueUrl"]).endswith(FIFO)


@dataclass(frozen=True, slots=True)
class Other:
    """The same steps elsewhere, at list prices."""

    name: str
    usd: float
    assumes: str
    confirmed: bool = True


TRANSITIONS = 2 + STEPS_OF_A_WEBHOOK
"""Of one enrollment: the start, the three steps, and the decision before the e-mail."""
STATE_KB = 2
"""What a durable function writes for each operation."""
ACTIONS = 7
"""Of one enrollment: the start with its signal (2), two timers (2), and three activities (3)."""


def others() -> list[Other]:
    """Beside the sending. None of them has profiles, consent, caps, legal hours, or who-got-what-and-why."""
    operations = WEBHOOKS * TRANSITIONS
    written = operations * STATE_KB / 1024**2
    durable = prices.DURABLE_OPERATION.of(operations) + prices.DURABLE_GB.of(written)
    return [
        Other(
            "Step Functions Standard",
            prices.HTTP_REQUEST.of(WEBHOOKS) + prices.TRANSITION.of(operations),
            f"{TRANSITIONS} transitions (start, three steps, a decision before the e-mail) and the HTTP API; "
            "no table, Lambda or logs",
        ),
        Other(
            "Lambda durable functions",
            prices.HTTP_REQUEST.of(WEBHOOKS) + durable + prices.DURABLE_GB_MONTH.of(written),
            f"{TRANSITIONS} operations with {STATE_KB} KB each, kept for a month, and the HTTP API; no "
            "table, Lambda time or logs; prices unconfirmed",
            confirmed=False,
        ),
        Other(
            "Temporal Cloud",
            prices.HTTP_REQUEST.of(WEBHOOKS) + prices.ACTION.of(WEBHOOKS * ACTIONS),
            f"{ACTIONS} actions (start, signal, two timers, three activities) and the HTTP API; no workers, "
            "which run all the time, and no table",
        ),
    ]
