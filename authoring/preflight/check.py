"""One journey's preflight: renders every variant for every sample, and asks the gate about every step."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, assert_never

from authoring.journeys import InvalidJourneysError, Problem, compile_catalogue
from authoring.journeys.languages import ENGLISH
from authoring.journeys.stamp import remove_stamp, write_stamp
from authoring.preflight import languages
from authoring.preflight.dates import date_faults
from authoring.preflight.dry_run import dry_run
from authoring.preflight.emails import email_faults
from authoring.preflight.links import Fault, faults, links_of
from authoring.preflight.registered import dlt_faults, whatsapp_faults
from authoring.preflight.rendering import Gap, Rendering, render
from authoring.preflight.report import Finding, Report, Row, merged
from authoring.preflight.samples import Sample, read_samples, samples_of
from authoring.preflight.texts import sms_costs, text_faults
from authoring.preflight.variants import Variant, variants_of
from cairn.adapters.documents.journey import journey_from_document
from cairn.adapters.templates.variants import keys_for
from cairn.domain.journey.definition import Journey
from cairn.domain.policy import Policy
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.errors import ForeignLinkError, TextTooLongError

JOURNEY_FILE, POLICY_FILE, STAGES_FILE = "journey.yaml", "policy.toml", "cdk.json"

GUARD = "Guard it ({{ … | default('you') }}, {% if … is defined %}), or give the sample one if it is never missing."


def preflight(
    journeys: Path, name: str, policy: Policy, *, samples: Path | None = None, email_sender: str = ""
) -> Report:
    """The messages that one journey would send, and their problems. Raises InvalidJourneysError on unreadable files."""
    folder = journeys / name
    compiled = compiled_journey(journeys, name)
    tried = read_samples(samples or samples_of(folder))
    journey = journey_from_document(compiled["document"], compiled["version"])
    variants = variants_of(folder, journey, compiled["templates"])
    checks = _Checks(journey, policy, tried, compiled["document"].get("language", ENGLISH))
    rows = [checks.variant(variant) for variant in variants]
    checks.all_variants(variants, email_sender)
    checks.dates()
    return Report(
        journey=name,
        version=journey.version,
        samples=len(tried),
        rows=tuple(rows),
        findings=merged(checks.findings),
        outcomes=tuple(dry_run(journey, _JourneyTemplates(journey, compiled["templates"]), tried, policy)),
    )


def update_stamp(journeys: Path, report: Report) -> None:
    """Write the stamp into the journey's folder if it passed, else remove it."""
    folder = journeys / report.journey
    if report.passed:
        write_stamp(folder, report.stamp())
    else:
        remove_stamp(folder)


def compiled_journey(journeys: Path, name: str) -> dict[str, Any]:
    """The one of this name. Raises InvalidJourneysError."""
    found = [one for one in compile_catalogue(journeys) if one["journey"] == name]
    if not found:
        fix = f"Name one of the folders in {journeys}."
        raise InvalidJourneysError([Problem(journeys / name, 1, "", "", "there is no such journey", fix)])
    return found[0]


@dataclass(slots=True)
class _JourneyTemplates:
    """A catalogue of one journey."""

    journey: Journey
    templates: dict[str, dict[str, Any]]

    def version(self, name: str, version: str) -> Journey:  # noqa: ARG002  as the port has it
        return self.journey

    def template(self, name: str, version: str, template: str, channel: str, locale: str = "") -> dict[str, Any]:  # noqa: ARG002
        return next(self.templates[key] for key in keys_for(template, channel, locale) if key in self.templates)


