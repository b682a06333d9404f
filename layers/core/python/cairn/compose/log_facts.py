"""log_facts: writes what can be counted into the log of facts."""

import os

from cairn.adapters import aws
from cairn.adapters.firehose import FactLog
from cairn.domain.measurement.facts import Stored
from cairn.settings import LogFactsSettings


def fact_log() -> FactLog:
    settings = LogFactsSettings.from_environment(os.environ)
    streams = {Stored.LONG: settings.long_stream, Stored.SHORT: settings.short_stream}
    return FactLog(aws.client("firehose"), streams)
