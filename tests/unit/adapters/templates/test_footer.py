"""Every marketing e-mail has an unsubscribe link, in its headers and in its text."""

import re
from typing import Any

import pytest

from cairn.adapters.pages.links import SignedLinks
from cairn.adapters.templates.renderer import JinjaRenderer
from cairn.domain.consent.links import LinkKind
from cairn.domain.journey.definition import Journey
from cairn.domain.message.message import Message, Rendered
from cairn.domain.policy import Policy
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import TemplateError
from tests.unit.fakes import KEYS, Secrets
from tests.unit.makers import journey, message

POLICY = Policy(brand="Tea & Co", postal_address="1 Leaf Lane, Boston")
ADDRESS = "ada@example.com"

LINKS = SignedLinks(Secrets(links=("a-secret-of-links",)), key=KEYS.suppressions, public_url="https://example.org")


class Shelf:
    """A catalogue with one template, for every channel."""

    def __init__(self, parts: dict[str, str]) -> None:
        self._parts = parts

    def template(self, *_: str) -> dict[str, str]:
        return self._parts

    def version(self, *_: str) -> Journey:
        return journey()


def marketing(**profile: Any) -> Message:
    return message(purpose=Purpose.MARKETING, variables={"profile": profile, "data": {}})


def rendered(wanted: Message, channel: Channel = Channel.EMAIL, policy: Policy = POLICY, **parts: str) -> Rendered:
    whole = {"subject": "Hi", "html": "<p>Hi</p>", "text": "Hi"} | parts
    return JinjaRenderer(Shelf(whole), policy, LINKS).render(wanted, channel, ADDRESS)


def link(kind: LinkKind) -> str:
    return LINKS.of(message(), Channel.EMAIL, ADDRESS)[kind]


def test_the_headers_have_one_click_unsubscribe() -> None:
    headers = rendered(marketing()).headers

    assert list(headers) == ["List-Unsubscribe", "List-Unsubscribe-Post"]
    assert headers["List-Unsubscribe"] == f"<{link(LinkKind.UNSUBSCRIBE)}>"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["List-Unsubscribe"].startswith("<https://")
    assert all(len(name) + len(value) <= 996 and value.isascii() for name, value in headers.items()), "SES's limits"


def test_the_footer_has_the_sender_and_the_unsubscribe_link() -> None:
    sent = rendered(marketing(), html="<html><body><p>Hi</p></BODY></html>")

    assert "Tea &amp; Co, 1 Leaf Lane, Boston<br>" in sent.html
    assert f'<a ses:no-track href="{link(LinkKind.UNSUBSCRIBE)}">Unsubscribe</a>' in sent.html
    assert sent.html.endswith("</div></BODY></html>")
    assert sent.text == (
        "Hi\n\n-- \nTea & Co, 1 Leaf Lane, Boston\n"
        f"Unsubscribe: {link(LinkKind.UNSUBSCRIBE)}\nChoose what you get: {link(LinkKind.PREFERENCES)}"
    )


def test_html_without_a_body_gets_the_footer_at_its_end() -> None:
    assert rendered(marketing(), html="<p>İ İ Hi</p>").html.startswith("<p>İ İ Hi</p><div")


@pytest.mark.parametrize("kind", ["unsubscribe", "preferences"])
def test_a_template_with_its_own_unsubscribe_link_gets_no_footer(kind: str) -> None:
    named = f"{{{{ links.{kind} }}}}"

    sent = rendered(marketing(), html=f'<a href="{named}">Out</a>', text="Hi")

    assert sent.html == f'<a href="{link(LinkKind(kind))}">Out</a>'
    assert "Unsubscribe: " in sent.text, "each part is read by somebody else"
    assert sent.headers


def test_the_footer_is_in_the_customers_language() -> None:
    assert ">Abmelden</a>" in rendered(marketing(locale="de-AT")).html


def test_without_a_brand_the_footer_has_the_links_alone() -> None:
    assert re.search(r"color:#666\"><a ses:no-track", rendered(marketing(), policy=Policy()).html)


@pytest.mark.parametrize(("wanted", "channel"), [(message(variables={}), Channel.EMAIL), (marketing(), Channel.SMS)])
def test_only_marketing_email_has_a_footer(wanted: Message, channel: Channel) -> None:
    sent = rendered(wanted, channel)

    assert sent.text == "Hi"
    assert not sent.headers
    assert not sent.links


def test_any_template_may_name_a_link() -> None:
    sent = rendered(message(variables={}), Channel.SMS, text="Confirm: {{ links.confirm }}")

    (_, token) = sent.text.split("confirm/")
    assert sent.text.startswith("Confirm: https://example.org/confirm/")
    assert LINKS.read(LinkKind.CONFIRM, token, message().decided_at).channel is Channel.SMS


def test_the_stored_text_has_no_personal_links() -> None:
    sent = rendered(marketing(), text="Out: {{ links.unsubscribe }} or {{ links.preferences }}")

    assert sent.redacted_text == "Out: [unsubscribe] or [preferences]"
    assert "example.org" not in rendered(marketing()).redacted_text


def test_marketing_email_without_an_unsubscribe_link_is_not_rendered() -> None:
    renderer = JinjaRenderer(Shelf({"subject": "Hi", "html": "Hi", "text": "Hi"}))

    with pytest.raises(TemplateError, match="needs links"):
        renderer.render(marketing(), Channel.EMAIL, ADDRESS)
