"""Writes imported journeys as folders, which pass `cairn check`."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from authoring.journeys import check
from authoring.journeys.calendars import FILE as CALENDARS_FILE
from authoring.journeys.catalogue import FILE
from authoring.journeys.templates import FOLDER
from authoring.pinpoint.journey import Imported
from authoring.pinpoint.yaml_text import document
from authoring.preflight.samples import FILE as SAMPLES_FILE
from authoring.problems import InvalidFilesError, Problem

SCHEMA = "# yaml-language-server: $schema=../../../docs/journey.schema.json\n"
BLANK_BEFORE = ("entry:", "steps:", "  - id:")
SAMPLE = {
    "first_name": "Sam",
    "email": "sam.sample@example.com",
    "phone": "+12015550147",
    "push_endpoint": "arn:aws:sns:us-east-1:123456789012:endpoint/GCM/sample/1",
    "country": "US",
}
OF_CAIRN = frozenset({"tags", "user_id"})
"""Names of the profile that a sample need not have."""


def write(journeys: Sequence[Imported], target: Path) -> list[Path]:
    """Write the journeys into this folder, and return their folders.

    Raises InvalidFilesError, and writes nothing, where a name is taken or a journey would not pass the check.
    """
    taken = [target / one.name for one in journeys if (target / one.name).exists()]
    calendars = {name: one for journey in journeys for name, one in journey.calendars.items()}
    if calendars and (target / CALENDARS_FILE).exists():
        taken.append(target / CALENDARS_FILE)
    if taken:
        fix = "Name another folder with -o, or move it away."
        raise InvalidFilesError(Problem(path, 1, "", "", "it exists already", fix) for path in taken)
    with TemporaryDirectory() as temporary:
        root = Path(temporary)
        for journey in journeys:
            _write_journey(journey, root / journey.name)
        if calendars:
            (root / CALENDARS_FILE).write_text(document({"calendars": calendars}), encoding="utf-8")
        problems = check(root)
        if problems:
            raise InvalidFilesError(replace(one, file=target / one.file.relative_to(root)) for one in problems)
        shutil.copytree(root, target, dirs_exist_ok=True)
    return [target / one.name for one in journeys]


def _write_journey(journey: Imported, folder: Path) -> None:
    (folder / FOLDER).mkdir(parents=True)
    text = SCHEMA + _spaced(document(journey.document))
    (folder / FILE).write_text(text, encoding="utf-8")
    for name, template in journey.templates.items():
        (folder / FOLDER / name).write_text(template, encoding="utf-8")
    (folder / SAMPLES_FILE).write_text(samples_of(journey), encoding="utf-8")


def _spaced(text: str) -> str:
    """A blank line before the parts of the journey, and between its outermost steps."""
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith(BLANK_BEFORE) and lines[-1] != "steps:":
            lines.append("")
        lines.append(line)
    return "\n".join(lines) + "\n"


def samples_of(journey: Imported) -> str:
    own = {name: "sample" for name in journey.attributes if name not in OF_CAIRN | SAMPLE.keys()}
    consent = [{"channel": channel, "purpose": "marketing"} for channel in ("email", "sms", "push")]
    sample: dict[str, Any] = {"name": "all is known", "profile": {**SAMPLE, **own}, "consent": consent}
    return "- " + document(sample).rstrip("\n").replace("\n", "\n  ") + "\n"
