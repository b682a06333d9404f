"""The values that a template fills in: people and vendors write them, and they go out in the brand's name.

Jinja's `finalize` marks each value. So the rendered text still shows which part is a value, and
`Fitting` can look at a value together with what stands around it (`https://pay.example.com/{{ … }}`).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import wraps
from html import unescape
from math import isfinite
from typing import Any, Literal

from jinja2 import StrictUndefined, Template, Undefined, UndefinedError, nodes, pass_eval_context
from jinja2.filters import do_join, make_attrgetter
from jinja2.nodes import EvalContext
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from cairn.domain.message.links import HOST_SHAPE, SCHEME, Hosts, fit_word, is_link, looks_like_host, separated
from cairn.domain.shared.errors import ForeignLinkError
from cairn.domain.shared.text import one_line, shortened, without_controls

VALUE, FULL_VALUE, END = "\ufdd0", "\ufdd1", "\ufdd2"
"""Around a value. No text has these characters: Unicode keeps them for a program's own use (23.7, noncharacters)."""

MARK = re.compile(f"([{VALUE}{FULL_VALUE}{END}])")

LONGEST_VALUE = 30
"""Characters of a value in SMS, WhatsApp and push, unless it has the filter `full`. As many as India allows for a
variable of a registered text (TCCCPR 2018, as amended on 12 February 2025)."""

LONGEST_IN_SUBJECT = 80
"""The same in an e-mail's subject and preview, of which mail clients show little more."""

FULL = "full"

WORD_ENDS = re.compile(r"(\s+)")
WORD_ENDS_IN_HTML = re.compile(r"""([\s"'<>]+)""")

OWN_HOST = re.compile(rf"(?:https?://|(?<![\w@./-]))({HOST_SHAPE})(?!\.?[\w@-])", re.IGNORECASE)
"""A host in a template's own text, with a scheme or without."""

INCOMPLETE = re.compile(r"[\w@.-]+$")
"""What an expression continues."""

LINK_BEFORE = 2048
"""Characters before a value in which its link may begin."""

EMAIL_SCHEMES = frozenset({"https", "http", "mailto", "tel"})
"""The links that an e-mail may have."""

LINKING = re.compile(
    r"""(?<![a-z])(href|src|action|formaction|background|poster|cite|data|srcset)\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+)""",
    re.IGNORECASE,
)
"""An attribute that links or loads. Text that only looks like one is taken for one, too."""

SRCSET = "srcset"
"""The attribute with several targets."""

SCHEME_OF = re.compile(r"([a-z][a-z0-9+.\-]*):")

Layout = Literal["line", "text", "html"]
"""Where values go: a text on one line, plain text with line breaks, or HTML."""


class Full(str):
    """A value that keeps its length."""

    __slots__ = ()


def full(value: Any) -> Any:
    """The filter that lifts the cap on a value's length, and nothing else."""
    return value if isinstance(value, Markup) else Full(_text(value))


def marked(value: Any) -> Any:
    """A value with marks around it; Jinja calls this for every expression that prints. A number needs none.

    Raises UndefinedError for what has no text: null, true and false, lists and objects, a method of Python's.
    """
    text = _text(value)
    if isinstance(value, int | float):
        return text
    if MARK.search(text):  # put together by a macro or a block of the template, whose values have their marks
        return value
    around = f"{FULL_VALUE if isinstance(value, Full) else VALUE}{text}{END}"
    return Markup(around) if isinstance(value, Markup) else around  # noqa: S704  it was markup before


def without_marks(value: Any) -> Any:
    """Variables in which nobody has written a mark."""
    if isinstance(value, str):
        return MARK.sub("", value)
    if isinstance(value, Mapping):
        return {without_marks(name): without_marks(one) for name, one in value.items()}
    return [without_marks(one) for one in value] if isinstance(value, list | tuple) else value


NOTHING_TO_PRINT = "null has no text: guard it with default"
NO_TEXT = "true, false, lists and objects have no text: ask with if, go through them with for, or join them"

STRING = "string"

AS_TEXT = (
    *("capitalize", "center", "e", "escape", "forceescape", "format", "indent", "lower", "replace", "safe", STRING),
    *("striptags", "title", "trim", "truncate", "upper", "urlencode", "urlize", "wordwrap"),
)
"""Jinja's filters that make a text of what they get, as Python writes it."""


AS_PYTHON = ("pprint", "xmlattr")
"""Jinja's filters that show a value as Python writes it, which templates do not have."""


def _is_missing(value: Any) -> bool:
    """Null; or a method of Python's, where a property of that name is not there (`data.items`)."""
    return value is None or (callable(value) and not isinstance(value, Undefined | Macro))


def number_text(value: float) -> str:
    """As people write numbers: `3`, `0.0000001`; never `3.0` or `1e-07`. Raises UndefinedError where it is none."""
    if isinstance(value, bool) or not isfinite(value):
        raise UndefinedError(NO_TEXT)
    if isinstance(value, int):
        return str(value)
    return str(int(value)) if value.is_integer() else f"{Decimal(repr(value)):f}"


