"""Writes docs/attributes.md anew: `python -m authoring.attributes`, from the top of the repository."""

import sys
from pathlib import Path

from cairn.domain.profile import attributes

HEAD = """# Attributes

A profile takes any attribute: conditions, templates and `set_from` read it as `profile.<name>`. Those below have a
meaning of their own, because Cairn reads them. An operator sets none of them.

The latest value counts, by the time of its event; `null` removes it.

This page is generated: `python -m authoring.attributes`.

| attribute | form | meaning | read by | set by |
|---|---|---|---|---|
"""


def page() -> str:
    """The page as it stands in docs/attributes.md."""
    return HEAD + "".join(
        f"| `{row}` | {row.form} | {row.meaning} | {row.read_by} | {', '.join(row.set_by)} |\n"
        for row in vars(attributes).values()
        if isinstance(row, attributes.Attribute)
    )


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else "docs/attributes.md").write_text(page(), encoding="utf-8")
