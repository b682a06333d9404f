"""The mapping language: a vendor is a file, a deployment's sources are another."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from authoring.sources.mapping import problems
from cairn.adapters.expressions import pick
from cairn.adapters.phone.numbers import to_e164
from cairn.adapters.sources import VENDORS, sources
from cairn.adapters.sources.fields import own_type
from cairn.adapters.sources.signed_text import InvalidSourceError
from cairn.domain.event import EVENT_TYPE_SHAPE, references_to_wire

SOURCES_TOML = Path(__file__).parents[4] / "sources.toml"

ACME = """
id = "visit.id"
occurred_at = "visit.at"
other = "visit.kind"
[signature]
scheme = "body-hmac"
header = "X-Acme-Signature"
[each]
site = "body.sites"
visit = "site.visits"
[customer]
"external_ids.acme" = "visit.guest"
[[events]]
when = "visit.kind == 'arrived'"
type = "visit.attended"
properties = { site = "site.name", tenant = "query.tenant", version = 'headers."x-acme-version"' } # both unsigned
"""


@pytest.fixture
def configured(tmp_path: Path) -> Any:
    def write(text: str) -> Any:
        path = tmp_path / "sources.toml"
        path.write_text(text, encoding="utf-8")
        return sources(path)

    return write


def write_mapping(folder: Path, vendor: str, text: str) -> None:
    (folder / vendor).mkdir()
    (folder / vendor / "mapping.toml").write_text(text, encoding="utf-8")


def test_a_new_vendor_needs_a_mapping_file_alone(tmp_path: Path, post: Any) -> None:
    write_mapping(tmp_path, "acme", ACME)
    known = sources(folder=tmp_path)
    visits = [
        {"id": "1", "kind": "arrived", "at": 1773064800, "guest": 820982911946154508},
        {"id": "2", "kind": "left"},
    ]
    document = {"sites": [{"name": "Slides", "visits": visits}, {"name": "Pool", "visits": []}]}

    acme = post("acme", document, headers={"X-Acme-Version": "3"}, known=known)
    acme.verify()
    [event] = acme.read().events

    assert (event.source, event.id, event.type) == ("acme", "1", "visit.attended")
    assert event.identifiers[0].key == "external:acme:820982911946154508"
    assert event.properties == {"site": "Slides", "tenant": None, "version": None}


def test_a_mapping_file_is_read_when_its_vendor_first_posts(tmp_path: Path) -> None:
    write_mapping(tmp_path, "acme", ACME)
    write_mapping(tmp_path, "broken", "no toml")
    known = sources(folder=tmp_path)

    assert list(known) == ["acme", "broken", "sns", "track"]
    assert known["acme"].name == "acme"
    with pytest.raises(InvalidSourceError, match=r"broken/mapping\.toml"):
        known["broken"]


def test_every_source_is_enabled_by_default() -> None:
    assert list(sources(SOURCES_TOML)) == list(sources())


def test_a_source_can_be_disabled(configured: Any) -> None:
    known = configured('disabled = ["typeform", "track"]')

    assert "typeform" not in known
    assert "track" not in known
    assert "stripe" in known
    with pytest.raises(KeyError):
        known["typeform"]


def test_several_sources_of_one_vendor_have_names_of_their_own(configured: Any, post: Any) -> None:
    known = configured("""
        [[hmac]]
        name = "till"
        signature = { header = "X-Till-Signature", algorithm = "sha512", encoding = "base64", prefix = "" }
        id = "body.receipt"
        [[hmac]]
        name = "door"
    """)
    document = {"receipt": "r-1", "type": "visit.paid", "customer": {"user_id": "1"}}

    till = post("till", document, known=known)
    till.verify()
    [event] = till.read().events

    assert (event.source, event.id) == ("till", "r-1")
    assert till.source.scheme.header == "X-Till-Signature"
    assert known["door"].scheme.header == known["hmac"].scheme.header == "X-Signature"


def test_settings_override_the_mapping_file(configured: Any, post: Any) -> None:
    known = configured('[twilio.signature]\norigin = "https://public.example.com"')
    message = {"MessageSid": "SM1", "From": "+12015550147", "Body": "Hello"}

    behind_a_proxy = post("twilio", message, known=known, origin="https://internal.example.com")
    behind_a_proxy.verify()

    assert (
        post("twilio", message, known=known, origin="https://public.example.com").request.headers["x-twilio-signature"]
        == behind_a_proxy.request.headers["x-twilio-signature"]
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('disabled = ["stripes"]', "no source is called 'stripes'"),
        ("[acme]\nid = 'body.id'", "there is no acme/mapping.toml"),
        ('[[hmac]]\nname = "stripe"', "'stripe' is the name of another source"),
        ('[[hmac]]\nname = "feedback"', "'feedback' is the name of another source"),
        ('[[hmac]]\nname = "feedback-form"', "'feedback-form' must be named not after"),
        ('[[twilio]]\nname = "sms-eu"', "'sms-eu' must be named twilio-"),
        ('[[hmac]]\nname = "shopify-eu"', "'shopify-eu' must be named not after"),
        ('[[shopify]]\nname = "boutique"', "'boutique' must be named shopify-"),
        ('[[hmac]]\nname = "operators"', "'operators' is the name of another source"),
        ("[hmac", "sources.toml"),
    ],
)
def test_a_configuration_with_an_unknown_or_forbidden_name_is_refused(text: str, problem: str, configured: Any) -> None:
    with pytest.raises(InvalidSourceError, match=problem):
        configured(text)


def test_an_unknown_scheme_or_parameter_is_refused(configured: Any) -> None:
    for wrong in ('scheme = "trust-me"', 'algorithm = "md5"', 'colour = "red"'):
        with pytest.raises(InvalidSourceError):
            configured(f"[hmac.signature]\n{wrong}")["hmac"]


def test_every_problem_of_a_mapping_is_reported_at_once() -> None:
    mapping = {
        "signature": {"scheme": "body-hmac", "header": "X-A"},
        "id": "body.[",
        "occurred_at": "body.at",
        "colour": "red",
        "events": [
            {"type": "Order", "properties": {"a": "(("}},
            {"when": "`true`", "type": "a.b", "consent": [{"channel": "fax", "purpose": "marketing", "color": "x"}]},
        ],
    }

    problem = problems("acme", mapping)

    assert sorted(one.partition(":")[0] for one in problem) == sorted(
        [
            "colour",
            "id",
            "events[0].when",
            "events[0].type",
            "events[0].properties.a",
            "events[1].consent[0]",
            "events[1].consent[0].channel",
            "events[1].consent[0].color",
        ]
    )
    assert problems("acme", {}) == ["signature: required", "id: required", "occurred_at: required"]


@pytest.mark.parametrize(
    ("vendors", "ours"),
    [
        ("contact.propertyChange", "acme_shop.contact.property_change"),
        ("orders/fulfilled", "acme_shop.orders.fulfilled"),
        ("2FA Enabled!", "acme_shop.n2_fa_enabled"),
        ("üñï", None),
        ("", None),
        (None, None),
        ("x" * 500, "acme_shop." + "x" * 90),
    ],
)
def test_a_vendors_type_becomes_a_type_of_our_shape(vendors: Any, ours: str | None) -> None:
    assert own_type("acme-shop", vendors) == ours
    assert ours is None or EVENT_TYPE_SHAPE.fullmatch(ours)


def test_an_expression_that_cannot_be_evaluated_is_null() -> None:
    assert pick("from_items([['a', `1`], ['b'], `3`, [`4`, `5`]])", {}) == {"a": 1}
    assert pick("from_items(nothing)", {}) is None
    assert pick("without_prefix(a, 'x:')", {"a": "x:1"}) == "1"
    assert pick("without_prefix(a, 'x:')", {"a": 1}) is None
    assert pick("contains(a, `1`)", {"a": "text"}) is None


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("0151 23456789", "DE", "+4915123456789"),
        ("0151 23456789", "de", "+4915123456789"),
        ("+5215512345678", "MX", "+525512345678"),
        (15123456789, "DE", "+4915123456789"),
        ("0151 23456789", None, "0151 23456789"),  # process_event knows the deployment's region
        ("0151 23456789", "Germany", "0151 23456789"),
        ("(201) 555-0123", "FR", "(201) 555-0123 (FR)"),  # no number there, and never one of another country
        ("", "DE", None),
        (None, "DE", None),
    ],
)
def test_a_number_is_read_in_the_country_that_the_vendor_names(text: Any, country: Any, number: str | None) -> None:
    assert pick("e164(text, country)", {"text": text, "country": country}) == number


def test_a_number_that_is_none_in_its_country_stays_none_in_the_deployment_s() -> None:
    assert to_e164(pick("e164('(201) 555-0123', 'FR')", {}), "US") is None


@pytest.mark.parametrize(
    ("text", "number", "user"),
    [
        ("5215512345678", "+5215512345678", None),
        ("US.1000", None, "US.1000"),
        ("120363404694233820", None, None),
        ("Y2FwaV9ncm91cA", None, None),
        (False, None, None),
    ],
)
def test_an_id_of_whatsapp_is_a_number_or_a_user_or_neither(text: Any, number: str | None, user: str | None) -> None:
    assert pick("whatsapp_number(text)", {"text": text}) == number
    assert pick("whatsapp_user(text)", {"text": text}) == user


def test_only_a_mapping_that_reads_national_numbers_loads_their_plans() -> None:
    """A cold start of receive_webhook pays for phonenumbers where a vendor names a country, and nowhere else."""
    script = (
        "import sys; from cairn.adapters.expressions import pick;"
        "import functions.receive_webhook.handler;"
        "pick('e164(a, b)', {'a': '1', 'b': None}); assert 'phonenumbers' not in sys.modules;"
        "pick('e164(a, b)', {'a': '1', 'b': 'DE'}); assert 'phonenumbers' in sys.modules"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment)  # noqa: S603  our own script


def test_what_names_a_thing_alone_is_an_event_by_its_references(tmp_path: Path, post: Any) -> None:
    references = '[references]\nvisit = "visit.number"\nticket = "visit.tickets"\n[customer]'
    write_mapping(tmp_path, "acme", ACME.replace("[customer]", references))
    visit = {"id": "1", "kind": "left", "number": 77, "tickets": ["a", None, 820982911946154508]}

    [event] = post("acme", {"sites": [{"visits": [visit]}]}, known=sources(folder=tmp_path)).read().events

    assert event.identifiers == ()
    assert references_to_wire(event.references) == {"visit": ["77"], "ticket": ["a", "820982911946154508"]}


def test_a_reference_has_the_account_of_the_vendor_in_front(tmp_path: Path, post: Any) -> None:
    text = 'account = "body.account"\n' + ACME.replace("[customer]", '[references]\nvisit = "visit.number"\n[customer]')
    write_mapping(tmp_path, "acme", text)
    visits = [{"id": "1", "kind": "left", "number": 77}]

    [event] = post("acme", {"account": 9, "sites": [{"visits": visits}]}, known=sources(folder=tmp_path)).read().events

    assert references_to_wire(event.references) == {"visit": ["9:77"]}


def test_what_a_vendor_says_about_our_account_is_an_alarm_where_it_is_no_event(tmp_path: Path, post: Any) -> None:
    alarms = (
        '[[alarms]]\nwhen = "site.closed"\nabout = { site = "site.name", since = "site.since" }\n'
        '[[alarms]]\nwhen = "site"\nabout = { second = "site.name" }\n[[events]]'
    )
    write_mapping(tmp_path, "acme", ACME.replace("[[events]]", alarms).replace('"site.visits"', '"site.visit"'))
    visit = {"id": "1", "kind": "arrived", "guest": "77"}
    sites = [{"name": "north", "closed": True}, {"name": "south", "closed": True, "visit": visit}]

    reading = post("acme", {"sites": sites}, known=sources(folder=tmp_path)).read()

    assert reading.alarms == ({"source": "acme", "site": "north"},), "the first rule alone, without what is missing"
    assert [event.type for event in reading.events] == ["visit.attended"]
    assert not reading.ignored


def test_a_mistake_in_an_alarm_is_a_problem_of_the_mapping() -> None:
    signed = {"signature": {"scheme": "body-hmac", "header": "X-A"}, "id": "body.id", "occurred_at": "body.at"}
    alarms = [{"when": "body.closed", "what": "body"}, {"when": "((", "about": {"site": "unsigned.query.site"}}]

    found = [one.partition(":")[0] for one in problems("acme", {**signed, "alarms": alarms})]

    assert sorted(found) == ["alarms[0].about", "alarms[0].what", "alarms[1].about.site", "alarms[1].when"]


def test_several_ids_of_a_system_are_one_person_with_the_account_in_front(tmp_path: Path, post: Any) -> None:
    text = 'account = "body.account"\n' + ACME.replace('"visit.guest"', '"visit.guests"')
    write_mapping(tmp_path, "acme", text)
    visits = [{"id": "1", "kind": "arrived", "guests": [7, None, "8", True]}]

    [event] = post("acme", {"account": 9, "sites": [{"visits": visits}]}, known=sources(folder=tmp_path)).read().events

    assert [(name.kind, name.value) for name in event.identifiers] == [
        ("external:acme", "9:7"),
        ("external:acme", "9:8"),
    ]


def test_a_type_that_is_not_of_our_shape_is_one_of_its_source(post: Any) -> None:
    document = {"type": "organizationMembership.created", "data": {"user_id": "1"}}

    [event] = post("standard-webhooks", document).read().events

    assert event.type == "standard_webhooks.organization_membership.created"


@pytest.mark.parametrize(("status", "vouched"), [("verified", True), ("unverified", False)])
def test_clerks_page_says_how_to_believe_an_address(status: str, vouched: bool, configured: Any, post: Any) -> None:  # noqa: FBT001
    page = (VENDORS / "standard-webhooks" / "README.md").read_text(encoding="utf-8")
    (vouches,) = re.findall(r"`(vouched = .*?)`", page, re.DOTALL)
    known = configured(f'[[standard-webhooks]]\nname = "clerk"\n{vouches}')
    address = {"id": "idn_1", "email_address": "noa@example.com", "verification": {"status": status}}
    data = {"object": "user", "id": "user_1", "primary_email_address_id": "idn_1", "email_addresses": [address]}

    [event] = post("clerk", {"type": "user.created", "data": data}, known=known).read().events

    assert event.vouches("email") is vouched
    assert event.vouches("user_id")
