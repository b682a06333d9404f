"""Writes an e-mail's CSS into its elements, since some mail programs read no `<style>`."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from css_inline import CSSInliner, InlineError

from authoring.journeys.hidden import PLACEHOLDER, Hidden

STYLE = re.compile(r"<style\b([^>]*)>(.*?)</style>", re.DOTALL | re.IGNORECASE)
RAW = re.compile(r"<(style|script|title|textarea)\b.*?</\1>|<!--.*?-->", re.DOTALL | re.IGNORECASE)
TAG = re.compile(r"""<[a-zA-Z/!](?:"[^"]*"|'[^']*'|[^"'<>])*>""")
QUOTED = re.compile(r"""([\w:-]+)\s*=\s*("[^"]*"|'[^']*')""")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
DECLARATION = re.compile(r"([^{};]+:[^{};]*?[^{};\s])(?:\s*!important)?(?=\s*[;}])")
LEFT_ALONE = 'data-css-inline="ignore"'
"""The attribute by which the inliner leaves a `<style>` as it is."""

WHOLE = re.compile(r"<(?:!doctype|html|body)\b", re.IGNORECASE)

IMPLIED = frozenset(
    ("html", "head", "body", "tbody", "thead", "tfoot", "colgroup", "p", "li", "tr", "td", "th", "dt", "dd", "option")
)
"""Elements that a parser opens or closes by itself."""


class NotInlinedError(Exception):
    """The CSS cannot be inlined, for this reason."""


def with_inline_css(html: str) -> str:
    """The HTML, with the rules of its `<style>` in the elements.

    Media queries, dark mode and `:hover` stay in the `<style>`. Its declarations become important,
    or the ones in the elements would win. Raises NotInlinedError.
    """
    if not STYLE.search(html):
        return html
    hidden = Hidden(html)
    _check(hidden)
    goes: list[str] = []
    prepared = STYLE.sub(lambda found: _divided(found, hidden, goes), hidden.text)
    raw = [found.span() for found in RAW.finditer(prepared)]
    tags = [found.span() for found in TAG.finditer(prepared)]
    prepared = PLACEHOLDER.sub(lambda found: _in_text(found, [*raw, *tags]), prepared)
    try:
        css = "\n".join(goes)
        inliner = CSSInliner(keep_style_tags=True, load_remote_stylesheets=False, extra_css=css)
        made = inliner.inline(prepared) if WHOLE.search(prepared) else inliner.inline_fragment(prepared, css)
    except InlineError as error:
        raise NotInlinedError(str(error)) from error
    if _shape(made) != _shape(prepared):
        raise NotInlinedError("a tag is opened in one branch of Jinja and closed in another")
    made = made.replace(f"<style {LEFT_ALONE}", "<style")
    return hidden.shown(re.sub(rf"<!--({PLACEHOLDER.pattern})-->", r"\1", made))


def _check(hidden: Hidden) -> None:
    """Raises NotInlinedError where Jinja decides on what a rule applies to."""
    for tag in TAG.finditer(RAW.sub("", hidden.text)):
        for name, value in QUOTED.findall(tag[0]):
            statements = [one for one in PLACEHOLDER.finditer(value) if hidden.tag(one).startswith("{%")]
            if statements and name.lower() == "style":
                raise NotInlinedError("a style attribute has a {% … %}")
            if PLACEHOLDER.search(value) and name.lower() in {"class", "id"}:
                raise NotInlinedError(f"a {name.lower()} depends on a value")
        if PLACEHOLDER.search(QUOTED.sub("", tag[0])):
            raise NotInlinedError("a tag has Jinja between its attributes")


def _divided(style: re.Match[str], hidden: Hidden, goes: list[str]) -> str:
    """The `<style>` that stays; what goes into elements is added to `goes`.

    One that Jinja decides on, or of some media, stays whole.
    """
    attributes, css = style[1], COMMENT.sub("", style[2])
    if "media" in attributes or any(hidden.tag(one).startswith("{%") for one in PLACEHOLDER.finditer(css)):
        return f"<style {LEFT_ALONE}{attributes}>{style[2]}</style>"
    stays: list[str] = []
    for rule in _rules(css):
        if rule.startswith("@") or ":" in rule.partition("{")[0]:
            stays.append(_important(rule))
        else:
            goes.append(rule)
    return f"<style {LEFT_ALONE}{attributes}>{chr(10).join(stays)}</style>" if stays else ""


def _rules(css: str) -> Iterator[str]:
    """The rules of a style sheet, each whole."""
    depth, begun = 0, 0
    for found in re.finditer(r"""[{};]|"[^"]*"|'[^']*'""", css):
        depth += (found[0] == "{") - (found[0] == "}")
        if depth == 0 and found[0] in "};":
            if rule := css[begun : found.end()].strip():
                yield rule
            begun = found.end()


def _important(rule: str) -> str:
    if rule.startswith("@") and not rule.startswith(("@media", "@supports")):
        return rule
    head, brace, body = rule.partition("{")
    return head + brace + DECLARATION.sub(r"\1 !important", body)


def _in_text(found: re.Match[str], elsewhere: list[tuple[int, int]]) -> str:
    """A placeholder between tags is a comment, which may stand anywhere, also between the rows of a table."""
    inside = any(begin <= found.start() < end for begin, end in elsewhere)
    return found[0] if inside else f"<!--{found[0]}-->"


def _shape(html: str) -> list[str]:
    """The tags in their order, but for those that a parser adds."""
    reader = _Tags()
    reader.feed(STYLE.sub("", html))
    reader.close()
    return reader.seen


class _Tags(HTMLParser):
    VOID = frozenset(("br", "img", "hr", "meta", "link", "input", "col", "wbr", "area", "base", "source", "embed"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag not in IMPLIED:
            self.seen.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in IMPLIED | self.VOID:
            self.seen.append(f"/{tag}")

    def handle_comment(self, data: str) -> None:
        if PLACEHOLDER.fullmatch(data):
            self.seen.append(data)
