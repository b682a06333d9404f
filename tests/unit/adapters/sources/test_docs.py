"""What docs/sources.md and the pages beside it show is what happens."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from authoring.journeys import check
from authoring.sources.check import PAGE, configuration_problems
from cairn.adapters.sources import VENDORS, sources
from cairn.domain.event import event_to_wire

DOCS = Path(__file__).parents[4] / "docs"
BLOCK = re.compile(r"^```(\S+)(?: (\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(path: Path, language: str) -> list[tuple[str, str]]:
    """The name (after the language) and text of each code block."""
    found = BLOCK.findall(path.read_text(encoding="utf-8"))
    return [(name, text) for spoken, name, text in found if spoken == language]


def journeys_of(page: Path, folder: Path) -> Path:
    """The journeys that a page shows, with the templates that it shows, as files."""
    for name, text in blocks(page, "yaml"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "journey.yaml").write_text(text, encoding="utf-8")
    for name, text in blocks(page, "text"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_the_example_mapping_makes_the_events_that_the_page_shows(tmp_path: Path, post: Any) -> None:
    page = DOCS / "sources.md"
    [(name, mapping)] = [block for block in blocks(page, "toml") if block[0] == "parkside/mapping.toml"]
    shown = dict(blocks(page, "json"))
    (tmp_path / name).parent.mkdir()
    (tmp_path / name).write_text(mapping, encoding="utf-8")

    parkside = post("parkside", json.loads(shown["body"]), known=sources(folder=tmp_path))
    parkside.verify()
    events = parkside.read().events
    wires = [{**event_to_wire(event), "vouched": [], "settable": []} for event in events]

    assert [{name: one for name, one in wire.items() if one not in ({}, [], False)} for wire in wires] == json.loads(
        shown["events"]
    )
    assert [event.vouched for event in events] == [{"external_ids"}, {"external_ids"}]


def test_the_example_configuration_can_be_deployed(tmp_path: Path) -> None:
    [(name, text)] = [block for block in blocks(DOCS / "sources.md", "toml") if block[0] == "sources.toml"]
    (tmp_path / name).write_text(text, encoding="utf-8")

    known = sources(tmp_path / name)

    assert {"till", "stripe-eu"} <= set(known)
    assert [known[one].name for one in known] == list(known)


@pytest.mark.parametrize("name", ["accounts.toml", "alarms.toml", "stored.toml", "sources.toml"])
def test_every_example_of_sources_toml_passes_the_check(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(dict(blocks(DOCS / "sources.md", "toml"))[name], encoding="utf-8")

    assert configuration_problems(tmp_path / name) == []


def test_the_journeys_that_the_pages_show_pass_the_check(tmp_path: Path) -> None:
    folder = journeys_of(VENDORS / "shopify" / PAGE, tmp_path)

    assert check(folder) == []


@pytest.mark.parametrize(
    "page",
    [DOCS / "sources.md", DOCS / "sources" / "sns.md", *VENDORS.glob(f"*/{PAGE}")],
    ids=lambda page: f"{page.parent.name}/{page.name}",
)
def test_every_link_has_a_target(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
