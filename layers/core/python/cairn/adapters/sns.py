"""SNS: alerts to operators, on the topic of the alarms."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from cairn.adapters.aws import calling

MAX_SUBJECT = 99
"""Characters that SNS takes (fewer than 100)."""


class AlarmTopic:
    """Alerts to operators. Its client is made at the first alert, which is rare."""

    def __init__(self, make_client: Callable[[], Any], arn: str) -> None:
        self._make_client = make_client
        self._arn = arn

    @cached_property
    def _sns(self) -> Any:
        return self._make_client()

    def send(self, subject: str, text: str) -> None:
        with calling("sns"):
            self._sns.publish(TopicArn=self._arn, Subject=subject[:MAX_SUBJECT], Message=text)
