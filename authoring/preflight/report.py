"""What preflight found: every variant with its figures, what is wrong, and what the gate would do."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong; `where` is a file, `code` its kind for machines."""

    where: str
    level: Level
    code: str
    message: str
    fix: str
    samples: tuple[str, ...] = ()
    """Those in which it shows; empty where it shows without any."""

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
class Texts:
    """What an SMS variant comes to, over all samples."""

    segments: tuple[int, int]
    """The fewest and the most."""
    encodings: tuple[str, ...]
    dearest: float | None
    """The price of the dearest one in USD; None where no price is known."""


@dataclass(frozen=True, slots=True)
class Row:
    """One variant of a template."""

    file: str
    channel: str
    locale: str
    purposes: tuple[str, ...]
    rendered: int
    """Samples that it could be rendered for."""
    texts: Texts | None = None

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
        dearest = {} if self.texts.dearest is None else {"usd": self.texts.dearest}
        return document | {"segments": list(self.texts.segments), "encodings": list(self.texts.encodings)} | dearest


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the gate said of one sample's message."""

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
        """How many messages, by what would become of them and why; of one step, or of all."""
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
        """What is kept of a preflight that was passed. The same journey, samples and policy give the same stamp."""
        return {
            "journey": self.journey,
            "version": self.version,
            "samples": self.samples,
            "variants": len(self.rows),
            "warnings": len(self.findings),
            "gate": self.counts(),
        }


def gathered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """In the order of files, errors first; what shows in several samples is said once."""
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
    said = []
    for what, reasons in counts.items():
        if what == "sent" and reasons:
            said.append(f"{sum(reasons.values())} sent")
        else:
            said += [f"{number} {what}: {reason}" for reason, number in reasons.items()]
    return ", ".join(said) or "nothing is sent"


SHOWN = 3
"""Samples that a finding names; of more it says how many."""


def listed(samples: tuple[str, ...]) -> str:
    """The first few by name, and how many more."""
    shown = ", ".join(samples[:SHOWN])
    return f"{shown} and {len(samples) - SHOWN} more" if len(samples) > SHOWN else shown
