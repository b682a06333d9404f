"""Templates: Jinja2, sandboxed, escaped in HTML, and strict: a missing value is an error.

What people and vendors wrote is made fit before it is sent (values.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape
from typing import Any, Protocol

from jinja2 import TemplateError as JinjaError

from cairn.adapters.pages.texts import texts_for
from cairn.adapters.templates.footer import with_unsubscribe_links
from cairn.adapters.templates.language import LANGUAGE, environment
from cairn.adapters.templates.values import (
    LONGEST_IN_SUBJECT,
    LONGEST_VALUE,
    Compiled,
    Fitting,
    Layout,
    foreign_schemes,
    without_marks,
)
from cairn.adapters.templates.variants import EXPIRES_AFTER, INVITE_TEXTS, LINKED, REGISTERED
from cairn.domain.consent.keywords import Intent
from cairn.domain.consent.links import LinkKind
from cairn.domain.journey.definition import Journey
from cairn.domain.journey.steps.send import Send
from cairn.domain.message.in_app import SAFE_LINK
from cairn.domain.message.links import Hosts
from cairn.domain.message.message import Message, Rendered, Terms, Written
from cairn.domain.message.sms import DEFAULT_MAX_PARTS, parts_of
from cairn.domain.policy import Policy
from cairn.domain.profile.attributes import LOCALE
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import ForeignLinkError, TemplateError, TextTooLongError
from cairn.domain.shared.instants import duration
from cairn.domain.shared.invites import Invite
from cairn.domain.shared.text import shortened

PARTS = ("subject", "preview", "html", "text", *LINKED)
PARAMETER = "parameter"

ONE_LINE = ("subject", "preview", "invite_title", "invite_location", PARAMETER, *LINKED)
"""Parts in which providers accept no line breaks, which a customer's name may contain."""

LONGEST_HOST = 253
"""Characters of a host (RFC 1035, 2.3.4)."""

NO_POLICY = Policy()

LINKS = "links"

VARIABLES = ("profile", "data", "enrollment", "customer", "journey", LINKS)
"""The variables of a template."""


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


class PlaceholderLinks:
    """Links of a preview, which lead nowhere (RFC 2606)."""

    def of(self, message: Message, channel: Channel, address: str) -> Mapping[str, str]:  # noqa: ARG002  the protocol's shape
        return {kind.value: f"https://preview.invalid/{kind}" for kind in LinkKind}


class JinjaRenderer:
    """Implements the port Renderer, with the templates of the message's own journey version.

    The answers to STOP, HELP and START come from the policy.
    """

    def __init__(self, catalogue: JourneyTemplates, policy: Policy = NO_POLICY, links: Links = NO_LINKS) -> None:
        self._catalogue = catalogue
        self._policy = policy
        self._links = links

    def terms(self, message: Message) -> Terms:
        if message.answers or message.written is not None:
            return Terms()
        journey = self._catalogue.version(message.journey, message.version)
        step = journey.steps.get(message.step)
        registered = {channel: self._registered(message, channel) for channel in message.channels}
        terms = Terms(registered={channel: names for channel, names in registered.items() if names})
        if not isinstance(step, Send):
            return terms
        return replace(
            terms,
            useful_for=step.useful_for,
            preferred_hour=step.preferred_hour,
            review=step.review,
            priority=step.priority_in(journey),
        )

    def render(self, message: Message, channel: Channel, address: str) -> Rendered:
        if message.answers:
            return self._answer(message, channel, address)
        if message.written is not None:
            return _as_written(message.written, channel, address)
        try:
            variant = self._variant(message, channel)
        except KeyError as error:
            raise TemplateError(f"template {message.template} has no {channel} variant") from error
        marketing_email = channel is Channel.EMAIL and message.purpose is Purpose.MARKETING
        links = self._links.of(message, channel, address) if marketing_email or _names_links(variant) else {}
        variables = variables_of(message, variant, links)
        try:
            fill = _Filling(channel, variables, self._named_hosts(message), frozenset(links.values()))
            parts: dict[str, Any] = {part: fill(part, variant[part]) for part in PARTS if part in variant}
            parameters = tuple(self._parameter(fill(PARAMETER, text), message) for text in _parameters(variant))
            invite = message.invite if channel is Channel.EMAIL else None
            if invite is not None:
                texts = {name: fill(name, variant[name]) for name in INVITE_TEXTS if name in variant}
                parts["invite"] = _with_texts(invite, {"invite_title": parts["subject"], **texts})
        except ForeignLinkError as error:
            raise ForeignLinkError(_foreign_link(str(error), message)) from error
        except TemplateError as error:
            raise TemplateError(f"template {message.template}.{channel}: {error}") from error
        except (JinjaError, TypeError, ValueError, ArithmeticError, AttributeError, LookupError) as error:
            raise TemplateError(f"template {message.template}.{channel}: {type(error).__name__}") from error
        if EXPIRES_AFTER in variant:
            parts[EXPIRES_AFTER] = duration(variant[EXPIRES_AFTER])
        rendered = Rendered(channel, address, **parts, registered=_names(variant), parameters=parameters, links=links)
        _check(rendered, variant, message)
        if not marketing_email:
            return rendered
        return with_unsubscribe_links(rendered, self._sender_policy(message), texts_for(locale_of(message)))

    def _named_hosts(self, message: Message) -> tuple[str, ...]:
        journey = self._catalogue.version(message.journey, message.version)
        return (*journey.link_hosts, *self._policy.link_hosts)

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

    @staticmethod
    def _parameter(filled: str, message: Message) -> str:
        if not filled:
            raise TemplateError(f"template {message.template}: a WhatsApp parameter is empty, and Meta takes none")
        return filled


