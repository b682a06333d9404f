"""Writes docs/attributes.md anew: `python -m authoring.attributes`, from the top of the repository."""

import sys
from pathlib import Path

from cairn.domain.profile import attributes, bounds

HEAD = """# Attributes

A profile takes any attribute: conditions, templates and `set_from` read it as `profile.<name>`. Those below have a
meaning of their own, because Cairn reads them. An operator sets none of them.

The latest value counts, by the time of its event; `null` removes it.

**Bounds.** A name has {name} characters at most, a value {value} bytes as JSON and {depth} levels; a profile has
{count} attributes, tags included, of {total} KB in all. An attribute beyond that is dropped, and the event counts: the
timeline shows it as `dropped`, with field and reason, and the metric `FieldDropped` counts it. A profile that is
full keeps what it has, drops what is new, and always has room for the attributes below. The evidence of a consent has
{evidence} bytes, the data of an enrollment {data} KB, and the properties of an event {properties} KB and {depth}
levels: the largest fields are dropped first.

This page is generated: `python -m authoring.attributes`.

| attribute | form | meaning | read by | set by |
|---|---|---|---|---|
"""


def page() -> str:
    """The page as it stands in docs/attributes.md."""
    head = HEAD.format(
        name=bounds.MAX_NAME,
        value=f"{bounds.MAX_VALUE:,}",
        depth=bounds.MAX_DEPTH,
        count=bounds.MAX_ATTRIBUTES,
        total=bounds.MAX_PROFILE // 1024,
        evidence=f"{bounds.MAX_EVIDENCE:,}",
        data=bounds.MAX_DATA // 1024,
        properties=bounds.MAX_PROPERTIES // 1024,
    )
    return head + "".join(
        f"| `{row}` | {row.form} | {row.meaning} | {row.read_by} | {', '.join(row.set_by)} |\n"
        for row in vars(attributes).values()
        if isinstance(row, attributes.Attribute)
    )


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else "docs/attributes.md").write_text(page(), encoding="utf-8")
