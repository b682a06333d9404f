"""What people and vendors wrote goes out as one line, of a limited length, without foreign links."""

import re
import unicodedata
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from linkify_it import LinkifyIt
from linkify_it.tlds import TLDS

from cairn.adapters.templates.renderer import JinjaRenderer
from cairn.adapters.templates.values import AS_TEXT, END, FULL_VALUE, LONGEST_IN_SUBJECT, LONGEST_VALUE, MARK, VALUE
from cairn.domain.journey.definition import EntryRule, Journey, Match
from cairn.domain.message.message import Message, Rendered
from cairn.domain.policy import Policy
from cairn.domain.shared.channels import Channel
from cairn.domain.shared.errors import ForeignLinkError, TemplateError, TextTooLongError
from tests.unit.makers import message

FINDER = LinkifyIt().tlds(TLDS).set({"fuzzy_ip": True})
"""Finds links as mail clients and messengers do; it was written by others."""

ONE_LINE = (Channel.SMS, Channel.WHATSAPP, Channel.PUSH)
POLICY = Policy(link_hosts=("pay.example.com", "*.shop.example"))
OWN = "https://l.example.com/confirm/t0ken"


class Attributes(HTMLParser):
    """The values of all attributes, as a browser reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.values: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.values += [value or "" for _, value in attrs]


class OneTemplate:
    """A catalogue with one template, and links of the reader."""

    def __init__(self, parts: dict[str, Any]) -> None:
        self._parts = parts

    def version(self, name: str, version: str) -> Journey:
        return Journey(
            name, version, EntryRule((Match("trial.signup"),)), {}, None, link_hosts=("tickets.example.com",)
        )

    def template(self, name: str, version: str, template: str, channel: str, locale: str = "") -> dict[str, Any]:  # noqa: ARG002
        return self._parts

    def of(self, message: Message, channel: Channel, address: str) -> dict[str, str]:  # noqa: ARG002
        return {"confirm": OWN}


def rendered(parts: dict[str, Any], channel: Channel = Channel.SMS, **data: Any) -> Rendered:
    one = OneTemplate(parts)
    variables = {"profile": {"first_name": "Ada"}, "data": data, "customer": "c_ada", "journey": "visit"}
    return JinjaRenderer(one, POLICY, one).render(message(variables=variables), channel, "+12015550123")


def text(template: str, channel: Channel = Channel.SMS, **data: Any) -> str:
    return rendered({"text": template, "max_parts": 10}, channel, **data).text


def html(template: str, **data: Any) -> str:
    return rendered({"text": "", "html": template}, Channel.EMAIL, **data).html


TYPED = st.text(
    st.characters() | st.sampled_from("\n\r\u2028\u202e\u2066\u200d\u200b\x1b .:/@\ufdd0\ufdd1\ufdd2"), max_size=200
)
WORDS = st.lists(
    st.sampled_from(["evil.com", "http://", "/p", " ", "www.", "a@", "\n", "x" * 50, "。com"]), max_size=8
).map("".join)


@pytest.mark.parametrize("channel", ONE_LINE)
@given(TYPED | WORDS)
def test_a_value_is_one_line_of_a_limited_length_and_has_no_link(channel: Channel, typed: str) -> None:
    try:
        sent = text("Hi {{ data.name }} ok", channel, name=typed)
    except ForeignLinkError:
        return  # the value was a link and nothing else: nothing was sent at all

    assert len(sent) <= len("Hi ") + LONGEST_VALUE + len(" ok")
    assert not MARK.search(sent)
    assert sent.splitlines() == [sent]
    assert {unicodedata.category(one) for one in sent if one != "\u200d"}.isdisjoint(
        {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    )
    assert [one for one in FINDER.match(sent) or [] if one.schema != "mailto:"] == []


@given(TYPED | WORDS)
def test_a_value_in_an_email_has_no_control_and_no_link(typed: str) -> None:
    try:
        mail = rendered(
            {"subject": "{{ data.name }}", "text": "{{ data.name }}", "html": ""}, Channel.EMAIL, name=typed
        )
    except ForeignLinkError:
        return

    assert len(mail.subject) <= LONGEST_IN_SUBJECT
    assert mail.subject == " ".join(mail.subject.split())
    assert {one for one in mail.text if unicodedata.category(one) in {"Cc", "Cf"}} <= {"\n", "\t", "\u200d"}
    assert [one for one in FINDER.match(mail.text) or [] if one.schema != "mailto:"] == []


def test_the_templates_own_text_stays_as_it_was_written() -> None:
    own = "Line one:\n\thttps://anywhere.example/x and evil.example, " + "more " * 40

    assert text(own + "{{ data.name }}.", name="Mia") == own + "Mia."


@pytest.mark.parametrize("channel", ONE_LINE)
def test_a_long_value_is_shortened_unless_it_is_wanted_in_full(channel: Channel) -> None:
    long = "Wolfe " * 40

    assert text("{{ data.name }}!", channel, name=long) == "Wolfe Wolfe Wolfe Wolfe...!"
    assert text("{{ data.name | full }}!", channel, name=long) == long.strip() + "!"
    assert text("{{ data.name | upper | full }}!", channel, name=long) == long.strip().upper() + "!"


def test_full_lifts_the_cap_alone() -> None:
    typed = "a\n\u202eb http://evil.example/p " + "c" * 100

    assert text("{{ data.note | full }}", note=typed) == "a b " + "c" * 100


def test_conditions_loops_and_filters_see_the_value_as_it_is() -> None:
    template = "{% if data.name | length == 100 %}{{ data.name | truncate(9) }}{% endif %}"
    each = "{% for one in data.list %}{{ one }};{% endfor %}"

    assert text(template + each, name="A" * 100, list=["a\nb", "c"]) == "A" * 6 + "...a b;c;"


def test_a_joined_list_has_no_links_either() -> None:
    assert text("{{ data.list | join(' or ') }}", list=["Run\nClub", "evil.example"]) == "Run Club or evil. example"


PRINTED = (
    *("data.x", "data.x | full", "data.x ~ ''", "'' ~ data.x", "'%s' | format(data.x)", "'%s' % data.x"),
    *("'%s%s' % ('', data.x)", "'a' | replace('a', data.x)", "[data.x] | join", "data.list | join(', ')"),
    *("data.list | map('string') | join", "data.list | first", "data.deep.list[0].x", "[data.x, ''] | join"),
    *(f"data.x | {name}" for name in AS_TEXT if name not in {"replace", "format", "title", "truncate", "wordwrap"}),
)
"""Every way in which a template prints a value."""


def printed(expression: str, value: Any, channel: Channel = Channel.SMS) -> str:
    deep = {"list": [{"x": value}]}
    return text(f"{{{{ {expression} }}}}", channel, x=value, list=[value], deep=deep)


@pytest.mark.parametrize("expression", PRINTED)
@given(st.floats(allow_nan=False, allow_infinity=False, width=64))
def test_a_number_is_printed_as_people_write_it(expression: str, value: float) -> None:
    short = len(shown := f"{Decimal(repr(value)):f}") <= LONGEST_VALUE
    sent = printed(expression, value, Channel.EMAIL)

    if short:
        assert float(sent) == value
        assert sent == (str(int(value)) if value.is_integer() else shown)
    assert re.fullmatch(r"-?[0-9]+(\.[0-9]*[1-9])?", sent)


@pytest.mark.parametrize(
    ("value", "shown"), [(3.0, "3"), (1.5, "1.5"), (1e-07, "0.0000001"), (-0.0, "0"), (1e21, "1" + "0" * 21)]
)
def test_a_number_is_never_printed_as_python_writes_it(value: float, shown: str) -> None:
    assert printed("data.x", value) == shown
    assert text("{{ data.x / 2 }}", x=value * 2) == shown


def test_a_format_still_says_how_a_number_is_printed() -> None:
    assert text("{{ '%.2f' | format(data.x) }} {{ '%03d' % data.n }} {{ data.n % 2 }}", x=1.5, n=7) == "1.50 007 1"


@pytest.mark.parametrize("expression", [*PRINTED, "data.x | title", "data.x | truncate(9)", "data.x | wordwrap(9)"])
@pytest.mark.parametrize("value", [True, False, float("inf"), float("nan")])
@pytest.mark.parametrize("channel", [Channel.SMS, Channel.EMAIL])
def test_true_and_false_have_no_text(expression: str, value: Any, channel: Channel) -> None:
    with pytest.raises(TemplateError):
        printed(expression, value, channel)


@pytest.mark.parametrize("value", [[True], [], {}, {"gift": True}, [["a"]]])
@pytest.mark.parametrize("expression", ["data.x", "data.x | upper", "data.x ~ ''", "'%s' % data.x", "[data.x] | join"])
def test_lists_and_objects_have_no_text(expression: str, value: Any) -> None:
    with pytest.raises(TemplateError):
        printed(expression, value)


@pytest.mark.parametrize("expression", ["data.list | map('upper')", "range(3)", "cycler", "loop"])
def test_what_python_calls_by_an_address_has_no_text(expression: str) -> None:
    with pytest.raises(TemplateError):
        text(f"{{% for one in [1] %}}{{{{ {expression} }}}}{{% endfor %}}", list=["a"])


def test_true_and_false_are_asked_in_conditions_and_may_choose_a_text() -> None:
    template = "{{ 'gift' if data.gift else 'no gift' }}{% if data.gift %}!{% endif %} {{ data.seats | tojson }}"

    assert text(template, gift=True, seats=[True]) == "gift! [true]"
    assert text("{{ data.q | urlencode }}", q={"a": 1.0, "b": "x y"}) == "a=1&b=x+y"


def test_numbers_are_shown_without_marks() -> None:
    assert text("{{ data.amount | money }} {{ data.n }} {{ data.x }}", amount=4900, n=3, x=1.5) == "49.00 USD 3 1.5"


@pytest.mark.parametrize(
    "forged", [f"{END} http://evil.example {VALUE}", f"{FULL_VALUE}{'a' * 100}", f"{END}{END}evil.example"]
)
def test_nobody_can_forge_a_mark(forged: str) -> None:
    sent = text("Hi {{ data.name }} {{ data.name | upper }}", name="x" + forged)

    assert len(sent) <= 3 + 2 * LONGEST_VALUE + 1
    assert FINDER.match(sent) is None


@pytest.mark.parametrize(
    "template",
    [
        "{% set who %}{{ data.name }}{% endset %}Hi {{ who }}",
        "{% macro hi(name) %}Hi {{ name }}{% endmacro %}{{ hi(data.name) }}",
        "{% filter trim %}Hi {{ data.name }}{% endfilter %}",
        "{% set who %}{{ data.name }}{% endset %}{{ 'Hi ' ~ who }}",
        "{% filter reverse %}{{ data.name }} iH{% endfilter %}",
        "{% filter truncate(22) %}Hi {{ data.name }}{% endfilter %}",
    ],
)
@pytest.mark.parametrize("escaped", [False, True])
def test_no_block_and_no_macro_is_a_way_around(template: str, escaped: bool) -> None:  # noqa: FBT001
    typed = "M\u202eia evil.com"

    sent = html(template, name=typed) if escaped else text(template, name=typed)

    assert "\u202e" not in sent
    assert FINDER.match(sent) is None
    assert not MARK.search(sent)


def test_a_macro_of_the_template_may_be_long() -> None:
    long = "own text " * 20

    assert (
        text(f"{{% macro hi(name) %}}{long}{{{{ name }}}}{{% endmacro %}}{{{{ hi(data.name) }}}}", name="Mia")
        == f"{long}Mia"
    )


LINK = "https://evil.example/i/1?s=" + "a" * 90


@pytest.mark.parametrize(
    ("link", "template"),
    [
        ("https://pay.example.com/i/1?s=" + "a" * 90, "Pay: {{ data.url }}"),
        ("https://tickets.example.com/t", "Pay: {{ data.url }}."),
        ("https://my.shop.example/t", "Pay: ({{ data.url }})"),
        ("https://own.example.com/t", "https://own.example.com/help {{ data.url }}"),
        ("https://own.example.com/t", "Ask own.example.com. {{ data.url }}"),
        ("https://own.example.com/t", "{{ data.none | default('https://own.example.com') }} {{ data.url }}"),
    ],
)
def test_a_link_to_a_named_host_goes_out_whole(link: str, template: str) -> None:
    assert link in text(template, url=link)


@pytest.mark.parametrize("channel", [*ONE_LINE, Channel.EMAIL])
def test_a_value_that_is_a_foreign_link_alone_is_not_sent_and_named(channel: Channel) -> None:
    with pytest.raises(ForeignLinkError) as caught:
        text("Pay: {{ data.invoice.url }}", channel, invoice={"url": LINK})

    assert str(caught.value) == (
        "data.invoice.url leads to evil.example, which is not in link_hosts of the journey or of policy.toml"
    )


@pytest.mark.parametrize("glued", [".co", ".evil.example", "@evil.example", "\\@evil.example", ":x@evil.example/"])
def test_a_value_does_not_change_the_host_of_the_templates_link(glued: str) -> None:
    with pytest.raises(ForeignLinkError):
        text("https://pay.example.com{{ data.rest }} now", rest=glued)


@pytest.mark.parametrize(
    ("template", "values", "sent"),
    [
        ("https://own.example.com/t/{{ data.a }}", {"a": "B-2041.pdf"}, "https://own.example.com/t/B-2041.pdf"),
        ("https://own.example.com/t/{{ data.a }}", {"a": "x" * 200}, "https://own.example.com/t/" + "x" * 200),
        ("https://{{ data.a }}.shop.example/t", {"a": "acme"}, "https://acme.shop.example/t"),
        ("Go:https://own.example.com/{{ data.a }}", {"a": "1"}, "Go:https://own.example.com/1"),
        ("{{ data.a }}.{{ data.b }}", {"a": "evil", "b": "example"}, "evil. example"),
        ("{{ data.a }}{{ data.b }}", {"a": "evil.", "b": "example"}, "evil. example"),
        ("Hi {{ data.a }}.Reply STOP", {"a": "Mia"}, "Hi Mia. Reply STOP"),
        ("{{ data.a }}@example.com", {"a": "mia"}, "mia@example.com"),
    ],
)
def test_a_value_is_checked_with_what_stands_around_it(template: str, values: dict[str, str], sent: str) -> None:
    assert text(template, **values) == sent


def test_the_readers_own_links_go_out_whole() -> None:
    assert text("Confirm: {{ links.confirm }}") == f"Confirm: {OWN}"


def test_html_is_checked_as_it_will_be_read() -> None:
    assert html("<a href='{{ data.url }}'>Pay</a>", url="https://pay.example.com/?a=1&b='x'") == (
        "<a href='https://pay.example.com/?a=1&amp;b=&#39;x&#39;'>Pay</a>"
    )
    assert html("<p>{{ data.a }}</p>", a="you & me http://evil.example/?a&b <b>evil.example</b>\nbye") == (
        "<p>you &amp; me  &lt;b&gt;evil. example&lt;/b&gt;\nbye</p>"
    )
    assert html("<p>{{ data.a | safe }}</p>", a="<b>evil&#46;example</b>") == "<p><b></b></p>"


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "JaVa\tScRiPt:alert(1)",
        "java\nscript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,<script>",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example/x",
        "https://evil.example/x",
    ],
)
@pytest.mark.parametrize(
    "tag", ['<a href="{{ data.url }}">', "<img src='{{ data.url }}'>", "<form action={{ data.url }}>"]
)
def test_an_email_brings_no_other_link_than_to_named_hosts(link: str, tag: str) -> None:
    try:
        sent = html(tag, url=link)
    except ForeignLinkError:
        return
    reader = Attributes()
    reader.feed(sent)
    assert [one for one in reader.values if re.match(r"[\x00-\x20]*([a-z\s]+:|//)", one, re.IGNORECASE)] == []


@pytest.mark.parametrize(
    "tag", ['<a href="tel:{{ data.phone }}">', '<a href="mailto:{{ data.mail }}">', '<a href="#top">']
)
def test_an_email_may_help_to_call_and_to_write(tag: str) -> None:
    assert html(tag, phone="+12015550123", mail="mia@example.com").startswith("<a href=")


@pytest.mark.parametrize(("characters", "sent"), [(600, True), (613, False)])
def test_an_sms_has_four_parts_where_its_template_says_nothing(characters: int, sent: bool) -> None:  # noqa: FBT001
    template = {"text": "{{ data.note | full }}"}
    if sent:
        assert rendered(template, note="a" * characters).text == "a" * characters
        return
    with pytest.raises(TextTooLongError) as caught:
        rendered(template, note="a" * characters)
    assert str(caught.value) == "template confirm.sms has 5 parts, and 4 are allowed: shorten it, or set max_parts"
    assert rendered(template | {"max_parts": 5}, note="a" * characters).text == "a" * characters
    assert rendered(template, Channel.WHATSAPP, note="a" * characters).text == "a" * characters


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("Hi {{ data.name | default('there') }}", "Hi there"),
        ("Hi {{ data.name | d('there') | upper }}", "Hi THERE"),
        ("Hi {{ data.nobody | default('there') }}", "Hi there"),
        ("Hi {{ data.empty | default('there', true) }}", "Hi there"),
        ("Hi{{ data.empty | default('there') }}!", "Hi!"),
        ("Hi {{ 'you' if data.name is none else data.name }}", "Hi you"),
        ("Hi{% if data.name %} {{ data.name }}{% endif %}!", "Hi!"),
        ("{{ data.tags | join(', ') }}", "a, b"),
        ("{{ data.lines | join(', ', attribute='title') }}", "Shoes"),
        ("{{ 'Hi ' ~ (data.name | default('you')) }}", "Hi you"),
    ],
)
def test_default_stands_in_for_null(template: str, shown: str) -> None:
    lines = [{"title": "Shoes"}, {"title": None}]

    assert text(template, name=None, empty="", tags=["a", None, "b"], lines=lines) == shown


@pytest.mark.parametrize(
    "expression",
    [
        *("data.name", "data.name | full", "'Hi ' ~ data.name", "data.name ~ '!'", "'%s' | format(data.name)"),
        *(f"data.name | {name}" for name in AS_TEXT if name not in {"replace", "format"}),
        *(
            "data.name | replace('N', 'M')",
            "'a' | replace('a', data.name)",
            "data.name | money",
            "data.name | local('%H')",
        ),
        *("data.items", "data.first_name.title"),
    ],
)
@pytest.mark.parametrize("channel", [Channel.SMS, Channel.EMAIL])
def test_null_and_what_is_not_there_are_never_printed(expression: str, channel: Channel) -> None:
    with pytest.raises(TemplateError):
        text(f"Hi {{{{ {expression} }}}}", channel, name=None, first_name="Ada")


@pytest.mark.parametrize("name", [one for one in dir({}) if not one.startswith("_")])
def test_a_property_wins_over_a_method_of_its_name(name: str) -> None:
    line = {"title": "Shoes"}

    assert text(f"{{{{ data.{name} }}}}", **{name: "mine"}) == "mine"
    assert text(f"{{% for one in data.{name} %}}{{{{ one.title }}}}{{% endfor %}}", **{name: [line]}) == "Shoes"
    assert text(f"{{{{ data.{name} | default('none') }}}}") == "none"


def test_the_pairs_of_an_object_are_still_there() -> None:
    pairs = "{% for name, one in data.seats.items() %}{{ name }}{{ one }} {% endfor %}{{ data.seats.get('b') }}"

    assert text(pairs, seats={"a": 1, "b": 2}) == "a1 b2 2"


@pytest.mark.parametrize("half", [chr(0xD83D), chr(0xDC00)], ids=["high", "low"])
@pytest.mark.parametrize("channel", [Channel.SMS, Channel.WHATSAPP, Channel.EMAIL])
def test_half_an_emoji_is_left_out(half: str, channel: Channel) -> None:
    assert text("Hi {{ data.name }}!", channel, name=f"Mia{half} M{half}") == "Hi Mia M!"
    assert html("<b>{{ data.name }}</b>", name=f"Mia{half}") == "<b>Mia</b>"
