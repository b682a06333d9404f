"""Templates: Jinja2, sandboxed, escaped in HTML, and strict: a gap is an error, never half a sentence."""

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, Template, pass_context
from jinja2 import TemplateError as JinjaError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from cairn.domain.consent import Channel
from cairn.domain.errors import TemplateError
from cairn.domain.instants import to_instant, zone_named
from cairn.domain.message import Message, Rendered

if TYPE_CHECKING:
    from cairn.adapters.catalogue import Catalogue

NO_MINOR_UNITS = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"),
)
THOUSANDTHS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))

ONE_LINE = ("subject", "preview")
"""Parts whose line breaks, which a customer's name may bring along, no provider takes."""

VARIABLES = ("profile", "data", "customer", "journey")
"""What a template may name."""


def environment(*, escape: bool) -> ImmutableSandboxedEnvironment:
    """The environment that templates are checked and rendered in."""
    made = ImmutableSandboxedEnvironment(autoescape=escape, undefined=StrictUndefined, keep_trailing_newline=False)
    made.filters |= {"local": local, "money": money}
    return made


@pass_context
def local(context: Context, value: Any, format_: str) -> str:
    """What the customer's clock shows at an instant, as strftime has it."""
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


class JinjaRenderer:
    """Implements the port Renderer, on the templates of the message's own journey version."""

    def __init__(self, catalogue: "Catalogue") -> None:
        self._catalogue = catalogue

    def render(self, message: Message, channel: Channel, address: str) -> Rendered:
        try:
            parts = self._catalogue.template(message.journey, message.version, message.template, channel)
        except KeyError as error:
            raise TemplateError(f"template {message.template} has no {channel} variant") from error
        try:
            filled = {part: self._fill(part, text, message) for part, text in parts.items()}
        except (JinjaError, TypeError, ValueError, ArithmeticError, AttributeError, LookupError) as error:
            raise TemplateError(f"template {message.template}.{channel}: {type(error).__name__}") from error
        return Rendered(channel=channel, address=address, **filled)

    def _fill(self, part: str, text: str, message: Message) -> str:
        filled = _compiled(text, part == "html").render(**message.variables, time_zone=message.time_zone)
        if part in ONE_LINE:
            return " ".join(filled.split())
        return filled.strip() if part != "html" else filled


@lru_cache(maxsize=256)
def _compiled(text: str, escape: bool) -> Template:  # noqa: FBT001
    return environment(escape=escape).from_string(text)
