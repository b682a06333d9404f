"""Templates: a gap is an error and never half a sentence, HTML is escaped, and the sandbox holds."""

from typing import Any

import pytest

from cairn.adapters.templates import JinjaRenderer, environment
from cairn.domain.consent import Channel
from cairn.domain.errors import TemplateError
from cairn.domain.message import Message, Rendered
from tests.unit.makers import message


class Shelf:
    """A catalogue with one template."""

    def __init__(self, **parts: str) -> None:
        self._parts = parts

    def template(self, name: str, version: str, template: str, channel: str) -> dict[str, str]:
        return {("visit", "v1", "confirm", "email"): self._parts}[name, version, template, channel]


def to_ada(zone: str = "UTC", **data: Any) -> Message:
    return message(
        variables={"profile": {"first_name": "Ada"}, "data": data, "customer": "c_ada", "journey": "visit"},
        time_zone=zone,
    )


def rendered(parts: dict[str, str], wanted: Message) -> Rendered:
    return JinjaRenderer(Shelf(**parts)).render(wanted, Channel.EMAIL, "ada@example.com")  # type: ignore[arg-type]


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
def test_a_gap_is_an_error_and_never_half_a_sentence(gap: str) -> None:
    with pytest.raises(TemplateError):
        text(gap)


def test_a_gap_may_be_filled_with_a_word() -> None:
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


def test_an_error_tells_nothing_of_the_customer() -> None:
    with pytest.raises(TemplateError) as failed:
        text("{{ data.secret | money }}", secret="Ada's diary")

    assert "diary" not in str(failed.value)


def test_a_channel_without_a_variant_is_an_error() -> None:
    with pytest.raises(TemplateError, match="template confirm has no sms variant"):
        JinjaRenderer(Shelf(text="x")).render(message(), Channel.SMS, "+14155550123")  # type: ignore[arg-type]


def test_what_a_customer_typed_is_escaped_in_html_and_only_there() -> None:
    parts = {"text": "{{ data.name }}", "html": "<p>{{ data.name }}</p>", "subject": "{{ data.name }}"}

    sent = rendered(parts, to_ada(name="<b>Zoë & Co</b>"))

    assert sent.html == "<p>&lt;b&gt;Zoë &amp; Co&lt;/b&gt;</p>"
    assert sent.text == sent.subject == "<b>Zoë & Co</b>"


def test_what_a_customer_typed_is_text_and_no_template() -> None:
    assert text("{{ data.name }}", name="{{ profile.first_name }}") == "{{ profile.first_name }}"


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
def test_there_is_no_way_out_of_the_sandbox(way_out: str) -> None:
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
