"""The report of preflight: variants with their costs, findings, and the gate's verdicts."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One problem; `where` is a file, `code` its kind for machines."""

    where: str
    level: Level
    code: str
    message: str
    fix: str
    samples: tuple[str, ...] = ()
    """The samples that show it; empty if it does not depend on samples."""

    def to_json(self) -> dict[str, Any]:
        document = {
            "where": self.where,
            "level": self.level,
            "code": self.code,
            "message": self.message,
            "fix": self.fix,
        }
        return document | ({"samples": list(self.samples)} if self.samples else {})


@dataclass(frozen=True, slots=True)
class SmsCosts:
    """Segments and price of an SMS variant, over all samples."""

    segments: tuple[int, int]
    """The fewest and the most."""
    encodings: tuple[str, ...]
    highest_price: float | None
    """In USD; None if no price is known."""


@dataclass(frozen=True, slots=True)
class Row:
    """One variant of a template."""

    file: str
    channel: str
    locale: str
    purposes: tuple[str, ...]
    rendered: int
    """Samples that it could be rendered for."""
    texts: SmsCosts | None = None

    def to_json(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "file": self.file,
            "channel": self.channel,
            "locale": self.locale,
            "purposes": list(self.purposes),
            "rendered": self.rendered,
        }
        if self.texts is None:
            return document
        dearest = {} if self.texts.highest_price is None else {"usd": self.texts.highest_price}
        return document | {"segments": list(self.texts.segments), "encodings": list(self.texts.encodings)} | dearest


@dataclass(frozen=True, slots=True)
class Outcome:
    """The gate's verdict on one sample's message."""

    step: str
    sample: str
    what: Literal["sent", "deferred", "suppressed"]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    journey: str
    version: str
    samples: int
    rows: tuple[Row, ...] = ()
    findings: tuple[Finding, ...] = ()
    outcomes: tuple[Outcome, ...] = field(default=())

    @property
    def passed(self) -> bool:
        return all(finding.level != "error" for finding in self.findings)

    def counts(self, step: str | None = None) -> dict[str, dict[str, int]]:
        """Messages by verdict and reason; of one step, or of all."""
        counted: Counter[tuple[str, str]] = Counter(
            (one.what, one.reason) for one in self.outcomes if step is None or one.step == step
        )
        return {
            what: {reason: number for (kind, reason), number in sorted(counted.items()) if kind == what}
            for what in ("sent", "deferred", "suppressed")
        }

    def to_json(self) -> dict[str, Any]:
        steps = dict.fromkeys(one.step for one in self.outcomes)
        return {
            "journey": self.journey,
            "version": self.version,
            "passed": self.passed,
            "samples": self.samples,
            "variants": [row.to_json() for row in self.rows],
            "findings": [finding.to_json() for finding in self.findings],
            "gate": {step: self.counts(step) for step in steps},
        }

    def stamp(self) -> dict[str, Any]:
        """The record of a passed preflight. The same journey, samples and policy give the same stamp."""
        return {
            "journey": self.journey,
            "version": self.version,
            "samples": self.samples,
            "variants": len(self.rows),
            "warnings": len(self.findings),
            "gate": self.counts(),
        }


def merged(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Sorted by file, errors first; a finding that several samples show is listed once."""
    samples: dict[Finding, list[str]] = {}
    for one in findings:
        bare = Finding(one.where, one.level, one.code, one.message, one.fix)
        samples.setdefault(bare, []).extend(one.samples)
    merged = (
        Finding(one.where, one.level, one.code, one.message, one.fix, tuple(dict.fromkeys(names)))
        for one, names in samples.items()
    )
    return tuple(sorted(merged))


def sentence(counts: Mapping[str, Mapping[str, int]]) -> str:
    """`37 sent, 5 deferred: quiet_hours, 8 suppressed: no_consent`."""
    parts = []
    for what, reasons in counts.items():
        if what == "sent" and reasons:
            parts.append(f"{sum(reasons.values())} sent")
        else:
            parts += [f"{number} {what}: {reason}" for reason, number in reasons.items()]
    return ", ".join(parts) or "nothing is sent"


SHOWN = 3
"""Samples that a finding lists by name; the rest are counted."""


def sample_names(samples: tuple[str, ...]) -> str:
    """The first few by name, and how many more."""
    shown = ", ".join(samples[:SHOWN])
    return f"{shown} and {len(samples) - SHOWN} more" if len(samples) > SHOWN else shown
