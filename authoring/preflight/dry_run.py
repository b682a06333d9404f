"""The gate's verdict on every send step for every sample, each by itself."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from authoring.preflight.rendering import NoLinks, message_for
from authoring.preflight.report import Outcome
from authoring.preflight.samples import Sample
from cairn.adapters.phone.jurisdiction import jurisdiction_of
from cairn.adapters.templates.renderer import JinjaRenderer, JourneyTemplates
from cairn.domain.gate import gate
from cairn.domain.gate.settings import GateSettings
from cairn.domain.gate.verdict import Defer, Suppress
from cairn.domain.gate.verdict import Send as Sent
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.steps.send import Send
from cairn.domain.policy import Policy


def dry_run(
    journey: Journey, templates: JourneyTemplates, samples: Sequence[Sample], policy: Policy
) -> Iterator[Outcome]:
    """With no earlier messages and no switch off: only consent, law and the step's own terms decide."""
    renderer = JinjaRenderer(templates, policy, links=NoLinks())
    settings = GateSettings(policy=policy)
    for step in reversed(tuple(journey.steps.values())):
        if not isinstance(step, Send):
            continue
        for sample in samples:
            message = message_for(
                sample, journey, step=step.id, channels=step.channels, template=step.template, purpose=step.purpose
            )
            message = replace(message, terms=renderer.terms(message), jurisdiction=jurisdiction_of(message))
            match gate.decide(message, sample.contact, {}, settings, sample.at):
                case Sent() as verdict:
                    yield Outcome(step.id, sample.name, "sent", verdict.reason.value)
                case Defer() as verdict:
                    yield Outcome(step.id, sample.name, "deferred", verdict.reason.value)
                case Suppress() as verdict:
                    yield Outcome(step.id, sample.name, "suppressed", verdict.reason.value)
