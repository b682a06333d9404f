"""Nothing stands still in silence."""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from cairn.application.operations.find_stuck import Found
from cairn.compose.secrets import note_refused
from cairn.domain.customer.customer import Reaction, on_event
from cairn.domain.operations.breaker import Trip
from cairn.domain.privacy.requests import Doubt
from cairn.sqs_records import LONGEST_WAIT
from cairn.telemetry import count, measure
from functions.process_event.handler import note_lost_versions, note_orders
from functions.relay_effects.handler import note_trip
from functions.sweep.handler import report
from infra.local.wiring import FUNCTIONS
from tests.infra.conftest import Json, Templates
from tests.unit.makers import MONDAY, Deployed, customer, event

RUNBOOK = Path(__file__).parents[2] / "docs" / "runbook.md"


def alarms_on(templates: Templates, metric: str) -> list[Json]:
    return [alarm for alarm in templates.all("AWS::CloudWatch::Alarm").values() if alarm["MetricName"] == metric]


def watched(alarms: list[Json]) -> set[str]:
    """The resources that alarms are about, by their names in the template."""
    return {
        (dimension["Value"].get("Ref") or dimension["Value"]["Fn::GetAtt"][0])
        for alarm in alarms
        for dimension in alarm["Dimensions"]
        if isinstance(dimension["Value"], dict)
    }


def test_every_dead_letter_queue_has_an_alarm(prod: Templates) -> None:
    queues = prod.all("AWS::SQS::Queue")
    dead_letter_queues = {name for name, queue in queues.items() if "RedrivePolicy" not in queue}

    alarms = alarms_on(prod, "ApproximateNumberOfMessagesVisible")

    assert watched(alarms) == dead_letter_queues
    assert all(alarm["Threshold"] == 0 for alarm in alarms)


def test_every_backlog_has_an_alarm(prod: Templates) -> None:
    queues = prod.all("AWS::SQS::Queue")
    working = {name for name, queue in queues.items() if "RedrivePolicy" in queue}

    assert watched(alarms_on(prod, "ApproximateAgeOfOldestMessage")) == working


def test_every_function_and_the_stream_have_alarms(prod: Templates) -> None:
    assert watched(alarms_on(prod, "Errors")) == prod.all("AWS::Lambda::Function").keys()
    assert len(alarms_on(prod, "IteratorAge")) == 1


def test_timers_that_cannot_be_posted_raise_alarms(prod: Templates) -> None:
    (group,) = prod.all("AWS::Scheduler::ScheduleGroup").values()

    alarms = [one for one in prod.all("AWS::CloudWatch::Alarm").values() if one.get("Namespace") == "AWS/Scheduler"]
    assert {one["MetricName"] for one in alarms} == {
        "TargetErrorCount",
        "InvocationDroppedCount",
        "InvocationsFailedToBeSentToDeadLetterCount",
    }
    for alarm in alarms:
        assert alarm["Dimensions"] == [{"Name": "ScheduleGroup", "Value": group["Name"]}]
        assert alarm["Threshold"] == 0


def test_the_api_has_alarms(prod: Templates) -> None:
    (alarm,) = alarms_on(prod, "5xx")

    assert watched([alarm]) == prod.all("AWS::ApiGatewayV2::Api").keys()


LOST = Reaction(customer(), lost_versions=frozenset({"visit 1"}))


def test_the_alarms_of_what_waits_name_their_queue(prod: Templates) -> None:
    waiting = [alarm["AlarmDescription"] for alarm in alarms_on(prod, "Waiting")]

    assert len(waiting) == len({description.partition(" queue fails")[0] for description in waiting})
    assert not [description for description in waiting if "object at" in description]


def reaction_above_limit() -> Reaction:
    """What process_event decides about one order too many."""
    order = event("customer.erasure_requested", source="shopify")
    return on_event(customer(), order, Deployed(), MONDAY, doubt=Doubt.TOO_MANY)


