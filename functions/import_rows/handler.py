"""A batch of a Distributed Map → the table: each row is an event, processed at once; answers with the refused rows."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from cairn.adapters.imports.batch import BATCH_INPUT, import_from_wire, result_to_wire, rows_in
from cairn.compose import import_rows as compose
from cairn.domain.imports.rows import Refusal
from cairn.telemetry import logger, where


@cache
def parts() -> compose.Parts:
    return compose.import_rows(note_failure)


warm = parts


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001  Lambda's signature
    common = event[BATCH_INPUT]
    of = import_from_wire(common["import"])
    unread: list[Refusal] = []
    rows = list(rows_in(event, unread))
    result = parts().rows(rows, parts().mapping(common["mapping"], of), of, datetime.now(UTC))
    result.refused.extend(unread)
    answer = result_to_wire(result, rows)
    logger.info("rows imported", import_name=of.name, kind=of.kind.value, dry_run=of.dry_run, **_counted(answer))
    return answer


def _counted(answer: dict[str, Any]) -> dict[str, Any]:
    """Counts and reasons: no field of a row is logged."""
    reasons = sorted({one["reason"] for one in answer["refused"]})
    return {"rows": answer["counts"], "refused": len(answer["refused"]), **({"reasons": reasons} if reasons else {})}


def note_failure(refusal: Refusal, error: Exception) -> None:
    """An error that nobody has met before: the row is refused, and the line leads to the cause."""
    logger.error("row cannot be imported", line=refusal.line, error=where(error))
