"""The report of the last quality run, and what a person decides about two customers who may be one person.

Nobody is merged by likeness: a person compares, and says that they are the same or not. Both are in the audit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cairn.application.customer.find_customer import FindCustomer
from cairn.application.operations.operator_commands import Attribution, CommandReceipt, OperatorCommands
from cairn.application.ports import Audit, PresentCustomers, QualityStore
from cairn.domain.customer.state import Customer
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.quality.reports import IDS, Pair, Row, Section, problems_of_report, problems_of_rows
from cairn.domain.shared.errors import InvalidRequestError, NoReportError

BEGUN, PUBLISHED, COMPARED, DISTINGUISHED = "begin_quality", "publish_quality", "compare", "distinguish"
"""The actions in the audit."""


@dataclass(frozen=True, slots=True)
class ManageQuality:
    store: QualityStore
    present: PresentCustomers
    find: FindCustomer
    commands: OperatorCommands
    audit: Audit

    def begin(self, run: str, attribution: Attribution) -> None:
        """The audit says who reads all customers, and why, before it is done."""
        self._note(BEGUN, f"quality:{run}", attribution)

    def add_part(self, run: str, section: Section, number: int, rows: Sequence[Any], now: datetime) -> None:
        """Store some rows of a run; the same part again replaces it. Raises InvalidRequestError."""
        _check(problems_of_rows(section, rows))
        self.store.put_part(run, section, number, rows, now)

    def publish(self, run: str, report: Row, parts: Mapping[str, Any], attribution: Attribution) -> None:
        """Make a run, whose parts are stored, the one that is shown. Raises InvalidRequestError."""
        _check(problems_of_report(report, parts))
        about = {"customers": report["customers"], "offered": report["offered"]}
        self._note(PUBLISHED, f"quality:{run}", attribution, about)
        self.store.put_report({**report, "run": run, "parts": dict(parts)}, attribution.at)

    def report(self) -> Row:
        """Raises NoReportError."""
        found = self.store.report()
        if found is None:
            raise NoReportError("no quality run has ended in the last 90 days: start one with `cairn quality run`")
        return found

    def part(self, section: Section, number: int) -> tuple[list[Row], bool]:
        """The rows of a part, from 1, and whether there is another one. Customers have the ids that they have now.

        Erased customers are left out, and pairs about which a person has decided since. Raises NoReportError.
        """
        report = self.report()
        parts = report["parts"].get(section.value, 0)
        rows = self.store.part(report["run"], section, number) if number <= parts else []
        names = IDS.get(section, ())
        present = self.present.present_ids({row[name] for row in rows for name in names})
        left = [row for row in rows if all(row[name] in present for name in names)]
        shown: list[tuple[Row, Row]] = [(row, {**row, **{name: present[row[name]] for name in names}}) for row in left]
        if section is Section.PAIRS:
            shown = self._undecided(shown)
        return [now for _, now in shown], number < parts

    def compare(self, one: str, other: str, attribution: Attribution) -> tuple[Customer, Customer]:
        """Both customers, to look at. Raises the errors of FindCustomer, and InvalidRequestError where they are one."""
        left, right = self._both(one, other)
        self._note(COMPARED, left.id, attribution, {"other": right.id})
        return left, right

    def merge(self, one: str, other: str, attribution: Attribution) -> CommandReceipt:
        """Order a merge. Raises the errors of FindCustomer, InvalidRequestError, and NotMergedError."""
        return self.commands.merge(*self._both(one, other), attribution)

    def distinguish(self, one: str, other: str, attribution: Attribution) -> Pair:
        """Two people, who are not offered any more. Raises the errors of FindCustomer, and InvalidRequestError."""
        left, right = self._both(one, other)
        pair = Pair.of(left.id, right.id)
        self._note(DISTINGUISHED, pair.a, attribution, {"other": pair.b})
        self.store.distinguish(pair, attribution.at)
        return pair

    def _undecided(self, shown: Sequence[tuple[Row, Row]]) -> list[tuple[Row, Row]]:
        """Rows of the report, and as they are now: of two customers about whom nobody has decided."""
        both = [one for one in shown if one[1]["a"] != one[1]["b"]]
        different = self.store.distinguished({_pair(row) for rows in both for row in rows})
        return [rows for rows in both if not {_pair(row) for row in rows} & different]

    def _both(self, one: str, other: str) -> tuple[Customer, Customer]:
        left, right = self.find(one), self.find(other)
        if left.id == right.id:
            raise InvalidRequestError([f"other: both names lead to one customer, {left.id}: they were merged before"])
        return left, right

    def _note(self, what: str, target: str, attribution: Attribution, detail: Mapping[str, Any] | None = None) -> None:
        self.audit.write(AuditEntry(attribution.at, attribution.by, what, target, attribution.why, detail or {}))


def _pair(row: Row) -> Pair:
    return Pair.of(row["a"], row["b"])


def _check(problems: Iterable[str]) -> None:
    if found := list(problems):
        raise InvalidRequestError(found)