def _text(value: Any) -> str:
    """The text of a value; markup stays markup. Raises UndefinedError where it has none."""
    if _is_missing(value):
        raise UndefinedError(NOTHING_TO_PRINT)
    if isinstance(value, int | float):
        return number_text(value)
    if not isinstance(value, str | Undefined):
        raise UndefinedError(NO_TEXT)
    return value if isinstance(value, str) else str(value)  # the text of a missing name is an error


class _Number(float):
    """A number for a format, which prints it as we do where it says `%s`."""

    __slots__ = ()

    def __str__(self) -> str:
        return number_text(float(self))


def _formatted(value: Any) -> Any:
    """A value for a format."""
    text = _text(value)
    return _Number(value) if isinstance(value, float) else value if isinstance(value, int) else text


def _with_default(value: Any, default_value: Any = "", boolean: bool = False) -> Any:  # noqa: FBT001, FBT002  Jinja's own
    """Jinja's filter, for which null is a missing value, too."""
    missing = isinstance(value, Undefined) or _is_missing(value) or (boolean and not value)
    return default_value if missing else value


def _present(value: Any) -> Any:
    """The value itself. Raises UndefinedError where there is none."""
    if _is_missing(value):
        raise UndefinedError(NOTHING_TO_PRINT)
    return value


def _texts(value: Any) -> Any:
    """The text of a value, or those of an object or a list of pairs, from which `urlencode` makes a query."""
    if isinstance(value, Mapping):
        return {name: _text(one) for name, one in value.items()}
    return [(name, _text(one)) for name, one in value] if isinstance(value, list | tuple) else _text(value)


def _of_values(filter_: Any, each: Callable[[Any], Any] = _text, others: Callable[[Any], Any] = _present) -> Any:
    """A filter that gets its value as a text. Its further arguments may be anything but null."""
    before = 1 if hasattr(filter_, "jinja_pass_arg") else 0

    @wraps(filter_)
    def checked(*args: Any, **kwargs: Any) -> Any:
        return filter_(*args[:before], each(args[before]), *map(others, args[before + 1 :]), **kwargs)

    return checked


@pass_eval_context
def _joined(context: EvalContext, value: Any, d: str = "", attribute: str | int | None = None) -> Any:
    """Jinja's filter, which leaves null out."""
    items = value if attribute is None else map(make_attrgetter(context.environment, attribute), value)
    return do_join(context, [_text(one) for one in items if not _is_missing(one)], d)