def _as_written(written: Written, channel: Channel, address: str) -> Rendered:
    """A person's text. In an e-mail, each of its lines is a line."""
    if channel is not Channel.EMAIL:
        return Rendered(channel, address, written.text, subject=written.subject)
    html = "<br>\n".join(escape(line) for line in written.text.splitlines())
    return Rendered(channel, address, written.text, subject=written.subject, html=f"<p>{html}</p>")


@dataclass(frozen=True, slots=True)
class _Filling:
    """Fills in the parts of one message."""

    channel: Channel
    variables: Mapping[str, Any]
    hosts: tuple[str, ...]
    own_links: frozenset[str]

    def __call__(self, part: str, text: str) -> str:
        html = part == "html"
        compiled = _compiled(text, html)
        longest = LONGEST_IN_SUBJECT if self.channel is Channel.EMAIL else LONGEST_VALUE
        fitting = Fitting(self._layout(part), longest, Hosts.named(self.hosts, compiled.hosts), self.own_links)
        filled = fitting.fit(compiled.template.render(self.variables))
        if part in ONE_LINE:
            return " ".join(filled.split())
        return filled if html else filled.strip()

    def _layout(self, part: str) -> Layout:
        if part == "html":
            return "html"
        return "text" if part in {"text", "invite_description"} and self.channel is Channel.EMAIL else "line"


def _with_texts(invite: Invite, texts: Mapping[str, str]) -> Invite:
    title, location, description = (shortened(texts.get(name, ""), most) for name, most in INVITE_TEXTS.items())
    return replace(invite, title=title, location=location, description=description)


def _check(rendered: Rendered, variant: Mapping[str, Any], message: Message) -> None:
    """Raises TextTooLongError or ForeignLinkError where the filled-in text may not be sent."""
    template = f"template {message.template}.{rendered.channel}"
    if rendered.channel is Channel.SMS:
        parts, most = parts_of(rendered.text), variant.get("max_parts", DEFAULT_MAX_PARTS)
        if parts > most:
            raise TextTooLongError(
                f"{template} has {parts} parts, and {most} are allowed: shorten it, or set max_parts"
            )
    if rendered.link and not SAFE_LINK.fullmatch(rendered.link):
        raise ForeignLinkError(f"{template} has a button that leads to no https address and to no path of the site")
    for _, scheme in foreign_schemes(rendered.html):
        raise ForeignLinkError(f"{template} has a link with {scheme}; an e-mail has https, http, mailto and tel alone")


def variables_of(message: Message, variant: Mapping[str, Any], links: Mapping[str, str]) -> dict[str, Any]:
    """All that a template and its filters see."""
    own = {LINKS: links, "time_zone": message.time_zone, LANGUAGE: variant.get("language", {})}
    return {**without_marks(message.variables), **own}


def _foreign_link(link: str, message: Message) -> str:
    """Which value, which host, and the mend. The rest of a link stays out: it may act for the customer."""
    host = (link.partition("://")[2] or link).replace("\\", "/").partition("/")[0].partition("?")[0].rpartition("@")[2]
    where = next(_paths_of(link, message.variables), "a link")
    return f"{where} leads to {host[:LONGEST_HOST]}, which is not in link_hosts of the journey or of policy.toml"


def _paths_of(link: str, variables: Any, path: str = "") -> Iterator[str]:
    """Where a link stands among the variables: `data.ticket_url`."""
    if isinstance(variables, Mapping):
        for name, value in variables.items():
            yield from _paths_of(link, value, f"{path}.{name}" if path else str(name))
    elif isinstance(variables, str) and variables.strip() == link:
        yield path


def _parameters(variant: Mapping[str, Any]) -> Sequence[str]:
    parameters: Sequence[str] = variant.get("whatsapp_parameters", ())
    return parameters


def _names_links(variant: Mapping[str, Any]) -> bool:
    """Whether it may name a link: only then is the signing secret read."""
    texts = (str(variant.get(part, "")) for part in (*PARTS, *INVITE_TEXTS))
    return any(LINKS in text for text in (*texts, *_parameters(variant)))


def locale_of(message: Message) -> str:
    """The customer's language in the profile (BCP 47), or empty."""
    profile = message.variables.get("profile")
    locale = profile.get(LOCALE) if isinstance(profile, Mapping) else None
    return locale if isinstance(locale, str) else ""


def _names(variant: Mapping[str, Any]) -> dict[str, str]:
    """The registered names of a variant."""
    return {name: variant[name] for name in REGISTERED if isinstance(variant.get(name), str)}


@lru_cache(maxsize=256)
def _compiled(text: str, escape: bool) -> Compiled:  # noqa: FBT001
    return Compiled.of(text, environment(escape=escape))
