"""Table stream → Firehose: what was decided and what happened, as lines from which everything is counted."""

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from cairn.adapters.dynamodb.logged_facts import facts_in
from cairn.adapters.firehose import FactLog
from cairn.compose import log_facts as compose
from cairn.domain.measurement.facts import LoggedFact
from cairn.domain.operations.flow import Flow, flow_of
from cairn.domain.shared.errors import CairnError
from cairn.telemetry import logger, need_person, where

if TYPE_CHECKING:
    from cairn.application.ports import FlowCounters


@cache
def fact_log() -> FactLog:
    return compose.fact_log()


@cache
def flow_counters() -> "FlowCounters":
    return compose.flow_counters()


def warm() -> None:
    fact_log()
    flow_counters()


def handler(event: dict[str, Any], context: Any) -> None:  # noqa: ARG001  a batch takes a fraction of the timeout
    """All of a batch or nothing: a batch that fails comes again, and its lines have the same ids."""
    facts = [fact for record in event["Records"] for fact in read(record)]
    if facts:
        fact_log().put(facts)
        logger.info("facts logged", facts=len(facts))
        note_flow(facts)


def note_flow(facts: list[LoggedFact]) -> None:
    """Count for `sweep`. A count that fails is lost: the facts are written, and do not come again for it."""
    flow = flow_of(facts)
    try:
        if flow != Flow():
            flow_counters().add(flow, datetime.now(UTC))
    except CairnError as error:
        logger.warning("flow not counted", error=where(error))


def read(record: dict[str, Any]) -> list[LoggedFact]:
    """A record that this version cannot read would fail on each attempt: it stays in the table, and is counted."""
    try:
        return facts_in(record)
    except Exception as error:  # noqa: BLE001  nothing may hold up the facts behind it
        keys = record.get("dynamodb", {}).get("Keys", {})
        key = {name: one.get("S", "") for name, one in keys.items()}
        do = "deploy a version of Cairn that reads it: docs/runbook.md"
        need_person(
            "FactNotLogged", "a change of the table could not be logged", do=do, each=[{**key, "error": where(error)}]
        )
        return []
