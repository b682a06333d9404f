"""Layouts and partials are written into each template when it is checked, as Jinja itself would put them together."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader, Environment, StrictUndefined

from authoring.journeys import check, compile_catalogue
from authoring.journeys.layouts import Layouts

NAMES = ("head", "main", "foot")
DASHES = st.sampled_from(["", "-"])
WORDS = st.sampled_from(
    [
        "a",
        " b ",
        "\n",
        "\nc\n",
        "{{ x }}",
        "{{- x -}}",
        " {%- if x -%} z {% endif -%}",
        "{# note #}",
        "{% if x %} y {% endif %}",
        "{% raw %}{{{% endraw %}",
    ]
)


def tag(text: str) -> st.SearchStrategy[str]:
    return st.tuples(DASHES, DASHES).map(lambda ends: f"{{%{ends[0]} {text} {ends[1]}%}}")


def block(name: str, inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(tag(f"block {name}"), inside, tag("endblock")).map("".join)


TEXTS = st.lists(WORDS, max_size=3).map("".join)
PARTIALS = st.sampled_from(["", '{% include "partial.html" %}', '{%- include "partial.html" -%}'])
SUPERS = st.sampled_from(["", "{{ super() }}", "{{- super() -}}", "{{ super() }}{{ super() }}"])
BODIES = st.tuples(TEXTS, PARTIALS, TEXTS).map("".join)
OWN = st.tuples(TEXTS, SUPERS, PARTIALS, TEXTS).map("".join)
NESTED = st.tuples(BODIES, block("nested", BODIES), BODIES).map("".join)


@st.composite
def families(draw: st.DrawFn) -> dict[str, str]:
    """A partial, a layout, one that extends it, and a template."""
    parts = [draw(BODIES)]
    for name in NAMES:
        parts += [draw(block(name, NESTED if name == "main" else BODIES)), draw(BODIES)]
    middle = "".join(draw(block(name, OWN)) for name in NAMES if draw(st.booleans()))
    template = "\n".join(draw(block(name, OWN)) for name in (*NAMES, "nested") if draw(st.booleans()))
    above = draw(st.sampled_from(["base.html", "middle.html"]))
    return {
        "partial.html": draw(TEXTS),
        "base.html": "".join(parts),
        "middle.html": '{% extends "base.html" %}' + middle,
        "template.html": f'{{% extends "{above}" %}}{{% set x = 1 %}}\n' + template,
    }


def shared(root: Path, files: dict[str, str]) -> Path:
    folder = root / "_layouts"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder


def by_jinja(files: dict[str, str], **data: Any) -> str:
    jinja = Environment(loader=DictLoader(files), undefined=StrictUndefined)  # noqa: S701  texts
    return jinja.get_template("template.html").render(data)


class Files(Layouts):
    """Layouts in memory."""

    def __init__(self, files: dict[str, str]) -> None:
        super().__init__(Path("_layouts"))
        self._files = files

    def names(self) -> list[str]:
        return sorted(self._files)

    def text(self, name: str) -> str:
        return self._files[name]


def resolved(files: dict[str, str], **data: Any) -> str:
    made = Files(files).resolved(files["template.html"], Path("template.html"), 1)
    assert made.problems == ()
    return Environment(undefined=StrictUndefined).from_string(made.text).render(data)  # noqa: S701


@given(families())
def test_a_template_is_put_together_as_jinja_would(files: dict[str, str]) -> None:
    assert resolved(files, x=1).strip() == by_jinja(files, x=1).strip()


@given(st.lists(WORDS | tag("set y = 1") | st.just("{% macro m() %}n{% endmacro %}"), max_size=6).map("".join))
def test_a_template_that_shares_nothing_stays_as_it_is_written(body: str) -> None:
    assert Layouts(Path("nowhere")).resolved(body, Path("a"), 1).text == body


def test_macros_are_imported_by_name_and_by_another_name() -> None:
    files = {
        "macros.html": "{% macro link(url) %}[{{ url }}]{% endmacro %}"
        "{% macro button(url) %}({{ link(url) }}){% endmacro %}\nnote",
        "base.html": '{% from "macros.html" import link %}{{ link("top") }}{% block main %}{% endblock %}',
        "template.html": '{% extends "base.html" %}{% from "macros.html" import button as big %}'
        '{% block main %}{{ big("a") }}{% endblock %}',
    }

    assert resolved(files) == by_jinja(files) == "[top]([a])"


def test_a_value_inside_of_a_macro_is_its_own() -> None:
    one = "{{% macro {0}() %}}{{% set y = '{0}' %}}{{{{ y }}}}{{% endmacro %}}"
    imports = '{% from "m.html" import m %}{% from "n.html" import n %}'
    files = {"m.html": one.format("m"), "n.html": one.format("n"), "template.html": imports + "{{ m() }}{{ n() }}"}

    assert resolved(files) == by_jinja(files) == "mn"


def test_a_partial_sees_the_loop_around_it() -> None:
    files = {"row.html": "{{ one }};", "template.html": '{% for one in x %}{% include "row.html" %}{% endfor %}'}

    assert resolved(files, x=[1, 2]) == by_jinja(files, x=[1, 2]) == "1;2;"


JOURNEY = """\
journey: visit
entry: {event: trial.signup}
steps:
  - id: a
    send: {channel: email, template: a, purpose: transactional}
