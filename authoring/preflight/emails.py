"""E-mail: who writes, where they can be written to, and the way out that marketing must have."""

from collections.abc import Iterator

from authoring.journeys.plain_text import plain_text
from authoring.preflight.links import Fault, without_links
from authoring.preflight.rendering import Rendering
from cairn.domain.consent.links import LinkKind

ONE_CLICK = "List-Unsubscribe=One-Click"


def email_faults(one: Rendering, *, brand: str, postal_address: str) -> Iterator[Fault]:
    """What is wrong with an e-mail, as one sample would get it."""
    rendered = one.rendered
    if not rendered.subject:
        yield Fault("error", "no_subject", "the subject is empty", "Give what fills it a default.")
    if not one.variant.marketing:
        return
    way_out = rendered.links.get(LinkKind.UNSUBSCRIBE, "")
    ways = [url for url in (way_out, rendered.links.get(LinkKind.PREFERENCES, "")) if url]
    if rendered.headers.get("List-Unsubscribe") != f"<{way_out}>" or (
        rendered.headers.get("List-Unsubscribe-Post") != ONE_CLICK
    ):
        yield Fault("error", "no_one_click", "marketing without one-click headers (RFC 8058)", "Send it as marketing.")
    for part, text, read in (
        ("HTML", rendered.html, plain_text(rendered.html)),
        ("plain text", rendered.text, rendered.text),
    ):
        if not any(url in text for url in ways):
            fix = "Link to {{ links.unsubscribe }}."
            yield Fault("error", "no_unsubscribe", f"marketing whose {part} has no link to unsubscribe", fix)
        if postal_address and _plain(postal_address) not in _plain(read):
            fix = f"Write {postal_address}, or leave the links to the footer, which has it."
            yield Fault("error", "no_postal_address", f"marketing whose {part} has no postal address", fix)
        if brand and _plain(brand) not in _plain(without_links(read)):
            yield Fault("error", "no_brand", f"its {part} does not say who writes: {brand}", "Name it.")


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
