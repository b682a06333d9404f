"""Templates: Jinja2, sandboxed, escaped in HTML, and strict: a missing value is an error."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Protocol

from jinja2 import StrictUndefined, Template, pass_context
from jinja2 import TemplateError as JinjaError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from cairn.adapters.pages.texts import texts_for
from cairn.adapters.templates.footer import with_unsubscribe_links
from cairn.adapters.templates.variants import REGISTERED
from cairn.domain.consent.keywords import Intent
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.steps.send import Send
from cairn.domain.message.message import Message, Rendered, Terms
from cairn.domain.policy import Policy
from cairn.domain.profile.attributes import LOCALE
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import TemplateError
from cairn.domain.shared.instants import to_instant, zone_named

NO_MINOR_UNITS = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"),
)
THOUSANDTHS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))

PARTS = ("subject", "preview", "html", "text")
PARAMETER = "parameter"

ONE_LINE = ("subject", "preview", PARAMETER)
"""Parts in which providers accept no line breaks, which a customer's name may contain."""

NO_POLICY = Policy()

LINKS = "links"

VARIABLES = ("profile", "data", "customer", "journey", LINKS)
"""The variables of a template."""


def environment(*, escape: bool) -> ImmutableSandboxedEnvironment:
    """The environment in which templates are checked and rendered."""
    made = ImmutableSandboxedEnvironment(autoescape=escape, undefined=StrictUndefined, keep_trailing_newline=False)
    made.filters |= {"local": local, "money": money}
    return made


@pass_context
def local(context: Context, value: Any, format_: str) -> str:
    """An instant on the customer's clock, in a format of strftime."""
    zone = zone_named(context.get("time_zone"), "UTC")
    instant = to_instant(value, zone)
    if instant is None:
        raise TemplateError("the local filter needs an instant in ISO 8601 or seconds since 1970")
    return instant.astimezone(zone).strftime(format_)


def money(minor_units: Any, currency: str = "USD") -> str:
    """`49.00 USD` from 4900; other currencies have no minor units, or a thousand of them (ISO 4217's exponents)."""
    code = str(currency).upper()
    decimals = 0 if code in NO_MINOR_UNITS else 3 if code in THOUSANDTHS else 2
    return f"{int(minor_units) / 10**decimals:,.{decimals}f} {code}"


class JourneyTemplates(Protocol):
    """The versions of journeys, with their templates (adapters/documents/catalogue)."""

    def version(self, name: str, version: str) -> Journey:
        """Raises UnknownJourneyError."""

    def template(self, name: str, version: str, template: str, channel: str, locale: str = "") -> dict[str, Any]:
        """Raises KeyError if there is no such variant."""


class Links(Protocol):
    def of(self, message: Message, channel: Channel, address: str) -> Mapping[str, str]:
        """The URLs by which the reader of the message chooses what to get, by LinkKind."""


class NoLinks:
    """Links where there are none. So no marketing e-mail is rendered without an unsubscribe link."""

    def of(self, message: Message, channel: Channel, address: str) -> Mapping[str, str]:  # noqa: ARG002  the protocol's shape
        raise TemplateError(f"template {message.template}.{channel} needs links, and none are made here")


NO_LINKS = NoLinks()


