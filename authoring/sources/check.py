"""Finds every problem of a vendor's folder, each with its file and how to correct it."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from authoring.sources.mapping import problems
from authoring.sources.page import with_table, write_page
from authoring.sources.samples import HEADERS, SAMPLES, fetched_beside, posting, sample_headers, samples
from cairn.adapters.sources import MAPPING, OWN, RESERVED, VENDORS, Sources, sources
from cairn.adapters.sources.mapped import MappedSource
from cairn.adapters.sources.signed_text import InvalidSourceError
from cairn.application.events.accept_webhook import Reading, Request
from cairn.domain.event import event_to_wire
from cairn.domain.shared.instants import instant_to_wire

PAGE = "README.md"
EXPECTED = "expected.json"
RECEIVED_AT = datetime(2100, 1, 1, tzinfo=UTC)
"""Later than any sample."""

RECEIPT = "receipt"
"""Stands in expected.json for the instant of receipt, where the vendor names none."""

ANY_SECRET = "whsec_Y2Fpcm4tdmVuZG9yLWNoZWNrcw=="  # noqa: S105  signs the samples of a check, and nothing else


def all_problems(configuration: Path) -> list[str]:
    """Of the vendors here, of those beside a deployment's sources.toml, and of that file."""
    found = folder_problems() + folder_problems(configuration.parent / OWN)
    return found or configuration_problems(configuration)


def folder_problems(folder: Path = VENDORS) -> list[str]:
    """The problems of every vendor; none where there is no such folder."""
    return [problem for vendor in vendors(folder) for problem in vendor_problems(vendor, folder)]


def vendors(folder: Path = VENDORS) -> list[str]:
    """The names of a folder's vendors, complete or not."""
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path.name for path in found if path.is_dir() and not path.name.startswith(("__", ".")))


def configuration_problems(configuration: Path, folder: Path = VENDORS) -> list[str]:
    """The problems of a deployment's sources.toml: of each source as it is once the file is laid over its mapping."""
    try:
        known = sources(configuration, folder)
    except InvalidSourceError as error:
        return [str(error)]
    found: list[str] = []
    for name in known:
        try:
            source = known[name]
        except InvalidSourceError as error:
            found.append(str(error))
            continue
        if isinstance(source, MappedSource):
            found += [f"{name}: {problem}" for problem in problems(name, source.mapping)]
    return found


def vendor_problems(vendor: str, folder: Path = VENDORS) -> list[str]:
    """Without any, the folder is complete, and its samples become the expected events."""
    if vendor in RESERVED:
        return [f"{vendor}: this name is reserved; rename the folder"]
    if not (folder / vendor / MAPPING).is_file():
        return [f"{vendor}/{MAPPING}: missing; `cairn sources new` writes a first one"]
    try:
        mapping = tomllib.loads((folder / vendor / MAPPING).read_text(encoding="utf-8"))
    except ValueError as error:
        return [f"{vendor}/{MAPPING}: not TOML: {error}"]
    found = [f"{vendor}/{MAPPING}: {problem}" for problem in problems(vendor, mapping)]
    found += _page_problems(vendor, folder, mapping)
    return found or list(_sample_problems(vendor, folder))


