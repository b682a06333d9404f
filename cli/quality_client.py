"""A quality run: an export of the table is read into a file, counted there, and the report posted to the API."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from secrets import token_hex
from typing import Any, Protocol

from authoring.journeys import compile_catalogue
from authoring.leads import compile_leads, leads_of
from authoring.quality import Counting, QualityRun, Work, asked_for, parts_of, report_of
from cairn.adapters.documents.leads import rules_from_document
from cairn.domain.imports.rows import Kind
from cairn.domain.lead.leads import Leads
from cairn.domain.shared.hashing import short_hash
from cairn.domain.shared.instants import instant_from_wire, instant_to_wire
from cli.exports_client import LocalTable
from cli.manage_client import Manage
from cli.table_copy import CopyError, Progress, TableCopy, explained, table_and_bucket

DAYS = 7
"""What journeys lost is counted for so long."""


class Source(Protocol):
    """A copy of the whole table."""

    def steps(self, now: datetime) -> Iterator[Progress]:
        """Read it into the file of the run, or what an interrupted run has left."""

    def clear(self) -> None:
        """Delete what was copied elsewhere."""


@dataclass(frozen=True, slots=True)
class LocalCopy:
    """Implements Source by a route of `cairn serve`."""

    url: str
    work: Work
    why: str

    def steps(self, now: datetime) -> Iterator[Progress]:
        if not self.work.get("at"):
            self.work.put(at=instant_to_wire(now))
        if not self.work.has(self.url):
            self.work.add(self.url, LocalTable(self.url).items(Kind.CUSTOMERS, self.why))
        yield Progress("reading the table", 1, 1)

    def clear(self) -> None:
        """There is no other copy."""


@dataclass(frozen=True, slots=True)
class Run:
    work: Work
    source: Source
    manage: Manage
    journeys: Path
    policy: Path

    @classmethod
    @contextmanager
    def at(cls, file: Path, to: str, stack: str, folders: tuple[Path, Path], why: str) -> Iterator["Run"]:
        """Raises CopyError where there is no such stack, and errors of the journeys' and leads' own checks."""
        with explained(stack) if stack else nullcontext():
            where = table_and_bucket(stack) if stack else None
            work = Work(file)
            try:
                source: Source = TableCopy(*where, work) if where else LocalCopy(to, work, why)
                yield cls(work, source, Manage(to), *folders)
            finally:
                work.close()

    def steps(self, why: str) -> Iterator[Progress]:
        """All of it, or what an interrupted run has left. The audit says who reads all customers before it is done."""
        asked = asked_for(compile_catalogue(self.journeys))
        leads = _leads(self.policy)
        self._check_same(asked)
        if not self.work.get("run"):
            run = token_hex(8)
            begun = self.manage.post("quality", do="begin", run=run, why=why)
            self.work.put(run=run, begun=begun["at"])
        yield from self.source.steps(instant_from_wire(self.work.get("begun")))
        at = instant_from_wire(self.work.get("at"))
        for step in QualityRun(self.work, Counting(asked, at, leads)).steps():
            yield Progress(step.what, step.done, step.total)
        yield from self._publish(report_of(self.work, at, asked), why)
        self.source.clear()
        self.work.delete()

    def _check_same(self, asked: Mapping[str, Sequence[str]]) -> None:
        """An interrupted run goes on with the same deployment and journeys."""
        this = short_hash(self.manage.to, json.dumps(asked))
        if self.work.get("this") not in {"", this}:
            raise CopyError(f"{self.work.file} is of another deployment or other journeys: delete it, to begin anew")
        self.work.put(this=this)

    def _publish(self, report: Mapping[str, Any], why: str) -> Iterator[Progress]:
        """Part by part, and the report last: until then the one before is shown."""
        run = self.work.get("run")
        lost = self.manage.get("reports", report="losses", days=DAYS)
        losses: Sequence[Mapping[str, Any]] = lost["losses"]
        parts: dict[str, int] = {}
        for section, number, rows in parts_of(self.work, losses):
            self.manage.post("quality", do="add", run=run, section=section.value, part=number, rows=rows)
            parts[section.value] = number
            yield Progress("posting the report", sum(parts.values()), 0)
        about = {**report, "losses_since": lost["since"], "losses_until": lost["until"]}
        self.manage.post("quality", do="publish", run=run, report=about, parts=parts, why=why)


def _leads(policy: Path) -> Leads | None:
    """The rules beside the policy, by which stages are read."""
    rules = compile_leads(leads_of(policy))
    return None if rules is None else Leads(rules_from_document(rules))
