"""Turns the Handlebars of Pinpoint's templates into Jinja, where they are simple.

Simple are the variables that Pinpoint documents, and `{{#if variable}} … {{else}} … {{/if}}` around texts. Any
other tag becomes a name that no customer has: a message with it is not sent until it is written by hand.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from authoring.pinpoint.naming import words_of

TAG = re.compile(r"\{\{\{(?P<raw>[^{}]*)\}\}\}|\{\{(?P<tag>[^{}]*)\}\}|(?P<other>\{\{|\{%|\{#)")
ATTRIBUTE = re.compile(r"(?:User\.UserAttributes|Attributes|Metrics)\.(?P<name>\[[^\]]+\]|[^.\s\[\]]+)(?:\.\[0\])?")
FIELD = re.compile(r"(?:Location|Demographic)\.(?P<name>[A-Za-z]+)")
FIELDS = {"Timezone": "time_zone"}
"""The attributes of Cairn whose names differ from the endpoint's field."""
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
IF, ELSE, END = "#if ", "else", "/if"
FIRST = ".[0]"
"""Attributes are lists in Pinpoint; Cairn has one value."""
MISSING = "data.pinpoint_{number}"


@dataclass
class Handlebars:
    """Converts the texts of one template."""

    address: str
    """The attribute that is the address of the template's channel."""
    defaults: Mapping[str, str]
    """By variable, without its index."""
    attributes: dict[str, None] = field(default_factory=dict)
    rest: list[str] = field(default_factory=list)

    def converted(self, text: str) -> str:
        """The text in Jinja; `attributes` and `rest` grow."""
        return TAG.sub(self._tag if self._has_simple_blocks(text) else self._plain, text)

    def _has_simple_blocks(self, text: str) -> bool:
        """Whether each block is an `if` of a variable, with at most one `else`, and has its end."""
        elses: list[int] = []
        for found in TAG.finditer(text):
            tag = (found["tag"] or "").strip()
            if self._asked(tag) is not None:
                elses.append(0)
            elif tag == ELSE and elses and not elses[-1]:
                elses[-1] = 1
            elif tag == END and elses:
                elses.pop()
            elif tag.startswith(("#", "^", "/", ELSE)):
                return False
        return not elses

    def _tag(self, found: re.Match[str]) -> str:
        tag = (found["tag"] or "").strip()
        variable = self._asked(tag)
        if variable is not None:
            return f"{{% if {self._named(variable)} | default('') %}}"
        return {ELSE: "{% else %}", END: "{% endif %}"}.get(tag) or self._plain(found)

    def _asked(self, tag: str) -> str | None:
        """The attribute that an `if` asks for."""
        return self._variable(tag.removeprefix(IF).strip()) if tag.startswith(IF) else None

    def _plain(self, found: re.Match[str]) -> str:
        if found["other"]:
            return f"{{% raw %}}{found['other']}{{% endraw %}}"
        tag = (found["raw"] if found["raw"] is not None else found["tag"]).strip()
        if tag.startswith("!"):
            return ""
        variable = self._variable(tag)
        if variable is None:
            self.rest.append(found[0])
            return f"{{{{ {MISSING.format(number=len(self.rest))} }}}}"
        path = tag.removesuffix(FIRST)
        default = _jinja_text(self.defaults.get(path) or self.defaults.get(path.rpartition(".")[2], ""))
        return f"{{{{ {self._named(variable)} | default({default}) }}}}"

    def _named(self, name: str) -> str:
        self.attributes.setdefault(name)
        return f"profile.{name}" if IDENTIFIER.fullmatch(name) else f"profile[{_jinja_text(name)}]"

    def _variable(self, tag: str) -> str | None:
        """The attribute of the profile; None for what is not a plain variable."""
        if tag in {"Address", "Id"}:
            return self.address if tag == "Address" else None
        if tag == "User.UserId":
            return "user_id"
        if found := ATTRIBUTE.fullmatch(tag):
            return found["name"].strip("[]") or None
        if found := FIELD.fullmatch(tag):
            return FIELDS.get(found["name"], "_".join(words_of(found["name"])))
        return None


def _jinja_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"
