"""Logs and metrics. One line a decision, one metric an outcome; never a name, an address, a number or a body."""

from aws_lambda_powertools import Logger, single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.functions import is_metrics_disabled

NAMESPACE = "Cairn"

logger = Logger(service="cairn")
"""JSON lines; LAMBDA's own fields and the record's ids are bound by the handlers."""


def count(name: str, **dimensions: str) -> None:
    """One occurrence of an outcome. Give dimensions that have few values: CloudWatch bills each combination.

    Written at once, so that a function that dies has told of all it did. Honours POWERTOOLS_METRICS_DISABLED.
    """
    if is_metrics_disabled():
        return
    with single_metric(name=name, unit=MetricUnit.Count, value=1, namespace=NAMESPACE) as metric:
        for dimension, value in dimensions.items():
            metric.add_dimension(dimension, value)
