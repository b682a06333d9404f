"""The table on a vendor's page: each event that its mapping makes, with its properties. Made from the mapping."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import fill
from typing import Any

from cairn.adapters.sources import RULES

BEGIN = "<!-- events: `cairn sources page` makes this table -->"
END = "<!-- end of events -->"

WIDTH = 120
"""Columns of a line of a page."""

LITERAL = re.compile(r"'([^']+)'")
TYPE = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+")


def with_table(page: str, name: str, mapping: Mapping[str, Any]) -> str:
    """The page with the table of today's mapping; at its end, where it has no place for one."""
    table = f"{BEGIN}\n{events_table(name, mapping)}\n{END}"
    if BEGIN in page and END in page.partition(BEGIN)[2]:
        before, _, rest = page.partition(BEGIN)
        return before + table + rest.partition(END)[2]
    return f"{page.rstrip()}\n\n{table}\n"


def write_page(path: Path, name: str, mapping: Mapping[str, Any]) -> bool:
    """Whether the page changed."""
    before = path.read_text(encoding="utf-8")
    after = with_table(before, name, mapping)
    if after != before:
        path.write_text(after, encoding="utf-8")
    return after != before


def events_table(name: str, mapping: Mapping[str, Any]) -> str:
    """In the order of the rules: what the vendor sends, the event, and what it brings along."""
    rows = list(_rows(mapping))
    if "other" in mapping:
        own = name.replace("-", "_")
        rows.append(f"| any other type | `{own}.<type>` | what was sent, up to 4 KB |")
    shared = _attributes(mapping) + _consent(mapping)
    after = ["", fill(f"Each also with {', '.join(shared)}, where the body has it.", WIDTH)] if shared else []
    return "\n".join([f"| {mapping.get('title', name)} | becomes | with |", "|---|---|---|", *rows, *after])


def _rows(mapping: Mapping[str, Any]) -> Iterator[str]:
    for rule in mapping.get(RULES, ()):
        if "type" in rule or "type_from" in rule:
            brought = _names(rule.get("properties", {})) + _attributes(rule) + _consent(rule)
            yield f"| {_sent(rule)} | {_becomes(rule)} | {', '.join(dict.fromkeys(brought))} |"
        else:
            yield f"| {_sent(rule)} | nothing | |"


def _sent(rule: Mapping[str, Any]) -> str:
    """By `of`, else the texts that the rule compares with, else its condition."""
    if "of" in rule:
        return _code([rule["of"]] if isinstance(rule["of"], str) else rule["of"])
    names = LITERAL.findall(rule.get("hint", "") or rule.get("when", ""))
    return _code(names or [rule.get("when", "")])


def _becomes(rule: Mapping[str, Any]) -> str:
    if "type" in rule:
        return f"`{rule['type']}`"
    return _code([one for one in LITERAL.findall(rule["type_from"]) if TYPE.fullmatch(one)]) or "as the sender names it"


def _names(table: Any) -> list[str]:
    if isinstance(table, str):
        return ["what was sent"]
    return [f"`{name}`" for name in table]


def _attributes(rule: Mapping[str, Any]) -> list[str]:
    table = rule.get("attributes", {})
    if isinstance(table, str):
        return ["attributes as sent"]
    return [f"profile `{name}`" for name in table]


def _consent(rule: Mapping[str, Any]) -> list[str]:
    changes = rule.get("consent", ())
    if isinstance(changes, str):
        return ["consent as sent"]
    return [f"consent to {one.get('purpose')} {one.get('channel')}" for one in changes]


def _code(names: list[str]) -> str:
    """Inside a cell of a table, where a bar would end it."""
    return ", ".join(f"`{' '.join(str(one).split())}`".replace("|", "\\|") for one in dict.fromkeys(names) if one)
