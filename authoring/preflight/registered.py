"""Checks of templates that need approval: WhatsApp's at Meta, SMS to India at its DLT."""

from collections.abc import Iterator

from authoring.preflight.links import Fault
from authoring.preflight.rendering import Rendering
from authoring.preflight.variants import Variant
from cairn.adapters.phone.numbers import country_of
from cairn.domain.policy import Policy
from cairn.domain.shared.channels import Channel

LONGEST_VARIABLE = 30
"""Characters allowed for one variable of a DLT template (TCCCPR 2018, as amended on 12 February 2025)."""


def whatsapp_faults(variant: Variant) -> Iterator[Fault]:
    """Free text where Meta delivers only approved templates."""
    if variant.parts.get("whatsapp_template"):
        return
    if variant.marketing:
        fix = "Name it in the front matter: whatsapp_template, whatsapp_language."
        yield Fault("error", "not_approved", "WhatsApp marketing without an approved template", fix)
    else:
        fix = "Name an approved one, if it should go out at other times too."
        message = "without an approved template it goes out only within 24 hours of the customer's word"
        yield Fault("warning", "session_only", message, fix)


def dlt_faults(one: Rendering, policy: Policy) -> Iterator[Fault]:
    """Problems for which India's operators would block the message."""
    country = country_of(one.rendered.address) if one.rendered.address else ""
    registered = one.rendered.registered.get("dlt_template")
    if policy.needs_registration(Channel.SMS, country):
        if not registered:
            fix = "Register the text, and put its id into the front matter: dlt_template."
            yield Fault("error", "not_registered", f"texts to {country} need the id of a registered template", fix)
        if not policy.dlt_entity:
            fix = "Put the business's own id into policy.toml: dlt_entity."
            yield Fault("error", "no_dlt_entity", f"texts to {country} need the id of a registered sender", fix)
    for value in one.filled_in if registered else ():
        if len(value) > LONGEST_VARIABLE and value not in one.shortened:
            message = f"{len(value)} characters stand for one variable; {LONGEST_VARIABLE} are registered"
            yield Fault("error", "variable_too_long", message, "Shorten it with truncate, or register two variables.")
