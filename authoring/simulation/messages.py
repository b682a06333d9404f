"""A message as the customer would get it: rendered, with the gate's verdict at that instant."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from authoring.preflight.rendering import NoLinks, message_for
from authoring.preflight.samples import Sample
from authoring.simulation.run import TimelineEntry
from cairn.adapters.phone.jurisdiction import jurisdiction_of
from cairn.adapters.templates.renderer import JinjaRenderer
from cairn.adapters.templates.variants import keys_for
from cairn.domain.effects import SendMessage
from cairn.domain.gate import gate
from cairn.domain.gate.settings import GateSettings
from cairn.domain.gate.verdict import Defer, Send, Verdict
from cairn.domain.journey.definition import Journey
from cairn.domain.message.message import Rendered
from cairn.domain.policy import Policy
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.errors import TemplateError

Templates = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message. Each is decided by itself: no caps, no cooldown, no switches."""

    channel: Channel
    verdict: Verdict
    rendered: Rendered | None
    problem: str = ""
    """Why it cannot be written; then nobody gets it."""

    @property
    def until(self) -> datetime | None:
        """When it may go out, where it may not yet."""
        return self.verdict.until if isinstance(self.verdict, Defer) else None


@dataclass(frozen=True, slots=True)
class Messages:
    """The messages of one customer in one version of a journey."""

    journey: Journey
    templates: Templates
    sample: Sample
    policy: Policy

    def of(self, entry: TimelineEntry, effect: SendMessage) -> Outgoing:
        """The message of an effect, on the channel that the gate would use; else on the first of the step."""
        profile = entry.profile.view(entry.at)
        customer = replace(
            self.sample, profile=profile, data=entry.enrollment.data, values=effect.values or {}, at=entry.at
        )
        message = message_for(
            customer,
            self.journey,
            id=effect.id,
            enrollment=effect.enrollment,
            step=effect.step,
            channels=effect.channels,
            template=effect.template,
            purpose=effect.purpose,
            time_zone=effect.time_zone,
            invite=effect.invite,
        )
        renderer = JinjaRenderer(_Templates(self.journey, self.templates), self.policy, links=NoLinks())
        message = replace(message, terms=renderer.terms(message), jurisdiction=jurisdiction_of(message))
        verdict = gate.decide(message, self.sample.contact, {}, GateSettings(policy=self.policy), entry.at)
        reached = next((one for one in effect.channels if one in message.addresses), effect.channels[0])
        channel = verdict.channel if isinstance(verdict, Send) else reached
        try:
            rendered = renderer.render(message, channel, message.addresses.get(channel, ""))
        except TemplateError as error:
            return Outgoing(channel, verdict, None, _why(error))
        return Outgoing(channel, verdict, rendered)


def _why(error: TemplateError) -> str:
    return f"{error}: {error.__cause__}" if error.__cause__ else str(error)


@dataclass(frozen=True, slots=True)
class _Templates:
    """A catalogue of one journey."""

    journey: Journey
    templates: Templates

    def version(self, name: str, version: str) -> Journey:  # noqa: ARG002  as the port has it
        return self.journey

    def template(self, name: str, version: str, template: str, channel: str, locale: str = "") -> dict[str, Any]:  # noqa: ARG002
        found = next(self.templates[key] for key in keys_for(template, channel, locale) if key in self.templates)
        return dict(found)
