"""Dead letters and late queues are found by `sweep`, whose log names the queue and the command."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from bench.calls import Call, watched
from cairn.settings import LATE, LATE_MARKETING
from cli.main import app
from tests.printed import Printed


def looks(story: Any) -> None:
    story.deployment.handlers["sweep"]({}, None)


def is_old(story: Any, queue: str, age: timedelta) -> None:
    """What SQS writes about its queue."""
    name = story.deployment.cloud.urls[queue].rpartition("/")[2]
    one = {"MetricName": "ApproximateAgeOfOldestMessage", "Dimensions": [{"Name": "QueueName", "Value": name}]}
    written = {**one, "Value": age.total_seconds(), "Timestamp": story.deployment.now() - timedelta(minutes=1)}
    story.deployment.cloud.client("cloudwatch").put_metric_data(Namespace="AWS/SQS", MetricData=[written])


def test_a_dead_letter_is_found_and_the_line_names_the_command_that_shows_it(
    story: Any, stack: str, printed: Printed
) -> None:
    story.happens("trial.signup", "nobody", customer={"phone": "call me"})
    printed.metrics()

    looks(story)

    (line,) = [one for one in printed.logs() if one["message"] == "dead letters lie in a queue"]
    assert (line["queue"], line["dead_letters"]) == ("events", 1)
    assert [(one.name, one.value) for one in printed.metrics()] == [("DeadLetters", 1)]
    shown = CliRunner().invoke(app, [*line["do"].split()[1:], "--stack", stack])
    assert shown.exit_code == 0, shown.stderr
    assert "cairn dlq redrive events" in shown.stdout


def test_a_queue_that_nobody_empties_is_found_once_its_work_is_old(story: Any, printed: Printed) -> None:
    story.deployment.stop("process_event")
    story.signs_up()
    printed.metrics()

    is_old(story, "events", LATE)
    looks(story)
    assert printed.metrics() == []

    story.passes("2m")
    is_old(story, "events", LATE + timedelta(minutes=1))
    looks(story)
    (line,) = [one for one in printed.logs() if one["message"] == "queue is late"]
    assert (line["queue"], line["waited_seconds"]) == ("events", 660)
    assert [(one.name, one.value) for one in printed.metrics()] == [("Waiting", 660)]

    story.deployment.start("process_event")
    story.passes("2m")
    printed.metrics()
    looks(story)
    assert printed.metrics() == [], "all of it went on"


def test_nobody_is_called_about_marketing_that_a_broadcast_lets_wait(story: Any, printed: Printed) -> None:
    story.deployment.cloud.send("marketing", "{}")
    is_old(story, "marketing", LATE_MARKETING)

    looks(story)

    assert printed.metrics() == []


def test_where_cloudwatch_refuses_the_dead_letters_are_found_all_the_same(story: Any, printed: Printed) -> None:
    story.happens("trial.signup", "nobody", customer={"phone": "call me"})
    story.deployment.stop("process_event")
    story.signs_up()
    printed.metrics()

    def refuse(call: Call) -> None:
        if call.service == "cloudwatch":
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetMetricData")

    with watched(story.deployment, before=refuse), pytest.raises(Exception, match="AccessDenied"):
        looks(story)

    assert ("DeadLetters", 1) in [(one.name, one.value) for one in printed.metrics()]
    unasked = [one["queue"] for one in printed.logs() if one["message"] == "queue could not be asked"]
    assert unasked == ["events"]