def accept_samples(vendor: str, folder: Path) -> list[Path]:
    """Write what the samples become today as what they must become, and the page's table; returns the files."""
    expected = {sample.stem: events_of(sample, folder) for sample in samples(vendor, folder)}
    path = folder / vendor / EXPECTED
    path.write_text(json.dumps(expected, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    write_table(vendor, folder)
    return [path, folder / vendor / PAGE]


def write_table(vendor: str, folder: Path) -> bool:
    """Write the table of events on a vendor's page anew; whether it changed."""
    mapping = tomllib.loads((folder / vendor / MAPPING).read_text(encoding="utf-8"))
    return write_page(folder / vendor / PAGE, vendor, mapping)


def events_of(sample: Path, folder: Path = VENDORS, known: Sources | None = None) -> list[dict[str, Any]]:
    """The events that a sample becomes, as expected.json has them: without source, trust and empty fields.

    `known` are the folder's sources, where they are read already.
    Raises ValueError where the sample is not JSON, or where the mapping makes an event of it that is none.
    """
    vendor = sample.parents[1].name
    reading = _reading(vendor, sample, sources(folder=folder) if known is None else known)
    if reading.problems:
        raise ValueError("; ".join(reading.problems))
    wires = [{**event_to_wire(event), "source": "", "backfill": False} for event in reading.events]
    shown = [{name: value for name, value in wire.items() if name not in {"vouched", "settable"}} for wire in wires]
    filled = [{name: value for name, value in wire.items() if value not in ({}, [], "", False)} for wire in shown]
    found: list[dict[str, Any]] = json.loads(json.dumps(filled).replace(instant_to_wire(RECEIVED_AT), RECEIPT))
    return found


def _reading(vendor: str, sample: Path, known: Sources) -> Reading:
    document = json.loads(sample.read_text(encoding="utf-8"))
    headers = sample_headers(sample)
    made = posting(vendor, document, ANY_SECRET, RECEIVED_AT, headers=headers, known=known)
    lower = {name.lower(): value for name, value in made.headers.items()}
    return known[vendor].read(Request(made.url, lower, made.body), RECEIVED_AT, fetched_beside(sample))


def _page_problems(vendor: str, folder: Path, mapping: Mapping[str, Any]) -> Iterator[str]:
    page = folder / vendor / PAGE
    if not page.is_file():
        yield f"{vendor}/{PAGE}: missing; write where to click at the vendor, and which events its webhooks become"
        return
    text = page.read_text(encoding="utf-8")
    if not text.startswith("# "):
        yield f"{vendor}/{PAGE}: begin with the vendor's name as a heading"
    if with_table(text, vendor, mapping) != text:
        yield f"{vendor}/{PAGE}: its table of events is not what the mapping makes: `cairn sources page` writes it"


def _sample_problems(vendor: str, folder: Path) -> Iterator[str]:
    paths = samples(vendor, folder)
    if not paths:
        yield f"{vendor}/{SAMPLES}: empty; add a body that the vendor posts, as {SAMPLES}/<what>.json"
        return
    try:
        expected = _object_in(folder, f"{vendor}/{EXPECTED}")
        headers = _object_in(folder, f"{vendor}/{SAMPLES}/{HEADERS}", missing={})
    except ValueError as error:
        yield str(error)
        return
    known = sources(folder=folder)
    for path in paths:
        yield from _sample_problem(vendor, path, folder, known, expected)
    for name in sorted(expected.keys() - {path.stem for path in paths}):
        yield f"{vendor}/{EXPECTED}: {name}: no sample has this name; remove it, or add {SAMPLES}/{name}.json"
    for name in sorted(headers.keys() - {path.name for path in paths}):
        yield f"{vendor}/{SAMPLES}/{HEADERS}: {name}: no sample has this name; remove it, or add the sample"


def _sample_problem(
    vendor: str, path: Path, folder: Path, known: Sources, expected: Mapping[str, Any]
) -> Iterator[str]:
    try:
        events = events_of(path, folder, known)
    except ValueError as error:
        yield f"{vendor}/{SAMPLES}/{path.name}: {error}"
        return
    if path.stem not in expected:
        yield f"{vendor}/{EXPECTED}: {path.stem}: missing; the sample becomes {json.dumps(events)}"
    elif expected[path.stem] != events:
        yield f"{vendor}/{EXPECTED}: {path.stem}: differs; the sample becomes {json.dumps(events)}"


def _object_in(folder: Path, name: str, missing: dict[str, Any] | None = None) -> dict[str, Any]:
    """The JSON object of a file. Raises ValueError, which names the file."""
    path = folder / name
    if not path.is_file():
        if missing is not None:
            return missing
        raise ValueError(f"{name}: missing; write an object: the name of each sample, and the events that it becomes")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{name}: not JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"{name}: write an object by the samples' names")  # noqa: TRY004  the caller reports it
    return found
