"""What a function prints: its log lines, and its metrics in CloudWatch's embedded format."""

import json
from dataclasses import dataclass
from io import StringIO
from typing import Any

import pytest


@dataclass(frozen=True, slots=True)
class Metric:
    name: str
    value: float
    unit: str
    namespace: str
    dimensions: list[dict[str, str]]
    """As an alarm in a template has them."""


@dataclass
class Printed:
    capsys: pytest.CaptureFixture[str]
    logged: StringIO

    def logs(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.logged.getvalue().splitlines()]

    def metrics(self) -> list[Metric]:
        """Those since the last call."""
        return [_metric(json.loads(line)) for line in self.capsys.readouterr().out.splitlines() if '"_aws"' in line]


def _metric(document: dict[str, Any]) -> Metric:
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    (metric,) = directive["Metrics"]
    (names,) = directive["Dimensions"]
    (value,) = document[metric["Name"]]
    dimensions = [{"Name": name, "Value": document[name]} for name in names]
    return Metric(metric["Name"], value, metric["Unit"], directive["Namespace"], dimensions)