class _Checks:
    """Collects the findings."""

    def __init__(self, journey: Journey, policy: Policy, samples: Sequence[Sample], language: str) -> None:
        self.findings: list[Finding] = []
        self._language = language
        self._journey = journey
        self._policy = policy
        self._samples = samples
        self._brand = journey.brand or policy.brand
        self._postal_address = journey.postal_address or policy.postal_address

    def variant(self, variant: Variant) -> Row:
        """One variant, for every sample."""
        tried = [render(variant, sample, self._journey, self._policy) for sample in self._samples]
        rendered = [one for one in tried if isinstance(one, Rendering)]
        for one in tried:
            found = self._gap(one) if isinstance(one, Gap) else self._rendering(one)
            self._note(variant.file, found, (one.sample.name,))
        self._note(variant.file, languages.english_names(variant, self._language))
        if variant.channel is Channel.EMAIL and variant.css_fault:
            fix = "Take Jinja out of what its rules apply to, or write the styles into the elements."
            self._note(variant.file, [Fault("warning", "css", f"its CSS is not inlined: {variant.css_fault}", fix)])
        if variant.channel is Channel.WHATSAPP:
            self._note(variant.file, whatsapp_faults(variant))
        return Row(
            file=variant.file,
            channel=variant.channel.value,
            locale=variant.locale,
            purposes=tuple(dict.fromkeys(step.purpose.value for step in variant.steps)),
            rendered=len(rendered),
            texts=sms_costs(rendered) if variant.channel is Channel.SMS else None,
        )

    def all_variants(self, variants: Sequence[Variant], email_sender: str) -> None:
        """Problems between variants, and missing sender details."""
        for variant, fault in languages.missing(variants, self._samples, self._language):
            self._note(variant.file, [fault])
        for variant, fault in languages.unread(variants, self._samples):
            self._note(variant.file, [fault])
        channels = {variant.channel for variant in variants}
        if not self._brand and channels & {Channel.SMS, Channel.EMAIL}:
            fix = 'Write brand = "…" there, or sender.brand in the journey.'
            self._note(POLICY_FILE, [Fault("error", "no_brand", "nobody is named as the one who writes", fix)])
        if not self._postal_address and any(one.marketing and one.channel is Channel.EMAIL for one in variants):
            fix = 'Write postal_address = "…" there (CAN-SPAM), or sender.postal_address in the journey.'
            self._note(POLICY_FILE, [Fault("error", "no_postal_address", "marketing e-mail has a postal address", fix)])
        if not email_sender and Channel.EMAIL in channels:
            fix = "Name a verified address there: email_sender."
            self._note(STAGES_FILE, [Fault("error", "no_sender", "e-mail has no sender", fix)])

    def dates(self) -> None:
        """Dates that nobody can read."""
        for sample in self._samples:
            self._note(JOURNEY_FILE, date_faults(self._journey, sample), (sample.name,))

    def _rendering(self, one: Rendering) -> Iterator[Fault]:
        rendered = one.rendered
        if not rendered.text.strip():
            yield Fault("error", "empty", "nothing is left of the text", "Say something to everybody.")
            return
        channel = one.variant.channel
        for link in links_of(rendered):
            if link not in rendered.links.values():
                yield from faults(link, channel)
        if channel is not Channel.EMAIL:
            for value in one.shortened:
                fix = "Write it with the filter full, if it is to go out whole."
                yield Fault("warning", "shortened", f"a value of {len(value)} characters is shortened", fix)
        match channel:
            case Channel.SMS:
                yield from text_faults(one, self._brand)
                yield from dlt_faults(one, self._policy)
            case Channel.EMAIL:
                yield from email_faults(one, brand=self._brand, postal_address=self._postal_address)
            case Channel.WHATSAPP | Channel.PUSH | Channel.IN_APP:
                pass
            case _:
                assert_never(channel)

    @staticmethod
    def _gap(gap: Gap) -> Iterator[Fault]:
        match gap.code:
            case ForeignLinkError.reason:
                fix = "Name the host in link_hosts, if links may lead there."
                yield Fault("error", gap.code, f"nobody would get it: {gap.why}", fix)
            case TextTooLongError.reason:
                yield Fault("error", gap.code, gap.why, "Say less, or send an e-mail.")
            case _:
                yield Fault("error", "gap", f"nobody would get it of whom {gap.why}", GUARD)

    def _note(self, where: str, found: "Iterator[Fault] | list[Fault]", samples: tuple[str, ...] = ()) -> None:
        note = partial(Finding, where)
        self.findings += [note(*fault, samples) for fault in found]
