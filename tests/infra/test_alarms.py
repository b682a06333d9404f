"""Nothing stands still in silence."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cairn.adapters.sqs.dead_letters import NAMES
from cairn.application.operations.find_stuck import Found
from cairn.application.operations.watch_queues import DeadLettersLie, QueueIsLate
from cairn.compose.accounts import note_account_alarms, note_account_failures
from cairn.compose.secrets import note_refused
from cairn.domain.customer.customer import on_event
from cairn.domain.customer.state import Reaction
from cairn.domain.operations import signs
from cairn.domain.operations.breaker import Trip
from cairn.domain.privacy.requests import Doubt
from cairn.domain.shared.errors import ServiceBusyError, SignatureInvalidError
from cairn.settings import RESUME_EVERY
from cairn.sqs_records import LONGEST_WAIT, Consumer, consume
from cairn.telemetry import PERSON_NEEDED
from functions.process_event.handler import note_lost_versions, note_orders
from functions.receive_webhook import handler as receive_webhook
from functions.relay_effects.handler import note_trip
from functions.sweep import handler as sweep
from infra.local.wiring import FUNCTIONS
from tests.infra.conftest import Json, Templates
from tests.printed import Printed
from tests.unit import fakes
from tests.unit.makers import MONDAY, Deployed, customer, event

RUNBOOK = Path(__file__).parents[2] / "docs" / "runbook.md"


def alarms_on(templates: Templates, metric: str) -> list[Json]:
    return [one for one in templates.all("AWS::CloudWatch::Alarm").values() if one.get("MetricName") == metric]


def watched(alarms: list[Json]) -> set[str]:
    """The resources that alarms are about, by their names in the template."""
    return {
        (dimension["Value"].get("Ref") or dimension["Value"]["Fn::GetAtt"][0])
        for alarm in alarms
        for dimension in alarm["Dimensions"]
        if isinstance(dimension["Value"], dict)
    }


def test_a_stage_has_few_alarms(prod: Templates) -> None:
    """Each costs 0.10 USD a month for each metric that it watches; none watches two.

    A gradual rollout has one more.
    """
    alarms = {name: one for name, one in prod.all("AWS::CloudWatch::Alarm").items() if not name.startswith("Rollout")}
    metrics = [
        one for alarm in alarms.values() for one in alarm.get("Metrics", [{"MetricStat": {}}]) if "MetricStat" in one
    ]

    assert len(alarms) <= 11
    assert len(metrics) <= 11


def test_every_queue_is_watched_by_the_name_that_the_commands_have(prod: Templates) -> None:
    """It has to know them all, and may ask them all: an alarm of their own they have no more."""
    queues = prod.all("AWS::SQS::Queue")
    settings = prod.function("sweep")["Environment"]["Variables"]

    watched = {kind: named_queues(settings[f"CAIRN_{kind}_QUEUE_URLS"]) for kind in ("WORK", "DEAD_LETTER")}

    working = {name for name, queue in queues.items() if "RedrivePolicy" in queue}
    assert set(watched["WORK"].values()) == working
    assert set(watched["DEAD_LETTER"].values()) == queues.keys() - working
    assert set(watched["DEAD_LETTER"]) == set(NAMES)
    assert set(watched["WORK"]) == {name for function in FUNCTIONS for name in function.queues}
    asked = [one for one in prod.statements("sweep") if one["Action"] == "sqs:GetQueueAttributes"]
    assert {arn["Fn::GetAtt"][0] for one in asked for arn in one["Resource"]} == queues.keys()


def named_queues(setting: Json) -> dict[str, str]:
    """The queues of a setting, by their names, as the template joins it."""
    _, parts = setting["Fn::Join"]
    names = [one.strip().removesuffix("=") for one in parts if isinstance(one, str)]
    return dict(zip(names, (one["Ref"] for one in parts if isinstance(one, dict)), strict=True))


def test_functions_whose_failures_nothing_else_shows_and_the_stream_have_alarms(prod: Templates) -> None:
    wanted = {prod.name_of(service) for service in ("process_event", "relay_effects", "deliver_message")}

    assert watched(alarms_on(prod, "Errors")) == wanted | {prod.name_of("sweep")}
    assert watched(alarms_on(prod, "IteratorAge")) == {prod.name_of("relay_effects")}


@pytest.mark.parametrize("service", ["record_feedback", "notify_subscriber", "erase_customer"])
def test_a_function_that_dies_at_each_delivery_needs_a_person(prod: Templates, service: str) -> None:
    """Its record would be a dead letter only after a thousand deliveries, and SQS leaves it out of the queue's age."""
    logged = prod.function(service)["LoggingConfig"]["LogGroup"]
    (counted,) = [one for one in prod.all("AWS::Logs::MetricFilter").values() if one["LogGroupName"] == logged]
    (alarm,) = alarms_on(prod, PERSON_NEEDED)

    assert counted["FilterPattern"] == '{ ($.type = "platform.report") && ($.record.status != "success") }'
    (metric,) = counted["MetricTransformations"]
    assert (metric["MetricNamespace"], metric["MetricName"]) == (alarm["Namespace"], alarm["MetricName"])
    assert (metric["Unit"], metric.get("Dimensions"), alarm.get("Dimensions")) == ("Count", None, None)


