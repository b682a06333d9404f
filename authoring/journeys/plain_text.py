"""Makes the plain text of an e-mail that has only HTML. Runs before Jinja fills in the values."""

import re
from html.parser import HTMLParser

from authoring.journeys.hidden import Hidden

SPACED = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "hr"})
BLOCKS = frozenset({"div", "section", "article", "header", "footer", "main", "center", "pre", "tr", "dl", "dt", "dd"})
SILENT = frozenset({"head", "style", "script", "title"})


def plain_text(html: str) -> str:
    """Links become `text (url)`, list items get a dash, Jinja stays as it is."""
    hidden = Hidden(html)
    reader = _Reader()
    reader.feed(hidden.text)
    reader.close()
    lines = [" ".join(line.split()) for line in "".join(reader.parts).splitlines()]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    return hidden.shown(text)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.silent = 0
        self.links: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag in SILENT:
            self.silent += 1
        elif tag == "br":
            self.parts.append("\n")
        elif tag == "li":
            self.parts.append("\n- ")
        elif tag == "img":
            self.parts.append(attributes.get("alt", ""))
        elif tag == "a":
            self.links.append((attributes.get("href", ""), len(self.parts)))
        elif tag in {"td", "th"}:
            self.parts.append(" ")
        else:
            self.parts.append(_break(tag))

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT:
            self.silent = max(0, self.silent - 1)
        elif tag == "a" and self.links:
            url, begun = self.links.pop()
            text = " ".join("".join(self.parts[begun:]).split())
            if url and text != url and not url.startswith("#"):
                self.parts.append(f" ({url})" if text else url)
        else:
            self.parts.append(_break(tag))

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.parts.append(re.sub(r"\s+", " ", data))


def _break(tag: str) -> str:
    return "\n\n" if tag in SPACED else "\n" if tag in BLOCKS else ""
