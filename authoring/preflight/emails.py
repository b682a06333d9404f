"""Checks of e-mail: the sender, the postal address, and the unsubscribe links that marketing must have."""

from collections.abc import Iterator

from authoring.journeys.plain_text import plain_text
from authoring.preflight.links import Fault, without_links
from authoring.preflight.rendering import Rendering
from cairn.domain.consent.links import LinkKind

ONE_CLICK = "List-Unsubscribe=One-Click"


def email_faults(one: Rendering, *, brand: str, postal_address: str) -> Iterator[Fault]:
    """Problems of an e-mail, as one sample would get it."""
    rendered = one.rendered
    if not rendered.subject:
        yield Fault("error", "no_subject", "the subject is empty", "Give what fills it a default.")
    if not one.variant.marketing:
        return
    unsubscribe = rendered.links.get(LinkKind.UNSUBSCRIBE, "")
    links = [url for url in (unsubscribe, rendered.links.get(LinkKind.PREFERENCES, "")) if url]
    if rendered.headers.get("List-Unsubscribe") != f"<{unsubscribe}>" or (
        rendered.headers.get("List-Unsubscribe-Post") != ONE_CLICK
    ):
        yield Fault("error", "no_one_click", "marketing without one-click headers (RFC 8058)", "Send it as marketing.")
    for part, text, read in (
        ("HTML", rendered.html, plain_text(rendered.html)),
        ("plain text", rendered.text, rendered.text),
    ):
        if not any(url in text for url in links):
            fix = "Link to {{ links.unsubscribe }}."
            yield Fault("error", "no_unsubscribe", f"marketing whose {part} has no link to unsubscribe", fix)
        if postal_address and _normalized(postal_address) not in _normalized(read):
            fix = f"Write {postal_address}, or leave the links to the footer, which has it."
            yield Fault("error", "no_postal_address", f"marketing whose {part} has no postal address", fix)
        if brand and _normalized(brand) not in _normalized(without_links(read)):
            yield Fault("error", "no_brand", f"its {part} does not say who writes: {brand}", "Name it.")


def _normalized(text: str) -> str:
    return " ".join(text.split()).casefold()