def test_a_watch_that_fails_or_is_not_started_raises_an_alarm(prod: Templates) -> None:
    """Lambda counts 0 errors for a run that succeeded: the smallest of three runs is 1 where none did."""
    (alarm,) = [one for one in alarms_on(prod, "Errors") if watched([one]) == {prod.name_of("sweep")}]

    assert (alarm["Period"], alarm["Statistic"]) == (3 * RESUME_EVERY.total_seconds(), "Minimum")
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
    assert alarm["TreatMissingData"] == "breaching", "where none began, there is nothing"


def test_timers_that_cannot_be_posted_raise_an_alarm(prod: Templates) -> None:
    """Those given up after a day are dead letters, and those lost are found by `sweep`: both have an alarm."""
    (group,) = prod.all("AWS::Scheduler::ScheduleGroup").values()

    (alarm,) = [one for one in prod.all("AWS::CloudWatch::Alarm").values() if one.get("Namespace") == "AWS/Scheduler"]
    assert alarm["MetricName"] == "TargetErrorCount"
    assert alarm["Dimensions"] == [{"Name": "ScheduleGroup", "Value": group["Name"]}]
    assert alarm["Threshold"] == 0


def test_the_api_has_alarms(prod: Templates) -> None:
    (alarm,) = alarms_on(prod, "5xx")

    assert watched([alarm]) == prod.all("AWS::ApiGatewayV2::Api").keys()


LOST = Reaction(customer(), lost_versions=frozenset({"visit 1"}))


def reaction_above_limit() -> Reaction:
    """What process_event decides about one order too many."""
    order = event("customer.erasure_requested", source="shopify")
    return on_event(customer(), order, Deployed(), MONDAY, doubt=Doubt.TOO_MANY)


def late_record() -> None:
    """A record has failed for an hour, and time may mend it."""
    sent = datetime.now(UTC) - timedelta(hours=1)
    attributes = {"ApproximateReceiveCount": "3", "SentTimestamp": str(int(sent.timestamp() * 1000))}
    record = {"messageId": "m", "receiptHandle": "r", "body": "{}", "attributes": attributes, "eventSourceARN": "q"}

    def fail(_: object) -> None:
        raise ServiceBusyError("dynamodb is busy")

    dead_letters: Any = fakes.DeadLetters()
    consumer = Consumer(function="f", queue="wakes", dead_letters=dead_letters, put_off=lambda *_: None)
    consume({"Records": [record]}, None, fail, consumer)


def refused_webhook() -> None:
    receive_webhook._refused("shop", SignatureInvalidError("another secret"))  # noqa: SLF001


def dead_letters() -> None:
    sweep.report_queues([DeadLettersLie("wakes", 1)])


def late_queue() -> None:
    sweep.report_queues([QueueIsLate("events", timedelta(hours=1))])


PEOPLE = (
    ("SecretRefused", lambda: note_refused("shop", "is blank")),
    ("BreakerTripped", lambda: note_trip(Trip("journey:visit", "complaints"))),
    ("ErasureOrderAboveLimit", lambda: note_orders(reaction_above_limit())),
    ("JourneyVersionLost", lambda: note_lost_versions(LOST)),
    ("AccountFailure", lambda: note_account_failures([event("message.failed", properties={"account_failure": True})])),
    ("AccountAlarm", lambda: note_account_alarms([{"source": "whatsapp", "template": "visit", "status": "PAUSED"}])),
    ("Stuck", lambda: sweep.report([Found("enrollment", "c_a", "e")])),
    ("TaskOverdue", lambda: sweep.report([Found("task", "c_a", "t")])),
    ("Misfires", lambda: sweep.report_signs([(signs.Found(signs.Sign.MISFIRES, "4 of 300"), True)])),
)
"""Each outcome that only a person can end, with what happens."""

