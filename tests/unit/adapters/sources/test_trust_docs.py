"""Each line of the table in docs/trust.md is what the vendor's mapping makes of its samples."""

import json
import re
from collections import defaultdict
from pathlib import Path

import pytest

from authoring.sources.check import ANY_SECRET, RECEIVED_AT
from authoring.sources.samples import fetched_beside, posting, sample_headers, samples
from cairn.adapters.sources import sources
from cairn.application.events.accept_webhook import Request
from cairn.domain.event import Event
from cairn.domain.identity.trust import field_of

PAGE = Path(__file__).parents[4] / "docs" / "trust.md"
ROW = re.compile(r"^\| `([a-z-]+)` \| (.+?) \| (vouched|typed|vouched if) \| (.+) \|$", re.MULTILINE)
KNOWN = sources()
OURS = "only = 'item.portalId == `990001`'"
"""HubSpot signs for every portal: its staff is believed where `only` says which one is ours."""
MAPPED = [name for name in KNOWN if name not in {"track", "sns"}]
ABOUT_RECORDS = {"customer.erasure_requested", "customer.data_requested", "shop.erasure_requested"}

Answers = dict[str, set[bool]]


def page_table() -> dict[str, dict[str, str]]:
    """The page: source, field, answer."""
    table: dict[str, dict[str, str]] = defaultdict(dict)
    for source, what, answer, why in ROW.findall(PAGE.read_text(encoding="utf-8")):
        assert why.strip()
        for field in re.findall(r"`([a-z_]+)`", what):
            assert field not in table[source], f"{source} has two lines for {field}"
            table[source][field] = answer
    return table


def seen(event: Event) -> set[tuple[str, bool]]:
    """The fields that an event has, and whether its source vouches for each."""
    found = {(field_of(name).partition(".")[0], event.vouches(field_of(name))) for name in event.identifiers}
    found |= {("attributes", event.vouches(f"attributes.{name}")) for name in event.attributes}
    found |= {("consent", event.vouches("consent")) for _ in event.consent}
    if event.type in ABOUT_RECORDS:
        found.add(("privacy", event.vouches("privacy")))
    return found


def answers_of(source: str, folder: Path) -> Answers:
    """What the samples show: for each field, whether it was vouched for, typed, or both."""
    answers: Answers = defaultdict(set)
    configuration = folder / "sources.toml"
    configuration.write_text(f"[hubspot]\n{OURS}\n", encoding="utf-8")
    known = sources(configuration)
    for path in samples(source):
        document = json.loads(path.read_text(encoding="utf-8"))
        for body in (document, *variants(source, document)):
            made = posting(source, body, ANY_SECRET, RECEIVED_AT, headers=sample_headers(path), known=known)
            headers = {name.lower(): value for name, value in made.headers.items()}
            request = Request(made.url, headers, made.body)
            for event in known[source].read(request, RECEIVED_AT, fetched_beside(path)).events:
                for field, vouched in seen(event):
                    answers[field].add(vouched)
    return answers


def variants(source: str, document: object) -> list[object]:
    """Bodies beside the samples: where these show staff, the same by a visitor, and the other way round."""
    text = json.dumps(document)
    if source == "hubspot":
        return [json.loads(text.replace('"CRM_UI"', '"FORM"'))]
    if source == "shopify":
        enabled = text.replace('"state": "disabled"', '"state": "enabled"')
        return [json.loads(enabled), json.loads(enabled.replace('"state": "enabled"', '"state": "invited"'))]
    return []


@pytest.mark.parametrize("source", MAPPED)
def test_the_page_says_what_the_mapping_does(source: str, tmp_path: Path) -> None:
    expected = {"vouched": {True}, "typed": {False}, "vouched if": {True, False}}

    shown = answers_of(source, tmp_path)

    page = page_table()[source]
    assert {field: expected[answer] for field, answer in page.items() if field in shown} == shown
    assert set(page) - set(shown) <= {"user_id", "phone", "external_ids", "consent", "attributes", "email"}


def test_the_page_has_every_source() -> None:
    assert set(page_table()) == {"track", *MAPPED}


def test_our_own_api_vouches_for_all_it_says() -> None:
    document = json.dumps({"id": "1", "type": "a.b", "customer": {"email": "ada@example.com"}}).encode()

    [event] = KNOWN["track"].read(Request("", {}, document), RECEIVED_AT).events

    assert all(event.vouches(field) for field in page_table()["track"])


def test_an_address_is_vouched_for_under_a_condition_or_by_the_network_that_it_belongs_to() -> None:
    always = {
        (source, field)
        for source in MAPPED
        for field in ("email", "phone")
        if KNOWN[source].mapping.get("vouched", {}).get(field) is True
    }

    assert always == {("twilio", "phone"), ("whatsapp", "phone")}
