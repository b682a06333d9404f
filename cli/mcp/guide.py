"""The pages that an assistant writes journeys by, whole or one section at a time: a page is long."""

import re
from pathlib import Path

from authoring.defaults import default_file
from cairn.domain.shared.errors import CairnError

PAGES = {
    "journeys": "the language of journeys: files, steps, conditions, templates",
    "testing-journeys": "stories that test a journey",
    "policy": "rules for all messages: consent, hours, limits, reviews",
    "glossary": "what the words mean",
}
"""The wheel brings them (pyproject.toml)."""

HEADING = re.compile(r"^(#{1,3}) (.+)$")
FENCE = "```"


class UnknownSectionError(CairnError):
    """The guide has no such page or section."""


def page(name: str) -> str:
    """Raises UnknownSectionError."""
    if name not in PAGES:
        raise UnknownSectionError(f"there is no page {name}; there are: {', '.join(PAGES)}")
    return Path(default_file(f"docs/{name}.md")).read_text(encoding="utf-8")


def sections(text: str) -> dict[str, str]:
    """The text under each heading, up to the next one of any level. A heading inside a block of code is none."""
    found: dict[str, list[str]] = {}
    title, fenced = "", False
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith(FENCE)
        if not fenced and (heading := HEADING.fullmatch(line)):
            title = heading[2]
        found.setdefault(title, []).append(line)
    return {title: "\n".join(lines).strip() + "\n" for title, lines in found.items() if title}


def section(name: str, title: str) -> str:
    """Raises UnknownSectionError, which lists the sections that there are."""
    found = {one.casefold(): text for one, text in sections(page(name)).items()}
    if title.casefold() not in found:
        there = ", ".join(sections(page(name)))
        raise UnknownSectionError(f"the page {name} has no section “{title}”; it has: {there}")
    return found[title.casefold()]
