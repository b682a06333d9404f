"""E-mails that are written in MJML (https://documentation.mjml.io): compiled to HTML when they are checked."""

import re
from collections.abc import Iterator

from mjml import mjml2html

from authoring.journeys.hidden import PLACEHOLDER, Hidden
from authoring.journeys.layouts import Resolved
from authoring.problems import Problem, did_you_mean

STRUCTURE = frozenset(
    (
        *("mjml", "mj-head", "mj-body", "mj-attributes", "mj-all", "mj-class", "mj-breakpoint", "mj-font"),
        *(
            "mj-html-attributes",
            "mj-selector",
            "mj-html-attribute",
            "mj-wrapper",
            "mj-section",
            "mj-group",
            "mj-column",
        ),
        *("mj-hero", "mj-accordion", "mj-accordion-element", "mj-carousel", "mj-carousel-image", "mj-divider"),
        *("mj-image", "mj-navbar", "mj-social", "mj-spacer"),
    )
)
"""Elements that hold elements of MJML, or nothing."""

AROUND_JINJA = frozenset(
    ("mj-head", "mj-body", "mj-wrapper", "mj-section", "mj-group", "mj-column", "mj-hero"),
)
"""Elements in which Jinja may stand between others: those that take `<mj-raw>`."""

CONTENT = frozenset(
    (
        *("mj-text", "mj-button", "mj-table", "mj-raw", "mj-style", "mj-title", "mj-accordion-title"),
        *("mj-accordion-text", "mj-navbar-link", "mj-social-element"),
    )
)
"""Elements that hold text or HTML."""

INSTEAD = {
    "mj-include": 'Share a file of _layouts: {% include "header.mjml" %}.',
    "mj-preview": "Write `preview: …` in the front matter, between its lines of three hyphens.",
}

PART = re.compile(
    rf"""<!--.*?-->|<(?P<close>/?)(?P<name>[a-zA-Z][\w-]*)(?:"[^"]*"|'[^']*'|[^"'<>])*?(?P<alone>/?)>|{PLACEHOLDER.pattern}""",
    re.DOTALL,
)
POSITION = re.compile(r"(?: in root template)?(?: at position (\d+):\d+)?$")
ESCAPED = re.compile(r"\\u\{([0-9a-f]{1,6})\}")
"""As the compiler, written in Rust, writes a character of an attribute that Rust takes for unprintable."""

ROOT = re.compile(r"<mjml\b.*</mjml\s*>", re.DOTALL)
NO_LANGUAGE = 'lang="und"'
"""In the HTML of a template that does not name its language itself."""


class MjmlError(Exception):
    """A template in MJML has problems."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(problems)
        self.problems = problems


def html_of(resolved: Resolved) -> str:
    """The HTML. Raises MjmlError."""
    hidden = Hidden(resolved.text)
    root = ROOT.search(hidden.text)
    if root is None:
        fix = "Begin with <mjml><mj-body>, and end with </mj-body></mjml>."
        raise MjmlError([resolved.problem_at(0, "this is not MJML: it has no <mjml>", fix)])
    reader = _Reader(hidden, resolved, root.start())
    prepared = reader.prepared(root[0])
    if reader.problems:
        raise MjmlError(reader.problems)
    try:
        html = ESCAPED.sub(lambda found: chr(int(found[1], 16)), mjml2html(prepared))
    except ValueError as error:
        said = POSITION.sub("", str(error))
        raise MjmlError(
            [reader.problem(root.start(), f"not MJML: {said}", "Mend the tags, each closed in turn.")]
        ) from error
    lost = list(reader.lost(html))
    if lost:
        raise MjmlError(lost)
    whole = hidden.text[: root.start()] + html + hidden.text[root.end() :]
    return hidden.shown(whole.strip())


class _Reader:
    """Prepares MJML for its compiler: it takes tags of Jinja between elements only inside of `<mj-raw>`."""

    def __init__(self, hidden: Hidden, resolved: Resolved, begin: int) -> None:
        self.problems: list[Problem] = []
        self._hidden = hidden
        self._resolved = resolved
        self._begin = begin
        self._between: list[str] = []
        """The statements outside of tags, in their order. A title is shown twice."""
        self._everywhere: list[str] = []
        self._where: dict[str, int] = {}

    def prepared(self, mjml: str) -> str:
        parts: list[str] = []
        parents: list[str] = []
        inside = ""
        at = 0
        for found in PART.finditer(mjml):
            self._text(mjml[at : found.start()], at, inside)
            parts += [mjml[at : found.start()], self._part(found, inside, parents)]
            at = found.end()
            name = found["name"] or ""
            if name and name not in STRUCTURE and not found["alone"] and inside in {"", name}:
                inside = "" if found["close"] else name
            elif name in STRUCTURE and not found["alone"] and not inside:
                parents = parents[:-1] if found["close"] else [*parents, name]
        return "".join(parts) + mjml[at:]

    def lost(self, html: str) -> Iterator[Problem]:
        """Tags of Jinja that MJML has left out, repeated, or put in another order."""
        there = [found[0] for found in PLACEHOLDER.finditer(html)]
        order = [one for one in there if one in set(self._between)]
        for one in self._everywhere:
            if one not in there:
                fix = "MJML keeps Jinja in texts, in the values of its own attributes, and between elements."
                yield self.problem(self._where[one], f"MJML leaves out {self._hidden.shown(one)}", fix)
        if set(self._between) <= set(there) and order != self._between:
            moved = (one for one, other in zip(self._between, [*order, ""], strict=False) if one != other)
            first = next(moved, self._between[-1])
            fix = "Write it in a text, or between elements."
            yield self.problem(self._where[first], f"MJML moves {self._hidden.shown(first)}", fix)

    def problem(self, offset: int, message: str, fix: str) -> Problem:
        """A problem at a character of the hidden text."""
        return self._resolved.problem_at(len(self._hidden.shown(self._hidden.text[:offset])), message, fix)

    def _part(self, found: re.Match[str], inside: str, parents: list[str]) -> str:
        at = self._begin + found.start()
        if found[0].startswith("\ue000"):
            if self._hidden.shown(found[0]).startswith("{%") and inside != "mj-title":
                self._between.append(found[0])
            self._everywhere.append(found[0])
            self._where[found[0]] = at
            if not inside and parents and parents[-1] not in AROUND_JINJA:
                fix = f"Write it around <{parents[-1]}>, or in a text."
                self.problems.append(self.problem(at, f"Jinja cannot stand in <{parents[-1]}>", fix))
            return found[0] if inside else f"<mj-raw>{found[0]}</mj-raw>"
        name = found["name"] or ""
        for one in PLACEHOLDER.finditer(found[0]) if name else ():
            self._everywhere.append(one[0])
            self._where[one[0]] = at
        if name.startswith("mj") and not found["close"] and name not in STRUCTURE | CONTENT:
            fix = INSTEAD.get(name) or did_you_mean(name, STRUCTURE | CONTENT, "Use an element of MJML.")
            self.problems.append(self.problem(at, f"a template has no <{name}>", fix))
        elif name and not inside and not name.startswith("mj") and not found["close"]:
            fix = "Write HTML in <mj-text>, <mj-table> or <mj-raw>."
            self.problems.append(self.problem(at, f"<{name}> stands between elements of MJML", fix))
        return found[0]

    def _text(self, text: str, at: int, inside: str) -> None:
        if not inside and text.strip():
            blank = len(text) - len(text.lstrip())
            fix = "Write it in <mj-text>."
            self.problems.append(self.problem(self._begin + at + blank, "a text that nobody would get", fix))
