"""The pages themselves: safe, quiet, and in the reader's language."""

import re
from base64 import b64encode
from dataclasses import fields
from hashlib import sha256
from string import Formatter
from typing import Any

import pytest

from cairn.adapters.pages.masks import masked
from cairn.adapters.pages.texts import TEXTS, Texts, texts_for
from cairn.domain.consent.links import LinkKind
from cairn.domain.policy import Policy
from cairn.domain.shared.channels import Channel, Purpose

KINDS = list(LinkKind)

LANGUAGES = sorted(TEXTS)

WORDS = [one.name for one in fields(Texts)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_browser_loads_runs_frames_caches_and_refers_to_nothing(visitor: Any, kind: LinkKind) -> None:
    visitor.is_known()

    page = visitor.opens(kind)

    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    style = re.search("<style>(.*?)</style>", page.body, re.DOTALL)
    assert style is not None
    digest = b64encode(sha256(style[1].encode()).digest()).decode()
    assert policy == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-robots-tag"] == "noindex, nofollow"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert not re.search(r"<script|<img|<iframe|<link|javascript:|\son\w+=|\sstyle=|https?://|@import|url\(", page.body)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_page_names_its_language_and_has_every_text(visitor: Any, kind: LinkKind, language: str) -> None:
    visitor.is_known()

    page = visitor.opens(kind, accept_language=language)

    shown = re.sub("<style>.*?</style>", "", page.body, flags=re.DOTALL)
    assert f'<html lang="{language}">' in shown
    assert page.headers["content-language"] == language
    assert not re.search(r"[{}]", shown)
    assert shown.count("<h1>") == 1
    assert shown.count("<label>") == shown.count('type="checkbox"')


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_texts(language: str) -> None:
    english, other = TEXTS["en"], TEXTS[language]

    for word in WORDS:
        translated, meant = getattr(other, word), getattr(english, word)
        assert translated, word
        if isinstance(translated, str) and word != "language":
            assert placeholders(translated) == placeholders(meant), word
    assert set(other.channels) == set(other.by) == set(Channel)
    assert set(other.purposes) == set(other.about) == set(Purpose)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_changed_texts_have_another_version() -> None:
    assert len({one.version for one in TEXTS.values()}) == len(TEXTS)


@pytest.mark.parametrize(
    ("header", "locale", "language"),
    [
        ("", "", "en"),
        ("de", "", "de"),
        ("de-CH, de;q=0.9, en;q=0.8", "", "de"),
        ("en;q=0.5, fr;q=0.9", "", "fr"),
        ("pt-BR, es;q=0.7", "", "es"),
        ("ja", "fr_CA", "fr"),
        ("", "es-MX", "es"),
        ("en", "de", "en"),
        ("de;q=0", "", "en"),
        ("*", "fr", "fr"),
        ("de;q=much, es", "", "es"),
        (";;,,;q=", "", "en"),
    ],
)
def test_the_language_follows_the_browser(header: str, locale: str, language: str) -> None:
    assert texts_for(header, locale).language == language


def test_the_profiles_language_counts_after_the_browsers(visitor: Any) -> None:
    visitor.is_known(locale="fr-FR")

    assert 'lang="fr"' in visitor.opens(LinkKind.PREFERENCES, accept_language="ja").body


def test_without_a_brand_the_pages_still_make_sense(a_visitor: Any) -> None:
    visitor = a_visitor(policy=Policy())
    visitor.is_known()

    assert "What you get from us" in visitor.opens(LinkKind.PREFERENCES).body
    assert "<p></p>" not in visitor.opens(LinkKind.UNSUBSCRIBE).body


def test_the_link_to_the_preferences_works_under_any_path(visitor: Any) -> None:
    visitor.is_known()
    page = visitor.opens(LinkKind.UNSUBSCRIBE)
    link = re.search(r'href="\.\./preferences/([^"]+)"', page.body)
    assert link is not None

    assert visitor.opens(LinkKind.PREFERENCES, token=link[1]).status == 200


@pytest.mark.parametrize(
    ("channel", "address", "shown"),
    [
        (Channel.EMAIL, "ada@example.com", "a•••@example.com"),
        (Channel.EMAIL, "a@b@example.com", "a•••@example.com"),
        (Channel.SMS, "+12015550123", "••• 23"),
        (Channel.WHATSAPP, "+4915112345678", "••• 78"),
        (Channel.PUSH, "arn:aws:sns:us-east-1:1:endpoint/GCM/app/x", ""),
        (Channel.EMAIL, "", ""),
    ],
)
def test_only_its_owner_recognises_a_masked_address(channel: Channel, address: str, shown: str) -> None:
    assert masked(channel, address) == shown