RAISES = (
    ("DeadLetters", dead_letters, "dead letters lie in a queue", {"queue": "wakes", "do": "cairn dlq show wakes"}),
    ("Waiting", late_record, "record waits, and will be delivered again", {"queue": "wakes", "waited_seconds": 3600}),
    ("Waiting", late_queue, "queue is late", {"queue": "events", "waited_seconds": 3600}),
    ("WebhookRefused", refused_webhook, "webhook refused", {"source": "shop", "reason": "signature-invalid"}),
    *((PERSON_NEEDED, happens, "", {"person_needed": outcome}) for outcome, happens in PEOPLE),
)
"""Of each alarm on a metric of ours: what raises it, and the log line that it leads to."""


@pytest.mark.parametrize("service", ["receive_webhook", "sweep"])
@pytest.mark.parametrize(("name", "happens", "message", "fields"), RAISES)
def test_an_alarm_goes_off_by_what_functions_write_and_leads_to_a_log_line(  # noqa: PLR0913
    prod: Templates,
    monkeypatch: pytest.MonkeyPatch,
    printed: Printed,
    *,
    service: str,
    name: str,
    happens: Callable[[], None],
    message: str,
    fields: Json,
) -> None:
    """Whichever function writes it."""
    environment = prod.function(service)["Environment"]["Variables"]
    for variable in ("POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"):
        monkeypatch.setenv(variable, environment[variable])

    happens()

    (alarm,) = alarms_on(prod, name)
    (written,) = [one for one in printed.metrics() if one.name == name]
    assert written.namespace == alarm["Namespace"] == prod.stage.metrics_namespace
    assert written.dimensions == alarm.get("Dimensions", [])
    if name == "WebhookRefused":
        assert written.value * 21 > alarm["Threshold"] >= written.value * 20, "one more than twenty in five minutes"
    else:
        assert written.value > alarm["Threshold"]
    (line,) = printed.logs()
    assert message in line["message"]
    assert {key: line.get(key) for key in fields} == fields
    if name == PERSON_NEEDED:
        assert line["do"], "what to do"


def test_an_alarm_of_what_comes_again_and_again_stays_in_between(prod: Templates) -> None:
    """Else everybody gets a mail for each time."""
    for name, every in (("Waiting", LONGEST_WAIT), ("Waiting", RESUME_EVERY), ("DeadLetters", RESUME_EVERY)):
        (alarm,) = alarms_on(prod, name)
        assert timedelta(seconds=alarm["Period"]) > every
        assert alarm["Statistic"] == "Maximum"


def test_metrics_of_one_name_have_one_unit(prod: Templates, printed: Printed) -> None:
    """CloudWatch says that an alarm without a unit is unpredictable where figures have several.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    for happens in (dead_letters, late_record, late_queue, refused_webhook, *(one for _, one in PEOPLE)):
        happens()
    written = {(one.name, one.unit) for one in printed.metrics()}
    for counted in prod.all("AWS::Logs::MetricFilter").values():
        (metric,) = counted["MetricTransformations"]
        written.add((metric["MetricName"], metric["Unit"]))

    names = [name for name, _ in written]
    assert len(names) == len(set(names)), sorted(written)
    assert {"Waiting", "DeadLetters", "WebhookRefused", PERSON_NEEDED} <= set(names)


def test_a_throttled_source_raises_the_alarm_of_refused_webhooks(prod: Templates) -> None:
    (counted,) = [one for one in prod.all("AWS::Logs::MetricFilter").values() if "429" in one["FilterPattern"]]
    (alarm,) = alarms_on(prod, "WebhookRefused")

    (metric,) = counted["MetricTransformations"]
    assert (alarm["Namespace"], alarm["MetricName"]) == (metric["MetricNamespace"], metric["MetricName"])
    assert counted["FilterPattern"] == '{ $.status = "429" }'
    assert not alarm.get("Dimensions")


def test_every_alarm_notifies_the_alarm_address(prod: Templates) -> None:
    topics = {json.dumps(alarm["AlarmActions"]) for alarm in prod.all("AWS::CloudWatch::Alarm").values()}

    (topic,) = topics
    addresses = [one for one in prod.all("AWS::SNS::Subscription").values() if one["Protocol"] == "email"]
    assert [json.dumps([one["TopicArn"]]) for one in addresses] == [topic]
    assert addresses[0]["Endpoint"] == "ops@example.com"


def test_the_runbook_has_a_section_for_every_alarm_and_for_no_other(prod: Templates) -> None:
    names = {name.removeprefix("Alarms")[:-8] for name in prod.all("AWS::CloudWatch::Alarm")}

    headings = re.findall(r"^## (.+)$", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    sections = [name for heading in headings for name in re.findall(r"\w+", heading) if name in names]
    assert sorted(sections) == sorted(names)


def test_every_alarms_description_says_what_to_do(prod: Templates) -> None:
    assert all(len(one["AlarmDescription"]) > len("Cairn: ") for one in prod.all("AWS::CloudWatch::Alarm").values())
