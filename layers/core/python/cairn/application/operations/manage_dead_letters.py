"""Show dead letters and send them back: audited, on a laptop as in a deployment."""

from dataclasses import dataclass
from typing import Any

from cairn.application.operations.operator_commands import Attribution
from cairn.application.ports import Audit, DeadLetters
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.shared.errors import CairnError, DeadLettersError

SHOW, REDRIVE = "show_dead_letters", "redrive_dead_letters"
"""The actions in the audit."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ManageDeadLetters:
    """Each reading is in the audit before, and so is each order to redrive.

    Where the audit cannot be written, nothing is shown and nothing redriven: DeadLettersError says so.
    """

    dead_letters: DeadLetters
    audit: Audit

    def summary(self) -> list[Json]:
        """Numbers and reasons, which name nobody, so this is not audited."""
        return self.dead_letters.summary()

    def show(self, queue: str, limit: int, attribution: Attribution, *, reveal: bool = False) -> Json:
        found = self.dead_letters.show(queue, limit, reveal=reveal)
        if found["letters"]:
            self._write(
                SHOW, queue, attribution, {"letters": [one["id"] for one in found["letters"]], "revealed": reveal}
            )
        return found

    def redrive(self, queue: str, reason: str, limit: int | None, id_: str, attribution: Attribution) -> Json:
        self.dead_letters.check(queue)
        one = {"id": id_} if id_ else {}
        self._write(REDRIVE, queue, attribution, {"with_reason": reason, "limit": limit, **one})
        return self.dead_letters.redrive(queue, reason, limit, id_)

    def _write(self, action: str, queue: str, attribution: Attribution, detail: Json) -> None:
        try:
            self.audit.write(
                AuditEntry(attribution.at, attribution.by, action, f"queue:{queue}", attribution.why, detail)
            )
        except CairnError as error:
            raise DeadLettersError(
                f"the audit cannot be written, so nothing is shown and nothing redriven: {error}"
            ) from error
