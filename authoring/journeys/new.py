"""The start of a journey's folder: a small one that works, or a copy of another under a new name."""

import os
import re
import shutil
from pathlib import Path

from authoring.journeys.catalogue import FILE, compile_catalogue
from authoring.journeys.stamp import FILE as STAMP
from authoring.journeys.values import SLUG
from cairn.domain.shared.errors import CairnError

SCHEMA_LINE = re.compile(r"\A# yaml-language-server: .*\n")
NAME_LINE = re.compile(r"^journey:.*$", re.MULTILINE)

JOURNEY = """\
# docs/journeys.md is the language.
journey: {name}
description: Say here what it is for.

entry: {{event: trial.signup}}                # starts it
goal: {{event: invoice.paid, within: 30d}}    # measures it
exit_on:
  - event: invoice.paid                     # ends it, at any step

steps:
  - id: welcome
    send: {{channel: email, template: welcome, purpose: transactional}}

  - id: first-days
    wait_for:
      event: app.opened
      timeout: 3d
      else:
        - id: call
          task: {{queue: success, title: Help a new customer to get started, due: 8h}}
"""

TEMPLATE = """\
---
subject: Welcome{% if profile.first_name is defined %}, {{ profile.first_name }}{% endif %}
preview: How to get started.
---
<p>Hello{% if profile.first_name is defined %} {{ profile.first_name }}{% endif %},</p>
<p>your trial has begun. Reply to this e-mail whenever you need help.</p>
"""

SAMPLES = """\
# Made-up customers for `cairn simulate {name}` and `cairn preflight {name}` (docs/journeys.md, Preflight).

- name: all is known
  profile: {{first_name: Mia, email: mia@example.com, time_zone: America/New_York}}
  data: {{plan: pro}}

- name: an address alone
  profile: {{email: someone@example.com}}
"""


class NewJourneyError(CairnError):
    """A journey cannot be begun."""


def begin_journey(folder: Path, *, schema: Path, source: Path | None = None) -> list[Path]:
    """Write the folder of a new journey, and list its files. Raises NewJourneyError, and then writes nothing.

    From another journey's folder, `source`, come all files but its stamp. Raises InvalidJourneysError where that has
    problems of its own.
    """
    new_folder(folder)
    if source is None:
        _write(folder, {FILE: JOURNEY, "templates/welcome.email.html": TEMPLATE, "samples.yaml": SAMPLES})
    else:
        compile_catalogue(source)
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns(STAMP))
        for file in (folder / FILE, folder / "samples.yaml"):
            if file.exists():
                text = file.read_text(encoding="utf-8")
                renamed = re.sub(rf"(`cairn \w+ ){re.escape(source.name)}\b", rf"\g<1>{folder.name}", text)
                file.write_text(renamed, encoding="utf-8")
    named(folder / FILE, schema)
    return sorted(path for path in folder.rglob("*") if path.is_file())


def new_folder(folder: Path) -> Path:
    """The folder of a new journey, which is not made yet. Raises NewJourneyError where there can be none."""
    if not SLUG.fullmatch(folder.name):
        raise NewJourneyError(f'"{folder.name}" is no name: lower-case letters, digits and -, a letter first')
    if os.path.lexists(folder):
        raise NewJourneyError(f"{folder} exists: choose another name, or remove it")
    return folder


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        written = text if text == TEMPLATE else text.format(name=folder.name)
        file.write_text(written, encoding="utf-8")


def named(file: Path, schema: Path) -> None:
    """Write the folder's own name, and the schema that an editor checks it with."""
    body = SCHEMA_LINE.sub("", file.read_text(encoding="utf-8"))
    line = f"# yaml-language-server: $schema={Path(os.path.relpath(schema, file.parent)).as_posix()}\n"
    file.write_text(line + NAME_LINE.sub(f"journey: {file.parent.name}", body, count=1), encoding="utf-8")
