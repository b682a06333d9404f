"""E-mails when they are checked: MJML becomes HTML, CSS goes into the elements, and Jinja stays as it was written."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authoring.journeys import check, compile_catalogue
from authoring.journeys.inline_css import NotInlinedError, with_inline_css
from authoring.journeys.layouts import Layouts
from authoring.journeys.mjml import html_of
from authoring.journeys.plain_text import plain_text
from cairn.adapters.templates.language import environment
from cairn.adapters.templates.values import MARK

JOURNEY = """\
journey: visit
entry: {event: trial.signup}
steps:
  - id: a
    send: {channel: email, template: a, purpose: transactional}
"""
FRONT = "---\nsubject: Hello {{ data.name }}\npreview: Three things\n---\n"

RECEIPT = """\
<mjml>
  <mj-head>
    {% set greeting = "For you" %}
    <mj-title>{{ data.name }}</mj-title>
    <mj-attributes><mj-all font-family="Arial" /></mj-attributes>
    <mj-style>@media (prefers-color-scheme: dark) { .card { background: #111 !important; } }</mj-style>
  </mj-head>
  <mj-body>
    {% if data.vip is defined %}
    <mj-section css-class="card">
      <mj-column><mj-text>{{ greeting }}, {{ data.name }} &amp; friends</mj-text></mj-column>
    </mj-section>
    {% endif %}
    {% for item in data.items %}
    <mj-section>
      <mj-column>
        {% if item.image is defined %}<mj-image src="{{ item.image }}" alt="{{ item.title | e }}" />{% endif %}
        <mj-text>{{ item.title }}: <b>{{ item.price }}</b>{# a note #}</mj-text>
        <mj-button href="https://example.com/i?id={{ item["id"] | urlencode }}&amp;x=1"
                   background-color="{{ data.color }}">Look</mj-button>
        <mj-table>
          {% for size in item.sizes %}<tr><td>{{ size }}</td></tr>{% endfor %}
        </mj-table>
      </mj-column>
    </mj-section>
    {% else %}
    <mj-section><mj-column><mj-text>Nothing yet</mj-text></mj-column></mj-section>
    {% endfor %}
  </mj-body>
</mjml>
"""


def written(root: Path, body: str, kind: str = "mjml", front: str = FRONT, **files: str) -> Path:
    folder = root / "visit" / "templates"
    folder.mkdir(parents=True, exist_ok=True)
    (root / "visit" / "journey.yaml").write_text(JOURNEY, encoding="utf-8")
    (folder / f"a.email.{kind}").write_text(front + body, encoding="utf-8")
    (root / "_layouts").mkdir(exist_ok=True)
    for name, text in files.items():
        (root / "_layouts" / f"{name}.mjml").write_text(text, encoding="utf-8")
    return root


def compiled(root: Path, body: str, kind: str = "mjml", **files: str) -> dict[str, Any]:
    (journey,) = compile_catalogue(written(root, body, kind, **files))
    parts: dict[str, Any] = journey["templates"]["a.email"]
    return parts


def problems(root: Path) -> list[str]:
    return [str(problem).replace(f"{root}/", "") for problem in check(root)]


def filled(html: str, **data: Any) -> str:
    return MARK.sub("", environment(escape=True).from_string(html).render(data=data, x=1))


ITEMS = [
    {"title": "Shoes", "price": "49", "id": "a b", "sizes": [41, 42], "image": "https://example.com/s.png"},
    {"title": "<Socks>", "price": "5", "id": 2, "sizes": []},
]


def test_an_email_in_mjml_is_html_with_all_that_jinja_says(tmp_path: Path) -> None:
    parts = compiled(tmp_path, RECEIPT)
    html = filled(parts["html"], name="Mia", items=ITEMS, color="#b8481a")

    assert set(parts) == {"subject", "preview", "html", "text"}
    assert (parts["subject"], parts["preview"]) == ("Hello {{ data.name }}", "Three things")
    assert "<mj-" not in html
    assert re.findall(r"(Shoes|&lt;Socks&gt;): <b>(\w+)</b>", html) == [("Shoes", "49"), ("&lt;Socks&gt;", "5")]
    assert html.count("<a href=") == 2
    assert 'href="https://example.com/i?id=a%20b&amp;x=1"' in html
    assert html.count('src="https://example.com/s.png"') == 1
    assert "background:#b8481a" in html
    assert re.findall(r"<td>(\d+)</td>", html) == ["41", "42"]
    assert "For you" not in html
    assert "For you, Mia &amp; friends" in filled(parts["html"], name="Mia", items=[], vip=1, color="red")
    assert "Nothing yet" in filled(parts["html"], name="Mia", items=[], color="red")
    assert "prefers-color-scheme: dark" in html
    assert '<html lang="en"' in html


def test_its_plain_text_is_made_from_it(tmp_path: Path) -> None:
    text = compiled(tmp_path, RECEIPT)["text"]

    assert "{{ item.title }}: {{ item.price }}" in text
    assert 'Look (https://example.com/i?id={{ item["id"] | urlencode }}&x=1)' in text
    assert "<" not in text


def test_mjml_shares_layouts_and_a_value_before_it(tmp_path: Path) -> None:
    column = "<mj-section><mj-column><mj-text>{}</mj-text></mj-column></mj-section>"
    note = column.format("{{ note }}")
    base = f"<mjml><mj-body>{{% block main %}}{{% endblock %}}{note}</mj-body></mjml>"
    body = (
        '{% extends "base.mjml" %}\n{% set note = "Bye" %}\n{% block main %}' + column.format("Hi") + "{% endblock %}"
    )

    html = filled(compiled(tmp_path, body, base=base)["html"])

    assert html.index("Hi") < html.index("Bye")


def test_an_email_is_written_once(tmp_path: Path) -> None:
    written(tmp_path, "<p>x</p>", "html")

    assert problems(written(tmp_path, RECEIPT)) == [
        "visit/templates/a.email.mjml:1: a.email.html is the same e-mail. Keep one of the two."
    ]


COLUMN = "<mjml><mj-body><mj-section>\n<mj-column>{}</mj-column></mj-section></mj-body></mjml>"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("<p>Hello</p>", "5: this is not MJML: it has no <mjml>"),
        ("\n<mj-sction></mj-sction>\n", "6: a template has no <mj-sction>. Did you mean mj-section?"),
        ("\n<mj-include path='x' />", "6: a template has no <mj-include>. Share a file of _layouts"),
        ("\n<mj-preview>x</mj-preview>", "6: a template has no <mj-preview>. Write `preview: …`"),
        ("\n\n  Hello\n", "7: a text that nobody would get. Write it in <mj-text>."),
        ("\n<p>Hello</p>", "6: <p> stands between elements of MJML"),
        ("<mj-section>", "5: not MJML: "),
        (
            COLUMN.replace("{}", '<mj-text colour="{{ data.c }}">x</mj-text>'),
            "6: MJML leaves out {{ data.c }}. MJML keeps Jinja in texts",
        ),
        (COLUMN.replace("{}", '<mj-image src="x" width="{{ data.w }}" />'), "6: MJML leaves out {{ data.w }}"),
        (
            COLUMN.replace("{}", "<mj-social>{% if data.x %}{% endif %}</mj-social>"),
            "6: Jinja cannot stand in <mj-social>",
        ),
        (COLUMN.replace("{}", "<mj-text>{% set x = 1 %}</mj-text>\n<mj-sction />"), "7: a template has no <mj-sction>"),
        ("\n{{ data.x }\n", "6: not Jinja"),
        ("\n{% for a in b %}{% endfor %}", "6: b is not known here"),
    ],
)
def test_a_problem_of_mjml_names_its_line(tmp_path: Path, body: str, found: str) -> None:
    whole = body if body.startswith(("<p>", "<mjml>")) else f"<mjml><mj-body>{body}</mj-body></mjml>"

    problem, *others = problems(written(tmp_path, whole))

    assert all("Jinja cannot stand" in one for one in others)
    assert problem.removeprefix("visit/templates/a.email.mjml:").startswith(found)


TEXTS = st.sampled_from(["{{ x }}", "{% if x %}yes{% endif %}", "a & b", "{# c #}", "{% set y = 1 %}{{ y }}"])
ELEMENTS = st.deferred(
    lambda: st.one_of(
        TEXTS.map(lambda text: f"<mj-text>{text}</mj-text>"),
        TEXTS.map(lambda text: f'<mj-button href="https://example.com/{{{{ x }}}}">{text}</mj-button>'),
        ELEMENTS.map(lambda one: f"{{% for x in [1, 2] %}}{one}{{% endfor %}}"),
        ELEMENTS.map(lambda one: f"{{% if x %}}{one}{{% else %}}<mj-divider />{{% endif %}}"),
    )
)
SECTIONS = st.lists(ELEMENTS, max_size=3).map(
    lambda each: f"<mj-section><mj-column>{''.join(each)}</mj-column></mj-section>"
)


@given(st.lists(SECTIONS | SECTIONS.map(lambda one: f"{{% for x in [3] %}}{one}{{% endfor %}}"), max_size=3))
def test_jinja_survives_between_elements_in_texts_and_in_attributes(sections: list[str]) -> None:
    body = f"<mjml><mj-body>{''.join(sections)}</mj-body></mjml>"
    html = html_of(Layouts(Path("none")).resolved(body, Path("a"), 1))

    tags = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")
    assert tags.findall(html) == tags.findall(body)
    assert filled(html)


# CSS.

STYLED = """\
<!doctype html>
<html lang="en"><head><title>{{ data.name }}</title>
<style>
  /* colours { of ours } */
  .button { color: white; background: {{ data.color }} }
  p, td { margin: 0 }
  a:hover { color: red }
  @media (prefers-color-scheme: dark) { .button { color: black; background: #eee !important } p { color: white } }
  @media (max-width: 480px) { .button { display: block } }
  @font-face { font-family: Own; src: url(https://example.com/own.woff2) }
</style></head>
<body><p>Hello {{ data.name }}, “you” &amp; {% if data.b is defined %}<b>{{ data.b }}</b>{% endif %}</p>
<table>{% for one in data.rows %}<tr><td>{{ one }}</td></tr>{% endfor %}</table>
<a class="button" href="https://example.com/?a={{ data.rows[0] | e }}&amp;b={{ data["b"] | default('') }}">Go</a>
<!--[if mso]><i>{{ data.name }}</i><![endif]-->
</body></html>"""


def test_css_is_in_the_elements_and_jinja_as_it_was() -> None:
    html = filled(with_inline_css(STYLED), name="Mia", color="#b8481a", rows=[1, 2])

    link = '<a class="button" href="https://example.com/?a=1&amp;b=" style="color: white;background: #b8481a;">Go</a>'
    assert link in html
    assert html.count('<td style="margin: 0;">') == 2
    assert re.search(r"<table>\s*<tbody>\s*<tr>", html) or re.search(r"<table>\s*<tr>", html)
    assert "Hello Mia, “you” &amp; </p>" in html
    assert "<!--[if mso]><i>Mia</i><![endif]-->" in html
    assert "{" not in re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)


def test_what_no_element_can_have_stays_and_wins_over_the_elements() -> None:
    (style,) = re.findall(r"<style>(.*?)</style>", with_inline_css(STYLED), re.DOTALL)

    assert "a:hover { color: red !important }" in style
    assert "color: black !important; background: #eee !important }" in style
    assert "p { color: white !important }" in style
    assert "display: block !important" in style
    assert "src: url(https://example.com/own.woff2) }" in style
    assert ".button { color: white" not in style
    assert "data-css-inline" not in with_inline_css(STYLED)


def test_an_email_without_css_stays_as_it_is_written() -> None:
    html = "<p>Hello{% if x %} {{ x }}{% endif %},<br>you"

    assert with_inline_css(html) == html


def test_a_fragment_gets_no_document_around_it() -> None:
    assert with_inline_css("<style>p { margin: 0 } a:hover { color: red }</style><p>{{ x }}</p>") == (
        '<style>a:hover { color: red !important }</style><p style="margin: 0;">{{ x }}</p>'
    )


def test_a_style_on_which_jinja_decides_stays_whole() -> None:
    html = "<style>{% if x %}p { margin: 0 }{% endif %}</style><style media='print'>b { top: 0 }</style><p>x</p>"

    made = with_inline_css(html)
    assert "{% if x %}p { margin: 0 }{% endif %}" in made
    assert "b { top: 0 }" in made
    assert "<p>x</p>" in made


@pytest.mark.parametrize(
    "body",
    [
        '<p class="a{% if x %} b{% endif %}">x</p>',
        '<p id="{{ x }}">x</p>',
        '<p {% if x %}class="a"{% endif %}>x</p>',
        '<p style="{% if x %}top: 0{% endif %}">x</p>',
        "{% if x %}<div>{% else %}<div class='a'>{% endif %}x</div>",
    ],
)
def test_where_jinja_decides_on_what_a_rule_applies_to_css_stays_as_it_is_written(tmp_path: Path, body: str) -> None:
    html = f"<style>.a {{ margin: 0 }} .b {{ top: 0 }}</style>{body}"

    with pytest.raises(NotInlinedError):
        with_inline_css(html)
    root = written(tmp_path, html.replace("if x", "if data.x").replace("{{ x }}", "{{ data.x }}"), "html")
    assert problems(root) == []
    assert "<style>.a" in compile_catalogue(root)[0]["templates"]["a.email"]["html"]


HTML = st.deferred(
    lambda: st.one_of(
        TEXTS.map(lambda text: f"<p class='a'>{text}</p>"),
        TEXTS.map(lambda text: f"<table>{{% for x in [1] %}}<tr><td>{text}</td></tr>{{% endfor %}}</table>"),
        HTML.map(lambda one: f"<div class='b'>{{% if x %}}{one}{{% endif %}}</div>"),
        HTML.map(lambda one: f"{{% for x in [1, 2] %}}{one}<br>{{% endfor %}}"),
    )
)


@given(st.lists(HTML, max_size=4).map("".join), st.booleans())
def test_jinja_and_the_plain_text_survive_the_css(body: str, whole: bool) -> None:  # noqa: FBT001
    html = f"<style>.a {{ margin: 0 }} .b .a, td {{ top: 0 }}</style>{body}"
    html = f"<!doctype html><html><head></head><body>{html}</body></html>" if whole else html

    made = with_inline_css(html)

    tags = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}")
    assert tags.findall(made) == tags.findall(html)
    assert plain_text(made) == plain_text(html)
    assert made.count("margin: 0;") == body.count("<p class='a'>")
