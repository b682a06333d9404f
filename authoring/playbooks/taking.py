"""A playbook becomes a business's own: its journeys under a new name, and what they need beside them."""

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from authoring.journeys import compile_catalogue
from authoring.journeys.catalogue import FILE
from authoring.journeys.events import FILE as EVENTS
from authoring.journeys.new import NewJourneyError, named, new_folder
from authoring.journeys.source import read_yaml
from authoring.journeys.stamp import FILE as STAMP
from authoring.playbooks import Playbook
from authoring.preflight.samples import FILE as SAMPLES
from authoring.preflight.samples import samples_of

MENTIONS = r"journey: ?[\"']?|journey == '|\bof: ?|unless_in: ?\[(?:[^\]]*, ?)?|steps = \[(?:[^\]]*, ?)?\"|`cairn \w+ "
"""What stands before the name of a journey. A name of two words stands for it anywhere, and one word may mean more."""

EVENT = re.compile(r"^(?P<type>[a-z*][\w.*]*):", re.MULTILINE)
SCHEMA = re.compile(r"^# yaml-language-server: .*\n", re.MULTILINE)


@dataclass(slots=True)
class Taken:
    """The files that were written, and those of the project that were left as they are."""

    written: list[Path] = field(default_factory=list)
    left: list[Path] = field(default_factory=list)


def take_playbook(playbook: Playbook, name: str, journeys: Path, project: Path, *, schema: Path) -> Taken:
    """Begin a project's journeys `name`, `name-…` with those of a playbook.

    Raises NewJourneyError where one of them exists or has no proper name, and then writes nothing. A file of the
    project stays as it is; of events.yaml, the events that it lacks are added.
    """
    compile_catalogue(playbook.journeys)
    folders = {one: new_folder(journeys / one.replace(playbook.name, name, 1)) for one in playbook.journey_names}
    stories = project / "stories" / name
    if stories.exists():
        raise NewJourneyError(f"{stories} exists: choose another name, or remove it")
    taken = Taken()
    for one, folder in folders.items():
        shutil.copytree(playbook.journeys / one, folder, ignore=shutil.ignore_patterns(STAMP))
        shutil.copy(samples_of(playbook.journeys / one), folder / SAMPLES)
        named(folder / FILE, schema)
    shutil.copytree(playbook.folder / "stories", stories)
    copies = (file for folder in (*folders.values(), stories) for file in sorted(folder.rglob("*")))
    taken.written += [file for file in copies if file.is_file()]
    _declare(playbook.journeys / EVENTS, journeys / EVENTS, taken)
    for file in sorted(playbook.journeys.glob("_*/**/*")) + sorted(playbook.journeys.glob("_*.yaml")):
        _copy(file, journeys / file.relative_to(playbook.journeys), taken)
    for file in sorted(playbook.folder.glob("*.toml")):
        _copy(file, project / file.name, taken)
    for file in taken.written:
        if file != journeys / EVENTS:
            _with_names(file, playbook, name)
    return taken


def _with_names(file: Path, playbook: Playbook, name: str) -> None:
    """Write the new names of the journeys into a copied file."""
    before = "" if "-" in playbook.name else MENTIONS
    mention = rf"(?P<before>{before})(?<![\w.-]){re.escape(playbook.name)}(?![a-z0-9_]|\.[a-z])"
    file.write_text(re.sub(mention, rf"\g<before>{name}", file.read_text(encoding="utf-8")), encoding="utf-8")


def _copy(file: Path, target: Path, taken: Taken) -> None:
    if not file.is_file():
        return
    if target.exists():
        taken.left.append(target)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, target)
    taken.written.append(target)


def _declare(theirs: Path, ours: Path, taken: Taken) -> None:
    """Add the events that are not declared yet."""
    if not theirs.is_file():
        return
    text = SCHEMA.sub("", theirs.read_text(encoding="utf-8"))
    if not ours.exists():
        ours.write_text(text, encoding="utf-8")
        taken.written.append(ours)
        return
    known = set(read_yaml(ours.read_text(encoding="utf-8"), ours).data or {})
    starts = [*EVENT.finditer(text)]
    ends = [*(one.start() for one in starts[1:]), len(text)]
    added = [text[one.start() : end] for one, end in zip(starts, ends, strict=True) if one["type"] not in known]
    if added:
        before = ours.read_text(encoding="utf-8").rstrip("\n")
        ours.write_text("\n".join((before, *(one.rstrip("\n") for one in added))) + "\n", encoding="utf-8")
        taken.written.append(ours)
