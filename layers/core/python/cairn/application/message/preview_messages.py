"""Preview a template of a journey, in each channel and language, as a sample or a customer would get it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cairn.application.customer.find_customer import FindCustomer
from cairn.application.ports import Audit, JourneyTemplates, Renderer
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.steps.send import Send
from cairn.domain.message.message import Message, Rendered
from cairn.domain.operations.audit import AuditEntry
from cairn.domain.operations.targets import near_target
from cairn.domain.profile.addresses import addresses_to_send_to
from cairn.domain.profile.attributes import LOCALE, TIME_ZONE
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.errors import InvalidRequestError, TemplateError, UnknownTargetError

PREVIEW = "preview_message"
"""The action in the audit, of a preview with a customer's own values."""

MOST_SAMPLES = 12
"""Of a journey, for which a preview is rendered."""


@dataclass(frozen=True, slots=True)
class Preview:
    channel: Channel
    locale: str
    """Of the template's variant; empty: the one for every other language."""
    reader: str
    """The sample's name, or the customer's id."""
    rendered: Rendered | None
    not_sent: str = ""
    """Why this reader gets nothing."""


@dataclass(frozen=True, slots=True)
class Previews:
    journey: Journey
    steps: Sequence[Send]
    """Those that send the template."""
    found: Sequence[Preview]


@dataclass(frozen=True, slots=True)
class PreviewMessages:
    """Links are placeholders. Raises UnknownTargetError, UnknownJourneyError, and InvalidRequestError."""

    find: FindCustomer
    audit: Audit
    journeys: JourneyTemplates
    renderer: Renderer

    def of_samples(self, name: str, version: str, template: str, now: datetime) -> Previews:
        """Every variant of the template, as each of the journey's samples would get it in its language."""
        journey, steps, variants = self._template(name, version, template)
        samples = self.journeys.samples(name)[:MOST_SAMPLES]
        if not samples:
            raise InvalidRequestError([f"customer: {name} was deployed without samples, so name a customer"])
        found = []
        for channel, locale in variants:
            for one in samples:
                profile = {**one["profile"], LOCALE: locale or one["profile"].get(LOCALE, "")}
                variables = {"profile": profile, "data": one["data"], "enrollment": {"values": one["values"]}}
                found.append(self._rendered(journey, steps[0], channel, locale, one["name"], variables, now))
        return Previews(journey, steps, found)

    def of_customer(  # noqa: PLR0913  a template, and who looks at it for whom
        self, name: str, version: str, template: str, customer: str, *, by: str, why: str, now: datetime
    ) -> Previews:
        """On each channel, in the customer's language, with the data of the newest enrollment in the journey.

        It follows an entry in the audit. Raises the errors of FindCustomer as well.
        """
        journey, steps, variants = self._template(name, version, template)
        known = self.find(customer)
        self.audit.write(AuditEntry(now, by, PREVIEW, known.id, why, {"journey": name, "template": template}))
        own = sorted((one for one in known.enrollments.values() if one.journey == name), key=lambda one: one.entered_at)
        variables = {
            "profile": known.profile.view(now),
            "data": dict(own[-1].data) if own else {},
            "enrollment": {"values": dict(own[-1].values) if own else {}},
        }
        addresses, locale = addresses_to_send_to(known.profile), str(known.profile.get(LOCALE) or "")
        found = [
            self._rendered(journey, steps[0], channel, locale, known.id, variables, now)
            if channel in addresses
            else Preview(channel, locale, known.id, None, "there is no address for this channel")
            for channel in dict.fromkeys(channel for channel, _ in variants)
        ]
        return Previews(journey, steps, found)

    def _template(
        self, name: str, version: str, template: str
    ) -> tuple[Journey, Sequence[Send], Sequence[tuple[Channel, str]]]:
        deployed = version or self.journeys.deployed(name)
        if not deployed:
            near = near_target(name, self.journeys.names())
            raise UnknownTargetError(f"no journey {name} is deployed{f'; did you mean {near}?' if near else ''}")
        journey = self.journeys.version(name, deployed)
        sends = [step for step in journey.steps.values() if isinstance(step, Send)]
        steps = [step for step in sends if step.template == template]
        if not steps:
            near = near_target(template, {step.template for step in sends})
            raise UnknownTargetError(f"{name} sends no {template}{f'; did you mean {near}?' if near else ''}")
        channels = {channel for step in steps for channel in step.channels}
        variants = [one for one in self.journeys.variants(name, deployed, template) if one[0] in channels]
        return journey, steps, variants

    def _rendered(  # noqa: PLR0913, PLR0917  a message, and its reader
        self,
        journey: Journey,
        step: Send,
        channel: Channel,
        locale: str,
        reader: str,
        variables: Mapping[str, Any],
        now: datetime,
    ) -> Preview:
        message = Message(
            id="preview",
            customer=reader,
            enrollment="preview",
            journey=journey.name,
            version=journey.version,
            step=step.id,
            channels=(channel,),
            template=step.template,
            purpose=step.purpose,
            addresses={},
            decided_at=now,
            variables={**variables, "customer": reader, "journey": journey.name},
            time_zone=str(variables["profile"].get(TIME_ZONE) or journey.time_zone),
        )
        try:
            return Preview(channel, locale, reader, self.renderer.render(message, channel, ""))
        except TemplateError as error:
            return Preview(channel, locale, reader, None, str(error))
