"""Templates: a missing value is an error, HTML is escaped, and the sandbox is closed."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cairn.adapters.documents.catalogue import Catalogue
from cairn.adapters.templates.language import environment
from cairn.adapters.templates.renderer import NO_POLICY, JinjaRenderer
from cairn.domain.consent.keywords import Intent
from cairn.domain.journey.definition import EntryRule, Journey, Match
from cairn.domain.message.message import Message, Rendered, Review, Terms
from cairn.domain.policy import Policy
from cairn.domain.shared.channels import Channel, Purpose
from cairn.domain.shared.errors import TemplateError
from tests.unit.makers import message


class Unsigned:
    """Links without a signature."""

    def of(self, message: Message, channel: Channel, address: str) -> dict[str, str]:
        return {
            name: f"https://l.example/{name}/{message.id}.{channel}.{address}"
            for name in ("unsubscribe", "preferences")
        }


def renderer(shelf: Any, policy: Policy = NO_POLICY) -> JinjaRenderer:
    return JinjaRenderer(shelf, policy, links=Unsigned())


class Shelf:
    """A catalogue with one template."""

    def __init__(self, *link_hosts: str, **parts: Any) -> None:
        self._parts = parts
        self._link_hosts = link_hosts

    def version(self, name: str, version: str) -> Journey:
        return Journey(name, version, EntryRule((Match("trial.signup"),)), {}, None, link_hosts=self._link_hosts)

    def template(self, name: str, version: str, template: str, channel: str, locale: str = "") -> dict[str, Any]:
        return {("visit", "v1", "confirm", "email", ""): self._parts}[name, version, template, channel, locale]


def catalogue(
    folder: Path, templates: dict[str, Any], *, sender: dict[str, str] | None = None, **options: Any
) -> Catalogue:
    """A deployment whose journey sends one message by e-mail, SMS or WhatsApp."""
    send = {"channel": ["email", "sms", "whatsapp"], "template": "confirm", "purpose": "transactional", **options}
    steps = [{"id": "confirm", "send": send}]
    document = {"journey": "visit", "entry": {"event": "trial.signup"}, "sender": sender or {}, "steps": steps}
    entry = {"journey": "visit", "version": "v1", "document": document, "templates": templates}
    (folder / "catalogue.json").write_text(json.dumps([entry]), encoding="utf-8")
    return Catalogue(folder / "catalogue.json")


def to_ada(zone: str = "UTC", **data: Any) -> Message:
    return message(
        variables={"profile": {"first_name": "Ada"}, "data": data, "customer": "c_ada", "journey": "visit"},
        time_zone=zone,
    )


def rendered(parts: dict[str, str], wanted: Message) -> Rendered:
    return renderer(Shelf(**parts)).render(wanted, Channel.EMAIL, "ada@example.com")


def text(template: str, zone: str = "UTC", **data: Any) -> str:
    return rendered({"text": template}, to_ada(zone, **data)).text


def test_a_message_has_all_its_parts() -> None:
    parts = {
        "subject": "Hello {{ profile.first_name }}",
        "preview": "It is {{ data.day }}",
        "text": "\nSee you {{ data.day }}.\n",
        "html": "<p>See you {{ data.day }}.</p>",
    }

    assert rendered(parts, to_ada(day="Monday")) == Rendered(
        Channel.EMAIL,
        "ada@example.com",
        text="See you Monday.",
        subject="Hello Ada",
        preview="It is Monday",
        html="<p>See you Monday.</p>",
    )


@pytest.mark.parametrize(
    "gap",
    [
        "Hello {{ profile.nickname }}",
        "Hello {{ nobody }}",
        "Hello {{ data.visit.at }}",
        "{% for guest in data.guests %}{{ guest }}{% endfor %}",
        "{% if data.vip %}Hello{% endif %}",
        "{{ data.visit_at | local('%H:%M') }}",
        "{{ data.amount | money }}",
    ],
)
def test_a_missing_value_is_an_error(gap: str) -> None:
    with pytest.raises(TemplateError):
        text(gap)


def test_a_missing_value_may_have_a_default() -> None:
    assert text("Hello {{ profile.nickname | default('you') }}") == "Hello you"


@pytest.mark.parametrize(
    "broken",
    [
        "{{ data.number | local('%H') }}",
        "{{ data.list | local('%H') }}",
        "{{ data.number / 0 }}",
        "{{ data.number + 'x' }}",
        "{{ data.list | money }}",
        "{{ data.number | dictsort }}",
        "{{ data.list | join(5, 6, 7) }}",
        "{{ 1 | no_such_filter }}",
        "{% if %}",
        "{{ range(10 ** 9) | list }}",
    ],
)
def test_a_template_that_cannot_be_filled_is_an_error_that_names_it(broken: str) -> None:
    with pytest.raises(TemplateError, match=r"confirm\.email|the local filter"):
        text(broken, number=1.5e300, list=[1])


def test_an_error_contains_nothing_of_the_customer() -> None:
    with pytest.raises(TemplateError) as failed:
        text("{{ data.secret | money }}", secret="Ada's diary")

    assert "diary" not in str(failed.value)


def test_a_channel_without_a_variant_is_an_error() -> None:
    with pytest.raises(TemplateError, match="template confirm has no sms variant"):
        renderer(Shelf(text="x")).render(message(), Channel.SMS, "+14155550123")


def test_what_a_customer_typed_is_escaped_in_html_and_only_there() -> None:
    parts = {"text": "{{ data.name }}", "html": "<p>{{ data.name }}</p>", "subject": "{{ data.name }}"}

    sent = rendered(parts, to_ada(name="<b>Zoë & Co</b>"))

    assert sent.html == "<p>&lt;b&gt;Zoë &amp; Co&lt;/b&gt;</p>"
    assert sent.text == sent.subject == "<b>Zoë & Co</b>"


def test_what_a_customer_typed_is_text_and_no_template() -> None:
    assert text("{{ data.name }}", name="{{ customer }}") == "{{ customer }}"


def test_a_subject_is_one_line_whatever_a_customer_typed() -> None:
    parts = {"text": "x", "subject": "Hello {{ data.name }}", "preview": "{{ data.name }}"}

    sent = rendered(parts, to_ada(name="Ada\r\nBcc: eve@example.com"))

    assert (sent.subject, sent.preview) == ("Hello Ada Bcc: eve@example.com", "Ada Bcc: eve@example.com")


@pytest.mark.parametrize(
    "way_out",
    [
        "{{ ''.__class__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ ''['__class__'] }}",
        "{{ '' | attr('__class__') }}",
        "{{ local.__globals__ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__.os }}",
        "{{ data.__class__.__init__ }}",
        "{{ data.update({'a': 1}) }}",
        "{{ data.list.append(1) }}",
        "{% set data.list = 1 %}",
        "{{ '{0.__class__}'.format(data) }}",
        "{% include 'other' %}",
        "{% import 'os' as os %}",
    ],
)
def test_the_sandbox_has_no_escape(way_out: str) -> None:
    with pytest.raises(TemplateError):
        text(way_out, list=[1])


def test_filling_a_template_changes_nothing() -> None:
    wanted = to_ada(guests=["Bob"])

    rendered({"text": "{{ data.guests | sort | join }}"}, wanted)

    assert wanted == to_ada(guests=["Bob"])


@pytest.mark.parametrize(
    ("instant", "zone", "shown"),
    [
        ("2026-03-08T07:30:00Z", "America/New_York", "Sunday 03:30"),  # the night that 02:30 is left out
        ("2026-11-01T05:30:00Z", "America/New_York", "Sunday 01:30"),
        ("2026-03-08T09:00:00", "Asia/Kathmandu", "Sunday 09:00"),
        (1772445600, "Europe/Paris", "Monday 11:00"),
        ("2026-03-02T10:00:00Z", "Nowhere/Land", "Monday 10:00"),
    ],
)
def test_an_instant_is_shown_as_the_customers_clock_shows_it(instant: Any, zone: str, shown: str) -> None:
    assert text("{{ data.at | local('%A %H:%M') }}", zone, at=instant) == shown


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        (4900, "usd", "49.00 USD"),
        (123456789, "EUR", "1,234,567.89 EUR"),
        (5, "GBP", "0.05 GBP"),
        (0, "USD", "0.00 USD"),
        (-4900, "USD", "-49.00 USD"),
        ("4900", "USD", "49.00 USD"),
        (4900, "jpy", "4,900 JPY"),
        (12345, "KWD", "12.345 KWD"),
    ],
)
def test_an_amount_is_shown_in_its_currency(amount: Any, currency: str, shown: str) -> None:
    assert text("{{ data.amount | money(data.currency) }}", amount=amount, currency=currency) == shown


def test_an_amount_without_a_currency_is_in_dollars() -> None:
    assert text("{{ data.amount | money }}", amount=4900) == "49.00 USD"


def test_templates_are_checked_in_the_environment_that_fills_them() -> None:
    assert {"local", "money"} <= set(environment(escape=True).filters)
    assert environment(escape=True).autoescape is True
    assert environment(escape=False).autoescape is False


LANGUAGES = {
    "confirm.sms": {"text": "Hello"},
    "confirm.es.sms": {"text": "Hola"},
    "confirm.es-mx.sms": {"text": "Qué onda"},
}


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("es-MX", "Qué onda"),
        ("es_mx", "Qué onda"),
        ("ES-MX-u-co-trad", "Qué onda"),
        ("es-ES", "Hola"),
        ("es", "Hola"),
        ("es-", "Hola"),
        ("fr-FR", "Hello"),
        ("e", "Hello"),
        ("", "Hello"),
        ("-", "Hello"),
        ("x" * 100_000, "Hello"),
        ("-x" * 100_000, "Hello"),
        (None, "Hello"),
        (["es"], "Hello"),
    ],
)
def test_a_customer_gets_the_closest_language(tmp_path: Path, locale: Any, said: str) -> None:
    reader = message(variables={"profile": {"locale": locale}, "data": {}})

    sent = renderer(catalogue(tmp_path, LANGUAGES)).render(reader, Channel.SMS, "+34600123456")

    assert sent.text == said


def test_the_language_of_another_channel_does_not_count(tmp_path: Path) -> None:
    reader = message(variables={"profile": {"locale": "sms"}, "data": {}})

    assert renderer(catalogue(tmp_path, LANGUAGES)).render(reader, Channel.SMS, "+34600123456").text == "Hello"


REGISTERED = {
    "confirm.email": {"subject": "Hello", "preview": "", "html": "<p>Hello</p>", "text": "Hello"},
    "confirm.sms": {"text": "Hello", "dlt_template": "1107160000000012345"},
    "confirm.whatsapp": {
        "text": "Hello {{ profile.name }}",
        "whatsapp_template": "hello",
        "whatsapp_language": "en_US",
        "whatsapp_parameters": ["{{ profile.name }}", "{{ data.day }}"],
    },
    "confirm.es.whatsapp": {"text": "Hola"},
}
EVERY_CHANNEL = (Channel.EMAIL, Channel.SMS, Channel.WHATSAPP)


def test_terms_are_those_of_the_step_and_of_the_variants_that_the_customer_would_get(tmp_path: Path) -> None:
    review = {"queue": "compliance", "within": "2h"}
    deployed = catalogue(tmp_path, REGISTERED, useful_for="6h", hour="preferred", review=review)

    terms = renderer(deployed).terms(message(channels=EVERY_CHANNEL))

    assert terms == Terms(
        useful_for=timedelta(hours=6),
        preferred_hour=True,
        review=Review("compliance", timedelta(hours=2), "drop"),
        registered={
            Channel.SMS: {"dlt_template": "1107160000000012345"},
            Channel.WHATSAPP: {"whatsapp_template": "hello", "whatsapp_language": "en_US"},
        },
    )


def test_a_language_without_an_approved_template_is_not_approved(tmp_path: Path) -> None:
    spanish = message(channels=(Channel.WHATSAPP,), variables={"profile": {"locale": "es"}})

    assert renderer(catalogue(tmp_path, REGISTERED)).terms(spanish) == Terms()


def test_an_older_version_has_no_terms(tmp_path: Path) -> None:
    before = {"confirm.email": {"subject": "Hello", "preview": "", "html": "<p>Hello</p>", "text": "Hello"}}

    rendering = renderer(catalogue(tmp_path, before))

    assert rendering.terms(message(channels=EVERY_CHANNEL)) == Terms()
    assert rendering.render(message(variables={"profile": {}}), Channel.EMAIL, "a@example.com").registered == {}


def test_an_approved_template_goes_out_with_its_parameters(tmp_path: Path) -> None:
    wanted = message(variables={"profile": {"name": "Ada\n  Lovelace"}, "data": {"day": "Monday"}})

    sent = renderer(catalogue(tmp_path, REGISTERED)).render(wanted, Channel.WHATSAPP, "+12015550123")

    assert sent.parameters == ("Ada Lovelace", "Monday")
    assert sent.registered == {"whatsapp_template": "hello", "whatsapp_language": "en_US"}


@pytest.mark.parametrize("data", [{}, {"day": ""}, {"day": " \n"}])
def test_a_parameter_is_never_empty(tmp_path: Path, data: dict[str, str]) -> None:
    wanted = message(variables={"profile": {"name": "Ada"}, "data": data})

    with pytest.raises(TemplateError):
        renderer(catalogue(tmp_path, REGISTERED)).render(wanted, Channel.WHATSAPP, "+12015550123")


def test_the_answer_to_a_keyword_is_the_policys_and_needs_no_journey(tmp_path: Path) -> None:
    policy = Policy(answers={"en": {Intent.STOP: "You are out."}, "es": {Intent.STOP: "Está fuera."}})
    rendering = renderer(catalogue(tmp_path, {}), policy)
    stopped = message(journey="", version="", step="", template="", answers="stop")

    assert rendering.terms(stopped) == Terms()
    assert rendering.render(stopped, Channel.SMS, "+1") == Rendered(Channel.SMS, "+1", "You are out.")
    spanish = replace(stopped, variables={"profile": {"locale": "es-MX"}})
    assert rendering.render(spanish, Channel.SMS, "+1").text == "Está fuera."
    with pytest.raises(TemplateError, match="no answer to help"):
        rendering.render(replace(stopped, answers="help"), Channel.SMS, "+1")


MARKETING = {"confirm.email": {"subject": "Hello", "preview": "", "html": "<p>Hello</p>", "text": "Hello"}}
BUSINESS = Policy(brand="Northside", postal_address="1 River Road")


@pytest.mark.parametrize(
    ("sender", "said"),
    [
        ({}, "Northside, 1 River Road"),
        ({"brand": "Pinegrove"}, "Pinegrove, 1 River Road"),
        ({"brand": "Pinegrove", "postal_address": "400 Example Road"}, "Pinegrove, 400 Example Road"),
    ],
)
def test_marketing_names_the_sender_and_a_journey_may_have_its_own(
    tmp_path: Path, sender: dict[str, str], said: str
) -> None:
    deployed = catalogue(tmp_path, MARKETING, sender=sender)

    sent = renderer(deployed, BUSINESS).render(message(purpose=Purpose.MARKETING), Channel.EMAIL, "a@example.com")

    assert said in sent.text
    assert said in sent.html
