"""llms.txt lists every page, and AGENTS.md and llms.txt lead nowhere that is not there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LINK = re.compile(r"\]\((?!https?:)([^)#]+)[^)]*\)")


def linked(name: str) -> list[str]:
    return LINK.findall((ROOT / name).read_text(encoding="utf-8"))


def test_every_page_is_listed_once() -> None:
    """A playbook's page is in the gallery."""
    pages = {str(one.relative_to(ROOT)) for one in (ROOT / "docs").rglob("*.md")}
    pages -= {f"docs/playbooks/{one.name}.md" for one in (ROOT / "playbooks").iterdir()}
    found = linked("llms.txt")

    assert len(found) == len(set(found))
    assert pages - set(found) == set()


@pytest.mark.parametrize("name", ["AGENTS.md", "llms.txt"])
def test_every_link_leads_to_a_file(name: str) -> None:
    assert [one for one in linked(name) if not (ROOT / one).is_file()] == []