class JinjaRenderer:
    """Implements the port Renderer, with the templates of the message's own journey version.

    The answers to STOP, HELP and START come from the policy.
    """

    def __init__(self, catalogue: JourneyTemplates, policy: Policy = NO_POLICY, links: Links = NO_LINKS) -> None:
        self._catalogue = catalogue
        self._policy = policy
        self._links = links

    def terms(self, message: Message) -> Terms:
        if message.answers:
            return Terms()
        step = self._catalogue.version(message.journey, message.version).steps.get(message.step)
        registered = {channel: self._registered(message, channel) for channel in message.channels}
        terms = Terms(registered={channel: names for channel, names in registered.items() if names})
        if not isinstance(step, Send):
            return terms
        return replace(terms, useful_for=step.useful_for, preferred_hour=step.preferred_hour, review=step.review)

    def render(self, message: Message, channel: Channel, address: str) -> Rendered:
        if message.answers:
            return self._answer(message, channel, address)
        try:
            variant = self._variant(message, channel)
        except KeyError as error:
            raise TemplateError(f"template {message.template} has no {channel} variant") from error
        marketing_email = channel is Channel.EMAIL and message.purpose is Purpose.MARKETING
        links = self._links.of(message, channel, address) if marketing_email or _names_links(variant) else {}
        variables = {**message.variables, LINKS: links, "time_zone": message.time_zone}
        try:
            parts: dict[str, Any] = {part: _fill(part, variant[part], variables) for part in PARTS if part in variant}
            parameters = tuple(self._parameter(text, message, variables) for text in _parameters(variant))
        except (JinjaError, TypeError, ValueError, ArithmeticError, AttributeError, LookupError) as error:
            raise TemplateError(f"template {message.template}.{channel}: {type(error).__name__}") from error
        rendered = Rendered(channel, address, **parts, registered=_names(variant), parameters=parameters, links=links)
        if not marketing_email:
            return rendered
        return with_unsubscribe_links(rendered, self._sender_policy(message), texts_for(locale_of(message)))

    def _sender_policy(self, message: Message) -> Policy:
        """The policy with the journey's own sender, if it has one."""
        journey = self._catalogue.version(message.journey, message.version)
        return replace(
            self._policy,
            brand=journey.brand or self._policy.brand,
            postal_address=journey.postal_address or self._policy.postal_address,
        )

    def _answer(self, message: Message, channel: Channel, address: str) -> Rendered:
        text = self._policy.answer(Intent(message.answers), locale_of(message))
        if not text:
            raise TemplateError(f"the policy has no answer to {message.answers}")
        return Rendered(channel, address, text)

    def _variant(self, message: Message, channel: Channel) -> dict[str, Any]:
        return self._catalogue.template(message.journey, message.version, message.template, channel, locale_of(message))

    def _registered(self, message: Message, channel: Channel) -> dict[str, str]:
        try:
            return _names(self._variant(message, channel))
        except KeyError:  # `render` raises the error
            return {}

    def _parameter(self, text: str, message: Message, variables: Mapping[str, Any]) -> str:
        filled = _fill(PARAMETER, text, variables)
        if not filled:
            raise TemplateError(f"template {message.template}: a WhatsApp parameter is empty, and Meta takes none")
        return filled


def _fill(part: str, text: str, variables: Mapping[str, Any]) -> str:
    filled = _compiled(text, part == "html").render(variables)
    if part in ONE_LINE:
        return " ".join(filled.split())
    return filled.strip() if part != "html" else filled


def _parameters(variant: Mapping[str, Any]) -> Sequence[str]:
    parameters: Sequence[str] = variant.get("whatsapp_parameters", ())
    return parameters


def _names_links(variant: Mapping[str, Any]) -> bool:
    """Whether it may name a link: only then is the signing secret read."""
    return any(LINKS in text for text in (*(str(variant.get(part, "")) for part in PARTS), *_parameters(variant)))


def locale_of(message: Message) -> str:
    """The customer's language in the profile (BCP 47), or empty."""
    profile = message.variables.get("profile")
    locale = profile.get(LOCALE) if isinstance(profile, Mapping) else None
    return locale if isinstance(locale, str) else ""


def _names(variant: Mapping[str, Any]) -> dict[str, str]:
    """The registered names of a variant."""
    return {name: variant[name] for name in REGISTERED if isinstance(variant.get(name), str)}


@lru_cache(maxsize=256)
def _compiled(text: str, escape: bool) -> Template:  # noqa: FBT001
    return environment(escape=escape).from_string(text)
