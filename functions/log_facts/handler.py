"""Table stream → Firehose: what was decided and what happened, as lines from which everything is counted."""

from functools import cache
from typing import Any

from cairn.adapters.dynamodb.logged_facts import facts_in
from cairn.adapters.firehose import FactLog
from cairn.compose import log_facts as compose
from cairn.domain.measurement.facts import LoggedFact
from cairn.telemetry import logger, need_person, where


@cache
def fact_log() -> FactLog:
    return compose.fact_log()


warm = fact_log


def handler(event: dict[str, Any], context: Any) -> None:  # noqa: ARG001  a batch takes a fraction of the timeout
    """All of a batch or nothing: a batch that fails comes again, and its lines have the same ids."""
    facts = [fact for record in event["Records"] for fact in read(record)]
    if facts:
        fact_log().put(facts)
        logger.info("facts logged", facts=len(facts))


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
