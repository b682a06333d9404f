"""log_facts: writes what can be counted into the log of facts."""

import os
from functools import partial
from typing import TYPE_CHECKING

from cairn.adapters import aws
from cairn.adapters.dynamodb.flow_counters import DynamoFlowCounters
from cairn.adapters.firehose import FactLog
from cairn.domain.measurement.facts import Stored
from cairn.settings import LogFactsSettings

if TYPE_CHECKING:
    from cairn.application.ports import FlowCounters


def flow_counters() -> "FlowCounters":
    """Its client is made for the first batch that counts."""
    settings = LogFactsSettings.from_environment(os.environ)
    return DynamoFlowCounters(partial(aws.client, "dynamodb", validated=True), settings.table_name)


def fact_log() -> FactLog:
    settings = LogFactsSettings.from_environment(os.environ)
    streams = {Stored.LONG: settings.long_stream, Stored.SHORT: settings.short_stream}
    return FactLog(aws.client("firehose"), streams)
