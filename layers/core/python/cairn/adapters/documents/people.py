"""People from the compiled people.toml."""

from pathlib import Path

from cairn.domain.people.members import People


def people_at(path: Path) -> People:  # noqa: ARG001
    return People()
