"""docs/attributes.md lists every attribute that the code reads by its name."""

import re
import runpy
import sys
from pathlib import Path

import pytest

from authoring.attributes import page

ROOT = Path(__file__).parents[3]
SHIPPED = ("authoring", "cli", "functions", "infra", "layers/core")
PROFILE = r"""(?:\bprofile|\bview(?:\(\))?|["']profile["'](?:, \{\})?[\])])"""
READ_BY_NAME = re.compile(PROFILE + r"""(?:\.get\(|\[)["'](\w+)["']""")
NOT_ATTRIBUTES = {"external_ids", "id", "user_id"}
"""Identifiers, which `Profile.view` gives beside the attributes."""


def test_the_page_in_the_docs_is_the_one_that_the_list_gives() -> None:
    checked_in = (ROOT / "docs" / "attributes.md").read_text(encoding="utf-8")

    assert checked_in == page(), "run `python -m authoring.attributes` and commit what it writes"


def test_the_page_is_written_anew_by_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["attributes", str(tmp_path / "attributes.md")])

    runpy.run_path(str(ROOT / "authoring" / "attributes.py"), run_name="__main__")

    assert (tmp_path / "attributes.md").read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("folder", SHIPPED)
def test_no_code_reads_an_attribute_that_is_not_listed(folder: str) -> None:
    read = {
        (file.relative_to(ROOT).as_posix(), name)
        for file in (ROOT / folder).rglob("*.py")
        for name in READ_BY_NAME.findall(file.read_text(encoding="utf-8"))
        if name not in NOT_ATTRIBUTES
    }

    assert not read, "add the name to domain/profile/attributes.py, and read it by that constant"
