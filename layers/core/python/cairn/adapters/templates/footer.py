"""What stands under every marketing e-mail: who writes, where they are, and the way out (CAN-SPAM; RFC 8058)."""

import re
from collections.abc import Mapping
from dataclasses import replace
from html import escape

from cairn.adapters.pages.texts import Texts
from cairn.domain.consent.links import LinkKind
from cairn.domain.message.message import Rendered
from cairn.domain.policy import Policy

END_OF_BODY = re.compile("</body", re.IGNORECASE)

STYLE = "margin:32px 0 0;padding:12px 0 0;border-top:1px solid #ccc;font:12px/1.6 sans-serif;color:#666"


def with_unsubscribe_links(rendered: Rendered, policy: Policy, t: Texts) -> Rendered:
    """The e-mail with one click to unsubscribe in its headers, and a link to it in each part that has none."""
    links = rendered.links
    ways = {t.footer_unsubscribe: links[LinkKind.UNSUBSCRIBE], t.footer_preferences: links[LinkKind.PREFERENCES]}
    sender = ", ".join(part for part in (policy.brand, policy.postal_address) if part)
    headers = {
        "List-Unsubscribe": f"<{links[LinkKind.UNSUBSCRIBE]}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    html, text = rendered.html, rendered.text
    if not any(url in html for url in ways.values()):
        html = _under(html, _html(sender, ways))
    if not any(url in text for url in ways.values()):
        text = f"{text}\n\n-- \n{_text(sender, ways)}"
    return replace(rendered, html=html, text=text, headers={**rendered.headers, **headers})


def _under(html: str, footer: str) -> str:
    """At the end of the body, wherever that is."""
    ends = [match.start() for match in END_OF_BODY.finditer(html)]
    place = ends[-1] if ends else len(html)
    return html[:place] + footer + html[place:]


def _html(sender: str, ways: Mapping[str, str]) -> str:
    """`ses:no-track` keeps SES from counting clicks by a detour: the way out leads straight there."""
    found = " · ".join(f'<a ses:no-track href="{escape(url)}">{escape(name)}</a>' for name, url in ways.items())
    return f'<div style="{STYLE}">{f"{escape(sender)}<br>" if sender else ""}{found}</div>'


def _text(sender: str, ways: Mapping[str, str]) -> str:
    return "\n".join([*([sender] if sender else []), *(f"{name}: {url}" for name, url in ways.items())])
