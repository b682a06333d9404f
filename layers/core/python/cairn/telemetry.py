"""Logs and metrics. One line a decision, one metric an outcome; never a name, an address, a number or a body."""

import logging
import os
import re
import traceback
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from aws_lambda_powertools import Logger, single_metric
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.functions import is_metrics_disabled

NAMESPACE = "Cairn"
"""Of a laptop's metrics. A deployment has one for each stage, by POWERTOOLS_METRICS_NAMESPACE (Stage)."""

OURS = re.compile(r"/(python/cairn|functions|task)/")
"""Our own files: a line of them says more than a line of a library."""

LIBRARIES = ("boto3", "botocore", "pynamodb", "urllib3")
for library in LIBRARIES:  # at DEBUG they print requests, which hold personal data
    logging.getLogger(library).setLevel(logging.WARNING)


class LogFormat(LambdaPowertoolsFormatter):
    """JSON. Only a line about something wrong has its position in the source: the message says as much."""

    def serialize(self, log: Any) -> str:
        if log.get("level") == "INFO":
            log.pop("location", None)
        return super().serialize(log)


logger = Logger(service=os.environ.get("POWERTOOLS_SERVICE_NAME", "cairn"), logger_formatter=LogFormat())
"""JSON lines, of which each names its function; on a laptop, one process has all of them. Each has the ids of its
request (name_request); the handlers add the ids of the record.
"""


def name_request(event: Any, context: Any) -> None:
    """Put the ids of this invocation into every line that follows, until the next one begins.

    `function_request_id` is Lambda's, as in its own lines and in X-Ray. `request_id` is API Gateway's, as in the API's
    access log; an invocation that comes from elsewhere has none.
    """
    api = event.get("requestContext") if isinstance(event, dict) else None
    logger.append_keys(
        function_request_id=getattr(context, "aws_request_id", None),
        request_id=(api or {}).get("requestId"),
    )


WEBHOOK_REFUSED = "WebhookRefused"
"""Requests of senders that were not accepted: by the function, with a reason, or by API Gateway, answered 429."""

DEAD_LETTERS = "DeadLetters"
"""How many lie in all queues together, while any do."""

WAITING = "Waiting"
"""How long work has waited that fails, or that lies in a late queue, in seconds: one metric for all queues."""

CALLER = 3
"""Powertools' `stacklevel` by which a line's `location` is the caller of `need_person`, not this module."""

DEAD_LETTERED = "DeadLettered"
"""Records that a function has just dead-lettered. A version of a function that does so is taken back (rollout)."""

PERSON_NEEDED = "PersonNeeded"
"""The one metric of all outcomes that only a person can end."""


def need_person(outcome: str, message: str, *, do: str, each: Sequence[Mapping[str, Any]] = ({},)) -> None:
    """An outcome that only a person can end: it raises the alarm PersonNeeded.

    Each item gets a log line with its fields, the outcome (`person_needed`) and what to do (`do`). They are counted
    under the outcome, and under the one name that the alarm watches.
    """
    for fields in each:
        logger.error(message, stacklevel=CALLER, person_needed=outcome, do=do, **fields)
    count(outcome, len(each))
    count(PERSON_NEEDED, len(each))


def count(name: str, number: int = 1, **dimensions: str) -> None:
    """Occurrences of an outcome. Give dimensions that have few values: CloudWatch bills each combination.

    Written at once, so that a crash loses no count. Honours POWERTOOLS_METRICS_DISABLED.
    """
    _write(name, MetricUnit.Count, number, dimensions)


def measure(name: str, length: timedelta, **dimensions: str) -> None:
    """One length of time, in seconds. As `count`."""
    _write(name, MetricUnit.Seconds, length.total_seconds(), dimensions)


def _write(name: str, unit: MetricUnit, value: float, dimensions: Mapping[str, str]) -> None:
    """Without Powertools' dimension `service`: one alarm watches what several functions count."""
    if is_metrics_disabled():
        return
    with single_metric(name=name, unit=unit, value=value, namespace=_namespace()) as metric:
        metric.service = ""
        for dimension, given in dimensions.items():
            metric.add_dimension(dimension, given)


def _namespace() -> str:
    return os.environ.get("POWERTOOLS_METRICS_NAMESPACE", NAMESPACE)


def where(error: BaseException) -> str:
    """Type, AWS's code and line of an error that is not ours. Its text may quote a customer's data."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if OURS.search(frame.filename)]
    frame = next(reversed(ours or frames), None)
    position = f" in {frame.filename.rpartition('/')[2]}:{frame.lineno}" if frame else ""
    code = getattr(error, "cause_response_code", None)  # PynamoDB's
    said = f" ({code})" if code else ""
    return f"{type(error).__name__}{said}{position}"
