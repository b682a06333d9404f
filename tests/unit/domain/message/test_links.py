# ruff: noqa: RUF001  letters and dots that look like others are what this is about
"""A value carries no link to a host that nobody named, whatever its spelling."""

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from linkify_it import LinkifyIt
from linkify_it.tlds import TLDS

from cairn.domain.message.links import Hosts, without_foreign_links
from cairn.domain.shared.text import one_line

OURS = Hosts.named(["pay.example.com", "*.shop.example"])

FINDER = LinkifyIt().tlds(TLDS).set({"fuzzy_ip": True})
"""Finds links as mail clients and messengers do; it was written by others, with all endings of IANA's list."""


def foreign_hosts(text: str) -> list[str]:
    """The hosts of what the finder makes a link of, apart from ours; an e-mail address leads to no host."""
    links = [one.url for one in FINDER.match(text) or [] if one.schema != "mailto:"]
    return [link for link in links if urlsplit(link).hostname != "pay.example.com"]


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("you won! http://evil.example/p", "you won!"),
        ("http://evil.example/p", ""),
        ("HTTPS://EVIL.EXAMPLE", ""),
        ("www.evil.example", ""),
        ("evil.example", "evil. example"),
        ("evil.example/p now", "evil. example/p now"),
        ("evil.example:8080", "evil. example: 8080"),
        ("//evil.example", "//evil. example"),
        ("xn--80ak6aa92e.com", "xn--80ak6aa92e. com"),
        ("пример.рф", "пример. рф"),
        ("ｅｖｉｌ．ｅｘａｍｐｌｅ", "ｅｖｉｌ． ｅｘａｍｐｌｅ"),
        ("evil。example", "evil。 example"),
        ("ｈｔｔｐ：／／evil.example", ""),
        ("1.2.3.4", "1. 2. 3. 4"),
        ("http://3232235777/", ""),
        ("https://pay.example.com@evil.example/", ""),
        ("https://pay.example.com:pw@evil.example/", ""),
        ("https://pay.example.com\\@evil.example/", ""),
        ("https://pay.example.com.evil.example/", ""),
        ("https://pay.example.com./x", ""),
        ("https://pay%2eexample.com/", ""),
        ("https://shop.example/", ""),
        ("ftp://pay.example.com/", ""),
        ("evil.example,https://pay.example.com/", ""),
        ("https://pay.example.com/?to=https://evil.example", ""),
        ("javascript:alert(1)", "javascript: alert(1)"),
        ("tel:+19005550100", "tel: +19005550100"),
    ],
)
def test_a_link_to_a_host_that_nobody_named_is_not_sent(typed: str, sent: str) -> None:
    assert without_foreign_links(typed, OURS) == sent


@pytest.mark.parametrize(
    "typed",
    [
        "https://pay.example.com/i/acct_1M2/test_YWNj?s=ap#top",
        "HTTPS://Pay.Example.com/i",
        "https://pay.example.com:8443",
        "(see https://a.b.shop.example/t/1).",
        "https://pay.example.com/?to=https://a.shop.example/x",
        "pay.example.com/i/1",
        "mia.sample@example.com",
        "J.R.R. 3.5 e.g. 03.03.2026 10.30pm 10:30 U.S.A. Ph.D. a/b and/or No.5 $4.50",
        "Zoë, Ayşe & Øyvind: 李小龍",
    ],
)
def test_what_is_no_foreign_link_stays_as_it_is(typed: str) -> None:
    assert without_foreign_links(typed, OURS) == typed


WORDS = r"""
    evil evil.com com рф xn--p1ai co.uk io é 127 1.2.3.4 pay example pay.example.com mia@ http:// https:// HTTP: // ftp://
    mailto: www. . .. 。 ． ⒈ ／ ｈｔｔｐ ：／／ ℀ / \ @ : ? # % , ; -- _ ' " ( ) [ ] !
    """
TYPED = st.lists(
    st.sampled_from(WORDS.split()) | st.sampled_from(" \u200b\u202e\u00ad") | st.text(max_size=4), max_size=9
).map("".join)


@given(TYPED)
@example("pay.example.com@evil.com")
@example("first.last@corp.com/evil.com")
def test_an_independent_library_finds_no_foreign_link(typed: str) -> None:
    sent = without_foreign_links(one_line(typed), OURS)

    assert foreign_hosts(sent) == []
    assert without_foreign_links(sent, OURS) == sent
