"""Renders variants for samples, and separates the template's own text from the values that were filled in."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from jinja2 import Template, UndefinedError
from jinja2 import TemplateError as JinjaError

from authoring.journeys.templates import texts_of
from authoring.preflight.samples import Sample, profile_of
from authoring.preflight.variants import Variant
from cairn.adapters.templates.language import environment
from cairn.adapters.templates.renderer import JinjaRenderer, variables_of
from cairn.adapters.templates.values import LONGEST_VALUE
from cairn.domain.consent.links import LinkKind
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.enrollment import Enrollment
from cairn.domain.journey.walk import Walk
from cairn.domain.message.links import is_link
from cairn.domain.message.message import Message, Rendered
from cairn.domain.policy import Policy
from cairn.domain.profile.addresses import addresses_of
from cairn.domain.profile.attributes import TIME_ZONE
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import ForeignLinkError, TemplateError, TextTooLongError
from cairn.domain.shared.invites import Invite
from cairn.domain.shared.text import one_line

BEGIN, END = "\ue000", "\ue001"
"""Mark a filled-in value. No text contains these characters: they are of the private use area."""

FILLED_IN = re.compile(f"{BEGIN}(.*?){END}", re.DOTALL)
PLACEHOLDER = "x" * 240
"""About as long as a signed token."""

LONGEST = "x" * LONGEST_VALUE

MISSING = re.compile(r"has no attribute '(\w+)'|'(\w+)' is undefined")


@dataclass(frozen=True, slots=True)
class Rendering:
    """One variant as one sample would get it."""

    variant: Variant
    sample: Sample
    rendered: Rendered
    marked: str
    """The text, with marks around the filled-in values."""

    @property
    def filled_in(self) -> list[str]:
        return FILLED_IN.findall(self.marked)

    @property
    def shortened(self) -> list[str]:
        """The values that are too long for the text, and stand in it without their end."""
        return [one for one in self.filled_in if len(one) > LONGEST_VALUE and one_line(one) not in self.rendered.text]

    @property
    def longest_text(self) -> str:
        """The text with every value of people or vendors as long as values may be; links stay as they are."""
        foreign = set(_texts_of(self.sample.profile)) | set(_texts_of(self.sample.data))
        return FILLED_IN.sub(lambda found: LONGEST if _may_be_longer(found[1], foreign) else found[1], self.marked)

    @property
    def template_text(self) -> str:
        """The text without the filled-in values."""
        return FILLED_IN.sub("", self.marked).replace(BEGIN, "").replace(END, "")


@dataclass(frozen=True, slots=True)
class Gap:
    """A variant that cannot be rendered for a sample: that customer would get nothing."""

    variant: Variant
    sample: Sample
    why: str
    code: str = "gap"


def message_for(sample: Sample, journey: Journey, **more: Any) -> Message:
    """The message that a step would send to a sample."""
    variables = {
        "profile": sample.profile,
        "data": sample.data,
        "enrollment": {"values": sample.values},
        "customer": sample.profile["id"],
        "journey": journey.name,
    }
    fields: dict[str, Any] = {
        "id": f"{sample.profile['id']}-preflight",
        "customer": sample.profile["id"],
        "enrollment": "preflight",
        "journey": journey.name,
        "version": journey.version,
        "step": "",
        "channels": (),
        "template": "",
        "purpose": Purpose.TRANSACTIONAL,
        "addresses": addresses_of(sample.profile),
        "decided_at": sample.at,
        "variables": variables,
        "time_zone": sample.profile.get(TIME_ZONE) or journey.time_zone,
    }
    return Message(**(fields | more))


class NoLinks:
    """Implements the port Links: placeholders as long as real links."""

    def of(self, message: Message, channel: Channel, address: str) -> Mapping[str, str]:  # noqa: ARG002
        return {kind.value: f"https://preflight.invalid/{kind}/{PLACEHOLDER}" for kind in LinkKind}


@dataclass(frozen=True, slots=True)
class _OneVariant:
    """Templates of a journey in which every language has this one variant."""

    journey: Journey
    variant: Variant

    def version(self, name: str, version: str) -> Journey:  # noqa: ARG002  as the port has it
        return self.journey

    def template(self, name: str, version: str, template: str, channel: str, locale: str = "") -> dict[str, Any]:  # noqa: ARG002
        return dict(self.variant.parts)


def render(variant: Variant, sample: Sample, journey: Journey, policy: Policy) -> Rendering | Gap:
    """Render as for sending, in the variant's language and not the sample's. The invite is the first step's."""
    message = message_for(
        sample,
        journey,
        step=variant.steps[0].id,
        channels=(variant.channel,),
        template=variant.template,
        purpose=Purpose.MARKETING if variant.marketing else Purpose.TRANSACTIONAL,
        invite=_invite(variant, sample, journey),
    )
    renderer = JinjaRenderer(_OneVariant(journey, variant), policy, links=NoLinks())
    try:
        rendered = renderer.render(message, variant.channel, message.addresses.get(variant.channel, ""))
    except (ForeignLinkError, TextTooLongError) as error:
        return Gap(variant, sample, str(error), error.reason)
    except TemplateError as error:
        return Gap(variant, sample, _why(error, variant))
    return Rendering(variant, sample, rendered, _marked(variant, message))


def _invite(variant: Variant, sample: Sample, journey: Journey) -> Invite | None:
    """Its dates are those of the sample, as far as they can be known without the customer's events."""
    rule = next((step.invite for step in variant.steps if step.invite), None)
    if rule is None:
        return None
    enrollment = Enrollment("preflight", journey.name, journey.version, "", sample.at, sample.at, sample.data)
    invite = rule.invite(Walk(journey, replace(enrollment, values=sample.values), profile_of(sample), sample.at))
    return None if isinstance(invite, str) else invite


def _texts_of(value: Any) -> Iterator[str]:
    """Every text in a sample, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _texts_of(one)


def _may_be_longer(value: str, foreign: Collection[str]) -> bool:
    return value in foreign and len(value) < LONGEST_VALUE and not is_link(value)


def _marked(variant: Variant, message: Message) -> str:
    links = NoLinks().of(message, variant.channel, "")
    try:
        return _marking(variant.parts["text"]).render(variables_of(message, variant.parts, links))
    except (JinjaError, TypeError, ValueError):  # a filter of the template does not accept the marks
        return ""


@lru_cache(maxsize=256)
def _marking(text: str) -> Template:
    """One template for all samples: reading it takes longer than filling it in."""
    return environment(escape=False).overlay(finalize=lambda value: f"{BEGIN}{value}{END}").from_string(text)


def _why(error: TemplateError, variant: Variant) -> str:
    """The reason in words. It may quote the sample, which is no real customer."""
    cause = error.__cause__
    if cause is None:
        return str(error)
    named = MISSING.search(str(cause))
    if isinstance(cause, UndefinedError) and named:
        return f"{_path(named[1] or named[2], variant.parts)} is not there"
    return str(cause) if isinstance(cause, TemplateError) else f"{type(cause).__name__}: {cause}"


def _path(name: str, parts: Mapping[str, Any]) -> str:
    """`profile.first_name` for `first_name`, as the template has it."""
    found = re.search(
        rf"(?:\w+\.)*\b{name}\b", " ".join(re.findall(r"{[{%].*?[}%]}", " ".join(texts_of(parts)), re.DOTALL))
    )
    return found[0] if found else name
