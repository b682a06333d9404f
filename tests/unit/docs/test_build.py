"""The documentation's site is staged whole, or what is wrong is named."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[3] / "docs" / "build.py"
NAVIGATION = """
[project]
nav = [
    { "Home" = "index.md" },
    { "Vendors" = [
        { "sources/*.md" = "here" },
    ] },
    { "Gone" = "gone.md" },
]
"""


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, on a repository of four pages and one source file."""
    spec = importlib.util.spec_from_file_location("docs_build", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, text in {
        "README.md": "# Home\n\n[words](docs/words.md#a) [settings](policy.toml) [nowhere](docs/nowhere.md)\n",
        "docs/words.md": "# Words\n\n[home](../README.md) [acme](../sources/acme/acme.md)\n\n```toml a.toml\n```\n",
        "docs/style.css": "",
        "sources/acme/acme.md": "# Acme\n",
        "policy.toml": "",
        "zensical.toml": NAVIGATION,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    for name in ("ROOT", "BUILD", "STAGED", "CONFIG", "VENDORS"):
        at = getattr(module, name).relative_to(SCRIPT.parents[1])
        monkeypatch.setattr(module, name, tmp_path / (at if name != "VENDORS" else "sources"))
    return module


def test_a_broken_link_and_a_gap_in_the_navigation_are_named(build: ModuleType) -> None:
    assert build.stage() == [
        "README.md: no file docs/nowhere.md",
        "zensical.toml: the navigation lacks words.md",
        "zensical.toml: the navigation names gone.md, no page",
    ]


def test_links_lead_to_pages_and_to_copies_of_source_files(build: ModuleType) -> None:
    build.stage()

    assert "[words](words.md#a) [settings](files/policy.toml.txt)" in (build.STAGED / "index.md").read_text("utf-8")
    assert "[home](index.md) [acme](sources/acme.md)" in (build.STAGED / "words.md").read_text("utf-8")
    assert (build.STAGED / "files" / "policy.toml.txt").is_file()


def test_a_vendors_page_is_found_by_itself(build: ModuleType) -> None:
    build.stage()

    assert '{ "Acme" = "sources/acme.md" },' in (build.BUILD / "zensical.toml").read_text("utf-8")


def test_a_named_code_block_has_its_name_as_title(build: ModuleType) -> None:
    build.stage()

    assert '```toml title="a.toml"' in (build.STAGED / "words.md").read_text("utf-8")
