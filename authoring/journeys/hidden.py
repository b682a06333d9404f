"""Hides Jinja's tags from what reads HTML, MJML or CSS, and shows them again in what that has made."""

import re

JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
PLACEHOLDER = re.compile(r"\ue000(\d+)\ue001")
"""Characters of the private use area, which stand in no text: a name to CSS, a word to HTML."""


class Hidden:
    """A text without its tags of Jinja."""

    def __init__(self, text: str) -> None:
        self.tags: list[str] = []
        self.text = JINJA.sub(self._hide, text)

    def shown(self, text: str) -> str:
        return PLACEHOLDER.sub(lambda found: self.tags[int(found[1])], text)

    def tag(self, placeholder: re.Match[str]) -> str:
        return self.tags[int(placeholder[1])]

    def _hide(self, found: re.Match[str]) -> str:
        self.tags.append(found[0])
        return f"\ue000{len(self.tags) - 1}\ue001"