"""
FRONT = "---\nsubject: Hello\n---\n"
BASE = "<h1>Northside</h1>\n{% block main %}\nHello\n{% endblock %}\n<p>Bye</p>\n"


def written(root: Path, body: str, **files: str) -> Path:
    (root / "visit" / "templates").mkdir(parents=True, exist_ok=True)
    (root / "visit" / "journey.yaml").write_text(JOURNEY, encoding="utf-8")
    (root / "visit" / "templates" / "a.email.html").write_text(FRONT + body, encoding="utf-8")
    shared(root, {f"{name}.html": text for name, text in ({"base": BASE} | files).items()})
    return root


def problems(root: Path) -> list[str]:
    return [str(problem).replace(f"{root}/", "") for problem in check(root)]


def test_a_version_has_its_layout_and_changes_with_it(tmp_path: Path) -> None:
    body = '{% extends "base.html" %}\n{% block main %}<p>Hi {{ customer }}</p>{% endblock %}'
    (before,) = compile_catalogue(written(tmp_path, body))
    (after,) = compile_catalogue(written(tmp_path, body, base=BASE.replace("Bye", "So long")))

    html = before["templates"]["a.email"]["html"]
    assert html == "<h1>Northside</h1>\n<p>Hi {{ customer }}</p>\n<p>Bye</p>"
    assert before["templates"]["a.email"]["text"] == "Northside\n\nHi {{ customer }}\n\nBye"
    assert before["version"] != after["version"]


@pytest.mark.parametrize(
    ("body", "files", "found"),
    [
        (
            '{% extends "base.html" %}\n{% block main %}{{ nme }}{% endblock %}',
            {},
            ["visit/templates/a.email.html:5: nme is not known here"],
        ),
        ('\n{% include "part.html" %}', {"part": "a\n{{ nme }}"}, ["_layouts/part.html:2: nme is not known here"]),
        (
            '{% include "part.html" %}',
            {"part": "<a href='ftp://x'>x</a>"},
            ["_layouts/part.html:1: an e-mail has no link with ftp"],
        ),
        ('{% include "part.html" %}\n{% if %}', {"part": "a\nb"}, ["visit/templates/a.email.html:5: not Jinja"]),
        (
            '{% include "part.html" %}',
            {"part": "\n{{ 1 | plural(one='x', other='y', two='z') }}"},
            ["_layouts/part.html:2: English has no form two"],
        ),
        (
            '\n{% extends "bsae.html" %}',
            {},
            ["visit/templates/a.email.html:5: _layouts has no file bsae.html in UTF-8. Did you mean base.html?"],
        ),
        (
            '{% include "../visit/journey.yaml" %}',
            {},
            ["visit/templates/a.email.html:4: _layouts has no file ../visit/journey.yaml"],
        ),
        ("{% include data.part %}", {}, ["visit/templates/a.email.html:4: include names one file, in quotes"]),
        (
            '{% include ["a", "b"] ignore missing %}',
            {},
            ["visit/templates/a.email.html:4: include names one file, in quotes"],
        ),
        ('{% import "base.html" as b %}', {}, ["visit/templates/a.email.html:4: import … as is not known"]),
        (
            '{% from "base.html" import b %}',
            {},
            ["visit/templates/a.email.html:4: base.html has no macro b. It has none."],
        ),
        (
            '{% extends "base.html" %}\n{# a #}\n{# b #}Hello{% block main %}{% endblock %}',
            {},
            ["visit/templates/a.email.html:5: this stands outside of the blocks"],
        ),
        (
            '{% extends "base.html" %}{% block mian %}x{% endblock %}',
            {},
            ["visit/templates/a.email.html:4: the layout has no block mian. Did you mean main?"],
        ),
        (
            '{% extends "base.html" %}\n\nHello',
            {},
            ["visit/templates/a.email.html:6: this stands outside of the blocks"],
        ),
        (
            '{% extends "base.html" %}{% block main %}x',
            {},
            ["visit/templates/a.email.html:4: the block main does not end"],
        ),
        (
            "{% block a %}x{% endblock %}\n{% block a %}y{% endblock %}",
            {},
            [
                "visit/templates/a.email.html:4: there are two blocks a",
                "visit/templates/a.email.html:5: there are two blocks a",
            ],
        ),
        (
            '{% include "a.html" %}',
            {"a": '\n{% include "b.html" %}', "b": '{% include "a.html" %}'},
            ["_layouts/b.html:1: a.html contains itself"],
        ),
        (
            "{% block a %}{{ super() }}x{% endblock %}",
            {},
            ["visit/templates/a.email.html:4: there is nothing above this block"],
        ),
        (
            '{% extends "r.html" %}',
            {"r": "x{% block a required %}{% endblock %}"},
            ["_layouts/r.html:1: a template has no block a"],
        ),
        (
            '{% from "m.html" import b %}{% from "n.html" import c %}{{ b() }}{{ c() }}',
            {
                "m": "{% macro b() %}1{% endmacro %}",
                "n": "{% macro b() %}2{% endmacro %}{% macro c() %}{{ b() }}{% endmacro %}",
            },
            ["visit/templates/a.email.html:4: n.html brings a second b. Give one of them another name"],
        ),
        (
            '{% extends "c.html" %}{% block a %}{% block b %}{{ super() }}{% endblock %}{% endblock %}',
            {"c": "{% block b %}{% block a %}{% endblock %}{% endblock %}"},
            ["visit/templates/a.email.html:4: the block b contains itself"],
        ),
    ],
)
def test_a_problem_names_the_file_and_line_in_which_it_was_written(
    tmp_path: Path, body: str, files: dict[str, str], found: list[str]
) -> None:
    found_there = problems(written(tmp_path, body, **files))

    assert [one[: len(start)] for one, start in zip(found_there, found, strict=True)] == found


def test_a_file_that_is_not_utf_8_is_a_problem(tmp_path: Path) -> None:
    root = written(tmp_path, '{% include "base.html" %}')
    (root / "_layouts" / "base.html").write_bytes(b"\xff")

    assert problems(root)[0].startswith("visit/templates/a.email.html:4: _layouts has no file base.html in UTF-8")


def test_a_subject_shares_nothing(tmp_path: Path) -> None:
    root = written(tmp_path, "<p>Hello</p>")
    (root / "visit" / "templates" / "a.email.html").write_text(
        "---\nsubject: '{% include \"base.html\" %}'\n---\nHello", encoding="utf-8"
    )

    assert problems(root)[0].startswith("visit/templates/a.email.html:2: subject: nothing can be included")


PAGE = (
    '{% extends "cairn/page.mjml" %}{% block brand %}Harbour{% endblock %}'
    "{% block main %}<mj-text>Hello</mj-text>{% endblock %}{% block footer %}Quay Street{% endblock %}"
)


def test_a_layout_that_cairn_brings_is_found_and_one_of_the_same_name_comes_first(tmp_path: Path) -> None:
    brought = Layouts(tmp_path).resolved(PAGE, Path("t.mjml"), 1)
    (tmp_path / "cairn").mkdir()
    (tmp_path / "cairn/page.mjml").write_text("<mjml>{% block main %}{% endblock %}</mjml>", encoding="utf-8")
    own = Layouts(tmp_path).resolved(
        PAGE.partition("{% block brand")[0] + PAGE[PAGE.index("{% block main") :][:62], Path("t.mjml"), 1
    )

    assert brought.problems == ()
    assert all(text in brought.text for text in ("Harbour", "<mj-text>Hello</mj-text>", "Quay Street", "color-scheme"))
    assert own.text == "<mjml><mj-text>Hello</mj-text></mjml>"


def test_a_layout_that_cairn_brings_is_asked_for_its_blocks(tmp_path: Path) -> None:
    (problem, *_) = Layouts(tmp_path).resolved('{% extends "cairn/page.mjml" %}', Path("t.mjml"), 1).problems

    assert "a template has no block brand" in str(problem)
