"""The footer of every marketing e-mail: sender, postal address and unsubscribe links (CAN-SPAM; RFC 8058)."""

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
    """The e-mail with one-click unsubscribe headers, and with an unsubscribe link in each part that has none."""
    links = rendered.links
    urls = {t.footer_unsubscribe: links[LinkKind.UNSUBSCRIBE], t.footer_preferences: links[LinkKind.PREFERENCES]}
    sender = ", ".join(part for part in (policy.brand, policy.postal_address) if part)
    headers = {
        "List-Unsubscribe": f"<{links[LinkKind.UNSUBSCRIBE]}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    html, text = rendered.html, rendered.text
    if not any(url in html for url in urls.values()):
        html = _append_to_body(html, _html(sender, urls))
    if not any(url in text for url in urls.values()):
        text = f"{text}\n\n-- \n{_text(sender, urls)}"
    return replace(rendered, html=html, text=text, headers={**rendered.headers, **headers})


def _append_to_body(html: str, footer: str) -> str:
    """Adds the footer at the end of the body."""
    ends = [match.start() for match in END_OF_BODY.finditer(html)]
    end = ends[-1] if ends else len(html)
    return html[:end] + footer + html[end:]


def _html(sender: str, urls: Mapping[str, str]) -> str:
    """`ses:no-track`: SES must not replace an unsubscribe link by its own redirect."""
    links = " · ".join(f'<a ses:no-track href="{escape(url)}">{escape(name)}</a>' for name, url in urls.items())
    return f'<div style="{STYLE}">{f"{escape(sender)}<br>" if sender else ""}{links}</div>'


def _text(sender: str, urls: Mapping[str, str]) -> str:
    return "\n".join([*([sender] if sender else []), *(f"{name}: {url}" for name, url in urls.items())])