@pytest.mark.parametrize(
    ("name", "service", "counts"),
    [
        ("WebhookRefused", "receive_webhook", lambda: count("WebhookRefused")),
        ("SecretRefused", "receive_webhook", lambda: note_refused("shop", "is blank")),
        ("SecretRefused", "deliver_message", lambda: note_refused("links", "is blank")),
        ("SecretRefused", "notify_subscriber", lambda: note_refused("crm", "is blank")),
        ("BreakerTripped", "relay_effects", lambda: note_trip(Trip("journey:visit", "complaints"))),
        ("ErasureOrderAboveLimit", "process_event", lambda: note_orders(reaction_above_limit())),
        ("JourneyVersionLost", "process_event", lambda: note_lost_versions(LOST)),
        ("Stuck", "sweep", lambda: report([Found("enrollment", "c_a", "e")])),
        ("TaskOverdue", "sweep", lambda: report([Found("task", "c_a", "t")])),
    ],
)
def test_alarms_on_metrics_use_the_names_that_the_functions_write(  # noqa: PLR0913  two fixtures among them
    prod: Templates,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    name: str,
    service: str,
    counts: Callable[[], None],
) -> None:
    environment = prod.function(service)["Environment"]["Variables"]
    for variable in ("POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"):
        monkeypatch.setenv(variable, environment[variable])
    monkeypatch.delenv("POWERTOOLS_METRICS_DISABLED", raising=False)

    counts()

    lines = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    (counted,) = [line for line in lines if name in line]
    (alarm,) = [one for one in alarms_on(prod, name) if one["Dimensions"][0]["Value"] == service]
    (published,) = counted["_aws"]["CloudWatchMetrics"]
    assert [one["Name"] for one in published["Metrics"]] == [name]
    assert alarm["Namespace"] == published["Namespace"] == environment["POWERTOOLS_METRICS_NAMESPACE"]
    assert alarm["Dimensions"] == [{"Name": "service", "Value": counted["service"]}]
    assert published["Dimensions"] == [["service"]]


def test_a_throttled_source_raises_an_alarm(prod: Templates) -> None:
    (counted,) = prod.all("AWS::Logs::MetricFilter").values()
    (alarm,) = alarms_on(prod, "WebhookThrottled")

    (metric,) = counted["MetricTransformations"]
    assert (alarm["Namespace"], alarm["MetricName"]) == (metric["MetricNamespace"], metric["MetricName"])
    assert counted["FilterPattern"] == '{ $.status = "429" }'


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


def test_what_waits_raises_the_alarm_of_its_queue_and_function(
    prod: Templates, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """SQS's age of the oldest message leaves out what was received more than three times."""
    monkeypatch.delenv("POWERTOOLS_METRICS_DISABLED", raising=False)
    alarms = alarms_on(prod, "Waiting")
    watched_queues = {one["Value"] for alarm in alarms for one in alarm["Dimensions"] if one["Name"] == "queue"}

    for alarm in alarms:
        dimensions = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
        monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", dimensions["service"])
        monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", prod.stage.metrics_namespace)
        measure("Waiting", timedelta(hours=1), queue=dimensions["queue"])
        line = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert {name: line[name] for name in dimensions} == dimensions
        assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == alarm["Namespace"]
        assert sorted(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]) == sorted(dimensions)
        assert line["Waiting"] in ([3600.0], 3600.0)
        assert timedelta(seconds=alarm["Threshold"]) < timedelta(hours=1)
        assert timedelta(seconds=alarm["Period"]) > LONGEST_WAIT, "or it ends between two attempts"

    assert watched_queues == {name for function in FUNCTIONS for name in function.queues} - {"marketing"}


def test_every_alarms_description_says_what_to_do(prod: Templates) -> None:
    assert all(len(one["AlarmDescription"]) > len("Cairn: ") for one in prod.all("AWS::CloudWatch::Alarm").values())