class Sandbox(ImmutableSandboxedEnvironment):
    """Sandboxed, strict about missing names, and with every value marked. A property wins over a method of its name.

    So `data.items` is the list of a cart, and `data.items()` the pairs of an object that has no `items` of its own.
    """

    def __init__(self, *, escape: bool) -> None:
        super().__init__(autoescape=escape, undefined=StrictUndefined, keep_trailing_newline=False, finalize=marked)
        own = {name: self.filters[name] for name in AS_TEXT}
        self.filters |= {name: _of_values(filter_) for name, filter_ in own.items()}
        self.filters |= {name: _of_values(own[name], _text, _formatted) for name in ("format", "replace")}
        self.filters |= {"urlencode": _of_values(own["urlencode"], _texts)}
        self.filters |= {"default": _with_default, "d": _with_default, "join": _joined, FULL: full}
        for name in AS_PYTHON:
            del self.filters[name]

    intercepted_binops = frozenset("%")

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """`%`, which fills in a text, too."""
        if isinstance(left, str):
            right = tuple(map(_formatted, right)) if isinstance(right, tuple) else _formatted(right)
        return super().call_binop(context, operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        """As Jinja does, with each part of a `~` made a text by the filter that knows null."""
        for concatenated in source.find_all(nodes.Concat):
            concatenated.nodes = [
                nodes.Filter(one, STRING, [], [], None, None, lineno=one.lineno, environment=self)
                for one in concatenated.nodes
            ]
        return super()._generate(source, *args, **kwargs)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A template, with the hosts that its own text names."""

    template: Template
    hosts: frozenset[str]

    @classmethod
    def of(cls, text: str, jinja: ImmutableSandboxedEnvironment) -> "Compiled":
        tree = jinja.parse(text)
        hosts = frozenset(found[1].lower() for own in _own_texts(tree) for found in OWN_HOST.finditer(own))
        return cls(jinja.from_string(tree), hosts)


def _own_texts(tree: nodes.Template) -> Iterator[str]:
    """The template's own text. A host that an expression continues is not complete, and so not named."""
    for output in tree.find_all(nodes.Output):
        for node, following in zip(output.nodes, [*output.nodes[1:], None], strict=True):
            if isinstance(node, nodes.TemplateData):
                yield INCOMPLETE.sub("", node.data) if following else node.data
    for constant in tree.find_all(nodes.Const):
        if isinstance(constant.value, str):
            yield constant.value


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    is_value: bool
    is_full: bool = False


@dataclass(frozen=True, slots=True)
class Fitting:
    """How the values of one text are made fit to be sent."""

    layout: Layout
    longest: int
    """Characters of a value on one line."""
    hosts: Hosts
    """The hosts that the template, the journey and the policy name."""
    own_links: frozenset[str] = frozenset()
    """The reader's own links, which we made."""

    def fit(self, filled: str) -> str:
        """The text with fit values and without marks. Raises ForeignLinkError.

        A link inside a value is left out where nobody named its host. Where the value is such a link and nothing else,
        the message is of no use without it, so it is not sent. The same holds for a link of the template that a value
        turned into another.
        """
        words: list[list[_Piece]] = [[]]
        ends: list[str] = []
        before = ""
        for piece in _pieces(filled):
            fit = self._piece(piece, before)
            before = (before + fit.text)[-LINK_BEFORE:]
            first, *others = self._ends.split(fit.text)
            words[-1].append(_Piece(first, fit.is_value))
            for end, word in zip(others[::2], others[1::2], strict=True):
                ends.append(end)
                words.append([_Piece(word, fit.is_value)])
        joined = [self._joined([piece for piece in word if piece.text]) for word in words]
        return "".join(part for pair in zip(joined, [*ends, ""], strict=True) for part in pair)

    @property
    def _ends(self) -> re.Pattern[str]:
        return WORD_ENDS_IN_HTML if self.layout == "html" else WORD_ENDS

    def _piece(self, piece: _Piece, before: str) -> _Piece:
        if not piece.is_value or unescape(piece.text) in self.own_links:
            return _Piece(piece.text, is_value=False)
        text = one_line(piece.text) if self.layout == "line" else without_controls(piece.text)
        seen = self._seen(text).strip()
        if is_link(seen) and not re.search(r"\s", seen):
            if not self.hosts.allow(seen):
                raise ForeignLinkError(seen)
            return _Piece(text, is_value=True)
        in_link = SCHEME in self._ends.split(before)[-1]
        text = self._without_foreign_links(text, in_link=in_link)
        capped = self.layout == "line" and not piece.is_full and not in_link
        while capped and text != (text := self._without_foreign_links(shortened(text, self.longest))):
            pass  # what a cut has left of an address may look like a host
        return _Piece(text, is_value=True)

    def _without_foreign_links(self, text: str, *, in_link: bool = False) -> str:
        """The value word by word. In a link of the template, the first word is checked with the whole link, later."""
        words = self._ends.split(text)
        for index in range(2 if in_link else 0, len(words), 2):
            words[index] = self._fit_word(words[index])
        fit = "".join(words)
        return " ".join(fit.split()) if self.layout == "line" and fit != text else fit

    def _fit_word(self, word: str) -> str:
        seen = self._seen(word)
        fit = fit_word(seen, self.hosts)
        if self.layout != "html":
            return fit
        if fit == seen:
            return word
        apart = separated(word)  # escaped, as it was
        return apart if fit and not any(looks_like_host(self._seen(one)) for one in apart.split(" ")) else ""

    def _joined(self, pieces: list[_Piece]) -> str:
        """A word. The template's own text and a value together must not be a foreign link, either."""
        word = "".join(piece.text for piece in pieces)
        if len(pieces) < 2 or not any(piece.is_value for piece in pieces):  # noqa: PLR2004  nothing was put together
            return word
        seen = self._seen(word).removeprefix("mailto:")
        if is_link(seen):
            if not self.hosts.allow(seen):
                raise ForeignLinkError(seen)
            return word
        return word if fit_word(seen, self.hosts) == seen else separated(word)

    def _seen(self, text: str) -> str:
        return unescape(text) if self.layout == "html" else text


def _pieces(filled: str) -> Iterator[_Piece]:
    """The template's own text and the values; all of it is one value where a filter over a block has mixed up marks."""
    texts, marks = MARK.split(filled)[::2], MARK.findall(filled)
    if any((mark == END) is (index % 2 == 0) for index, mark in enumerate(marks)):
        yield _Piece("".join(texts), is_value=True)
        return
    for begin, text in zip([END, *marks], texts, strict=True):
        if text:
            yield _Piece(text, begin != END, begin == FULL_VALUE)


def foreign_schemes(html: str) -> Iterator[tuple[int, str]]:
    """The schemes of an e-mail's links that no e-mail may have, each with its line."""
    for found in LINKING.finditer(html):
        for part in found[2].strip("\"'").split(",") if found[1].lower() == SRCSET else [found[2].strip("\"'")]:
            target = "".join(one for one in unescape(part) if one > " " and one.isprintable()).lower()
            scheme = SCHEME_OF.match(target)
            if scheme and scheme[1] not in EMAIL_SCHEMES:
                yield html.count("\n", 0, found.start()) + 1, scheme[1]
            elif target.startswith(("//", "\\")):
                yield html.count("\n", 0, found.start()) + 1, target[:2]
